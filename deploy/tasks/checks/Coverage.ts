/**
 * Which requirements have a check from outside, as `kez-conformance list` has them, for the conformance suite's pages and
 * its `traceability.json`.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../paths.mjs"

const TABLE = "conformance/traceability.json"
const LEVELS = ["MUST", "SHOULD", "MAY"] as const

interface Row {
  readonly id: string
  readonly level: (typeof LEVELS)[number]
  readonly spec: string
  readonly text: string
  readonly tests: readonly string[]
  readonly excluded?: string
  readonly retired?: string
}

interface Traced {
  readonly id: string
  readonly level: Row["level"]
  readonly spec: string
  /** Checks of the suite, by their ids. */
  readonly checks: readonly string[]
  /** Broken implementations that a check of it notices. */
  readonly mutants: readonly string[]
  /** Why none can be. */
  readonly excluded?: string
  /** Tests of this repository besides the vectors. */
  readonly repositoryTests: number
}

interface Total {
  readonly all: number
  readonly covered: number
  readonly excluded: number
  readonly repositoryOnly: number
}

export interface Coverage {
  readonly totals: Readonly<Record<Row["level"], Total>>
  /** Requirements with checks, of all levels, and how many of them have a mutant that one of these notices. */
  readonly mutants: { readonly checked: number; readonly killed: number }
  readonly requirements: readonly Traced[]
}

const read = (path: string) => readFileSync(join(root, path), "utf8")

function totalOf(rows: readonly Traced[]): Total {
  const covered = rows.filter(({ checks }) => checks.length > 0).length
  const excluded = rows.filter((row) => row.checks.length === 0 && row.excluded !== undefined).length
  return { all: rows.length, covered, excluded, repositoryOnly: rows.length - covered - excluded }
}

/** What a program of the suite's sources prints. */
const printed = (...args: string[]): unknown =>
  JSON.parse(
    execFileSync(process.execPath, ["--conditions=kez-source", ...args], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024
    })
  )

/** The checks of each requirement, asked of the suite's sources. */
function checksById(): ReadonlyMap<string, readonly string[]> {
  const rows = printed(join(root, "conformance/src/kez-conformance.ts"), "list", "--json")
  return new Map((rows as ReadonlyArray<Traced>).map(({ checks, id }) => [id, checks]))
}

/** The mutants of the suite's tests; these make sure that each is noticed. */
function mutants(): ReadonlyArray<{ readonly name: string; readonly kills: readonly string[] }> {
  const from = pathToFileURL(join(root, "conformance/test/mutants/AllMutants.ts")).href
  const script = `import { killers } from ${JSON.stringify(from)}
    process.stdout.write(JSON.stringify(killers.map(({ kills, name }) => ({ kills, name }))))`
  return printed("--input-type=module", "--eval", script) as ReturnType<typeof mutants>
}

/** Throws where there are {@link coverageFaults}. Whoever takes a check away on purpose edits the number in the table. */
export function coverage(): Coverage {
  const checks = checksById()
  const broken = mutants()
  const rows = (JSON.parse(read("spec/requirements.json")) as readonly Row[]).filter(
    ({ retired }) => retired === undefined
  )
  const requirements = rows.map(({ excluded, id, level, spec, tests }) => ({
    id,
    level,
    spec,
    checks: checks.get(id) ?? [],
    mutants: broken.filter(({ kills }) => kills.includes(id)).map(({ name }) => name),
    ...(excluded === undefined ? {} : { excluded }),
    repositoryTests: tests.filter((test) => !test.startsWith("spec/vectors/")).length
  }))
  const total = (level: Row["level"]) => totalOf(requirements.filter((row) => row.level === level))
  const checked = requirements.filter((row) => row.checks.length > 0)
  const now = {
    totals: { MUST: total("MUST"), SHOULD: total("SHOULD"), MAY: total("MAY") },
    mutants: { checked: checked.length, killed: checked.filter((row) => row.mutants.length > 0).length },
    requirements
  }
  const committed = existsSync(join(root, TABLE)) ? (JSON.parse(read(TABLE)) as Coverage) : undefined
  const faults = coverageFaults(now, committed)
  if (faults.length > 0) throw new Error(faults.join("\n"))
  return now
}

/**
 * Requirements that are both checked and excluded, those with checks that notice no broken implementation, and levels of
 * which fewer are checked than before.
 */
export function coverageFaults({ requirements, totals }: Coverage, before: Coverage | undefined): string[] {
  return [
    ...requirements
      .filter(({ checks, excluded }) => checks.length > 0 && excluded !== undefined)
      .map(({ checks, id }) => `${id} is excluded, and yet ${checks[0]} checks it`),
    ...requirements
      .filter(({ checks, mutants: killing }) => checks.length > 0 && killing.length === 0)
      .map(({ id }) => `${id} has checks, and no mutant in conformance/test that one of them notices`),
    ...LEVELS.filter((level) => totals[level].covered < (before?.totals[level].covered ?? 0)).map(
      (level) =>
        `${totals[level].covered} requirements of level ${level} are checked from outside; ${TABLE} has ${before?.totals[level].covered}`
    )
  ]
}

/** `traceability.json`. */
export const traceability = (of: Coverage): string =>
  JSON.stringify(
    {
      $comment: "Written by npm run docs: the checks of the suite for each requirement of the specification.",
      ...of
    },
    null,
    2
  )

function totalsTable({ totals }: Coverage): string[] {
  return [
    "| level | requirements | checked from outside | excluded | only tests of this repository |",
    "| --- | --- | --- | --- | --- |",
    ...LEVELS.map((level) => {
      const { all, covered, excluded, repositoryOnly } = totals[level]
      return `| ${level} | ${all} | ${covered} | ${excluded} | ${repositoryOnly} |`
    })
  ]
}

const sentence = ({ totals: { MUST } }: Coverage) => `MUST covered ${MUST.covered} of ${MUST.all}.`

const mutantSentence = ({ mutants: { checked, killed } }: Coverage) =>
  `${killed} of ${checked} requirements with checks have a killing mutant: an implementation that breaks this requirement, of which`

/** Files of vectors and groups of checks, each with its number of checks. */
function groupsOf(checks: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const check of checks) {
    const [group = ""] = check.split("#")
    counts.set(group, (counts.get(group) ?? 0) + 1)
  }
  return [...counts].map(([group, count]) => `\`${group}\` ${count}`).join(", ")
}

/** `docs/coverage.md`, a table for each page of the specification. */
export function coveragePage(note: string, of: Coverage): string {
  const pages = [...new Set(of.requirements.map(({ spec }) => spec.split("#")[0] ?? ""))]
  const meaning = ({ checks, excluded, repositoryTests }: Traced) => {
    if (checks.length > 0) return groupsOf(checks)
    if (excluded !== undefined) return `excluded: ${excluded.replaceAll("|", "\\|")}`
    return `only tests of this repository: ${repositoryTests}`
  }
  return [
    note,
    "",
    "# Coverage",
    "",
    `${sentence(of)} A requirement counts as covered where the suite has a check for it that runs against any implementation:`,
    "vectors through a shim, or requests to a server. `kez-conformance explain ID` prints the requirement with its checks;",
    "[traceability.json](../traceability.json) has all of them by id.",
    "",
    ...totalsTable(of),
    "",
    mutantSentence(of),
    "the tests of the suite make sure that a check notices it. Their names are in the same file.",
    ...pages.flatMap((page) => [
      "",
      `## ${page.replace(/^spec\/|\.md$/g, "")}`,
      "",
      "| requirement | level | checks |",
      "| --- | --- | --- |",
      ...of.requirements
        .filter(({ spec }) => spec.startsWith(`${page}#`))
        .map((row) => `| [${row.id}](../../${row.spec}) | ${row.level} | ${meaning(row)} |`)
    ])
  ].join("\n")
}

/** A page with what lies between its coverage markers written anew. */
export function withCoverage(page: string, of: Coverage): string {
  const marked = /(<!-- coverage: written by `npm run docs` -->\n)[\s\S]*(<!-- end of coverage -->)/
  if (!marked.test(page)) throw new Error("the page has no markers of coverage")
  const text = [
    `${sentence(of)} [Which and how](docs/coverage.md):`,
    "",
    ...totalsTable(of),
    "",
    mutantSentence(of),
    "the tests of the suite make sure that a check notices it."
  ].join("\n")
  return page.replace(marked, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`)
}
