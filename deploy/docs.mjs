/**
 * `npm run docs`: writes the pages that say what the code already says, so that they cannot drift from it.
 *
 *   npm run docs               writes them
 *   npm run docs -- --check    fails when one is not what would be written
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { exportsOf, openingComment } from "./exports.mjs"
import { root } from "./paths.mjs"
import { say } from "./say.mjs"

const NOTE = "<!-- Written by `npm run docs`; edit what it is made from. -->"

const read = (path) => readFileSync(join(root, path), "utf8")

/** One line per export of a module, re-exports followed; namespaces become a heading of their own. */
function listExports(file, depth) {
  const lines = []
  const namespaces = []
  for (const item of exportsOf(file, read)) {
    if (item.namespace !== undefined) namespaces.push(item)
    else lines.push(`- \`${item.name}\`${item.summary === "" ? "" : `: ${item.summary}`}`)
  }
  for (const { name, namespace } of namespaces)
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
  const { exports } = JSON.parse(read("sdk/package.json"))
  const lines = [
    NOTE,
    "",
    "# What each entry exports",
    "",
    "Types, sizes and errors stand in the doc comments, which editors show; each entry ships its sources."
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
function help(program, ...command) {
  const output = execFileSync(process.execPath, [join(root, program), ...command, "--help"], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", COLUMNS: "100" }
  })
  return [
    "```",
    stripVTControlCharacters(output)
      .replace(/[ \t]+$/gm, "")
      .trim(),
    "```"
  ].join("\n")
}

function serverOptions() {
  const programs = [
    ["kez-chat-server", "chat-server", [[], ["serve"], ["init"], ["admin"]]],
    ["kez-chat-sig-server", "sig-server", [[]]]
  ]
  const lines = [NOTE, "", "# Options of the servers"]
  for (const [name, file, commands] of programs)
    for (const command of commands)
      lines.push("", `## \`${[name, ...command].join(" ")}\``, "", help(`reference-server/dist/${file}.js`, ...command))
  return lines.join("\n")
}

function cliCommands() {
  const program = "reference-cli/dist/kez-chat.js"
  const overview = help(program)
  const section = /\bSUBCOMMANDS\b([\s\S]*?)(\n[A-Z][A-Z ]+\n|```$)/.exec(overview)?.[1] ?? ""
  const names = [...section.matchAll(/^ {2}([a-z][a-z-]*)(?:,| {2,}|$)/gm)].map(([, name]) => name)
  const lines = [NOTE, "", "# Commands of kez-chat", "", overview]
  for (const name of names) lines.push("", `## \`kez-chat ${name}\``, "", help(program, name))
  return lines.join("\n")
}

const pages = {
  "sdk/docs/reference.md": sdkReference,
  "reference-server/docs/options.md": serverOptions,
  "reference-cli/docs/commands.md": cliCommands
}

/** As oxfmt would leave it, so that the format check and this one agree. */
function format(path, text) {
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
  say(`${stale.join(", ")} is not what the code says: run npm run docs and commit it.`)
  process.exitCode = 1
}
