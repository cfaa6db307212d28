import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/**
 * Runs an effect at an interval until the scope closes, first after one interval. A round that fails is logged as
 * `failure` and does not end the rounds.
 */
export const every = <E, R>(
  intervalMillis: number,
  failure: string,
  effect: Effect.Effect<unknown, E, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  effect.pipe(
    Effect.catchCauseIf(
      (cause) => !Cause.hasInterrupts(cause),
      (cause) => Effect.annotateLogs(Effect.logWarning(failure), { reason: messageOf(Cause.squash(cause)) })
    ),
    Effect.schedule(Schedule.spaced(intervalMillis)),
    Effect.forkScoped,
    Effect.asVoid
  )

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
