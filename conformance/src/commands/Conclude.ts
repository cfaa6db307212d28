/** The end of every run: known failures excused, reports written, and the exit code. */
import { randomInt } from "node:crypto"
import { writeFileSync } from "node:fs"
import { badge } from "../report/Badge.ts"
import { html } from "../report/Html.ts"
import { junit } from "../report/JUnit.ts"
import { exitCodeOf, makeReport, type Report } from "../report/Report.ts"
import { summary } from "../report/Terminal.ts"
import { excuse, readBaseline } from "../suite/Baseline.ts"
import { UsageError } from "../suite/UsageError.ts"
import { specVersion } from "../suite/Versions.ts"
import type { CheckResult } from "../suite/Verdict.ts"
import { readNumber } from "./Options.ts"

/** Writes a report, or refuses with a sentence: a run whose report is lost was for nothing. */
export const write = (path: string | undefined, content: string): void => {
  if (path === undefined) return
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as Error).message}`)
  }
}

/** The values of the options that every run has. */
interface ReportValues {
  readonly spec?: string | undefined
  readonly baseline?: string | undefined
  readonly seed?: string | undefined
  readonly report?: string | undefined
  readonly junit?: string | undefined
  readonly html?: string | undefined
  readonly badge?: string | undefined
  readonly deterministic?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Reads what must be right before a run begins; `conclude` ends it. */
export const prepare = (values: ReportValues) => {
  if (values.spec !== undefined && values.spec !== specVersion)
    throw new UsageError(`this suite checks against version ${specVersion} of the specification, not ${values.spec}`)
  const seed = readNumber("seed", values.seed, { least: 0, most: 2 ** 32 - 1, otherwise: randomInt(2 ** 32 - 1) })
  const baseline = values.baseline === undefined ? [] : readBaseline(values.baseline)
  const began = new Date()
  const conclude = (
    run: Pick<Report, "command" | "target" | "profiles"> & {
      readonly results: ReadonlyArray<CheckResult>
      /** Not every check ran, so that the rest of the baseline may be right. */
      readonly partial: boolean
    }
  ): number => {
    const { results, stale } = excuse(run.results, baseline)
    const report = makeReport(
      {
        command: run.command,
        target: run.target,
        profiles: run.profiles,
        seed,
        staleBaseline: run.partial ? [] : stale,
        ...(values.deterministic === true
          ? {}
          : { startedAt: began.toISOString(), seconds: Math.round((Date.now() - began.getTime()) / 100) / 10 })
      },
      results
    )
    const text = JSON.stringify(report, null, 2)
    if (values.report !== undefined) write(values.report, `${text}\n`)
    if (values.junit !== undefined) write(values.junit, junit(report))
    if (values.html !== undefined) write(values.html, html(report))
    if (values.badge !== undefined) write(values.badge, `${JSON.stringify(badge(report))}\n`)
    process.stdout.write(`${values.json === true ? text : summary(report)}\n`)
    return exitCodeOf(report)
  }
  return { seed, conclude }
}
