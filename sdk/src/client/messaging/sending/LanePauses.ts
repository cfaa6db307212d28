/** How long a lane of the outbox pauses after a round that left something to send. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { LedgerError } from "../../internal/Ledger.ts"

/** Pauses of a lane, in milliseconds: the least one, the longest one, and the longest one after a refusal. */
const firstPause = 250
const lastPause = 5_000
const lastRefusedPause = 60_000
/** Quotas are of days: a home that names a later time does not hold a message up for longer than this. */
const lastNamedPause = 86_400_000

/** A round of a lane that left frames to try again. */
export class Unsent extends Data.TaggedError("Unsent")<{
  readonly isRefused: boolean
  readonly madeProgress: boolean
  readonly notBefore: number
}> {}

/**
 * Doubling pauses that begin again after progress, and last until the time that the home server named; a store that
 * cannot be read or written gets the longest one.
 */
export const pauses = Schedule.fromStep(
  Effect.sync(() => {
    let millis = firstPause
    return (now: number, error: Unsent | LedgerError) =>
      Effect.sync((): [number, Duration.Duration] => {
        if (!(error instanceof Unsent)) millis = lastPause
        else if (error.madeProgress) millis = firstPause
        else millis = Math.min(millis * 2, error.isRefused ? lastRefusedPause : lastPause)
        const named = error instanceof Unsent ? Math.min(error.notBefore - now, lastNamedPause) : 0
        return [millis, Duration.millis(Math.max(millis, named))]
      })
  })
)
