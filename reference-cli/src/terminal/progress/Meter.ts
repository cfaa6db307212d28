/** Shows transfers: a live line on a terminal, occasional lines elsewhere, nothing with --quiet or --json. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { settings } from "../../Flags.ts"
import * as LiveLine from "./LiveLine.ts"
import * as Progress from "./Progress.ts"
import { Rate } from "./Rate.ts"
import { Screen } from "../output/Screen.ts"

export interface Meter {
  readonly show: (transfer: Progress.Transfer) => Effect.Effect<void>
  /** Prints a lasting line. */
  readonly say: (text: string) => Effect.Effect<void>
  /** Erases the line, at the end or before other output. */
  readonly clear: Effect.Effect<void>
}

/** Redraw interval of the line, which keeps rate and remaining time current, in milliseconds. */
const redrawMillis = 500
/** Without a terminal, progress in bytes is first reported after `first` and then every `later` milliseconds. */
const plainMillis = { first: 2_000, later: 10_000 }

/** Shows nothing. */
export const silent: Meter = { show: () => Effect.void, say: () => Effect.void, clear: Effect.void }

/** A rate belongs to one file in one phase and starts anew with the next. */
const rates = () => {
  let of = ""
  let rate = new Rate()
  return (value: Progress.Transfer, now: number): number | undefined => {
    const key = `${value.phase} ${value.label}`
    if (key !== of) {
      of = key
      rate = new Rate()
    }
    rate.note(value.doneBytes, now)
    return rate.at(now)
  }
}

const onTerminal: Effect.Effect<Meter, never, Screen | Scope.Scope> = Effect.gen(function* () {
  const screen = yield* Screen
  const line = yield* LiveLine.open
  const rateOf = rates()
  let now: Progress.Transfer | undefined
  const draw = Effect.map(Clock.currentTimeMillis, (millis) => {
    const value = now
    if (value === undefined) return
    const rate = rateOf(value, millis)
    line.draw((columns) => Progress.line(value, rate, columns, screen.errStyle))
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(redrawMillis), draw)))
  return {
    show: (transfer) =>
      Effect.andThen(
        Effect.sync(() => (now = transfer)),
        draw
      ),
    say: (text) => line.above(screen.err(`${text}\n`)),
    clear: Effect.sync(() => {
      now = undefined
      line.clear()
    })
  }
})

const inLines: Effect.Effect<Meter, never, Screen> = Effect.gen(function* () {
  const screen = yield* Screen
  const rateOf = rates()
  let last = ""
  let quietUntil = 0
  return {
    show: (transfer) =>
      Effect.flatMap(Clock.currentTimeMillis, (millis) => {
        const rate = rateOf(transfer, millis)
        const what = `${transfer.label} ${transfer.phase} ${transfer.reason ?? ""}`
        const isNew = what !== last
        last = what
        // A short transfer needs no line; the reason why one waits does.
        if (isNew && transfer.kind !== "wait") quietUntil = millis + plainMillis.first
        if (transfer.kind === "wait" ? !isNew : millis < quietUntil) return Effect.void
        quietUntil = millis + plainMillis.later
        return screen.err(`${Progress.plain(transfer, rate)}\n`)
      }),
    say: (text) => screen.err(`${text}\n`),
    clear: Effect.void
  }
})

/** The meter that suits standard error, until the scope closes. */
export const open: Effect.Effect<Meter, never, Screen | Scope.Scope> = Effect.gen(function* () {
  const { quiet, json } = yield* settings
  if (quiet || json) return silent
  return yield* (yield* Screen).errTerminal.canRedraw ? onTerminal : inLines
})
