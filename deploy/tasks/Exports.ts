/**
 * The exports of a TypeScript module with the first sentence of each doc comment. Ours because TypeDoc prints Effect's
 * service and error classes as one line of their whole shape, without the comments of their members.
 */
import { posix } from "node:path"
import { parseSync } from "rolldown/utils"

export interface Export {
  readonly name: string
  /** First sentence of its doc comment, or "". */
  readonly summary: string
  /** Properties and methods of a service (`Context.Service`). */
  readonly members?: readonly Export[]
  /** For `export * as name`: path of the module. */
  readonly namespace?: string
}

type Statement = ReturnType<typeof parseSync>["program"]["body"][number]
type Declaration = NonNullable<Extract<Statement, { type: "ExportNamedDeclaration" }>["declaration"]>

/** The text of a doc comment without its stars. */
const clean = (comment: string) =>
  comment
    .replace(/^\*/, "")
    .replace(/^[ \t]*\*[ \t]?/gm, "")
    .replace(/\{@link\s+([^}\s]+)[^}]*\}/g, "`$1`")
    .trim()

/** The first sentence of a doc comment, on one line. */
function firstSentence(comment: string): string {
  const [first = ""] = clean(comment).split(/\n\s*\n/)
  const paragraph = first.replace(/\s+/g, " ")
  return (/^.*?[.!?](?=\s+[A-Z`]|$)/.exec(paragraph)?.[0] ?? paragraph).trim()
}

/** The comment at the head of a module as plain text, or "". */
export function openingComment(text: string): string {
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1]
  return comment === undefined ? "" : clean(comment)
}

function namesOf(declaration: Declaration): string[] {
  const ids =
    declaration.type === "VariableDeclaration" ? declaration.declarations.map(({ id }) => id) : [declaration.id]
  return ids.flatMap((id) => (id !== null && "name" in id && typeof id.name === "string" ? [id.name] : []))
}

const nameOf = (node: { readonly name: string } | { readonly value: string }) =>
  "name" in node ? node.name : node.value

/** The second type argument of `class A extends Context.Service<A, { ... }>()(...)`. */
function* shapeOf(declaration: Declaration) {
  if (declaration.type !== "ClassDeclaration" || declaration.superClass?.type !== "CallExpression") return
  const { callee } = declaration.superClass
  const shape = callee.type === "CallExpression" ? callee.typeArguments?.params[1] : undefined
  if (shape?.type === "TSTypeLiteral") yield* shape.members
}

/**
 * The exports of `file` in the order of the source. `read` gives the text of a path. A type and a value of one name are
 * one export.
 */
export function exportsOf(file: string, read: (path: string) => string): Export[] {
  const text = read(file)
  const { program, comments } = parseSync(file, text)
  const summaryBefore = (start: number) => {
    const comment = comments.findLast(
      ({ type, value, end }) => type === "Block" && value.startsWith("*") && end <= start
    )
    return comment !== undefined && text.slice(comment.end, start).trim() === "" ? firstSentence(comment.value) : ""
  }
  const resolve = (source: { readonly value: string }) => posix.join(posix.dirname(file), source.value)
  const found = new Map<string, Export>()
  const add = (item: Export) => {
    const known = found.get(item.name)
    if (known === undefined || (known.summary === "" && item.summary)) found.set(item.name, item)
  }
  for (const node of program.body) {
    if (node.type === "ExportAllDeclaration") {
      if (node.exported) add({ name: nameOf(node.exported), summary: "", namespace: resolve(node.source) })
      else for (const item of exportsOf(resolve(node.source), read)) add(item)
    } else if (node.type === "ExportNamedDeclaration") {
      if (node.declaration) {
        const members = [...shapeOf(node.declaration)].flatMap((member): Export[] => {
          if (member.type !== "TSPropertySignature" && member.type !== "TSMethodSignature") return []
          const params = member.type === "TSMethodSignature" ? member.params : undefined
          const list = params?.map((param) => ("name" in param ? param.name : text.slice(param.start, param.end)))
          const name = `${text.slice(member.key.start, member.key.end)}${list ? `(${list.join(", ")})` : ""}`
          return [{ name, summary: summaryBefore(member.start) }]
        })
        for (const name of namesOf(node.declaration)) add({ name, summary: summaryBefore(node.start), members })
      }
      const inner = node.source?.value.startsWith(".") ? exportsOf(resolve(node.source), read) : []
      for (const { local, exported } of node.specifiers ?? []) {
        const original = inner.find(({ name }) => name === nameOf(local))
        add({ summary: summaryBefore(node.start), ...original, name: nameOf(exported) })
      }
    }
  }
  return [...found.values()]
}
