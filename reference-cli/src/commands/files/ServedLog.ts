/** Reports who fetches our files: a live line for running transfers, and a lasting line for each that ended. */
import type { Event } from "@kez-chat/sdk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { CliFailure } from "../../Failure.ts"
import { settings } from "../../Flags.ts"
import { Json, Quantity, Sanitise, Screen, Show, type Style } from "../../terminal/output/index.ts"
import type { Meter } from "../../terminal/progress/Meter.ts"
import type * as Progress from "../../terminal/progress/Progress.ts"

type Served = Extract<Event, { readonly _tag: "Served" }>

export interface ServedLog {
  readonly served: (event: Served) => Effect.Effect<void, CliFailure>
}

const keyOf = ({ share, contact }: Served): string => `${share.id} ${contact.primary}`

/** A transfer without an event for this long has stopped, in milliseconds. Events arrive about once a second. */
const staleMillis = 10_000

interface Active {
  readonly event: Served
  readonly at: number
}

/** One line for all running transfers: the only one, or the sum of them. */
const together = (active: ReadonlyArray<Active>): Progress.Transfer => {
  const [first] = active
  const label =
    active.length === 1 && first !== undefined
      ? `${Show.name(first.event.contact)} ${Show.fileName(first.event.share)}`
      : `${active.length} transfers`
  const sum = (of: (event: Served) => number) => active.reduce((bytes, { event }) => bytes + of(event), 0)
  return {
    label,
    phase: "fetching",
    kind: "bytes",
    doneBytes: sum(({ sentBytes }) => sentBytes),
    totalBytes: sum(({ totalBytes }) => totalBytes)
  }
}

/** Whether the reader had fetched it before. `sentBytes` never falls, so this shows when a repeat begins. */
const isAgain = ({ share, contact }: Served, now: number): boolean => {
  const fetchedAt = share.readers.find(({ primary }) => primary === contact.primary)?.fetchedAt
  return fetchedAt !== undefined && fetchedAt < now - staleMillis
}

/** `14:03  bob@home  fetched report.pdf (4.2 MB)`. */
const whole = (event: Served, now: number, style: Style): string =>
  [
    style.dim(Show.clock(now)),
    style.name(Show.name(event.contact)),
    `${isAgain(event, now) ? "fetches again" : "fetched"} ${style.bold(Show.fileName(event.share))} (${Quantity.bytes(event.share.size)})`
  ].join("  ")

/** `note` writes lasting lines to standard error; without it they go to standard output. */
export const open = Effect.fn("ServedLog.open")(function* (
  meter: Meter,
  note?: (line: string) => Effect.Effect<void>
): Effect.fn.Return<ServedLog, never, Screen | Scope.Scope> {
  const screen = yield* Screen
  const tell = note ?? ((line: string) => screen.emit(`${line}\n`))
  const style = note === undefined ? screen.style : screen.errStyle
  const { json } = yield* settings
  // Fetched completely in this run, so that a repeated last chunk is reported once.
  const done = new Set<string>()
  const active = new Map<string, Active>()
  const show = Effect.suspend(() => (active.size === 0 ? meter.clear : meter.show(together([...active.values()]))))
  const lookForStopped = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const stopped = [...active].filter(([, { at }]) => now - at > staleMillis)
    if (stopped.length === 0) return
    for (const [key] of stopped) active.delete(key)
    yield* show
    for (const [, { event, at }] of stopped) {
      const percent = Quantity.percent(event.sentBytes, event.totalBytes)
      const what = `stopped at ${percent}% of ${Show.fileName(event.share)}`
      yield* meter.say(screen.errStyle.dim(`${Show.clock(at)}  ${Show.name(event.contact)}  ${what}`))
    }
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(1_000), lookForStopped)))
  return {
    served: Effect.fnUntraced(function* (event) {
      if (json) return yield* screen.emit(`${Sanitise.json(Json.event(event))}\n`)
      const key = keyOf(event)
      if (event.sentBytes < event.totalBytes) {
        done.delete(key)
        active.set(key, { event, at: yield* Clock.currentTimeMillis })
        return yield* show
      }
      active.delete(key)
      if (!done.has(key)) {
        done.add(key)
        yield* meter.clear
        yield* tell(whole(event, yield* Clock.currentTimeMillis, style))
      }
      yield* show
    })
  }
})
