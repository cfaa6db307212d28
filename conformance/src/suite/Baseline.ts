/** The failures that somebody knows of: each with its reason, and each must still be there. */
import { readFileSync } from "node:fs"
import { parse } from "yaml"
import { type CheckResult, isFailure } from "./Verdict.ts"
import { UsageError } from "./UsageError.ts"

export interface Excuse {
  /** The id of a check, or of a requirement. */
  readonly id: string
  readonly reason: string
}

const isExcuse = (value: unknown): value is Excuse =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Excuse).id === "string" &&
  typeof (value as Excuse).reason === "string" &&
  (value as Excuse).reason.trim() !== ""

/** Reads a list of `{id, reason}` in YAML. */
export const readBaseline = (path: string): ReadonlyArray<Excuse> => {
  let value: unknown
  try {
    value = parse(readFileSync(path, "utf8"))
  } catch (error) {
    throw new UsageError(`the baseline ${path} cannot be read: ${(error as Error).message}`)
  }
  if (!Array.isArray(value) || !value.every(isExcuse))
    throw new UsageError(`the baseline ${path} must be a list of entries with an id and a reason`)
  return value
}

/** The results with known failures excused, and the entries of the baseline that excuse nothing any more. */
export const excuse = (
  results: ReadonlyArray<CheckResult>,
  baseline: ReadonlyArray<Excuse>
): { readonly results: ReadonlyArray<CheckResult>; readonly stale: ReadonlyArray<Excuse> } => {
  const used = new Set<Excuse>()
  const excused = results.map((result) => {
    if (!isFailure(result.verdict)) return result
    const found = baseline.find(({ id }) => id === result.id || result.requirements.includes(id))
    if (found === undefined) return result
    used.add(found)
    return { ...result, verdict: "excused" as const, message: `${result.message ?? ""} (known: ${found.reason})` }
  })
  return { results: excused, stale: baseline.filter((entry) => !used.has(entry)) }
}
