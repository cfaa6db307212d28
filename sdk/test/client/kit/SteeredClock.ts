/** A clock that stands at a chosen time, goes on as the real one does, and can be moved: for tests of days. */
import { Clock, Effect, type Scope } from "effect"

export interface Steered {
  /** Moves it on, in milliseconds. */
  advance(millis: number): void
}

/** Runs a test whose clock begins at `start`, in milliseconds since the epoch; pauses take as long as they do. */
export const live = <A, E>(
  start: number,
  use: (clock: Steered) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    const real = yield* Clock.Clock
    let offset = start - real.currentTimeMillisUnsafe()
    const millis = () => real.currentTimeMillisUnsafe() + offset
    const nanos = () => real.currentTimeNanosUnsafe() + BigInt(Math.round(offset)) * 1_000_000n
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: () => real.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: real.monotonicTimeNanos,
      sleep: (duration) => real.sleep(duration)
    }
    const steered: Steered = {
      advance: (by) => {
        offset += by
      }
    }
    return yield* Effect.provideService(use(steered), Clock.Clock, clock)
  })
