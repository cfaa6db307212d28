/**
 * The broker's clock, as far as the storage times of its frames tell it: this device's own clock may be wrong, and spans
 * of time are told by the monotonic one.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export class BrokerClock extends Context.Service<
  BrokerClock,
  {
    /** Takes note of when a frame was stored, in milliseconds since the epoch. */
    observe(storedAt: number): Effect.Effect<void>
    /** How long ago at least a frame was stored, in milliseconds: no frame comes sooner than it is stored. */
    age(storedAt: number): Effect.Effect<number>
  }
>()("@kez-chat/sdk/BrokerClock") {}

/** Milliseconds of the monotonic clock: the clock on the wall may be set in the middle of a span. */
export const uptimeMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

const make = (): BrokerClock["Service"] => {
  /** The broker's clock minus the monotonic one; the frame that came fastest tells it best. */
  let offset = -Infinity
  return {
    observe: (storedAt) => Effect.map(uptimeMillis, (now) => void (offset = Math.max(offset, storedAt - now))),
    age: (storedAt) => Effect.map(uptimeMillis, (now) => Math.max(0, now + offset - storedAt))
  }
}

export const layer: Layer.Layer<BrokerClock> = Layer.sync(BrokerClock, make)
