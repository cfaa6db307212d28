/** The operations of the shim protocol with the members of their arguments and results, as the vectors have them. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../paths.mjs"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }

interface VectorFile {
  readonly operation: string
  readonly description: string
  readonly cases: ReadonlyArray<{
    readonly id: string
    readonly input: Json
    readonly result?: Json
    readonly error?: string
    readonly errorAnyOf?: ReadonlyArray<string>
  }>
}

interface Named {
  readonly name: string
  readonly file: VectorFile
}

const folder = join(root, "spec", "vectors")
/** Longer examples are not printed. */
const longest = 900

const files = (): ReadonlyArray<Named> =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name, file: JSON.parse(readFileSync(join(folder, name), "utf8")) as VectorFile }))

const isObject = (value: Json): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const kindOf = (value: Json): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "list"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return typeof value === "string" ? "text" : typeof value
}

/** The members of some objects: their kinds, and whether every object has them. */
function* rowsOf(values: ReadonlyArray<Json>, prefix = ""): Generator<string> {
  const objects = values.filter(isObject)
  const names = [...new Set(objects.flatMap((one) => Object.keys(one)))]
  for (const name of names) {
    const present = objects.filter((one) => name in one).map((one) => one[name] as Json)
    const kinds = [...new Set(present.map(kindOf))].sort()
    const presence = present.length === objects.length ? "always" : "sometimes"
    yield `| \`${prefix}${name}\` | ${kinds.join(", ")} | ${presence} |`
    // Envelopes, records, descriptions and bodies are described by the specification.
    const inner = present.flatMap((one) => (Array.isArray(one) ? one : [one]) as ReadonlyArray<Json>).filter(isObject)
    const described = inner.some((one) =>
      ["kez", "type", "payload", "registration", "broker"].some((key) => key in one)
    )
    if (inner.length > 0 && !described && prefix === "")
      yield* rowsOf(inner, `${name}${kinds.includes("list") ? "[]" : ""}.`)
  }
}

const tableOf = (title: string, values: ReadonlyArray<Json>): ReadonlyArray<string> => {
  const lists = values.some(Array.isArray)
  const rows = lists ? [...rowsOf(values.flat() as ReadonlyArray<Json>, "[].")] : [...rowsOf(values)]
  if (rows.length > 0) return ["", `| ${title} | kind | present |`, "| --- | --- | --- |", ...rows]
  const kinds = [...new Set(values.map(kindOf))].sort()
  return values.length === 0 ? [] : ["", `The ${title} is one value: ${kinds.join(" or ")}.`]
}

const exampleOf = (files: ReadonlyArray<Named>): ReadonlyArray<string> => {
  const short = (kind: "result" | "error"): ReadonlyArray<string> => {
    const found = files
      .flatMap(({ file, name }) => file.cases.map((one) => ({ ...one, name })))
      .filter((one) => (kind === "result" ? one.result !== undefined : one.error !== undefined))
      .sort((a, b) => JSON.stringify([a.input, a.result]).length - JSON.stringify([b.input, b.result]).length)[0]
    if (found === undefined) return []
    const answer = kind === "result" ? { ok: found.result } : { error: { code: found.error } }
    const lines = [
      `-> ${JSON.stringify({ seq: 1, cmd: files[0]?.file.operation, test: `${found.name}#${found.id}`, args: found.input })}`,
      `<- ${JSON.stringify({ seq: 1, ...answer })}`
    ]
    return lines.join("").length > longest ? [] : lines
  }
  const lines = [...short("result"), ...short("error")]
  return lines.length === 0 ? [] : ["", "```", ...lines, "```"]
}

export function operationsPage(note: string): string {
  const all = files()
  const operations = [...new Set(all.map(({ file }) => file.operation))]
  const sections = operations.flatMap((operation) => {
    const of = all.filter(({ file }) => file.operation === operation)
    const cases = of.flatMap(({ file }) => file.cases)
    const codes = [
      ...new Set(cases.flatMap(({ error, errorAnyOf = [] }) => [...(error ? [error] : []), ...errorAnyOf]))
    ]
    return [
      "",
      `## \`${operation}\``,
      "",
      of[0]!.file.description,
      ...tableOf(
        "argument",
        cases.map(({ input }) => input)
      ),
      ...tableOf(
        "result",
        cases.flatMap(({ result }) => (result === undefined ? [] : [result]))
      ),
      ...(codes.length === 0
        ? []
        : [
            "",
            `Refusals: ${codes
              .sort()
              .map((code) => `\`${code}\``)
              .join(", ")}.`
          ]),
      ...exampleOf(of),
      "",
      `Cases: ${of.map(({ file, name }) => `[${name}](../../spec/vectors/${name}) ${file.cases.length}`).join(", ")}.`
    ]
  })
  return [
    note,
    "",
    "# Operations",
    "",
    "What a shim is asked, and what it answers: each operation with the members of its arguments and of its result, as the",
    "[vectors](../../spec/vectors/README.md) have them, an example where it is short, and the codes of refusals",
    "([errors.md](../../spec/errors.md)). [The shim protocol](shim-protocol.md) has the rest.",
    "",
    ...operations.map((name) => `- [\`${name}\`](#${name.toLowerCase().replaceAll(".", "")})`),
    ...sections
  ].join("\n")
}
