/** Bytes and the texts that stand for them: hex, base64url, UTF-8 and big-endian integers. */
import { concatBytes, hexToBytes, bytesToHex } from "@noble/hashes/utils.js"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { fail, type Problem } from "./Problem.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Lower-case hex to bytes; anything else (upper case included) is `encoding_malformed`. */
export const fromHex = (text: string): Result.Result<Uint8Array, Problem> =>
  text.length % 2 === 0 && /^[0-9a-f]*$/.test(text)
    ? Result.succeed(hexToBytes(text))
    : fail("encoding_malformed", "expected lower-case hex of even length")

/** Bytes to lower-case hex. */
export const toHex: (bytes: Uint8Array) => string = bytesToHex

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/**
 * Unpadded base64url (RFC 4648 section 5) to bytes. Padding, white space, other alphabets and non-zero trailing bits
 * are `encoding_malformed`, so every byte string has exactly one text.
 */
export const fromBase64Url = (text: string): Result.Result<Uint8Array, Problem> => {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return fail("encoding_malformed", "expected unpadded base64url")
  const rest = text.length % 4
  const unused = rest === 2 ? 0b1111 : rest === 3 ? 0b11 : 0
  if (rest === 1 || (alphabet.indexOf(text.slice(-1)) & unused) !== 0) {
    return fail("encoding_malformed", "base64url ends in bits that belong to no byte")
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"))
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return Result.succeed(bytes)
}

/** Bytes to unpadded base64url. */
export const toBase64Url: (bytes: Uint8Array) => string = Base64Url.encode

/** The parts one after another. */
export const concat: (...parts: Array<Uint8Array>) => Uint8Array = concatBytes

/** Whether two byte strings are equal. Not constant time: for public values only. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Text to UTF-8. Lone surrogates, which UTF-8 cannot express, become U+FFFD: check `isWellFormed` where that matters. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** UTF-8 to text; malformed sequences are `encoding_malformed`, a byte order mark is kept. */
export const fromUtf8 = (bytes: Uint8Array): Result.Result<string, Problem> => {
  try {
    return Result.succeed(decoder.decode(bytes))
  } catch {
    return fail("encoding_malformed", "not well-formed UTF-8")
  }
}

/** An integer of 0 to 2^32 - 1 as four bytes, big-endian. */
export const u32be = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** An integer of 0 to 2^53 - 1 as eight bytes, big-endian. */
export const u64be = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}
