/** JCS (RFC 8785): the canonical text of a JSON value, which is hashed and signed. */
import canonicalize from "canonicalize"
import * as Bytes from "./Bytes.ts"
import type { Json } from "./Json.ts"

/** The canonical text. Throws a `TypeError` for values that {@link Json} excludes: lone surrogates, NaN, infinities. */
export const encodeText = (value: Json): string => {
  try {
    return canonicalize(value) as string
  } catch (cause) {
    throw new TypeError("not a JSON value", { cause })
  }
}

/** The canonical text as UTF-8. Throws like {@link encodeText}; values from `Json.parse` never throw. */
export const encode = (value: Json): Uint8Array => Bytes.utf8(encodeText(value))
