/** What is left of checking limits, where a run must not use them up: looking at those that it met. */
import { hasHeader } from "./Expect.ts"
import { NotChecked } from "./Outcome.ts"
import type { Answer } from "./Target.ts"

/** Every 429 said when to ask again. */
export const retryAfter = (limited: ReadonlyArray<Answer>): void => {
  if (limited.length === 0)
    throw new NotChecked("not-applicable", "no request of this run was limited, and provoking it would hold up others")
  for (const answer of limited) hasHeader(answer, "retry-after", /^[1-9]\d*$/)
}
