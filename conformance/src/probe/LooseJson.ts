/** JSON as any reader takes it, where the SDK's is strict: a probe must read what the SDK would refuse. */
import { findNodeAtLocation, parseTree } from "jsonc-parser"
import { NotKez } from "./Source.ts"

export type JsonObject = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Levels of a value; canonicalising deeper ones could exhaust the stack. */
const limitDepth = 64

const checkDepth = (text: string): void => {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === "\\") at += 1
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === "{" || character === "[") depth += 1
    else if (character === "}" || character === "]") depth -= 1
    if (depth > limitDepth) throw new NotKez(`the JSON has more than ${limitDepth} levels`)
  }
}

/** The value of a JSON text; undefined if it is none. */
export const parse = (text: string): unknown => {
  checkDepth(text)
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The texts of the elements of an array in a JSON text, or of one member, exactly as they stand there. */
export const slices = (text: string, path: ReadonlyArray<string>): ReadonlyArray<string> => {
  const tree = parseTree(text)
  const node = tree === undefined ? undefined : findNodeAtLocation(tree, [...path])
  if (node === undefined) return []
  const nodes = node.type === "array" ? (node.children ?? []) : [node]
  return nodes.map(({ length, offset }) => text.slice(offset, offset + length))
}
