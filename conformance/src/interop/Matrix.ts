/** The result of a run of pairs: as data, on a terminal, and as a page that loads nothing from anywhere. */
import { createHash } from "node:crypto"
import { text, value } from "../report/Html.ts"
import { style } from "../report/HtmlStyle.ts"
import { shown } from "../shim/Protocol.ts"
import { isFailure } from "../suite/Verdict.ts"
import { specVersion, suiteVersion } from "../suite/Versions.ts"
import type { PairResult } from "./Run.ts"
import { steps } from "./Steps.ts"

export interface InteropReport {
  readonly report: 1
  readonly command: "interop"
  readonly suite: string
  readonly spec: string
  readonly home: string
  /** ISO 8601; absent with `--deterministic`, like `seconds`. */
  readonly startedAt?: string
  readonly seconds?: number
  readonly implementations: ReadonlyArray<{
    /** As the pairs name it. */
    readonly name: string
    readonly version: string
    readonly language: string
  }>
  readonly steps: ReadonlyArray<{ readonly name: string; readonly title: string }>
  /** Pairs in which every step that applies passed, and all. */
  readonly counts: { readonly passed: number; readonly all: number }
  readonly pairs: ReadonlyArray<PairResult>
}

export const passes = (pair: PairResult): boolean => pair.steps.every(({ verdict }) => !isFailure(verdict))

export const makeInteropReport = (
  run: Pick<InteropReport, "home" | "startedAt" | "seconds" | "implementations">,
  pairs: ReadonlyArray<PairResult>
): InteropReport => ({
  report: 1,
  command: "interop",
  suite: suiteVersion,
  spec: specVersion,
  ...run,
  steps: steps.map(({ name, title }) => ({ name, title })),
  counts: { passed: pairs.filter(passes).length, all: pairs.length },
  pairs
})

const firstFault = (pair: PairResult) =>
  pair.steps.find(({ verdict }) => verdict === "fail") ?? pair.steps.find(({ verdict }) => isFailure(verdict))

/** The pairs as a table: who writes first by row, who is written to by column. */
export const matrixText = (report: InteropReport): string => {
  const names = report.implementations.map(({ name }) => name)
  const cell = (from: string, to: string): string => {
    const pair = report.pairs.find((one) => one.from === from && one.to === to)
    if (pair === undefined) return ""
    return passes(pair) ? "ok" : (firstFault(pair)?.step ?? "")
  }
  const widths = ["writes \\ reads", ...names].map((name, at) =>
    at === 0
      ? Math.max(14, ...names.map((one) => one.length))
      : Math.max(name.length, ...names.map((from) => cell(from, name).length))
  )
  const line = (cells: ReadonlyArray<string>) =>
    cells
      .map((text, at) => text.padEnd(widths[at]!))
      .join("  ")
      .trimEnd()
  const faults = report.pairs.flatMap(({ from, steps: all, to }) =>
    all.flatMap(({ message, step, verdict }) =>
      verdict === "fail" ? [`  ${from} -> ${to}, ${step}: ${shown(message ?? "", 400)}`] : []
    )
  )
  const { all, passed } = report.counts
  return [
    line(["writes \\ reads", ...names]),
    ...names.map((from) => line([from, ...names.map((to) => cell(from, to))])),
    ...(faults.length === 0 ? [] : ["", ...faults]),
    "",
    `${passed === all ? "INTEROPERATE" : "DO NOT INTEROPERATE"}: ${passed} of ${all} pairs, ${report.steps.length} steps each.`
  ].join("\n")
}

const tableStyle = `
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; color: var(--soft); font-size: 0.875rem; padding-bottom: 0.5rem; }
th, td { border: 1px solid var(--line); padding: 0.5rem 0.75rem; text-align: left; font-size: 0.875rem; background: var(--surface); }
.wide { overflow-x: auto; } td a { text-decoration: none; }
`

const pairId = ({ from, to }: PairResult): string => encodeURIComponent(`${from}-${to}`)

/** How many steps passed, of those that apply. */
const mark = (pair: PairResult): string => {
  const good = pair.steps.filter(({ verdict }) => verdict === "pass").length
  const of = pair.steps.filter(({ verdict }) => verdict !== "not-applicable").length
  return `<span class="mark ${passes(pair) ? "pass" : "fail"}">${good} of ${of}</span>`
}

const section = (report: InteropReport, pair: PairResult): string => {
  const rows = pair.steps
    .map(({ actual, expected, message, step, verdict }) => {
      const title = report.steps.find(({ name }) => name === step)?.title ?? step
      return `<li class="check"><span class="mark ${verdict}">${verdict}</span> <code>${step}</code> ${text(title)}${
        message === undefined ? "" : `<p>${text(message)}</p>`
      }<dl>${value("expected", expected)}${value("seen", actual)}</dl></li>`
    })
    .join("")
  return `<details class="row" id="${pairId(pair)}"${passes(pair) ? "" : " open"}><summary><span class="what">${text(
    pair.from
  )} writes to ${text(pair.to)}</span> ${mark(pair)}</summary><ul>${rows}</ul></details>`
}

export const matrixPage = (report: InteropReport): string => {
  const css = style + tableStyle
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(css).digest("base64")}'`
  const { all, passed } = report.counts
  const cell = (pair: PairResult | undefined): string =>
    pair === undefined ? "<td></td>" : `<td><a href="#${pairId(pair)}">${mark(pair)}</a></td>`
  const names = report.implementations.map(({ name }) => name)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>KEZ ${text(report.spec)} interoperability</title>
<style>${css}</style>
</head>
<body>
<header>
<p class="kind">KEZ ${text(report.spec)} interoperability at ${text(report.home)}</p>
<h1>${names.map(text).join(", ")}</h1>
<p class="verdict ${passed === all ? "pass" : "fail"}">${passed} of ${all} pairs pass every step.</p>
<p class="facts">${report.implementations
    .map(({ language, name, version }) => text(`${name} ${version} (${language})`))
    .join(" · ")} · suite ${text(report.suite)}${report.startedAt === undefined ? "" : ` · ${text(report.startedAt)}`}${
    report.seconds === undefined ? "" : ` · ${report.seconds} s`
  }</p>
</header>
<main>
<div class="wide"><table><caption>By row who writes first, by column who is written to; steps passed.</caption>
<tr><th scope="col"></th>${names.map((name) => `<th scope="col">${text(name)}</th>`).join("")}</tr>
${names
  .map(
    (from) =>
      `<tr><th scope="row">${text(from)}</th>${names
        .map((to) => cell(report.pairs.find((pair) => pair.from === from && pair.to === to)))
        .join("")}</tr>`
  )
  .join("\n")}
</table></div>
${report.pairs.map((pair) => section(report, pair)).join("\n")}
</main>
</body>
</html>
`
}
