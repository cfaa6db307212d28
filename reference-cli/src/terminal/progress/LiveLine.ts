/** One line at the bottom of standard error that is redrawn, with lasting lines above it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Columns from "../output/Columns.ts"
import * as Sanitise from "../output/Sanitise.ts"
import { Screen } from "../output/Screen.ts"

export interface LiveLine {
  /** Draws the output of `render` for the terminal's columns, again whenever they change. */
  readonly draw: (render: (columns: number) => string) => void
  /** Erases the line. */
  readonly clear: () => void
  /** Erases the line for `write`, and draws it again below. */
  readonly above: <A>(write: Effect.Effect<A>) => Effect.Effect<A>
}

/** Erases a line of `width` columns on a terminal that now has `columns`, and may have broken it. */
export const erase = (width: number, columns: number): string => {
  const rows = Math.max(1, Math.ceil(width / Math.max(1, columns)))
  return `\r${rows > 1 ? `\u001b[${rows - 1}A` : ""}\u001b[J`
}

/** Opens the line, which is erased when the scope closes. Only if standard error is a terminal. */
export const open: Effect.Effect<LiveLine, never, Screen | Scope.Scope> = Effect.gen(function* () {
  const { errTerminal } = yield* Screen
  let width = 0
  let render: ((columns: number) => string) | undefined

  const takeAway = () => {
    if (width === 0) return ""
    const erased = erase(width, errTerminal.columns())
    width = 0
    return erased
  }
  const put = () => {
    const erased = takeAway()
    const text = Sanitise.output(render?.(errTerminal.columns()) ?? "")
    width = Columns.width(text)
    errTerminal.write(erased + text)
  }
  const line: LiveLine = {
    draw: (next) => {
      render = next
      put()
    },
    clear: () => {
      render = undefined
      errTerminal.write(takeAway())
    },
    above: (write) =>
      Effect.suspend(() => {
        errTerminal.write(takeAway())
        return Effect.ensuring(write, Effect.sync(put))
      })
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => errTerminal.onResize(() => render !== undefined && put())),
    (forget) =>
      Effect.sync(() => {
        forget()
        line.clear()
      })
  )
  return line
})
