// What a TypeScript module exports, with the first sentence of each doc comment, read from its source.
import { posix } from "node:path"
import { parseSync } from "rolldown/utils"

/** The text of a doc comment without its stars. */
const clean = (comment) =>
  comment
    .replace(/^\*/, "")
    .replace(/^[ \t]*\*[ \t]?/gm, "")
    .replace(/\{@link\s+([^}\s]+)[^}]*\}/g, "`$1`")
    .trim()

/** The first sentence of a doc comment, on one line. */
function firstSentence(comment) {
  const paragraph = clean(comment)
    .split(/\n\s*\n/)[0]
    .replace(/\s+/g, " ")
  return (/^.*?[.!?](?=\s+[A-Z`]|$)/.exec(paragraph)?.[0] ?? paragraph).trim()
}

/** The comment that a module opens with, as plain text; "" when it has none. */
export function openingComment(text) {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]
  return comment === undefined ? "" : clean(comment)
}

function namesOf(declaration) {
  if (declaration.type === "VariableDeclaration") return declaration.declarations.map(({ id }) => id.name)
  return declaration.id ? [declaration.id.name] : []
}

/**
 * The exports of `file` in the order of the source: `{ name, summary }`, or `{ name, namespace }` for
 * `export * as name`. `read` gives the text of a path. A type and a value of one name are one export.
 */
export function exportsOf(file, read) {
  const text = read(file)
  const { program, comments } = parseSync(file, text)
  const summaryBefore = (start) => {
    const comment = comments.findLast(
      ({ type, value, end }) => type === "Block" && value.startsWith("*") && end <= start
    )
    return comment !== undefined && text.slice(comment.end, start).trim() === "" ? firstSentence(comment.value) : ""
  }
  const resolve = (source) => posix.join(posix.dirname(file), source.value)
  const found = new Map()
  const add = (item) => {
    const known = found.get(item.name)
    if (known === undefined || (known.summary === "" && item.summary)) found.set(item.name, item)
  }
  for (const node of program.body) {
    if (node.type === "ExportAllDeclaration") {
      if (node.exported) add({ name: node.exported.name, namespace: resolve(node.source) })
      else for (const item of exportsOf(resolve(node.source), read)) add(item)
    } else if (node.type === "ExportNamedDeclaration") {
      if (node.declaration)
        for (const name of namesOf(node.declaration)) add({ name, summary: summaryBefore(node.start) })
      const inner = node.source?.value.startsWith(".") ? exportsOf(resolve(node.source), read) : []
      for (const { local, exported } of node.specifiers ?? []) {
        const original = inner.find(({ name }) => name === local.name)
        add({ summary: summaryBefore(node.start), ...original, name: exported.name })
      }
    }
  }
  return [...found.values()]
}
