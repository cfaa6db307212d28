/**
 * Strict JSON for signed documents (KEZ-CAN-005 to 011). `JSON.parse` keeps the last of two members with one name,
 * rounds numbers and accepts lone surrogates, so two readers can disagree about what was signed. Here each token that
 * `jsonc-parser` reports is checked, and the first fault stops parsing.
 */
import * as Result from "effect/Result"
import { printParseErrorCode, visit } from "jsonc-parser"
import * as Bytes from "./Bytes.ts"
import * as Limits from "../Limits.ts"
import { fail, Problem, type Code } from "../Problem.ts"

/** A JSON value. Numbers are integers from -(2^53 - 1) to 2^53 - 1, strings are well-formed Unicode. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | JsonObject

/** A JSON object; never with a member named `__proto__`. */
export interface JsonObject {
  readonly [name: string]: Json
}

export interface ParseLimits {
  /** Maximum size of the text as UTF-8. */
  readonly maxBytes: number
  /** Maximum nesting depth of containers, the outermost included; default 16. */
  readonly maxDepth?: number
}

/** Whether a value is an object: neither null nor an array. */
export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Thrown out of `visit`, which cannot be stopped otherwise, and caught in `parse`. */
class Stop {
  readonly problem: Problem
  constructor(code: Code, detail: string) {
    this.problem = new Problem({ code, detail })
  }
}

const integer = /^-?(?:0|[1-9][0-9]*)$/

/**
 * Reads one JSON text. Problems: `json_malformed` (not RFC 8259; comments, trailing commas, byte order marks and
 * malformed UTF-8 included), `json_duplicate_name`, `json_number` (`1.0`, `1e3`, `-0`, beyond 2^53 - 1), `json_string`
 * (lone surrogates, escaped or not, and the name `__proto__`), `json_depth`, `too_large`.
 */
export const parse = (source: string | Uint8Array, limits: ParseLimits): Result.Result<Json, Problem> =>
  Result.map(parseText(source, limits), ({ value }) => value)

/** A parsed JSON text. */
export interface Text {
  readonly value: Json
  readonly text: string
  /** The text is exactly the JCS form of its value. False says nothing: some canonical texts take the slow way. */
  readonly canonical: boolean
}

/** {@link parse} that also returns the text, for callers that need the JCS form. */
export const parseText = (source: string | Uint8Array, limits: ParseLimits): Result.Result<Text, Problem> => {
  // UTF-8 has at least one byte per UTF-16 unit, so a text with too many units needs no exact count.
  if (source.length > limits.maxBytes) return tooLarge(limits.maxBytes)
  let text: string
  if (typeof source === "string") {
    if (source.length * 3 > limits.maxBytes && Bytes.utf8(source).length > limits.maxBytes) {
      return tooLarge(limits.maxBytes)
    }
    if (!source.isWellFormed()) return fail("json_string", "the text holds a lone surrogate")
    text = source
  } else {
    const decoded = Bytes.fromUtf8(source)
    if (Result.isFailure(decoded)) return fail("json_malformed", "not well-formed UTF-8")
    text = decoded.success
  }
  const maxDepth = limits.maxDepth ?? Limits.jsonDepth
  const canonical = readCanonical(text, maxDepth)
  if (canonical !== undefined) return Result.succeed({ value: canonical, text, canonical: true })
  try {
    return Result.succeed({ value: read(text, maxDepth), text, canonical: false })
  } catch (stop) {
    if (stop instanceof Stop) return Result.fail(stop.problem)
    throw stop
  }
}

/**
 * The value of a text that is exactly its own JCS form, as most are, else undefined. The engine's faster parser is safe
 * for it: a duplicate member, a rounded number or another spelling would not survive serialising. The serialiser
 * differs from JCS in the order of members and in escaping lone surrogates, which are checked separately.
 */
const readCanonical = (text: string, maxDepth: number): Json | undefined => {
  if (text.includes("\\ud")) return undefined
  try {
    const value: Json = JSON.parse(text)
    return JSON.stringify(value) === text && isStrict(value, maxDepth) ? value : undefined
  } catch {
    return undefined
  }
}

/** Checks a parsed value for the remaining violations of {@link Json} and for the member order of JCS. */
const isStrict = (value: Json, depthLeft: number): boolean => {
  if (typeof value === "number") return Number.isSafeInteger(value)
  if (typeof value !== "object" || value === null) return true
  if (depthLeft === 0) return false
  if (Array.isArray(value)) return value.every((item) => isStrict(item, depthLeft - 1))
  const members = value as JsonObject
  let previous: string | undefined
  for (const name of Object.keys(members)) {
    if (name === "__proto__" || (previous !== undefined && previous >= name)) return false
    if (!isStrict(members[name] as Json, depthLeft - 1)) return false
    previous = name
  }
  return true
}

const tooLarge = (maxBytes: number) => fail("too_large", `the JSON text has more than ${maxBytes} bytes`)

type Container = Array<Json> | { [name: string]: Json }

const read = (text: string, maxDepth: number): Json => {
  // Only an escape can bring a lone surrogate into a text that is itself well-formed.
  const escapes = text.includes("\\u")
  const open: Array<Container> = []
  const names: Array<string> = []
  let root: Json = null

  const checkString = (value: string, offset: number) => {
    if (escapes && !value.isWellFormed()) {
      throw new Stop("json_string", `lone surrogate in the string at character ${offset}`)
    }
  }
  const place = (value: Json) => {
    const parent = open.at(-1)
    if (parent === undefined) root = value
    else if (Array.isArray(parent)) parent.push(value)
    else parent[names.pop() as string] = value
  }
  const begin = (container: Container, offset: number) => {
    if (open.length >= maxDepth) {
      throw new Stop("json_depth", `more than ${maxDepth} levels at character ${offset}`)
    }
    place(container)
    open.push(container)
  }
  const end = () => {
    open.pop()
  }

  visit(
    text,
    {
      onObjectBegin: (offset) => begin({}, offset),
      onArrayBegin: (offset) => begin([], offset),
      onObjectEnd: end,
      onArrayEnd: end,
      onObjectProperty: (name, offset) => {
        checkString(name, offset)
        if (name === "__proto__") throw new Stop("json_string", `a member named __proto__ at character ${offset}`)
        if (Object.hasOwn(open.at(-1) as Container, name)) {
          throw new Stop("json_duplicate_name", `${JSON.stringify(name.slice(0, 64))} again at character ${offset}`)
        }
        names.push(name)
      },
      onLiteralValue: (value: null | boolean | number | string, offset, length) => {
        if (typeof value === "string") checkString(value, offset)
        else if (typeof value === "number") {
          const written = text.slice(offset, offset + length)
          if (!integer.test(written) || !Number.isSafeInteger(value) || Object.is(value, -0)) {
            throw new Stop("json_number", `${written.slice(0, 32)} at character ${offset}`)
          }
        }
        place(value)
      },
      onError: (error, offset) => {
        throw new Stop("json_malformed", `${printParseErrorCode(error)} at character ${offset}`)
      }
    },
    { disallowComments: true, allowTrailingComma: false }
  )
  return root
}
