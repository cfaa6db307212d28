/** Bytes and their text encodings: hex, base64url, UTF-8 and big-endian integers. */
import { hexToBytes, bytesToHex } from "@noble/hashes/utils.js"
import * as Result from "effect/Result"
import { fail, type Problem } from "../Problem.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const hexDigits = /^[0-9a-f]*$/

/** Whether a text is exactly `length` bytes in lower-case hex. */
export const isHex = (text: string, length: number): boolean => text.length === 2 * length && hexDigits.test(text)

/** Lower-case hex to bytes; anything else (upper case included) is `encoding_malformed`. */
export const fromHex = (text: string): Result.Result<Uint8Array, Problem> =>
  text.length % 2 === 0 && hexDigits.test(text)
    ? Result.succeed(hexToBytes(text))
    : fail("encoding_malformed", "expected lower-case hex of even length")

/** Whether a text has more than `max` characters, which are code points and not UTF-16 units. */
export const isLongerThan = (text: string, max: number): boolean =>
  text.length > max && (text.length > 2 * max || [...text].length > max)

interface NodeBuffer {
  from(
    buffer: ArrayBufferLike,
    offset: number,
    length: number
  ): { toString(encoding: string): string; write(text: string, encoding: string): number }
}

/** Node's encoder and decoder are native; the ones in TypeScript take several times as long. Browsers have none. */
const node = (globalThis as { Buffer?: NodeBuffer }).Buffer

type Encode = (bytes: Uint8Array) => string

const encodeBy = (encoding: "hex" | "base64url"): Encode | undefined =>
  node && ((bytes) => node.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(encoding))

/** Bytes to lower-case hex. */
export const toHex: Encode = encodeBy("hex") ?? bytesToHex

const alphabet = encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
const invalid = 0xff
const values = new Uint8Array(256).fill(invalid)
alphabet.forEach((character, value) => (values[character] = value))

const foreign = () => fail("encoding_malformed", "expected unpadded base64url")
const unusedBits = () => fail("encoding_malformed", "base64url ends in bits that belong to no byte")

/** The engine's decoder, which skips white space and padding; Node has none before version 25. */
const decodeLoosely = (
  Uint8Array as { fromBase64?: (text: string, options: { readonly alphabet: "base64url" }) => Uint8Array }
).fromBase64?.bind(Uint8Array)

const decodeByEngine = (
  text: string,
  decode: NonNullable<typeof decodeLoosely>
): Result.Result<Uint8Array, Problem> => {
  let bytes: Uint8Array
  try {
    bytes = decode(text, { alphabet: "base64url" })
  } catch {
    return foreign()
  }
  // A character that was skipped leaves fewer bytes.
  if (bytes.length !== (text.length * 3) >> 2) return foreign()
  const unused = [0, 0, 0b1111, 0b11][text.length % 4]!
  const last = values[text.charCodeAt(text.length - 1)] ?? 0
  return (last & unused) === 0 ? Result.succeed(bytes) : unusedBits()
}

/**
 * Node's decoder, which takes other alphabets, padding and white space, too: so the bytes must give the same text back.
 * Undefined if they do not.
 */
const decodeByNode = (text: string, { from }: NodeBuffer): Uint8Array | undefined => {
  const bytes = new Uint8Array((text.length * 3) >> 2)
  const view = from(bytes.buffer, 0, bytes.length)
  view.write(text, "base64url")
  return view.toString("base64url") === text ? bytes : undefined
}

/** A table, because every message passes through and `atob` is much slower. */
const decodeByTable = (text: string): Result.Result<Uint8Array, Problem> => {
  const { length } = text
  const rest = length % 4
  const value = (index: number) => values[text.charCodeAt(index)] ?? invalid
  const bytes = new Uint8Array((length * 3) >> 2)
  // Values of the alphabet have six bits, so a higher bit marks a character outside it.
  let seen = 0
  let at = 0
  let i = 0
  for (const whole = length - rest; i < whole; i += 4) {
    const a = value(i)
    const b = value(i + 1)
    const c = value(i + 2)
    const d = value(i + 3)
    seen |= a | b | c | d
    bytes[at++] = (a << 2) | (b >> 4)
    bytes[at++] = (b << 4) | (c >> 2)
    bytes[at++] = (c << 6) | d
  }
  let unused = 0
  if (rest !== 0) {
    const a = value(i)
    const b = value(i + 1)
    const c = rest === 3 ? value(i + 2) : 0
    seen |= a | b | c
    bytes[at++] = (a << 2) | (b >> 4)
    if (rest === 3) bytes[at++] = (b << 4) | (c >> 2)
    unused = rest === 3 ? c & 0b11 : b & 0b1111
  }
  if (seen > 63) return foreign()
  return unused === 0 ? Result.succeed(bytes) : unusedBits()
}

/**
 * Unpadded base64url (RFC 4648 section 5) to bytes. Padding, white space, other alphabets and non-zero trailing bits
 * are `encoding_malformed`: one text per byte string.
 */
export const fromBase64Url = (text: string): Result.Result<Uint8Array, Problem> => {
  if (text.length % 4 === 1) return unusedBits()
  const bytes = node && decodeByNode(text, node)
  if (bytes !== undefined) return Result.succeed(bytes)
  return decodeLoosely === undefined ? decodeByTable(text) : decodeByEngine(text, decodeLoosely)
}

/** Decodes a JSON value that is base64url of exactly `length` bytes; undefined for any other value. */
export const exactly = (value: unknown, length: number): Uint8Array | undefined => {
  const decoded = typeof value === "string" ? fromBase64Url(value) : undefined
  return decoded !== undefined && Result.isSuccess(decoded) && decoded.success.length === length
    ? decoded.success
    : undefined
}

const toBase64UrlByTable: Encode = (bytes) => {
  const { length } = bytes
  const rest = length % 3
  const text = new Uint8Array(Math.ceil((length * 4) / 3))
  let at = 0
  let i = 0
  for (const whole = length - rest; i < whole; i += 3) {
    const three = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    text[at++] = alphabet[three >> 18] as number
    text[at++] = alphabet[(three >> 12) & 63] as number
    text[at++] = alphabet[(three >> 6) & 63] as number
    text[at++] = alphabet[three & 63] as number
  }
  if (rest !== 0) {
    const two = ((bytes[i] as number) << 8) | (rest === 2 ? (bytes[i + 1] as number) : 0)
    text[at++] = alphabet[two >> 10] as number
    text[at++] = alphabet[(two >> 4) & 63] as number
    if (rest === 2) text[at++] = alphabet[(two << 2) & 63] as number
  }
  return decoder.decode(text)
}

/** Bytes to unpadded base64url. */
export const toBase64Url: Encode = encodeBy("base64url") ?? toBase64UrlByTable

/** Concatenates the parts. */
export const concat = (...parts: Array<Uint8Array>): Uint8Array => {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Whether two byte strings are equal. Not constant time: for public values only. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Text to UTF-8. Lone surrogates become U+FFFD: check `isWellFormed` where that matters. */
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
