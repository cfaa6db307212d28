/** A run as data: what `--report` writes, and what all other reports are made from. */
import type { Excuse } from "../suite/Baseline.ts"
import { requirements } from "../suite/Data.ts"
import { byRequirement, type CheckResult, isFailure, type RequirementResult, type Verdict } from "../suite/Verdict.ts"
import { type FactResult, factResults } from "./Facts.ts"
import { specVersion, suiteVersion, vectorsVersion } from "../suite/Versions.ts"

export interface Report {
  readonly report: 1
  readonly suite: string
  readonly spec: string
  readonly vectors: string
  readonly command: string
  /** What was checked: an implementation as its shim names it, or a server by its URL. */
  readonly target: { readonly name: string; readonly version?: string; readonly language?: string }
  readonly profiles: ReadonlyArray<string>
  readonly seed: number
  /** ISO 8601; absent with `--deterministic`. */
  readonly startedAt?: string
  readonly seconds?: number
  readonly counts: Readonly<Record<Verdict, number>>
  /** Requirements of level MUST that were checked, and how many of them hold. */
  readonly must: { readonly passed: number; readonly checked: number }
  readonly staleBaseline: ReadonlyArray<Excuse>
  /** Only of runs that tell what is SEEN of KEZ from the rest. */
  readonly facts: ReadonlyArray<FactResult>
  readonly requirements: ReadonlyArray<RequirementResult>
  readonly checks: ReadonlyArray<CheckResult>
}

/** Verdicts that say nothing about conformance. */
const isOpen = (verdict: Verdict): boolean => verdict === "not-applicable" || verdict === "finding"

export const makeReport = (
  run: Pick<Report, "command" | "target" | "profiles" | "seed" | "staleBaseline" | "startedAt" | "seconds">,
  checks: ReadonlyArray<CheckResult>
): Report => {
  const table = byRequirement(checks, requirements())
  const must = table.filter(({ level, verdict }) => level === "MUST" && !isOpen(verdict))
  const count = (verdict: Verdict) => checks.filter((check) => check.verdict === verdict).length
  return {
    report: 1,
    suite: suiteVersion,
    spec: specVersion,
    vectors: vectorsVersion,
    ...run,
    counts: {
      pass: count("pass"),
      fail: count("fail"),
      warn: count("warn"),
      finding: count("finding"),
      "not-applicable": count("not-applicable"),
      untestable: count("untestable"),
      excused: count("excused")
    },
    must: { passed: must.filter(({ verdict }) => verdict === "pass").length, checked: must.length },
    facts: factResults(checks),
    requirements: table,
    checks
  }
}

/** 0: conformant. 1: something fails. 2: the baseline names something that does not fail any more. */
export const exitCodeOf = (report: Report): 0 | 1 | 2 =>
  report.requirements.some(({ level, verdict }) => level === "MUST" && isFailure(verdict))
    ? 1
    : report.staleBaseline.length > 0
      ? 2
      : 0
