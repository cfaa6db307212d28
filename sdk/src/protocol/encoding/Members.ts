/** Reads members of a JSON object, one rule per call. A broken rule is a {@link Problem} that names the member. */
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import * as Hash from "./Hash.ts"
import { isObject, type Json, type JsonObject } from "./Json.ts"
import * as Limits from "../Limits.ts"
import { type Code, fail, Problem } from "../Problem.ts"
import * as Timestamp from "./Timestamp.ts"

export class Members {
  readonly json: JsonObject
  readonly code: Code
  readonly what: string

  constructor(json: JsonObject, code: Code, what: string) {
    this.json = json
    this.code = code
    this.what = what
  }

  /** The members of `json`, which must be an object. */
  static of(json: Json | undefined, code: Code, what: string): Result.Result<Members, Problem> {
    return isObject(json) ? Result.succeed(new Members(json, code, what)) : fail(code, `${what} is not an object`)
  }

  has(name: string): boolean {
    return Object.hasOwn(this.json, name)
  }

  get(name: string): Json | undefined {
    return Object.hasOwn(this.json, name) ? this.json[name] : undefined
  }

  bad(name: string, rule: string): Result.Result<never, Problem> {
    return fail(this.code, `${this.what}: ${name} ${rule}`)
  }

  /** A string of at most `max` code points; not empty unless `min` is 0. */
  string(name: string, max = 1024, min = 1): Result.Result<string, Problem> {
    const value = this.get(name)
    if (typeof value !== "string") return this.bad(name, "is not a string")
    if (value.length < min || Bytes.isLongerThan(value, max))
      return this.bad(name, `is not ${min} to ${max} characters long`)
    return Result.succeed(value)
  }

  optionalString(name: string, max = 1024): Result.Result<string | undefined, Problem> {
    return this.has(name) ? this.string(name, max, 0) : Result.succeed(undefined)
  }

  matching(name: string, pattern: RegExp, rule: string): Result.Result<string, Problem> {
    return this.accepted(name, (text) => pattern.test(text), rule)
  }

  private accepted(name: string, test: (text: string) => boolean, rule: string): Result.Result<string, Problem> {
    const value = this.get(name)
    return typeof value === "string" && test(value) ? Result.succeed(value) : this.bad(name, `is not ${rule}`)
  }

  /** 16 bytes in canonical base64url: the id of a message, a device or an entry. */
  id(name: string): Result.Result<string, Problem> {
    return this.accepted(name, (text) => Bytes.exactly(text, Limits.idBytes) !== undefined, "16 bytes in base64url")
  }

  /** `length` bytes in lower-case hex. */
  hex(name: string, length: number): Result.Result<string, Problem> {
    return this.accepted(name, (text) => Bytes.isHex(text, length), `${2 * length} lower-case hex digits`)
  }

  /** `sha256:` or `blake3:` and 64 hex digits. */
  hash(name: string, hashFunction: Hash.HashFunction): Result.Result<string, Problem> {
    return this.matching(name, Hash.pattern(hashFunction), `${hashFunction}:<64 hex>`)
  }

  literal<const A extends string | number>(name: string, expected: A): Result.Result<A, Problem> {
    return this.get(name) === expected ? Result.succeed(expected) : this.bad(name, `is not ${JSON.stringify(expected)}`)
  }

  integer(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): Result.Result<number, Problem> {
    const value = this.get(name)
    return typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max
      ? Result.succeed(value)
      : this.bad(name, `is not an integer of ${min} to ${max}`)
  }

  /** RFC 3339 UTC in whole seconds, as milliseconds since the epoch. */
  time(name: string): Result.Result<number, Problem> {
    const value = this.get(name)
    if (typeof value !== "string") return this.bad(name, "is not a string")
    return Result.mapError(Timestamp.parse(value), (problem) => this.wrap(name, problem))
  }

  /** Bytes in canonical unpadded base64url; exactly `length` of them, or at least one and at most `max`. */
  bytes(
    name: string,
    size: { readonly length: number } | { readonly max: number }
  ): Result.Result<Uint8Array, Problem> {
    const value = this.get(name)
    if (typeof value !== "string") return this.bad(name, "is not a string")
    const max = "length" in size ? size.length : size.max
    if (value.length > Math.ceil((max * 4) / 3)) return this.bad(name, `is longer than ${max} bytes`)
    const bytes = Bytes.fromBase64Url(value)
    if (Result.isFailure(bytes)) return Result.fail(this.wrap(name, bytes.failure))
    const length = bytes.success.length
    if ("length" in size ? length !== size.length : length === 0) return this.bad(name, `has ${length} bytes`)
    return bytes
  }

  members(name: string): Result.Result<Members, Problem> {
    return Members.of(this.get(name), this.code, `${this.what}: ${name}`)
  }

  /** The same problem, prefixed with the member where it was found. */
  wrap(name: string, problem: Problem): Problem {
    return new Problem({ code: problem.code, detail: `${this.what}: ${name}: ${problem.detail}` })
  }

  /** At most `max` strings that `test` accepts; `rule` names what else was found. */
  strings(
    name: string,
    max: number,
    test: (item: string) => boolean,
    rule: string
  ): Result.Result<ReadonlyArray<string>, Problem> {
    return Result.flatMap(this.array(name, max), (items) =>
      items.every((item) => typeof item === "string" && test(item))
        ? Result.succeed(items as ReadonlyArray<string>)
        : this.bad(name, `contains something other than ${rule}`)
    )
  }

  array(name: string, max: number): Result.Result<ReadonlyArray<Json>, Problem> {
    const value = this.get(name)
    if (!Array.isArray(value)) return this.bad(name, "is not an array")
    return value.length <= max ? Result.succeed(value) : this.bad(name, `has more than ${max} items`)
  }
}
