/**
 * Keeps the requirements of the specification honest.
 *
 *     node spec/scripts/check-requirements.ts            checks, prints the coverage, exits 1 on any fault
 *     node spec/scripts/check-requirements.ts --write    first takes ids, levels, texts and found tests over into
 *                                                        requirements.json
 *
 * The text is the source: a requirement is a list item that begins with its id in bold. `requirements.json` has one
 * row for each, with the tests that prove it or the reason why none can from outside. Tests are found by the ids that vector cases
 * name in `requirements` and that test files name anywhere; rows can name more by hand, as `path: words in the file`.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import process from "node:process"

interface Row {
  id: string
  level: "MUST" | "SHOULD" | "MAY"
  /** File and heading, `spec/identity.md#handles`. */
  spec: string
  text: string
  /** `spec/vectors/<file>.json#<case id>`, a test file that names the id, or `<test file>: <words in it>`. */
  tests: Array<string>
  /** Version of the specification that first had it. */
  introduced: string
  /** Why no check from outside an implementation can prove it; needed where `tests` is empty. */
  excluded?: string
  /** Version that took it out; the id is never used again. */
  retired?: string
}

const root = path.resolve(import.meta.dirname, "../..")
const specDir = path.join(root, "spec")
const rowsFile = path.join(specDir, "requirements.json")
const version = "0.1"
const areas = new Set("KEY MNE CAN SIG PRF DM SEQ FIL MAN REG WF NAT LIM ERR RPT".split(" "))
const faults: Array<string> = []
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

/** Files below a folder, relative to the root, without dependencies and build output. */
const filesUnder = (folder: string, suffix: string): Array<string> => {
  const absolute = path.join(root, folder)
  if (!fs.existsSync(absolute)) return []
  return fs
    .readdirSync(absolute, { withFileTypes: true })
    .flatMap((entry) => {
      const file = `${folder}/${entry.name}`
      if (entry.name === "node_modules" || entry.name === "dist") return []
      if (entry.isDirectory()) return filesUnder(file, suffix)
      return entry.name.endsWith(suffix) ? [file] : []
    })
    .sort()
}

/** The anchor GitHub and other renderers give a heading. */
const slug = (heading: string): string =>
  heading
    .replaceAll("`", "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-")

/** RFC 2119 words in capitals, outside code and quotation marks. */
const keywords = (text: string): Array<string> =>
  text
    .replaceAll(/`[^`]*`/g, "")
    .replaceAll(/"[^"]*"/g, "")
    .match(/\b(?:MUST|SHALL|REQUIRED|SHOULD|RECOMMENDED|MAY|OPTIONAL)\b/g) ?? []

/** The requirements of one Markdown file, in order. */
const parse = (file: string): Array<Omit<Row, "tests" | "introduced">> => {
  const found: Array<Omit<Row, "tests" | "introduced">> = []
  let heading = ""
  let fence = false
  let item: { id: string; line: number; text: string } | undefined
  const close = () => {
    if (item === undefined) return
    const levels = new Set(keywords(item.text))
    const level = [...levels][0]
    if (levels.size !== 1 || (level !== "MUST" && level !== "SHOULD" && level !== "MAY")) {
      faults.push(`${file}:${item.line} ${item.id} needs exactly one of MUST, SHOULD and MAY`)
    } else {
      found.push({ id: item.id, level, spec: `${file}#${heading}`, text: item.text })
    }
    item = undefined
  }
  for (const [index, line] of read(file).split("\n").entries()) {
    if (/^\s*```/.test(line)) fence = !fence
    const start = /^- \*\*(KEZ-([A-Z]+)-\d{3})\*\* (.*)$/.exec(line)
    if (!fence && start !== null) {
      close()
      if (!areas.has(start[2] ?? "")) faults.push(`${file}:${index + 1} ${start[1]} has an unknown area`)
      item = { id: start[1] ?? "", line: index + 1, text: start[3] ?? "" }
      continue
    }
    if (item !== undefined && /^ {2}\S/.test(line)) {
      item.text += ` ${line.trim()}`
      continue
    }
    close()
    if (fence) continue
    const title = /^#+ (.*)$/.exec(line)
    if (title !== null) heading = slug(title[1] ?? "")
    if (keywords(line).length > 0) faults.push(`${file}:${index + 1} has a requirement without an id: ${line.trim()}`)
  }
  close()
  return found
}

/** Every vector case as `file#id`, with the requirements it names. Cases are objects with `id` and `requirements`. */
const vectorCases = (): Map<string, ReadonlyArray<string>> => {
  const cases = new Map<string, ReadonlyArray<string>>()
  const visit = (file: string, value: unknown): void => {
    if (Array.isArray(value)) for (const element of value) visit(file, element)
    else if (typeof value === "object" && value !== null) {
      const { id, requirements } = value as { id?: unknown; requirements?: unknown }
      if (typeof id === "string" && Array.isArray(requirements)) {
        const key = `${file}#${id}`
        if (cases.has(key)) faults.push(`${key} is there twice`)
        cases.set(
          key,
          requirements.filter((name) => typeof name === "string")
        )
      } else for (const member of Object.values(value)) visit(file, member)
    }
  }
  for (const file of filesUnder("spec/vectors", ".json")) visit(file, JSON.parse(read(file)))
  return cases
}

const write = process.argv.includes("--write")
const rows: Array<Row> = fs.existsSync(rowsFile) ? JSON.parse(fs.readFileSync(rowsFile, "utf8")) : []
const stated = fs
  .readdirSync(specDir)
  .filter((name) => name.endsWith(".md"))
  .sort()
  .flatMap((name) => parse(`spec/${name}`))
const cases = vectorCases()
const testFiles = ["sdk", "reference-server", "reference-cli", "reference-web", "conformance", "deploy"].flatMap(
  (part) => filesUnder(`${part}/test`, ".ts")
)
const idsIn = (file: string): ReadonlySet<string> => new Set(read(file).match(/KEZ-[A-Z]+-\d{3}/g) ?? [])
const named = new Map(testFiles.map((file) => [file, idsIn(file)]))

const seen = new Set<string>()
for (const { id } of stated) {
  if (seen.has(id)) faults.push(`${id} is stated twice`)
  seen.add(id)
}
for (const [key, ids] of cases) {
  for (const id of ids) if (!seen.has(id)) faults.push(`${key} names ${id}, which the text does not have`)
}
/** Checks of the conformance suite name what they check. */
const suite = filesUnder("conformance/src", ".ts").map((file) => [file, idsIn(file)] as const)
for (const [file, ids] of [...named, ...suite]) {
  for (const id of ids) if (!seen.has(id)) faults.push(`${file} names ${id}, which the text does not have`)
}

/** What the files themselves say about an id. */
const foundTests = (id: string): Array<string> => [
  ...[...cases].filter(([, ids]) => ids.includes(id)).map(([key]) => key),
  ...[...named].filter(([, ids]) => ids.has(id)).map(([file]) => file)
]

if (write) {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const next: Array<Row> = stated.map((requirement) => {
    const before = byId.get(requirement.id)
    byId.delete(requirement.id)
    const byHand = (before?.tests ?? []).filter((test) => test.includes(": "))
    const tests = [...foundTests(requirement.id), ...byHand]
    return {
      ...requirement,
      tests,
      introduced: before?.introduced ?? version,
      ...(before?.excluded === undefined ? {} : { excluded: before.excluded })
    }
  })
  for (const left of byId.values()) {
    if (left.retired === undefined) faults.push(`${left.id} left the text: give its row "retired" or state it again`)
    next.push(left)
  }
  fs.writeFileSync(rowsFile, `${JSON.stringify(next, null, 2)}\n`)
  rows.splice(0, rows.length, ...next)
}

const statedById = new Map(stated.map((requirement) => [requirement.id, requirement]))
const rowIds = new Set<string>()
for (const row of rows) {
  if (rowIds.has(row.id)) faults.push(`requirements.json has ${row.id} twice`)
  rowIds.add(row.id)
  const requirement = statedById.get(row.id)
  if (row.retired !== undefined) {
    if (requirement !== undefined) faults.push(`${row.id} is retired, yet the text has it`)
    continue
  }
  if (requirement === undefined) {
    faults.push(`requirements.json has ${row.id}, which the text does not have`)
    continue
  }
  for (const member of ["level", "spec", "text"] as const) {
    if (row[member] !== requirement[member])
      faults.push(`${row.id}: ${member} differs from the text (run with --write)`)
  }
  for (const test of row.tests) {
    const [file, words] = test.includes(": ") ? test.split(/: (.*)/s) : [test]
    if (words !== undefined) {
      if (!fs.existsSync(path.join(root, file ?? ""))) faults.push(`${row.id}: ${file} does not exist`)
      else if (!read(file ?? "").includes(words)) faults.push(`${row.id}: ${file} does not have "${words}"`)
    } else if (test.includes("#")) {
      if (!cases.has(test)) faults.push(`${row.id}: there is no vector ${test}`)
    } else if (!named.get(test)?.has(row.id)) faults.push(`${row.id}: ${test} does not name it`)
  }
  for (const test of foundTests(row.id)) {
    if (!row.tests.includes(test)) faults.push(`${row.id}: ${test} is missing from its row (run with --write)`)
  }
  const isChecked = row.tests.length > 0 || suite.some(([, ids]) => ids.has(row.id))
  if (!isChecked && (row.excluded ?? "").length < 10) {
    faults.push(`${row.id} (${row.level}) has neither a test nor a reason why it has none`)
  }
  const checked = row.tests.find((test) => test.startsWith("spec/vectors/"))
  if (checked !== undefined && row.excluded !== undefined) faults.push(`${row.id} is excluded, yet ${checked} tests it`)
}
for (const { id } of stated) if (!rowIds.has(id)) faults.push(`requirements.json lacks ${id} (run with --write)`)

/** The table of problem codes and the SDK's list say the same; `--write` takes the list over. */
const problemFile = "sdk/src/protocol/Problem.ts"
const tableFile = "spec/errors.md"
if (fs.existsSync(path.join(root, problemFile))) {
  const codes = [...read(problemFile).matchAll(/^ {2}(\w+): \{ status: (\d+), title: "([^"]*)" \}/gm)]
  const text = read(tableFile)
  const table = /^\| code +\| status .*\n(?:\|.*\n)+/m.exec(text)?.[0] ?? ""
  const cells = (row: string) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim())
  const wanted = [
    ["code", "status", "meaning"],
    ...codes.map(([, code, status, title]) => [`\`${code}\``, status, title])
  ]
  const found = table.trimEnd().split("\n").map(cells)
  found.splice(1, 1)
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    const widths = [0, 1, 2].map((column) => Math.max(...wanted.map((row) => (row[column] ?? "").length)))
    const line = (row: ReadonlyArray<string | undefined>) =>
      `| ${widths.map((width, column) => (row[column] ?? "").padEnd(width)).join(" | ")} |\n`
    const rule = line(widths.map((width) => "-".repeat(width)))
    const [head, ...body] = wanted
    const next = line(head ?? []) + rule + body.map(line).join("")
    if (write && table !== "")
      fs.writeFileSync(
        path.join(root, tableFile),
        text.replace(table, () => next)
      )
    else faults.push(`${tableFile}: the table of codes differs from ${problemFile} (run with --write)`)
  }
}

/** Worked examples name the vector file that their numbers come from, in a comment before the block. */
for (const name of fs.readdirSync(specDir).filter((file) => file.endsWith(".md"))) {
  for (const [, source, block] of read(`spec/${name}`).matchAll(/<!-- numbers: (\S+) -->\n+```\w*\n(.*?)```/gs)) {
    const vectors = (source ?? "").split(",").map((part) => path.join(specDir, part))
    if (!vectors.every((vector) => fs.existsSync(vector))) {
      faults.push(`spec/${name} takes an example from ${source}, which does not exist`)
      continue
    }
    const text = vectors.map((vector) => fs.readFileSync(vector, "utf8")).join("")
    for (const [value] of (block ?? "").matchAll(/[A-Za-z0-9_-]{16,}/g)) {
      if (/\d/.test(value) && !text.includes(value)) faults.push(`spec/${name}: ${source} does not hold ${value}`)
    }
  }
}

/** Links between the files of the specification lead somewhere. */
const headings = new Map(
  filesUnder("spec", ".md").map((file) => [
    file,
    new Set([...read(file).matchAll(/^#+ (.*)$/gm)].map((match) => slug(match[1] ?? "")))
  ])
)
for (const file of headings.keys()) {
  for (const match of read(file).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
    const target = match[1] === "" ? file : path.relative(root, path.resolve(root, path.dirname(file), match[1] ?? ""))
    if (!fs.existsSync(path.join(root, target))) faults.push(`${file} links to ${target}, which does not exist`)
    else if (match[2] !== undefined && headings.has(target) && !headings.get(target)?.has(match[2])) {
      faults.push(`${file} links to ${target}#${match[2]}, which has no such heading`)
    }
  }
}

const count = (level: Row["level"]) => {
  const active = rows.filter((row) => row.level === level && row.retired === undefined)
  return `${level} covered ${active.filter((row) => row.tests.length > 0).length}/${active.length}`
}
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.stdout.write(`${count("MUST")}, ${count("SHOULD")}, ${count("MAY")}; ${cases.size} vector cases\n`)
if (faults.length > 0) process.exitCode = 1
