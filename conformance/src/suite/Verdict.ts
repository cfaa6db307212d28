/** What came out of checks, and what it means for requirements. */
import type { Check } from "./Checks.ts"
import type { Level, Requirement } from "./Data.ts"

/**
 * - `pass`: as the specification says.
 * - `fail`: otherwise than a MUST says.
 * - `warn`: otherwise than a SHOULD says.
 * - `finding`: otherwise than a fact that is only inferred or chosen, of a target that is not held to it.
 * - `not-applicable`: of a profile that is not claimed, or about something that the target does not have.
 * - `untestable`: claimed, but the target cannot be asked. Counts as a failure.
 * - `excused`: a failure that the baseline names.
 */
export type Verdict = "pass" | "fail" | "warn" | "finding" | "not-applicable" | "untestable" | "excused"

export interface CheckResult extends Check {
  readonly verdict: Verdict
  /** What is wrong, in a sentence; absent for a pass. */
  readonly message?: string
  readonly expected?: unknown
  readonly actual?: unknown
  /** The facts that the check looked at, where they are judged apart. */
  readonly facts?: ReadonlyArray<{ readonly fact: string; readonly holds: boolean }>
}

/** What a result is without its verdict. */
export const about = ({ id, operation, requirements, why }: Check): Check => ({ id, operation, requirements, why })

export interface RequirementResult {
  readonly id: string
  readonly level: Level
  readonly spec: string
  readonly text: string
  readonly verdict: Verdict
  readonly passed: number
  readonly failed: number
}

/** Worst first. */
const order: ReadonlyArray<Verdict> = ["fail", "untestable", "warn", "finding", "excused", "pass", "not-applicable"]

export const worst = (verdicts: ReadonlyArray<Verdict>): Verdict =>
  order.find((verdict) => verdicts.includes(verdict)) ?? "not-applicable"

/** What fails before what holds, otherwise in the same order. */
export const worstFirst = (rows: ReadonlyArray<RequirementResult>): ReadonlyArray<RequirementResult> =>
  order.flatMap((verdict) => rows.filter((row) => row.verdict === verdict))

export const isFailure = (verdict: Verdict): boolean => verdict === "fail" || verdict === "untestable"

/** The requirements that any of the results concerns, in the order of the table. */
export const byRequirement = (
  results: ReadonlyArray<CheckResult>,
  table: ReadonlyArray<Requirement>
): ReadonlyArray<RequirementResult> => {
  const found = new Map<string, Array<CheckResult>>()
  for (const result of results) for (const id of result.requirements) found.set(id, [...(found.get(id) ?? []), result])
  return table.flatMap(({ id, level, spec, text }) => {
    const all = found.get(id)
    if (all === undefined) return []
    const verdict = worst(all.map((result) => result.verdict))
    return [
      {
        id,
        level,
        spec,
        text,
        // A check of several requirements fails for all of them; for a SHOULD that is a warning.
        verdict: level !== "MUST" && isFailure(verdict) ? "warn" : verdict,
        passed: all.filter((result) => result.verdict === "pass").length,
        failed: all.filter((result) => isFailure(result.verdict) || result.verdict === "excused").length
      }
    ]
  })
}
