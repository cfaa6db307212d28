/** `Result.gen` without a generator, for the decoders that every message passes. */
import * as Result from "effect/Result"
import { Problem } from "./Problem.ts"

/** Runs a decoder of several steps, each passed through {@link valid}. */
export const attempt = <A>(decode: () => A): Result.Result<A, Problem> => {
  try {
    return Result.succeed(decode())
  } catch (problem) {
    if (problem instanceof Problem) return Result.fail(problem)
    throw problem
  }
}

/** The value of a step inside {@link attempt}, which ends with the first problem. */
export const valid = <A>(step: Result.Result<A, Problem>): A => {
  if (Result.isFailure(step)) throw step.failure
  return step.success
}
