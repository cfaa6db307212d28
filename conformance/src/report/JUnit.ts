/** A report as JUnit XML: a test suite for each area of the specification, a test case for each requirement. */
import { isFailure } from "../suite/Verdict.ts"
import type { Report } from "./Report.ts"

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }

/** Text for XML 1.0: what it cannot carry is replaced. */
const xml = (text: string): string =>
  text
    .replace(/[&<>"]/g, (character) => escapes[character] ?? "")
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")

export const junit = (report: Report): string => {
  const areas = [...new Set(report.requirements.map(({ id }) => id.replace(/-\d+$/, "")))]
  const suites = areas.map((area) => {
    const rows = report.requirements.filter(({ id }) => id.startsWith(`${area}-`))
    const cases = rows.map(({ id, text, verdict }) => {
      const problems = report.checks.filter(
        (check) =>
          check.requirements.includes(id) &&
          (isFailure(check.verdict) || ["excused", "finding"].includes(check.verdict))
      )
      const said = problems.map((check) => `${check.id}: ${check.message ?? ""}`).join("\n")
      const inside =
        verdict === "pass"
          ? ""
          : isFailure(verdict)
            ? `<failure message="${xml(text)}">${xml(said)}</failure>`
            : `<skipped message="${xml(verdict)}"/>${said === "" ? "" : `<system-out>${xml(said)}</system-out>`}`
      return `    <testcase classname="${area}" name="${id}">${inside}</testcase>`
    })
    const failures = rows.filter(({ verdict }) => isFailure(verdict)).length
    const skipped = rows.filter(({ verdict }) => verdict !== "pass" && !isFailure(verdict)).length
    return [
      `  <testsuite name="${area}" tests="${rows.length}" failures="${failures}" skipped="${skipped}">`,
      ...cases,
      "  </testsuite>"
    ].join("\n")
  })
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="kez-conformance ${report.command}">`,
    ...suites,
    "</testsuites>",
    ""
  ].join("\n")
}
