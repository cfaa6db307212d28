/** JCS (RFC 8785): the one text of a JSON value, which is what gets hashed and signed. */
import canonicalize from "canonicalize"
import * as Bytes from "./Bytes.ts"
import type { Json } from "./Json.ts"

/** The canonical text. Throws a `TypeError` for what {@link Json} rules out: lone surrogates, NaN, infinities. */
export const encodeText = (value: Json): string => {
  try {
    return canonicalize(value) as string
  } catch (cause) {
    throw new TypeError("not a JSON value", { cause })
  }
}

/** The canonical text as UTF-8. Throws like {@link encodeText}; whatever `Json.parse` gave is fine. */
export const encode = (value: Json): Uint8Array => Bytes.utf8(encodeText(value))
