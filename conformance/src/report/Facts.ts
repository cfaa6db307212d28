/** What a target does of what KEZ is taken to do. Only what is SEEN must hold; the rest is a finding, and no failure. */
import type { Mark } from "../probe/Facts.ts"
import { type SigFact, sigFacts } from "../servers/sig/SigFacts.ts"
import type { CheckResult } from "../suite/Verdict.ts"

export interface FactResult {
  readonly fact: SigFact
  readonly mark: Mark
  readonly text: string
  readonly holds: boolean
  /** What is otherwise, by the first check that found it. */
  readonly message?: string
  /** The checks that looked, or those that found it otherwise. */
  readonly checks: ReadonlyArray<string>
}

/** The facts that checks looked at, in the order of their table. */
export const factResults = (checks: ReadonlyArray<CheckResult>): ReadonlyArray<FactResult> =>
  (Object.keys(sigFacts) as ReadonlyArray<SigFact>).flatMap((fact) => {
    const looked = checks.filter(({ facts = [] }) => facts.some((one) => one.fact === fact))
    if (looked.length === 0) return []
    const otherwise = looked.filter(({ facts = [] }) => facts.some((one) => one.fact === fact && !one.holds))
    const holds = otherwise.length === 0
    const message = otherwise[0]?.message
    return [
      {
        fact,
        ...sigFacts[fact],
        holds,
        ...(message === undefined ? {} : { message }),
        checks: (holds ? looked : otherwise).map(({ id }) => id)
      }
    ]
  })
