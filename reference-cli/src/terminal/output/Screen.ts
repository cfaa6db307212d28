/** Standard output and error, written in order and with back-pressure. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fs from "node:fs"
import { type CliFailure, fail } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Host } from "../../Host.ts"
import { reasonOf } from "../../SystemError.ts"
import * as Sanitise from "./Sanitise.ts"
import * as Style from "./Style.ts"

/** The reader of standard output has gone, as with `head`: no one is left to report to, and it is no failure. */
export const outputClosed = fail("output_closed", "ok", "")

/** Writes, waits for the system, and answers the error. After the first error a stream takes nothing more. */
const writer = (stream: NodeJS.WriteStream) => {
  let broken: Error | undefined
  // Without a listener, an error would end the process.
  stream.on("error", (error) => void (broken ??= error))
  return (text: string): Effect.Effect<Error | undefined> =>
    Effect.callback((resume) => {
      if (broken !== undefined) return resume(Effect.succeed(broken))
      stream.write(Sanitise.output(text), (error) => {
        if (error) broken ??= error
        resume(Effect.succeed(broken))
      })
    })
}

const isPipe = ({ fd }: { readonly fd: number }): boolean => {
  try {
    const found = fs.fstatSync(fd)
    return found.isFIFO() || found.isSocket()
  } catch {
    return false
  }
}

const unwritable = (error: Error, isTerminal: boolean): CliFailure =>
  (error as NodeJS.ErrnoException).code === "EPIPE"
    ? outputClosed
    : fail("output", isTerminal ? "hungUp" : "failed", `standard output cannot be written: ${reasonOf(error)}`)

/** Standard error as a terminal, for a line that is redrawn. */
export interface ErrTerminal {
  /** It is a terminal that can move its cursor. */
  readonly canRedraw: boolean
  readonly columns: () => number
  /** Writes without waiting. */
  readonly write: (text: string) => void
  /** Calls `changed` when the columns change, until the returned function is called. */
  readonly onResize: (changed: () => void) => () => void
}

export class Screen extends Context.Service<
  Screen,
  {
    /** Writes a command's result and waits until the system has it. Without a reader it does nothing. */
    out(text: string): Effect.Effect<void, CliFailure>
    /** The same for commands whose purpose is their output: fails with {@link outputClosed} if the reader has gone. */
    emit(text: string): Effect.Effect<void, CliFailure>
    /** Writes notes, warnings and errors for people. Text that cannot be written is dropped. */
    err(text: string): Effect.Effect<void>
    readonly outIsTerminal: boolean
    readonly outIsPipe: boolean
    /** Standard output is a terminal that can move its cursor. */
    readonly canRedraw: boolean
    readonly errIsTerminal: boolean
    /** Columns of standard output, to which text is wrapped; undefined if it is not a terminal. */
    readonly columns: Effect.Effect<number | undefined>
    readonly errTerminal: ErrTerminal
    readonly style: Style.Style
    readonly errStyle: Style.Style
  }
>()("@kez-chat/cli/Screen") {
  static readonly layer = Layer.effect(
    Screen,
    Effect.gen(function* () {
      const { env } = yield* Host
      const { stdout, stderr } = process
      const style = (stream: NodeJS.WriteStream) =>
        Style.wantsColour(env, stream.isTTY === true) ? Style.coloured : Style.uncoloured
      const toOut = writer(stdout)
      const toErr = writer(stderr)
      const emit = (text: string) =>
        Effect.flatMap(toOut(text), (error) =>
          error === undefined ? Effect.void : Effect.fail(unwritable(error, stdout.isTTY === true))
        )
      return Screen.of({
        out: (text) =>
          Effect.catchIf(
            emit(text),
            (error) => error === outputClosed,
            () => Effect.void
          ),
        emit,
        err: (text) => Effect.asVoid(toErr(text)),
        outIsTerminal: stdout.isTTY === true,
        outIsPipe: isPipe(stdout),
        canRedraw: stdout.isTTY === true && env["TERM"] !== "dumb",
        errIsTerminal: stderr.isTTY === true,
        columns: Effect.sync(() => (stdout.isTTY ? stdout.columns || 80 : undefined)),
        errTerminal: {
          canRedraw: stderr.isTTY === true && env["TERM"] !== "dumb",
          columns: () => stderr.columns || 80,
          write: (text) => void stderr.write(text),
          onResize: (changed) => {
            stderr.on("resize", changed)
            return () => void stderr.off("resize", changed)
          }
        },
        style: style(stdout),
        errStyle: style(stderr)
      })
    })
  )
}

/** Prints a command's result: `json` with --json, else the lines of `text`, for a terminal of `columns`. */
export const result = Effect.fn("Screen.result")(function* (options: {
  readonly json: () => unknown
  readonly text: (style: Style.Style, columns: number | undefined) => string | ReadonlyArray<string>
}): Effect.fn.Return<void, CliFailure, Screen> {
  const screen = yield* Screen
  if ((yield* settings).json) return yield* screen.out(`${Sanitise.json(options.json())}\n`)
  const lines = options.text(screen.style, yield* screen.columns)
  const text = typeof lines === "string" ? lines : lines.join("\n")
  if (text !== "") yield* screen.out(`${text}\n`)
})

/** Prints information that is not the result to standard error, unless --quiet or --json is set. */
export const note = Effect.fn("Screen.note")(function* (
  text: string | ((style: Style.Style) => string)
): Effect.fn.Return<void, never, Screen> {
  const { quiet, json } = yield* settings
  if (quiet || json) return
  const screen = yield* Screen
  yield* screen.err(`${typeof text === "string" ? text : text(screen.errStyle)}\n`)
})

/** Prints something the user must know although the command continues, always to standard error. */
export const warn = Effect.fn("Screen.warn")(function* (text: string): Effect.fn.Return<void, never, Screen> {
  const screen = yield* Screen
  yield* (yield* settings).json
    ? screen.err(`${Sanitise.json({ warning: text })}\n`)
    : screen.err(`${screen.errStyle.caution("!")} ${Sanitise.line(text)}\n`)
})
