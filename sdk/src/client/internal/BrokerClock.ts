/**
 * The broker's clock, estimated from the storage times of its frames. This device's wall clock may be wrong or may be
 * set at any moment, so durations are measured with the monotonic clock.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export class BrokerClock extends Context.Service<
  BrokerClock,
  {
    /** Learns from the storage time of a frame that just arrived, in milliseconds since the epoch. */
    observe(storedAt: number): Effect.Effect<void>
    /** The least time since a frame was stored, in milliseconds. */
    age(storedAt: number): Effect.Effect<number>
  }
>()("@kez-chat/sdk/BrokerClock") {}

/** Milliseconds of the monotonic clock. */
export const uptimeMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

const make = (): BrokerClock["Service"] => {
  /** The broker's clock minus the monotonic one. Frames arrive after they are stored, so the fastest is closest. */
  let offset = -Infinity
  return {
    observe: (storedAt) => Effect.map(uptimeMillis, (now) => void (offset = Math.max(offset, storedAt - now))),
    age: (storedAt) => Effect.map(uptimeMillis, (now) => Math.max(0, now + offset - storedAt))
  }
}

export const layer = Layer.sync(BrokerClock, make)
