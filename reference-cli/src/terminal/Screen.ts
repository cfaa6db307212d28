/** Standard output and error, written in order and with backpressure. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { settings } from "../Flags.ts"
import { Host } from "../Host.ts"
import * as Sanitise from "./Sanitise.ts"
import * as Style from "./Style.ts"

const write = (stream: NodeJS.WriteStream) => (text: string) =>
  Effect.callback<void>((resume) => {
    stream.write(text, () => resume(Effect.void))
  })

/** Standard error as a terminal, for what is drawn again and again. */
export interface ErrTerminal {
  /** It is a terminal on which the cursor can be moved. */
  readonly canRedraw: boolean
  readonly columns: () => number
  /** Writes without waiting. */
  readonly write: (text: string) => void
  /** Calls `changed` when the columns change, until what it gives is called. */
  readonly onResize: (changed: () => void) => () => void
}

export class Screen extends Context.Service<
  Screen,
  {
    /** Writes results; returns when the system has them. */
    out(text: string): Effect.Effect<void>
    /** Writes what is for a person: notes, warnings, errors. */
    err(text: string): Effect.Effect<void>
    readonly outIsTerminal: boolean
    readonly errIsTerminal: boolean
    readonly columns: Effect.Effect<number>
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
      return Screen.of({
        out: write(stdout),
        err: write(stderr),
        outIsTerminal: stdout.isTTY === true,
        errIsTerminal: stderr.isTTY === true,
        columns: Effect.sync(() => stdout.columns ?? 80),
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

/** A command's result: `json` with --json, else the lines of `text`. */
export const result = (options: {
  readonly json: () => unknown
  readonly text: (style: Style.Style) => string | ReadonlyArray<string>
}): Effect.Effect<void, never, Screen> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    if ((yield* settings).json) return yield* screen.out(`${Sanitise.json(options.json())}\n`)
    const lines = options.text(screen.style)
    const text = typeof lines === "string" ? lines : lines.join("\n")
    if (text !== "") yield* screen.out(`${text}\n`)
  })

/** Something worth knowing that is not the result: on standard error, unless --quiet or --json. */
export const note = (text: string | ((style: Style.Style) => string)): Effect.Effect<void, never, Screen> =>
  Effect.gen(function* () {
    const { quiet, json } = yield* settings
    if (quiet || json) return
    const screen = yield* Screen
    yield* screen.err(`${typeof text === "string" ? text : text(screen.errStyle)}\n`)
  })

/** Something the user must know although the command goes on: on standard error, always. */
export const warn = (text: string): Effect.Effect<void, never, Screen> =>
  Effect.gen(function* () {
    const screen = yield* Screen
    yield* (yield* settings).json
      ? screen.err(`${Sanitise.json({ warning: text })}\n`)
      : screen.err(`${screen.errStyle.caution("!")} ${Sanitise.line(text)}\n`)
  })
