/**
 * A shim that runs `kez-chat --json`, a command for each operation of clients.
 *
 *     node shim.ts [COMMAND...]      the command that runs the CLI: kez-chat
 *
 * Each client is a profile in a folder of its own, with a `kez-chat listen` that holds its connection as a user's would.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { createInterface } from "node:readline"

type Args = Readonly<Record<string, unknown>>
// Output of the CLI, which its own tests hold to its schemas.
type Output = ReturnType<typeof JSON.parse>

const [program = "kez-chat", ...first] = process.argv.slice(2)

/** The CLI's error as it prints it. */
class Refused extends Error {
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

const text = (args: Args, name: string): string => {
  const value = args[name]
  if (typeof value !== "string") throw new TypeError(`the request has no ${name}`)
  return value
}

class Client {
  readonly #store: string
  readonly #home: string
  #listener: ChildProcess | undefined
  #connection: { readonly connected: boolean; readonly reason?: string } = { connected: false }

  private constructor(store: string, home: string) {
    this.#store = store
    this.#home = home
  }

  static async open(args: Args): Promise<readonly [Client, Output]> {
    const client = new Client(text(args, "store"), text(args, "home"))
    const account = await client.#account(args)
    await client.#listen()
    return [client, { primary: account.primary, handle: account.handle }]
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
    if (child === undefined || child.exitCode !== null) return
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

const contactOf = ({ cause, handle, head, kept, offered, primary, state, verified, warning }: Output): Output => ({
  primary,
  handle,
  state,
  verified,
  ...cause,
  ...(kept && { kept }),
  ...(offered && { offered }),
  ...(head && { head }),
  ...(warning && { warning })
})

const messageOf = (message: Output): Output => {
  const { direction, equivocation, failure, fork, gap, id, peer, state, suspicious, type, waiting } = message
  const reason = failure ?? waiting?.reason
  return {
    id,
    peer,
    direction,
    type,
    text: message["text"],
    ...(state && { state }),
    ...(reason && { reason }),
    ...(gap !== undefined && { gap }),
    ...(equivocation && { equivocation }),
    ...(fork && { fork }),
    ...(suspicious && { suspicious })
  }
}

type Run = (client: Client, args: Args) => Promise<unknown>
const contact =
  (...command: ReadonlyArray<string>): Run =>
  async (client, args) =>
    contactOf((await client.json(...command, text(args, "who"))).contact)

const runs: Readonly<Record<string, Run>> = {
  "client.close": async (client) => {
    await client.close()
    return {}
  },
  // Lists of contacts and messages come after synchronising.
  "client.sync": async (client) => {
    await client.json("contacts")
    return {}
  },
  "client.connection": async (client) => client.connection,
  "client.add": contact("add"),
  "client.contacts": async (client) => {
    const [{ contacts }, { requests }] = await Promise.all([
      client.json("contacts", "--offline"),
      client.json("requests", "--offline")
    ])
    const all = [...contacts, ...requests.map((request: Output) => request["contact"])].map(contactOf)
    return [...new Map(all.map((one) => [one["primary"], one])).values()]
  },
  "client.refresh": contact("verify"),
  "client.accept": (client, args) =>
    args["primary"] === undefined
      ? contact("accept")(client, args)
      : contact("accept", "--new-key", text(args, "primary"))(client, args),
  "client.keep": contact("keep"),
  "client.confirm": async (client, args) => {
    const { contact: shown, offered } = await client.json("verify", text(args, "who"))
    if ((offered ?? shown).primary !== args["primary"])
      throw new Refused({ code: "key_refused", exit: 5, message: "that is not the key whose number is shown" })
    return contact("verify", "--confirm", "--yes")(client, args)
  },
  "client.block": contact("block"),
  "client.unblock": contact("unblock"),
  "client.safetyNumber": async (client, args) => {
    const { offered, pinned } = await client.json("verify", text(args, "who"), "--offline")
    return {
      number: pinned.safety_number,
      ...(offered && { offered: { primary: offered.primary, number: offered.safety_number } })
    }
  },
  "client.send": (client, args) => client.send(text(args, "who"), text(args, "text")),
  "client.messages": async (client, args) => {
    const pages: Array<Output> = []
    let before: number | null = null
    do {
      const page: Output = await client.json(
        "history",
        text(args, "who"),
        "--offline",
        "--limit",
        "1000",
        ...(before === null ? [] : ["--before", String(before)])
      )
      pages.unshift(...page["messages"])
      before = page["before"]
    } while (before !== null)
    return pages.map(messageOf)
  },
  "client.markRead": async (client, args) => {
    await client.json("history", text(args, "who"), "--mark-read", "--limit", "1")
    return {}
  },
  "client.trim": async (client, args) => {
    const own = args["box"] === "self"
    const { inbox } = await client.json("inbox", "--trim", ...(own ? ["--sent"] : []))
    const { limit_bytes: limit, used_bytes: used } = own ? inbox.sent : inbox.mail
    return { used, limit }
  },
  "client.manifest": async (client, args) => {
    const { files, revision } = await client.json("browse", text(args, "who"))
    const current = files.filter((file: Output) => file["replaced_by"] === undefined)
    return {
      revision,
      entries: current.map(({ folder, id, name, public: isPublic, size }: Output) => ({
        id,
        name,
        ...(folder && { folder }),
        size,
        public: isPublic
      }))
    }
  },
  "client.share": async (client, args) => {
    const readers = args["with"] as ReadonlyArray<string> | undefined
    return { entry: await client.share(text(args, "name"), Buffer.from(text(args, "bytes"), "base64url"), readers) }
  },
  "client.unshare": async (client, args) => {
    await client.json("unshare", text(args, "entry"))
    return {}
  },
  "client.publication": async (client) => {
    const { shares } = await client.json("shared")
    const reason = shares.find(({ problem }: Output) => problem)?.problem.detail
    return { published: shares.every(({ manifest }: Output) => manifest !== "pending"), ...(reason && { reason }) }
  },
  "client.serve": async (client) => {
    await client.serve()
    return {}
  },
  "client.fetch": async (client, args) => {
    const end = Date.now() + Number(args["millis"])
    const saved: Array<object> = []
    for (const entry of args["entries"] as ReadonlyArray<string>) {
      const ref = `@${text(args, "who")}/${entry}`
      const path = await client.fetch(ref, text(args, "folder"), Math.max(1, end - Date.now()))
      if (path !== undefined) saved.push({ entry, path })
    }
    return { saved }
  }
}

/** The CLI's codes as the operations of clients name them. */
const codeOf = ({ code, exit }: Refused): string => {
  if (/^(?:send|fetch)_blocked_/.test(code)) return "send_stopped"
  if (code === "transport_refused") return "refused"
  if (code.startsWith("key_") && exit === 5) return "key_refused"
  if (/^(?:server_unreachable|broker_(?!bad|size|unknown))/.test(code)) return "unreachable"
  return code.replace(/^broker_/, "")
}

const clients = new Map<string, Client>()

const run = async (cmd: string, args: Args): Promise<unknown> => {
  const id = text(args, "id")
  if (cmd === "client.open") {
    const [client, account] = await Client.open(args)
    clients.set(id, client)
    return account
  }
  const client = clients.get(id)
  if (client === undefined) throw new TypeError(`no client ${id} is open`)
  if (cmd === "client.close") clients.delete(id)
  return runs[cmd]!(client, args)
}

const version = execFileSync(program, [...first, "--version"], { encoding: "utf8" })
const start = {
  protocol: 1,
  implementation: { name: "kez-chat", version: /\d+\.\d+\.\d+\S*/.exec(version)?.[0] ?? "", language: "TypeScript" },
  profiles: ["chat", "files", "transfer"],
  ops: ["client.open", ...Object.keys(runs)]
}

const answer = async (cmd: string, args: Args): Promise<object> => {
  if (cmd === "start") return { ok: start }
  if (cmd === "stop") {
    await Promise.all([...clients.values()].map((client) => client.close()))
    return { ok: {} }
  }
  if (!start.ops.includes(cmd)) return { unsupported: true }
  try {
    return { ok: await run(cmd, args) }
  } catch (error) {
    if (error instanceof Refused) return { error: { code: codeOf(error), message: error.message } }
    return { internal: { message: String(error), trace: error instanceof Error ? error.stack : "" } }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { args, cmd, seq } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ seq, ...(await answer(cmd, args)) })}\n`)
  if (cmd === "stop") break
}
