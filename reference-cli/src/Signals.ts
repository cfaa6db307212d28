/** Ctrl-C and SIGTERM as the normal end of commands that run until they are interrupted. */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { isatty } from "node:tty"
import type { ExitCode } from "./ExitCode.ts"

export class Signals extends Context.Service<
  Signals,
  {
    /**
     * Runs `effect` until it completes or a signal arrives, whichever is first. A signal then does not interrupt the
     * program; its exit code is the answer, and undefined if none arrived.
     */
    untilSignal<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ExitCode | undefined, E, R>
    /** Called by `main` with the signal's exit code; true if a command took the signal. */
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
 * Whether SIGHUP ends this program: only if it was started with a terminal, which may close. `nohup` leaves none, and
 * that it ignores SIGHUP cannot be seen from here, because Node resets ignored signals at start.
 */
export const beganOnTerminal: boolean = [0, 1, 2].some((descriptor) => isatty(descriptor))
