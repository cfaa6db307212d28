/** A shim as a process: one request a line in, one response a line out, and an explanation for everything else. */
import { type ChildProcess, spawn } from "node:child_process"
import { whenInterrupted } from "../suite/Interrupt.ts"
import { UsageError } from "../suite/UsageError.ts"
import { maxLineBytes, readResponse, type Request, type Response, shown } from "./Protocol.ts"

/** How much of standard error is kept, in characters. */
const keptText = 2_000
/** How long a shim has to end by itself, in milliseconds. */
const endsWithin = 5_000

/** How many times longer than others `start` may take: the command may build the shim first. */
const startPatience = 10

/** Why there is no response. */
export class ShimFailure extends Error {
  override readonly name = "ShimFailure"
}

interface Waiting {
  readonly settle: (outcome: Response | ShimFailure) => void
  readonly timer: NodeJS.Timeout
}

export interface ShimOptions {
  /** Program and arguments. */
  readonly command: ReadonlyArray<string>
  /** How long a request may take, in milliseconds. */
  readonly timeoutMillis: number
  /** Called with every line that is sent (`->`) and received (`<-`), and with lines of standard error (`!!`). */
  readonly trace?: ((line: string) => void) | undefined
}

export class ShimProcess {
  readonly #child: ChildProcess
  readonly #options: ShimOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #seq = 0
  #errors = ""
  #failure: ShimFailure | undefined

  constructor(options: ShimOptions) {
    this.#options = options
    const [program = "", ...args] = options.command
    // A group of its own: what the shim starts ends with it.
    this.#child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      detached: process.platform !== "win32",
      env: { ...process.env, KEZ_CONFORMANCE: "1" }
    })
    const forget = whenInterrupted(() => this.#kill())
    this.#ended = new Promise((resolve) => {
      this.#child.on("error", (error: NodeJS.ErrnoException) => {
        this.#fail(error.code === "ENOENT" ? `there is no program ${program}` : error.message)
        resolve()
      })
      this.#child.on("close", (code, signal) => {
        this.#fail(`the shim ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`)
        resolve()
      })
    })
    void this.#ended.then(forget)
    // Writing to a shim that is gone fails; its end says why.
    this.#child.stdin?.on("error", () => undefined)
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-keptText)
      for (const line of text.split("\n")) if (line !== "") options.trace?.(`!! ${line}`)
    })
    this.#readLines()
  }

  /** Whether it can still be asked. */
  get isAlive(): boolean {
    return this.#failure === undefined
  }

  /** Why it cannot be asked any more. */
  get failure(): ShimFailure | undefined {
    return this.#failure
  }

  /** Sends a request. Rejects with a `ShimFailure` that says why there is no valid response. */
  ask(cmd: string, args: Request["args"], test?: string): Promise<Response> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const seq = this.#seq++
    const millis = this.#options.timeoutMillis * (cmd === "start" ? startPatience : 1)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(`no response to ${cmd} within ${millis / 1000} s`), millis)
      const settle: Waiting["settle"] = (outcome) => {
        clearTimeout(timer)
        this.#waiting.delete(seq)
        if (outcome instanceof ShimFailure) reject(outcome)
        else resolve(outcome)
      }
      this.#waiting.set(seq, { settle, timer })
      const line = JSON.stringify({ seq, cmd, ...(test === undefined ? {} : { test }), args })
      this.#options.trace?.(`-> ${line}`)
      this.#child.stdin?.write(`${line}\n`)
    })
  }

  /** Asks it to stop, waits for its end, and kills what is left. */
  async stop(): Promise<void> {
    if (this.isAlive) {
      await this.ask("stop", {}).catch(() => undefined)
      this.#child.stdin?.end()
      await Promise.race([this.#ended, after(endsWithin)])
    }
    this.#kill()
    await this.#ended
  }

  /** Kills it, and all that it started, in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#fail("the suite killed the shim")
    await this.#ended
  }

  #readLines(): void {
    let parts: Array<Buffer> = []
    let length = 0
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      let begin = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, begin)) {
        this.#take(Buffer.concat([...parts, bytes.subarray(begin, end)]).toString("utf8"))
        parts = []
        length = 0
        begin = end + 1
      }
      parts.push(bytes.subarray(begin))
      length += bytes.length - begin
      if (length <= maxLineBytes) return
      parts = []
      this.#fail(`a line of output is longer than ${maxLineBytes} bytes`)
    })
  }

  #take(line: string): void {
    if (this.#failure !== undefined) return
    this.#options.trace?.(`<- ${line}`)
    const response = readResponse(line)
    if (typeof response === "string") return this.#fail(response)
    const waiting = this.#waiting.get(response.seq)
    if (waiting === undefined)
      return this.#fail(`a response has the seq ${response.seq}, which no open request has: ${shown(line)}`)
    waiting.settle(response)
  }

  /** Ends it for a reason that every open request is told. */
  #fail(reason: string): void {
    if (this.#failure !== undefined) return
    const said = this.#errors.trim()
    this.#failure = new ShimFailure(said === "" ? reason : `${reason}; its last words: ${shown(said, 600)}`)
    for (const { settle } of this.#waiting.values()) settle(this.#failure)
    this.#kill()
  }

  #kill(): void {
    this.#child.stdout?.destroy()
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      if (process.platform === "win32") this.#child.kill("SIGKILL")
      else process.kill(-pid, "SIGKILL")
    } catch {
      // It, and all that it started, is gone.
    }
  }
}

const after = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis).unref())

/** A command line as words: quotes and backslashes as in a shell, nothing expanded. */
export const wordsOf = (line: string): ReadonlyArray<string> => {
  const words: Array<string> = []
  let word: string | undefined
  const parts = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)|(.)/gsu
  for (const [whole, single, double, escaped, plain, stray] of line.matchAll(parts)) {
    if (stray !== undefined) throw new UsageError(`--shim has an unclosed ${stray}: ${line}`)
    if (/^\s/.test(whole)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? "") + (single ?? double?.replace(/\\(.)/gs, "$1") ?? escaped ?? plain ?? "")
  }
  if (word !== undefined) words.push(word)
  if (words.length === 0) throw new UsageError("--shim is empty: it takes the command that starts your shim")
  return words
}
