/**
 * `npm run docs`: writes the pages that repeat what the code says, so that they always agree.
 *
 *   npm run docs               writes them
 *   npm run docs -- --check    fails when one is out of date
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { coverage, coveragePage, traceability, withCoverage } from "./checks/Coverage.ts"
import { operationsPage } from "./checks/Operations.ts"
import { type Export, exportsOf, openingComment } from "./Exports.ts"
import { root } from "./paths.mjs"
import { say } from "./say.mjs"

const NOTE = "<!-- Written by `npm run docs`; edit what it is made from. -->"

const read = (path: string) => readFileSync(join(root, path), "utf8")

/** One line per export of a module, re-exports followed; a namespace gets a heading of its own. */
function listExports(file: string, depth: number): string[] {
  const lines = []
  const namespaces: Array<[name: string, file: string]> = []
  const item = ({ name, summary }: Export) => `- \`${name}\`${summary === "" ? "" : `: ${summary}`}`
  for (const entry of exportsOf(file, read)) {
    if (entry.namespace !== undefined) namespaces.push([entry.name, entry.namespace])
    else lines.push(item(entry), ...(entry.members ?? []).map((member) => `  ${item(member)}`))
  }
  for (const [name, namespace] of namespaces)
    lines.push(
      "",
      `${"#".repeat(depth)} ${name}`,
      "",
      openingComment(read(namespace)),
      "",
      ...listExports(namespace, depth + 1)
    )
  return lines
}

/** Every public entry of the SDK with what it exports. */
function sdkReference() {
  const { exports } = JSON.parse(read("sdk/package.json")) as { exports: Record<string, { "kez-source": string }> }
  const lines = [
    NOTE,
    "",
    "# What each entry exports",
    "",
    "Types, sizes and errors are in the doc comments, which editors show; each entry ships its sources."
  ]
  for (const [subpath, { "kez-source": source }] of Object.entries(exports)) {
    const file = posix.join("sdk", source)
    lines.push(
      "",
      `## \`@kez-chat/sdk${subpath.slice(1)}\``,
      "",
      openingComment(read(file)),
      "",
      ...listExports(file, 3)
    )
  }
  return lines.join("\n").replace(/\n{3,}/g, "\n\n")
}

/** The help text of a built program. */
function helpOf(program: string, command: readonly string[]): string {
  const output = execFileSync(process.execPath, [join(root, program), ...command, "--help"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "120" }
  })
  return stripVTControlCharacters(output)
    .replace(/[ \t]+$/gm, "")
    .trim()
}

/** The help of a program and of each of its commands, under a heading of its own. */
function* helpPages(name: string, program: string, command: readonly string[] = []): Generator<string> {
  const text = helpOf(program, command)
  // The flags that every command has are shown once.
  const shown = command.length === 0 ? text : text.replace(/^GLOBAL FLAGS\n(?: .*\n?)*\n?/m, "").trim()
  yield `${"#".repeat(command.length + 2)} \`${[name, ...command].join(" ")}\`\n\n\`\`\`\n${shown}\n\`\`\``
  // Commands are one list, or groups with headings of their own ("People:").
  for (const [, list = ""] of text.matchAll(/^(?:SUBCOMMANDS|\S[^\n]*:)\n((?: .*\n?)*)/gm))
    for (const [, subcommand = ""] of list.matchAll(/^ {2}([a-z][a-z-]*)(?= {2,}|$)/gm))
      yield* helpPages(name, program, [...command, subcommand])
}

const helpPage = (title: string, programs: ReadonlyArray<readonly [name: string, file: string]>) => () =>
  [NOTE, `# ${title}`, ...programs.flatMap(([name, file]) => [...helpPages(name, file)])].join("\n\n")

/** The part of a custom elements manifest (schema 1) that is read here. */
interface Element {
  readonly tagName: string
  readonly description?: string
  readonly members: ReadonlyArray<Member>
  readonly events: ReadonlyArray<{ readonly name: string; readonly description: string }>
  readonly slots?: ReadonlyArray<{ readonly name: string; readonly description?: string }>
}

interface Member {
  readonly kind: "field" | "method"
  readonly name: string
  readonly attribute?: string
  readonly readonly?: boolean
  readonly type?: { readonly text: string }
  readonly parameters?: ReadonlyArray<{ readonly name: string }>
  readonly description?: string
}

const oneLine = (text = "") => text.replace(/\s+/g, " ").trim()
const cell = (text: string) => text.replaceAll("|", "\\|")

/** An element: its properties as a table; methods, events and slots as a list. */
function describeElement({ description, events, members, slots = [], tagName }: Element): string[] {
  const fields = members.filter(({ kind }) => kind === "field")
  const meaning = ({ description: text, readonly }: Member) =>
    `${readonly === true ? "Read only. " : ""}${oneLine(text)}`
  const rows = fields.map((member) => {
    const type = member.type === undefined ? "" : `\`${oneLine(member.type.text)}\``
    const attribute = member.attribute === undefined ? "" : `\`${member.attribute.toLowerCase()}\``
    return `| \`${member.name}\` | ${attribute} | ${cell(type)} | ${cell(meaning(member))} |`
  })
  const table = ["| property | attribute | type | meaning |", "| --- | --- | --- | --- |", ...rows, ""]
  const methods = members.filter(({ kind }) => kind === "method")
  const call = ({ name, parameters = [] }: Member) => `${name}(${parameters.map((one) => one.name).join(", ")})`
  return [
    `### \`<${tagName}>\``,
    "",
    oneLine(description),
    "",
    ...(rows.length === 0 ? [] : table),
    ...methods.map((method) => `- method \`${call(method)}\`: ${oneLine(method.description)}`),
    ...events.map((event) => `- event \`${event.name}\`: ${oneLine(event.description)}`),
    ...slots.map(
      ({ description: text, name }) => `- ${name === "" ? "content" : `slot \`${name}\``}: ${oneLine(text)}`
    ),
    ""
  ]
}

/** The elements that `embed.js` defines, and the small ones that they are made of. */
function elementsReference() {
  const { modules } = JSON.parse(read("reference-web/dist/custom-elements.json")) as {
    modules: ReadonlyArray<{ readonly path: string; readonly declarations: readonly Element[] }>
  }
  const imported = [...read("reference-web/src/embed.ts").matchAll(/^import "\.\/(.+)"$/gm)].map(
    ([, path]) => `src/${path}`
  )
  const describe = (among: (path: string) => boolean) =>
    modules
      .filter(({ path }) => among(path))
      .flatMap(({ declarations }) => declarations)
      .sort((one, other) => (one.tagName < other.tagName ? -1 : 1))
      .flatMap(describeElement)
  return [
    NOTE,
    "",
    "# Elements",
    "",
    "[Embedding](embedding.md) explains how another page uses them. Types are those of `@kez-chat/sdk/promise`. A build has",
    "the same for editors, and of every component, in `dist/custom-elements.json`.",
    "",
    "## Elements of `embed.js`",
    "",
    ...describe((path) => imported.includes(path)),
    "## Small elements",
    "",
    "The page's buttons, fields and signs. They have no stable interface for other pages.",
    "",
    ...describe((path) => path.startsWith("src/elements/") && !imported.includes(path))
  ].join("\n")
}

const covered = coverage()

const pages: Readonly<Record<string, () => string>> = {
  "conformance/docs/operations.md": () => operationsPage(NOTE),
  "conformance/docs/coverage.md": () => coveragePage(NOTE, covered),
  "conformance/traceability.json": () => traceability(covered),
  "conformance/README.md": () => withCoverage(read("conformance/README.md").trimEnd(), covered),
  "sdk/docs/reference.md": sdkReference,
  "reference-server/docs/options.md": helpPage("Options of the servers", [
    ["kez-chat-server", "reference-server/dist/chat-server.js"],
    ["kez-chat-sig-server", "reference-server/dist/sig-server.js"]
  ]),
  "reference-cli/docs/commands.md": helpPage("Commands of kez-chat", [["kez-chat", "reference-cli/dist/kez-chat.js"]]),
  "reference-web/docs/elements.md": elementsReference
}

/** Formats a page as the format check expects it. */
function format(path: string, text: string) {
  return execFileSync(process.execPath, [join(root, "node_modules/oxfmt/bin/oxfmt"), `--stdin-filepath=${path}`], {
    cwd: root,
    input: text,
    encoding: "utf8"
  })
}

const checking = process.argv.includes("--check")
const stale = []
for (const [path, write] of Object.entries(pages)) {
  const text = format(path, `${write()}\n`)
  const file = join(root, path)
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue
  stale.push(path)
  if (checking) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  say(`wrote ${path}`)
}
if (checking && stale.length > 0) {
  say(`${stale.join(", ")}: out of date: run npm run docs and commit the result.`)
  process.exitCode = 1
}
