/** What scenarios say about answers, state and requests: each function returns, or throws what the report shows. */
import { isDeepStrictEqual } from "node:util"
import { Violation } from "../servers/Outcome.ts"

export const holds = (condition: boolean, sentence: string, actual?: unknown): void => {
  if (!condition) throw new Violation(sentence, undefined, actual)
}

export const equals = (actual: unknown, expected: unknown, what: string): void => {
  if (!isDeepStrictEqual(actual, expected)) throw new Violation(`${what} is not what it must be`, expected, actual)
}

/** Shortens every wait for what must come; tests of clients that are known to fail set it. */
export const patience = { factor: 1 }

/** Asks again until an answer fits, for `millis` at most. */
export const until = async <A>(
  ask: () => A | Promise<A>,
  fits: (answer: A) => boolean,
  sentence: string,
  millis = 10_000
): Promise<A> => {
  const end = Date.now() + millis * patience.factor
  for (;;) {
    const answer = await ask()
    if (fits(answer)) return answer
    if (Date.now() > end) throw new Violation(`${sentence} (waited ${millis / 1_000} s)`, undefined, answer)
    await pause(30)
  }
}

export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))
