/**
 * Questions to a person. They are asked on the terminal, never on standard output: with standard input in use for a
 * message, the answer still comes from the terminal that started the command.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
import * as readline from "node:readline"
import * as tty from "node:tty"
import { ExitCode } from "../ExitCode.ts"
import { type CliFailure, fail } from "../Failure.ts"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"

export class Ask extends Context.Service<
  Ask,
  {
    /** Whether there is somebody to ask. */
    readonly possible: Effect.Effect<boolean>
    /** What is typed, shown as it is typed: one line, or as many as it takes to be complete. An empty line ends it too. */
    line(question: string, isComplete?: (text: string) => boolean): Effect.Effect<string, CliFailure>
    /** One line that is not shown. */
    hidden(question: string): Effect.Effect<Redacted.Redacted<string>, CliFailure>
    /** Shows text that must not stay in the scrollback while `use` runs. */
    secretly<A, E, R>(text: string, use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
    /** Writes to the terminal between questions. */
    show(text: string): Effect.Effect<void>
  }
>()("@kez-chat/cli/Ask") {
  static readonly layer = Layer.effect(
    Ask,
    Effect.map(Host, ({ platform }) => make(platform))
  )
}

interface Device {
  readonly input: tty.ReadStream
  readonly output: tty.WriteStream
  readonly close: () => void
}

/** The terminal: standard input and error where they are one, else the controlling terminal of this session. */
const open = (platform: NodeJS.Platform): Device | undefined => {
  if (process.stdin.isTTY && process.stderr.isTTY) {
    return { input: process.stdin, output: process.stderr, close: () => process.stdin.pause() }
  }
  if (platform === "win32") return undefined
  try {
    const input = new tty.ReadStream(fs.openSync("/dev/tty", "r"))
    const output = new tty.WriteStream(fs.openSync("/dev/tty", "w"))
    return {
      input,
      output,
      close: () => {
        input.destroy()
        output.destroy()
      }
    }
  } catch {
    return undefined
  }
}

const refused = fail(
  "input_needed",
  ExitCode.usage,
  "an answer is needed and there is no terminal to ask on (see --help for the flags that replace the question)"
)

/** As a shell would: Ctrl-C is for the program, not for the question. */
const interrupt = () => process.kill(process.pid, "SIGINT")

/** Reads lines with the usual editing. */
const readShown = (
  { input, output }: Device,
  question: string,
  isComplete: (text: string) => boolean
): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const terminal = readline.createInterface({ input, output, prompt: question, historySize: 0 })
    let text = ""
    terminal.on("line", (line) => {
      text = text === "" ? line : `${text}\n${line}`
      if (line.trim() === "" || isComplete(text)) terminal.close()
      else terminal.prompt()
    })
    terminal.on("SIGINT", interrupt)
    terminal.on("close", () => resume(Effect.succeed(text)))
    terminal.prompt()
    return Effect.sync(() => terminal.close())
  })

/** Reads a line in raw mode and echoes nothing of it. */
const readHidden = ({ input, output }: Device, question: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let characters: Array<string> = []
    const finish = () => {
      input.off("data", onData)
      input.setRawMode(false)
      output.write("\n")
    }
    const onData = (chunk: string) => {
      // An arrow key or another sequence is not text. It comes as one chunk.
      if (chunk.startsWith("\u001b")) return
      for (const character of chunk) {
        if (character === "\r" || character === "\n" || character === "\u0004") {
          finish()
          return resume(Effect.succeed(characters.join("")))
        }
        if (character === "\u0003") return void interrupt()
        if (character === "\u007f" || character === "\b") characters.pop()
        else if (character === "\u0015") characters = []
        else if (character >= " ") characters.push(character)
      }
    }
    // Echo is off before the question is there: whoever answers at once is not shown either.
    input.setRawMode(true)
    output.write(question)
    input.setEncoding("utf8")
    input.on("data", onData)
    input.resume()
    return Effect.sync(finish)
  })

const make = (platform: NodeJS.Platform): Ask["Service"] => {
  const withDevice = <A>(use: (device: Device) => Effect.Effect<A>): Effect.Effect<A, CliFailure> =>
    Effect.gen(function* () {
      if ((yield* settings).noInput) return yield* refused
      return yield* Effect.acquireUseRelease(
        Effect.sync(() => open(platform)),
        (device): Effect.Effect<A, CliFailure> => (device === undefined ? Effect.fail(refused) : use(device)),
        (device) => Effect.sync(() => device?.close())
      )
    })

  const show = (text: string) =>
    Effect.acquireUseRelease(
      Effect.sync(() => open(platform)),
      (device) => Effect.sync(() => device?.output.write(text)),
      (device) => Effect.sync(() => device?.close())
    )

  return {
    possible: Effect.gen(function* () {
      if ((yield* settings).noInput) return false
      const device = yield* Effect.sync(() => open(platform))
      device?.close()
      return device !== undefined
    }),
    line: (question, isComplete = () => true) => withDevice((device) => readShown(device, question, isComplete)),
    hidden: (question) =>
      Effect.map(
        withDevice((device) => readHidden(device, question)),
        (answer) => Redacted.make(answer)
      ),
    // The alternate screen, as pagers use it: what was shown there is gone when it is left, from the scrollback too.
    secretly: (text, use) =>
      Effect.acquireUseRelease(
        show(`\u001b[?1049h\u001b[2J\u001b[H${text}`),
        () => use,
        () => show("\u001b[2J\u001b[?1049l")
      ),
    show
  }
}
