/** A report as text for people: what fails, why, and where to read on; and progress while it is made. */
import type { CheckResult, RequirementResult } from "../suite/Verdict.ts"
import { isFailure } from "../suite/Verdict.ts"
import type { FactResult } from "./Facts.ts"
import { exitCodeOf, type Report } from "./Report.ts"
import { shown } from "../shim/Protocol.ts"

/** Failed checks shown for each requirement. */
const shownChecks = 3

const lineOf = ({ id, message, why }: CheckResult): string =>
  `      ${id} (${why})\n        ${shown(message ?? "", 400)}`

/** The operations that a target cannot be asked for, each with the number of checks that it leaves open. */
const missing = (report: Report): ReadonlyArray<string> => {
  const untestable = report.checks.filter(({ verdict }) => verdict === "untestable")
  return [...new Set(untestable.map(({ operation }) => operation))].map((operation) => {
    const checks = untestable.filter((check) => check.operation === operation)
    return `  ${operation}: ${checks.length} ${checks.length === 1 ? "check" : "checks"} (${shown(checks[0]?.message ?? "")})`
  })
}

const block = (row: RequirementResult, report: Report): string => {
  const problems = report.checks.filter(
    ({ requirements, verdict }) => requirements.includes(row.id) && verdict === "fail"
  )
  const rest = problems.length - shownChecks
  return [
    `  ${row.verdict === "warn" ? "WARN" : "FAIL"}  ${row.id} (${row.level}, ${row.spec})`,
    `      ${row.text}`,
    ...problems.slice(0, shownChecks).map(lineOf),
    ...(rest > 0 ? [`      and ${rest} more`] : [])
  ].join("\n")
}

const factLine = ({ checks, fact, holds, mark, message, text }: FactResult): string => {
  const [first, ...rest] = checks
  const more = rest.length === 0 ? "" : ` and ${rest.length} more`
  return [
    `  ${mark.toLowerCase().padEnd(8)}  ${holds ? "holds    " : "OTHERWISE"}  ${text}`,
    ...(holds ? [] : [`      ${shown(message ?? "", 300)}`, `      (${fact}, by ${first}${more})`])
  ].join("\n")
}

/** What is SEEN of KEZ and the rest; nothing for runs that do not tell them apart. */
const factLines = ({ facts }: Report): ReadonlyArray<string> => {
  const seen = facts.filter(({ mark }) => mark === "SEEN")
  return facts.length === 0
    ? []
    : [
        "\nWhat KEZ is taken to do (seen in its pages, inferred from them, or chosen by this project):",
        ...facts.map(factLine),
        `  ${seen.filter(({ holds }) => holds).length} of ${seen.length} seen facts hold, which they must. The rest are findings.`
      ]
}

/** What does not apply, a line for each reason. */
const notChecked = ({ checks }: Report): ReadonlyArray<string> => {
  const left = checks.filter(({ message, verdict }) => verdict === "not-applicable" && message !== undefined)
  return [...Map.groupBy(left, ({ message }) => message)].map(
    ([message, [first, ...rest]]) =>
      `  Not checked: ${first!.id}${rest.length === 0 ? "" : ` and ${rest.length} more`}: ${message}.`
  )
}

/** The target of a run for people. */
const targetText = ({ target: { language, name, version } }: Report): string =>
  `${name}${version === undefined ? "" : ` ${version}`}${language === undefined ? "" : ` (${language})`}`

export const summary = (report: Report): string => {
  const { counts, must } = report
  const bad = report.requirements.filter(({ id }) =>
    report.checks.some(({ requirements, verdict }) => verdict === "fail" && requirements.includes(id))
  )
  const lacking = missing(report)
  const checks = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
    .join(", ")
  const verdict = ["CONFORMS", "DOES NOT CONFORM", "STALE BASELINE"][exitCodeOf(report)]
  return [
    `${targetText(report)}, profiles: ${report.profiles.join(", ") || "none"}`,
    ...bad.map((row) => `\n${block(row, report)}`),
    ...(lacking.length === 0 ? [] : ["\nUntestable, and so failed, because the target cannot be asked:", ...lacking]),
    ...factLines(report),
    "",
    ...notChecked(report),
    ...report.staleBaseline.map(({ id }) => `  The baseline excuses ${id}, which does not fail: remove the entry.`),
    `${verdict}: ${must.passed} of ${must.checked} MUST hold. Checks: ${checks}. Seed ${report.seed}.`,
    ...(bad.length > 0 ? [`Read on with: kez-conformance explain ${bad[0]!.id}`] : [])
  ].join("\n")
}

/** Progress on one line of a terminal; nothing where there is none. */
export const makeProgress = (stream: NodeJS.WriteStream, total: number) => {
  let done = 0
  let failed = 0
  const draw = () => {
    const width = 24
    const filled = Math.round((done / Math.max(total, 1)) * width)
    stream.write(
      `\r\u001b[K${"#".repeat(filled)}${"-".repeat(width - filled)} ${done}/${total}${failed > 0 ? `, ${failed} failed` : ""}`
    )
  }
  return {
    take: (result: CheckResult) => {
      done += 1
      if (isFailure(result.verdict)) failed += 1
      if (stream.isTTY && (done % 16 === 0 || done === total)) draw()
    },
    end: () => {
      if (stream.isTTY) stream.write("\r\u001b[K")
    }
  }
}
