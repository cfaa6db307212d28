/**
 * Shows a transfer to a person while it goes on: one live line on a terminal, now and then a line elsewhere, nothing with
 * --quiet or --json.
 */
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
  /** Says something that stays. */
  readonly say: (text: string) => Effect.Effect<void>
  /** Takes the line away: it is over, or something else is to be written. */
  readonly clear: Effect.Effect<void>
}

/** How often the line is drawn again by itself, so that rate and time left stay true, in milliseconds. */
const redrawMillis = 500
/** Where there is no terminal: bytes that come are told of after this time first, in milliseconds, and then this often. */
const plainMillis = { first: 2_000, later: 10_000 }

/** Shows nothing. */
export const silent: Meter = { show: () => Effect.void, say: () => Effect.void, clear: Effect.void }

/** Rates belong to one thing in one phase: what another file or the disk did says nothing about this. */
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
        // What is over in a moment is not worth a line; why nothing comes is.
        if (isNew && transfer.kind !== "wait") quietUntil = millis + plainMillis.first
        if (transfer.kind === "wait" ? !isNew : millis < quietUntil) return Effect.void
        quietUntil = millis + plainMillis.later
        return screen.err(`${Progress.plain(transfer, rate)}\n`)
      }),
    say: (text) => screen.err(`${text}\n`),
    clear: Effect.void
  }
})

/** The meter that fits where standard error leads, until the scope closes. */
export const open: Effect.Effect<Meter, never, Screen | Scope.Scope> = Effect.gen(function* () {
  const { quiet, json } = yield* settings
  if (quiet || json) return silent
  return yield* (yield* Screen).errTerminal.canRedraw ? onTerminal : inLines
})
