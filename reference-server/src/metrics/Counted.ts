import type { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Metrics from "./Metrics.ts"

/** Counts the outcomes of signed statements, by kind and by the problem's code. */
export const counted =
  (kind: string) =>
  <A, R>(effect: Effect.Effect<A, Problem.Problem, R>) =>
    effect.pipe(
      Effect.tap(() => Effect.sync(() => Metrics.observeStatement(kind, "accepted"))),
      Effect.tapError((problem) => Effect.sync(() => Metrics.observeStatement(kind, problem.code)))
    )
