/**
 * Questions to a person. They are asked on the terminal, never on standard output: with standard input in use for a
 * message, the answer still comes from the terminal that started the command.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as fs from "node:fs"
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
    /** One line, shown as it is typed. */
    line(question: string): Effect.Effect<string, CliFailure>
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
  readonly write: (text: string) => void
  readonly close: () => void
}

/** The terminal: standard input and error where they are one, else the controlling terminal of this session. */
const open = (platform: NodeJS.Platform): Device | undefined => {
  if (process.stdin.isTTY && process.stderr.isTTY) {
    return {
      input: process.stdin,
      write: (text) => void process.stderr.write(text),
      close: () => process.stdin.pause()
    }
  }
  if (platform === "win32") return undefined
  try {
    const descriptor = fs.openSync("/dev/tty", "r+")
    const input = new tty.ReadStream(descriptor)
    return { input, write: (text) => fs.writeSync(descriptor, text), close: () => input.destroy() }
  } catch {
    return undefined
  }
}

const refused = fail(
  "input_needed",
  ExitCode.usage,
  "an answer is needed and there is no terminal to ask on (see --help for the flags that replace the question)"
)

/** Reads a line in raw mode, so that nothing is echoed but what is meant to be. */
const readLine = (device: Device, echo: boolean): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const { input, write } = device
    let characters: Array<string> = []
    const finish = () => {
      input.off("data", onData)
      input.setRawMode(false)
      write("\n")
    }
    const onData = (chunk: string) => {
      // An arrow key or another sequence is not text. It comes as one chunk.
      if (chunk.startsWith("\u001b")) return
      for (const character of chunk) {
        if (character === "\r" || character === "\n" || character === "\u0004") {
          finish()
          resume(Effect.succeed(characters.join("")))
          return
        }
        if (character === "\u0003") {
          finish()
          process.kill(process.pid, "SIGINT")
          return
        }
        if (character === "\u007f" || character === "\b") {
          if (characters.pop() !== undefined && echo) write("\b \b")
        } else if (character === "\u0015") {
          if (echo) write("\b \b".repeat(characters.length))
          characters = []
        } else if (character >= " ") {
          characters.push(character)
          if (echo) write(character)
        }
      }
    }
    input.setRawMode(true)
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
      (device) => Effect.sync(() => device?.write(text)),
      (device) => Effect.sync(() => device?.close())
    )

  const ask = (question: string, echo: boolean) =>
    withDevice((device) =>
      Effect.suspend(() => {
        device.write(question)
        return readLine(device, echo)
      })
    )

  return {
    possible: Effect.gen(function* () {
      if ((yield* settings).noInput) return false
      const device = yield* Effect.sync(() => open(platform))
      device?.close()
      return device !== undefined
    }),
    line: (question) => ask(question, true),
    hidden: (question) => Effect.map(ask(question, false), (answer) => Redacted.make(answer)),
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
