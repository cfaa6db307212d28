/** An account of the CLI in a folder, and the commands that are run for it. */
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { createInterface } from "node:readline"

export type Args = Readonly<Record<string, unknown>>
/** Output of the CLI, which its own tests hold to its schemas. */
export type Output = ReturnType<typeof JSON.parse>

const [program = "kez-chat", ...first] = process.argv.slice(2)

/** The program of the CLI, and what comes before its own arguments. */
export const cli = { program, first }

/** The CLI's error as it prints it. */
export class Refused extends Error {
  readonly code: string
  readonly exit: number
  /** What it had printed before. */
  readonly output: string
  constructor({ code, exit, message }: { code: string; exit: number; message: string }, output = "") {
    super(message)
    this.code = code
    this.exit = exit
    this.output = output
  }
}

export const text = (args: Args, name: string): string => {
  const value = args[name]
  if (typeof value !== "string") throw new TypeError(`the request has no ${name}`)
  return value
}

/** A profile with a `listen` that holds its connection. */
export class Profile {
  readonly #store: string
  readonly #home: string
  #listener: ChildProcess | undefined
  #connection: { readonly connected: boolean; readonly reason?: string } = { connected: false }

  private constructor(store: string, home: string) {
    this.#store = store
    this.#home = home
  }

  static async open(args: Args): Promise<readonly [Profile, Output]> {
    const profile = new Profile(text(args, "store"), text(args, "home"))
    const account = await profile.#account(args)
    await profile.#listen()
    return [profile, { primary: account.primary, handle: account.handle }]
  }

  /** The account that is there, or the one that the words make or bring back. */
  async #account(args: Args): Promise<Output> {
    const passphrase = join(this.#store, "passphrase")
    if (!existsSync(passphrase)) writeFileSync(passphrase, randomBytes(16).toString("hex"), { mode: 0o600 })
    const known = existsSync(this.#profiles) ? await this.#known() : undefined
    if (known?.step === "published") return known
    const words = join(this.#store, "words")
    writeFileSync(words, `${text(args, "words")}\n`, { mode: 0o600 })
    try {
      const handle = args["handle"] ?? known?.handle
      const invite = args["invite"] === undefined ? [] : ["--invite", text(args, "invite")]
      return typeof handle === "string"
        ? await this.json("register", handle, "--existing-words", words, "--vault", "file", "--yes", ...invite)
        : await this.json("restore", "--words-file", words, "--vault", "file")
    } finally {
      rmSync(words)
    }
  }

  /** What the CLI says of its account; undefined where it has none. */
  async #known(): Promise<Output> {
    return this.json("whoami").catch((error: unknown) => {
      if (error instanceof Refused) return undefined
      throw error
    })
  }

  /** Where the CLI keeps everything. */
  get #profiles(): string {
    return join(this.#store, "kez-chat")
  }

  #spawn(args: ReadonlyArray<string>): ChildProcess {
    return spawn(program, [...first, ...args, "--json", "--no-input", "--home", this.#home], {
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        KEZ_CHAT_DIR: this.#profiles,
        KEZ_PASSPHRASE_FILE: join(this.#store, "passphrase"),
        NO_COLOR: "1"
      }
    })
  }

  /** Runs a command; its output as JSON. */
  async json(...args: ReadonlyArray<string>): Promise<Output> {
    return this.#run(args, "")
  }

  async #run(args: ReadonlyArray<string>, input: string): Promise<Output> {
    const output = await this.#output(args, input).catch((error: unknown) => {
      // It has shown all that it was asked for, and its exit code says that nothing is sent to this contact.
      const isShown = error instanceof Refused && error.code === "key_changed" && !args.includes("--confirm")
      if (isShown && error.output !== "") return error.output
      throw error
    })
    return JSON.parse(output)
  }

  /** Output of a command that prints a line for each event. */
  async #lines(args: ReadonlyArray<string>, millis?: number): Promise<ReadonlyArray<Output>> {
    const output = await this.#output(args, "", millis).catch((error: unknown) => {
      // It is done here, and sent later.
      if (error instanceof Refused && error.code === "queued") return error.output
      throw error
    })
    return output
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
  }

  /** What a command prints; if it is stopped after `millis`, what it had printed by then. */
  #output(args: ReadonlyArray<string>, input: string, millis?: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(args)
      let isStopped = false
      const timer =
        millis === undefined
          ? undefined
          : setTimeout(() => {
              isStopped = true
              child.kill("SIGINT")
            }, millis)
      let output = ""
      let errors = ""
      child.stdout!.setEncoding("utf8").on("data", (chunk: string) => (output += chunk))
      child.stderr!.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk))
      child.on("error", reject)
      child.stdin!.on("error", () => undefined).end(input)
      child.on("close", (code) => {
        clearTimeout(timer)
        if (code === 0 || isStopped) return resolve(output)
        const line = errors.trim().split("\n").at(-1) ?? ""
        if (line.startsWith(`{"error"`)) return reject(new Refused(JSON.parse(line).error, output))
        reject(new Error(`kez-chat ${args[0]} ended with ${code}: ${errors}`))
      })
    })
  }

  /** Starts `listen`, and waits for its first line. */
  async #listen(serves = false): Promise<void> {
    const child = this.#spawn(["listen", ...(serves ? [] : ["--no-serve"])])
    this.#listener = child
    child.stderr!.resume()
    await new Promise<void>((resolve) => {
      child.on("close", () => resolve())
      createInterface({ input: child.stdout! }).on("line", (line) => {
        resolve()
        const { detail, event, state } = JSON.parse(line)
        if (event !== "connection") return
        this.#connection = { connected: state === "online", ...(state === "offline" && { reason: detail ?? state }) }
      })
    })
  }

  async close(): Promise<void> {
    const child = this.#listener
    this.#listener = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.on("close", resolve))
    child.kill("SIGINT")
    await ended
  }

  /** Listens anew, and lets others fetch from now on. */
  async serve(): Promise<void> {
    await this.close()
    await this.#listen(true)
  }

  /** Shares a file from a folder of its own, as another of the same name may be shared. */
  async share(name: string, bytes: Buffer, readers: ReadonlyArray<string> | undefined): Promise<string> {
    const folder = mkdtempSync(join(this.#store, "share-"))
    writeFileSync(join(folder, name), bytes)
    const whom = readers === undefined ? ["--public"] : readers.map((who) => `@${who}`)
    const events = await this.#lines(["share", ...whom, join(folder, name)])
    return events.find(({ event }) => event === "shared").share.id
  }

  /** The path of a file that was fetched and saved; undefined where that takes longer. */
  async fetch(ref: string, folder: string, millis: number): Promise<string | undefined> {
    const events = await this.#lines(["fetch", ref, "--to", folder, "--keep-both"], millis)
    const saved = events.find(({ event }) => event === "saved")
    return saved && relative(folder, saved.path)
  }

  async send(who: string, body: string) {
    const { message } = await this.#run(["send", who, "-", "--no-wait"], body)
    return { id: message.id, state: message.state }
  }

  get connection() {
    return this.#connection
  }
}
