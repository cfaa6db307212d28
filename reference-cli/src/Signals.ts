/** Ctrl-C and SIGTERM, for commands that run until they are told to end: to them it is the normal end. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { isatty } from "node:tty"
import type { ExitCode } from "./ExitCode.ts"

export class Signals extends Context.Service<
  Signals,
  {
    /**
     * Runs `effect` until it is done or a signal comes, whichever is first. The signal then does not interrupt the program;
     * its exit code is the answer, undefined where none came.
     */
    untilSignal<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ExitCode | undefined, E, R>
    /** Told by the program's main with the signal's exit code; true when somebody took the signal. */
    readonly deliver: (code: ExitCode) => boolean
  }
>()("@kez-chat/cli/Signals") {}

export const make = (): Signals["Service"] => {
  const waiting = new Set<Deferred.Deferred<ExitCode>>()
  return {
    untilSignal: (effect) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const signal = Deferred.makeUnsafe<ExitCode>()
          waiting.add(signal)
          return signal
        }),
        (signal) => Effect.raceFirst(Effect.as(effect, undefined), Deferred.await(signal)),
        (signal) => Effect.sync(() => waiting.delete(signal))
      ),
    deliver: (code) => {
      for (const signal of waiting) Deferred.doneUnsafe(signal, Effect.succeed(code))
      return waiting.size > 0
    }
  }
}

/**
 * Whether SIGHUP ends this program: only where it began with a terminal, which may close. `nohup` leaves none, and its
 * ignored SIGHUP cannot be seen from here, because Node resets ignored signals when it starts.
 */
export const beganOnTerminal: boolean = [0, 1, 2].some((descriptor) => isatty(descriptor))
