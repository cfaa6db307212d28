/** A report as one HTML file: the text of the specification beside each verdict. It loads nothing from anywhere. */
import { createHash } from "node:crypto"
import { type Requirement, requirements, sectionOf } from "../suite/Data.ts"
import { type CheckResult, isFailure, type RequirementResult, type Verdict, worstFirst } from "../suite/Verdict.ts"
import { exitCodeOf, type Report } from "./Report.ts"
import { script } from "./HtmlScript.ts"
import { style } from "./HtmlStyle.ts"

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
/** Text inside HTML. */
export const text = (value: string): string => value.replace(/[&<>"]/g, (character) => escapes[character] ?? "")

const words: Readonly<Record<Verdict, string>> = {
  pass: "holds",
  fail: "fails",
  warn: "warning",
  finding: "finding",
  "not-applicable": "not claimed",
  untestable: "untestable",
  excused: "known failure"
}

/** Text of the specification: what stands between backquotes is code. */
const prose = (value: string): string => text(value).replace(/`([^`]+)`/g, "<code>$1</code>")

const mark = (verdict: Verdict): string => `<span class="mark ${verdict}">${words[verdict]}</span>`

/** A value of a description list, cut off where it is long; nothing for undefined. */
export const value = (title: string, shown: unknown): string =>
  shown === undefined
    ? ""
    : `<dt>${title}</dt><dd><pre>${text(JSON.stringify(shown, null, 1).slice(0, 20_000))}</pre></dd>`

const checkOf = ({ actual, expected, id, message, verdict, why }: CheckResult): string =>
  `<li class="check">${mark(verdict)} <code>${text(id)}</code><p class="why">${text(why)}</p>${
    message === undefined ? "" : `<p>${text(message)}</p>`
  }${
    expected === undefined && actual === undefined
      ? ""
      : `<dl>${value("expected", expected)}${value("answered", actual)}</dl>`
  }</li>`

const rowOf = (
  row: RequirementResult,
  checks: ReadonlyArray<CheckResult>,
  table: ReadonlyMap<string, Requirement>
): string => {
  const concerned = checks.filter(({ requirements: ids }) => ids.includes(row.id))
  const problems = concerned.filter(
    ({ verdict }) => isFailure(verdict) || ["excused", "warn", "finding"].includes(verdict)
  )
  const requirement = table.get(row.id)
  const section = requirement === undefined ? "" : sectionOf(requirement)
  return `<details class="row ${row.verdict}" id="${row.id}" data-verdict="${row.verdict}"${problems.length > 0 ? " open" : ""}>
<summary><code>${row.id}</code> <span class="level">${row.level}</span> <span class="what">${prose(row.text)}</span> ${mark(row.verdict)}</summary>
<p class="count">${row.passed} of ${concerned.length} ${concerned.length === 1 ? "check" : "checks"} passed. Source: <code>${text(row.spec)}</code></p>
${problems.length === 0 ? "" : `<ul>${problems.map(checkOf).join("")}</ul>`}
${section === "" ? "" : `<details class="section"><summary>The text of the specification</summary><pre>${text(section)}</pre></details>`}
</details>`
}

const factsOf = ({ facts }: Report): string =>
  facts.length === 0
    ? ""
    : `<details class="row" open><summary><span class="what">What KEZ is taken to do: seen in its pages, inferred from them, or chosen by this project. Only the first must hold.</span></summary><ul>${facts
        .map(
          ({ holds, mark: known, message, text: fact }) =>
            `<li class="check">${mark(holds ? "pass" : known === "SEEN" ? "fail" : "finding")} ${known.toLowerCase()}: ${text(fact)}${message === undefined ? "" : `<p>${text(message)}</p>`}</li>`
        )
        .join("")}</ul></details>`

export const html = (report: Report): string => {
  const table = new Map(requirements().map((row) => [row.id, row]))
  const { counts, must, target } = report
  const failed = exitCodeOf(report) === 1
  const hash = (content: string) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`
  const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}`
  const filters = (["all", "fail", "untestable", "warn", "finding", "excused", "pass"] as const)
    .map((name) => {
      const rows = report.requirements.filter(({ verdict }) => name === "all" || verdict === name)
      const label = name === "all" ? "all" : words[name]
      return `<button type="button" data-filter="${name}" aria-pressed="${name === "all"}"${rows.length === 0 ? " disabled" : ""}>${label} <b>${rows.length}</b></button>`
    })
    .join("")
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${text(target.name)}: KEZ ${text(report.spec)} conformance</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="kind">KEZ ${text(report.spec)} conformance: ${text(report.command)}</p>
<h1>${text(target.name)} <small>${text([target.version, target.language].filter(Boolean).join(", "))}</small></h1>
<p class="verdict ${failed ? "fail" : "pass"}">${
    failed ? "Does not conform" : "Conforms"
  }: ${must.passed} of ${must.checked} MUST hold${counts.excused > 0 ? `, ${counts.excused} known failures excused` : ""}.</p>
<p class="facts">Profiles ${text(report.profiles.join(", ") || "none")} · suite ${text(report.suite)} · vectors ${text(report.vectors)} · seed ${report.seed}${
    report.startedAt === undefined ? "" : ` · ${text(report.startedAt)}`
  }${report.seconds === undefined ? "" : ` · ${report.seconds} s`}</p>
</header>
<nav aria-label="Filter"><div class="filters">${filters}</div><label>Find <input type="search" placeholder="KEZ-DM-, prev, handle"></label></nav>
<main>
${factsOf(report)}
${worstFirst(report.requirements)
  .map((row) => rowOf(row, report.checks, table))
  .join("\n")}
<p class="none" hidden>Nothing fits.</p>
</main>
<script>${script}</script>
</body>
</html>
`
}
