/** Runs the real program, bundled from its sources, as a process without a terminal. */
import * as Schema from "effect/Schema"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Shapes from "./Shapes.ts"

export type Shape<A> = Schema.Codec<A, unknown>

/** A value of a documented shape; members that are not documented are refused. */
export const read = <A>(shape: Shape<A>, text: string): A =>
  Schema.decodeUnknownSync(shape, { onExcessProperty: "error" })(JSON.parse(text))

export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as one JSON value of this shape, with nothing else in it. */
  readonly json: <A>(shape: Shape<A>) => A
  /** The JSON error of standard error. */
  readonly error: () => { readonly code: string; readonly exit: number; readonly message: string }
}

export interface Running {
  readonly pid: number
  readonly child: ChildProcess
  /** Lines of standard output so far. */
  readonly lines: () => ReadonlyArray<string>
  readonly stderr: () => string
  /** Waits for a line that satisfies `test`. */
  readonly line: (test: (line: string) => boolean, withinMillis?: number) => Promise<string>
  /** Waits for a line of JSON of this shape that satisfies `test`; every line must be of the shape. */
  readonly event: <A>(shape: Shape<A>, test: (value: A) => boolean, withinMillis?: number) => Promise<A>
  readonly kill: (signal: NodeJS.Signals) => Promise<Finished>
  readonly finished: Promise<Finished>
}

export interface Options {
  readonly input?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** More file descriptors, from 3 on, to read from: what each of them gives. */
  readonly descriptors?: ReadonlyArray<string>
  /** Where it runs, in place of the folder of the machine. */
  readonly cwd?: string
  /** How long it may run, in milliseconds. */
  readonly withinMillis?: number
}

/** The arguments of a command for a profile. */
export const as = (name: string, ...args: ReadonlyArray<string>): ReadonlyArray<string> => ["--profile", name, ...args]

const patience = 60_000

/** A person at a terminal: reads what is on it and types. */
export class Terminal {
  readonly #child: ChildProcess
  readonly #watchers = new Set<() => void>()
  readonly ended: Promise<number | null>
  #text = ""
  #read = 0

  constructor(child: ChildProcess, gone: () => void) {
    this.#child = child
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text
      for (const watch of this.#watchers) watch()
    })
    this.ended = new Promise((resolve) => {
      child.on("close", (code) => {
        gone()
        resolve(code)
      })
    })
  }

  /** Everything that was written so far, escape sequences included. */
  get text(): string {
    return this.#text
  }

  /** Waits until `pattern` is written after what was read before; gives what stands up to it. */
  async read(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this.#text.slice(this.#read))
      if (found !== null) {
        const until = this.#read + found.index + found[0].length
        const passage = this.#text.slice(this.#read, until)
        this.#read = until
        return passage
      }
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${String(pattern)} in:\n${this.#text}`)), patience)
        const watch = () => {
          clearTimeout(timer)
          this.#watchers.delete(watch)
          resolve()
        }
        this.#watchers.add(watch)
      })
    }
  }

  type(keys: string): void {
    this.#child.stdin!.write(keys)
  }
}

/** A machine of one user: a folder for all profiles, a passphrase file, and a home server. */
export class Machine {
  readonly folder: string
  readonly #program: string
  readonly #home: string
  readonly #children = new Set<ChildProcess>()

  /** `program` is the path of its file, as `bin/kez-chat.js` would load it. */
  constructor(program: string, home: string) {
    this.#program = program
    this.#home = home
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-cli-"))
    fs.writeFileSync(this.path("passphrase"), "correct horse\n", { mode: 0o600 })
  }

  path(...parts: ReadonlyArray<string>): string {
    return path.join(this.folder, ...parts)
  }

  /** Folder of a profile. */
  profile(name: string): string {
    return this.path("kez", "profiles", name)
  }

  /** The whole command line of a command, for a shell. */
  command(args: ReadonlyArray<string>): ReadonlyArray<string> {
    return [process.execPath, this.#program, ...args]
  }

  /** The environment of every command. */
  env(more: Options["env"] = {}): Readonly<Record<string, string | undefined>> {
    return {
      PATH: process.env["PATH"],
      HOME: this.folder,
      KEZ_CHAT_DIR: this.path("kez"),
      KEZ_HOME: this.#home,
      KEZ_PASSPHRASE_FILE: this.path("passphrase"),
      ...more
    }
  }

  start(args: ReadonlyArray<string>, options: Options = {}): Running {
    const descriptors = options.descriptors ?? []
    const [program = "", ...rest] = this.command(args)
    const child = spawn(program, rest, {
      // A session of its own: no terminal to ask on, whatever started the tests.
      detached: true,
      cwd: options.cwd ?? this.folder,
      stdio: ["pipe", "pipe", "pipe", ...descriptors.map(() => "pipe" as const)],
      env: this.env(options.env)
    })
    this.#children.add(child)
    let stdout = ""
    let stderr = ""
    const watchers = new Set<() => void>()
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      for (const watch of watchers) watch()
    })
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.stdin!.on("error", () => {})
    child.stdin!.end(options.input ?? "")
    descriptors.forEach((text, index) => {
      const pipe = child.stdio[index + 3] as NodeJS.WritableStream
      pipe.on("error", () => {})
      pipe.end(text)
    })
    const finished = new Promise<Finished>((resolve) => {
      child.on("close", (code, signal) => {
        this.#children.delete(child)
        for (const watch of watchers) watch()
        resolve({
          code,
          signal,
          stdout,
          stderr,
          json: (shape) => read(shape, stdout),
          error: () => read(Shapes.ErrorLine, stderr.trim().split("\n").at(-1) ?? "").error
        })
      })
    })
    const lines = () => stdout.split("\n").slice(0, -1)
    const line = (test: (line: string) => boolean, withinMillis = patience) =>
      new Promise<string>((resolve, reject) => {
        const timer = setTimeout(
          () => settle(() => reject(new Error(`no such line in ${withinMillis} ms:\n${stdout}\n${stderr}`))),
          withinMillis
        )
        const settle = (how: () => void) => {
          clearTimeout(timer)
          watchers.delete(watch)
          how()
        }
        const watch = () => {
          const found = lines().find(test)
          if (found !== undefined) settle(() => resolve(found))
          else if (child.exitCode !== null) settle(() => reject(new Error(`it ended first:\n${stdout}\n${stderr}`)))
        }
        watchers.add(watch)
        watch()
      })
    return {
      pid: child.pid!,
      child,
      lines,
      stderr: () => stderr,
      line,
      event: async (shape, test, withinMillis) =>
        read(shape, await line((text) => test(read(shape, text)), withinMillis)),
      kill: (signal) => {
        child.kill(signal)
        return finished
      },
      finished
    }
  }

  /** Runs a command on a pseudo terminal of 80 columns, as `script` of util-linux makes one. */
  onTerminal(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Terminal {
    const command = [process.execPath, this.#program, ...args].map((part) => `'${part}'`).join(" ")
    const child = spawn("script", ["-qefc", `stty cols 80 rows 24; exec ${command}`, "/dev/null"], {
      detached: true,
      cwd: this.folder,
      stdio: ["pipe", "pipe", "inherit"],
      env: {
        PATH: process.env["PATH"],
        HOME: this.folder,
        SHELL: "/bin/sh",
        TERM: "xterm-256color",
        KEZ_CHAT_DIR: this.path("kez"),
        KEZ_HOME: this.#home,
        ...env
      }
    })
    this.#children.add(child)
    return new Terminal(child, () => this.#children.delete(child))
  }

  /** Runs a command to its end. */
  async run(args: ReadonlyArray<string>, options: Options = {}): Promise<Finished> {
    const running = this.start(args, options)
    const timer = setTimeout(() => running.child.kill("SIGKILL"), options.withinMillis ?? patience)
    try {
      return await running.finished
    } finally {
      clearTimeout(timer)
    }
  }

  /** Runs a command that must succeed, and gives the JSON it prints. */
  async json<A>(shape: Shape<A>, args: ReadonlyArray<string>, options: Options = {}): Promise<A> {
    const done = await this.run([...args, "--json"], options)
    if (done.code !== 0)
      throw new Error(`kez-chat ${args.join(" ")} exited ${done.code}:\n${done.stdout}\n${done.stderr}`)
    return done.json(shape)
  }

  /** Registers a profile under a handle of the same name. */
  register(name: string): Promise<typeof Shapes.Account.Type> {
    const words = ["--words-file", this.path(`${name}.words`)]
    return this.json(Shapes.Account, ["--profile", name, "register", name, "--yes", ...words])
  }

  /** Makes two registered profiles contacts of each other. */
  async introduce(a: string, b: string): Promise<void> {
    await this.json(Shapes.ContactResult, as(a, "add", b))
    await this.json(Shapes.ContactResult, as(b, "add", a))
  }

  /** Registers two profiles and makes them contacts of each other. */
  async registerPair(a: string, b: string): Promise<void> {
    await Promise.all([this.register(a), this.register(b)])
    await this.introduce(a, b)
  }

  /** Ends every command that still runs, and waits until it has. */
  async endAll(): Promise<void> {
    const ended = [...this.#children].map((child) => new Promise((resolve) => child.once("close", resolve)))
    for (const child of this.#children) child.kill("SIGKILL")
    await Promise.all(ended)
  }

  /** Ends what still runs, background owners too, and removes the folder. */
  async remove(): Promise<void> {
    await this.endAll()
    const profiles = this.path("kez", "profiles")
    for (const name of fs.existsSync(profiles) ? fs.readdirSync(profiles) : []) {
      const file = path.join(profiles, name, "owner.json")
      try {
        process.kill(JSON.parse(fs.readFileSync(file, "utf8")).pid, "SIGKILL")
      } catch {
        // No owner, or gone already.
      }
    }
    fs.rmSync(this.folder, { recursive: true, force: true })
  }
}
