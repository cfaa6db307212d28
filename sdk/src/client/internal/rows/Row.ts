/**
 * The encoding of rows: UTF-8 JSON, checked against a schema when it is read.
 *
 * Numbers in keys are padded with zeros, so that keys sort in numeric order.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { StoreError } from "../../../services/LocalStore.ts"

/** The codec of one kind of row. `decode` fails with a `damaged` StoreError that names the key. */
export interface Row<A> {
  readonly encode: (value: A) => Uint8Array
  readonly decode: (key: string, bytes: Uint8Array) => Result.Result<A, StoreError>
}

export type RowType<R> = R extends Row<infer A> ? A : never

const utf8 = new TextEncoder()
const text = new TextDecoder("utf-8", { fatal: true })

const damaged = (key: string, cause: unknown) =>
  Result.fail(new StoreError({ reason: "damaged", detail: `the entry ${key} cannot be read`, cause }))

/**
 * The row of a schema. A schema that renames or transforms members needs its encoder as `toJson`; every other value is
 * its own JSON, and skips the cost of encoding through the schema.
 */
export const row = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  toJson: (value: S["Type"]) => unknown = (value) => value
): Row<S["Type"]> => {
  const decode = Schema.decodeUnknownResult(schema)
  return {
    encode: (value) => utf8.encode(JSON.stringify(toJson(value))),
    decode: (key, bytes) => {
      try {
        const decoded = decode(JSON.parse(text.decode(bytes)))
        return Result.isSuccess(decoded) ? Result.succeed(decoded.success) : damaged(key, decoded.failure)
      } catch (cause) {
        return damaged(key, cause)
      }
    }
  }
}

export const Count = Schema.Natural

/** A number in a key. */
export const padded = (n: number): string => String(n).padStart(15, "0")

/** The local order at the end of a `message/` or `out/` key. */
export const orderOf = (key: string): number => Number(key.slice(key.lastIndexOf("/") + 1))
