/** Two accounts in processes of their own, a real home, and files between them over Iroh on loopback. */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import type { Answer, Command } from "./FilesProcess.ts"

const script = fileURLToPath(new URL("FilesProcess.ts", import.meta.url))

/** The answers of one run of a program. */
export class Program {
  readonly #child: ChildProcess
  readonly #answers: Array<Answer> = []
  readonly #watchers = new Set<() => void>()
  #errors = ""
  #ended = false
  constructor(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ["--conditions=kez-source", script, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env }
    })
    this.#child.stderr!.on("data", (chunk: Buffer) => (this.#errors += chunk.toString()))
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#answers.push(JSON.parse(line) as Answer)
      for (const watch of this.#watchers) watch()
    })
    this.#child.once("close", () => {
      this.#ended = true
      for (const watch of this.#watchers) watch()
    })
  }

  send(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  /** The first answer after `from` (a count of answers) that has what is asked for. Fails when a command failed. */
  answer<A>(pick: (answer: Answer) => A | undefined, from = 0): Promise<A> {
    return new Promise((resolve, reject) => {
      const watch = () => {
        for (const answer of this.#answers.slice(from)) {
          const found = pick(answer)
          if (found === undefined && answer.failed === undefined) continue
          this.#watchers.delete(watch)
          return found === undefined ? reject(new Error(answer.failed)) : resolve(found)
        }
        if (this.#ended) reject(new Error(`the program ended: ${this.#errors}`))
      }
      this.#watchers.add(watch)
      watch()
    })
  }

  /** How many answers came so far. */
  get count(): number {
    return this.#answers.length
  }

  get answers(): ReadonlyArray<Answer> {
    return this.#answers
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = new Promise((done) => this.#child.once("close", done))
    this.#child.kill(signal)
    await closed
  }
}

/** A folder, a home, and Alice and Bob who have added each other. */
export class Pair {
  readonly folder = mkdtempSync(join(tmpdir(), "kez-files-"))
  readonly #flags: ReadonlyArray<string>
  #home: Home | undefined
  readonly #programs = new Set<Program>()

  /** `manifestOperations`: how many manifests one address may store an hour, and read a minute. */
  constructor({ manifestOperations = 0 }: { readonly manifestOperations?: number } = {}) {
    const count = String(manifestOperations)
    this.#flags =
      manifestOperations === 0 ? [] : ["--manifest-writes-per-hour", count, "--manifest-reads-per-minute", count]
  }

  async open(): Promise<void> {
    const options = {
      data: join(this.folder, "home"),
      ports: "auto",
      source: true,
      flags: { chat: this.#flags }
    } as const
    const home = await startHome(options)
    this.#home = home
    const names = ["alice", "bob"] as const
    const clients = await Promise.all(
      names.map((name) =>
        openNode({ home: home.urls.home, dir: join(this.folder, name), passphrase: `only for ${name}` })
      )
    )
    for (const [i, client] of clients.entries()) {
      await client.create({ handle: names[i]!, words: Mnemonic.generate(randomBytes(32)) })
    }
    for (const [i, client] of clients.entries()) await client.addContact(names[1 - i]!)
    for (const client of clients) await client.close()
    mkdirSync(join(this.folder, "saved"))
  }

  /** The home's base URL. */
  get home(): string {
    return this.#home!.urls.home
  }

  async start(name: "alice" | "bob", env?: Readonly<Record<string, string>>): Promise<Program> {
    const program = new Program([this.#home!.urls.home, join(this.folder, name), name], env)
    this.#programs.add(program)
    await program.answer(({ ready }) => ready)
    return program
  }

  async close(): Promise<void> {
    for (const program of this.#programs) await program.end("SIGKILL")
    await this.#home?.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Writes a file of random bytes and answers its path. */
  async file(name: string, size: number): Promise<string> {
    const path = join(this.folder, name)
    const pieces = function* () {
      for (let left = size; left > 0; left -= 1_048_576) yield randomBytes(Math.min(left, 1_048_576))
    }
    await pipeline(pieces, createWriteStream(path))
    return path
  }
}

/** SHA-256 of a file, in hex. */
export const digest = async (path: string): Promise<string> => {
  const hash = createHash("sha256")
  await pipeline(createReadStream(path), hash)
  return hash.digest("hex")
}
