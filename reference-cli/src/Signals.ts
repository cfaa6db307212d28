/** Ctrl-C and SIGTERM, for commands that run until they are told to end: to them it is the normal end. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

export class Signals extends Context.Service<
  Signals,
  {
    /** Runs `effect` until it is done or a signal comes, whichever is first. The signal then does not interrupt the program. */
    untilSignal<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, E, R>
    /** Told by the program's main; true when somebody took the signal. */
    readonly deliver: () => boolean
  }
>()("@kez-chat/cli/Signals") {}

export const make = (): Signals["Service"] => {
  const waiting = new Set<Deferred.Deferred<void>>()
  return {
    untilSignal: (effect) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const signal = Deferred.makeUnsafe<void>()
          waiting.add(signal)
          return signal
        }),
        (signal) => Effect.raceFirst(Effect.asVoid(effect), Deferred.await(signal)),
        (signal) => Effect.sync(() => waiting.delete(signal))
      ),
    deliver: () => {
      for (const signal of waiting) Deferred.doneUnsafe(signal, Effect.void)
      return waiting.size > 0
    }
  }
}
