/** NATS nkeys: a public key with a type prefix and a checksum, as 56 characters of base32. */
import { base32nopad } from "@scure/base"
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import { admit, type AdmittedKey } from "./KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** The first byte of each type; its first base32 character is the type's letter. */
const prefixes = { account: 0 << 3, server: 13 << 3, operator: 14 << 3, user: 20 << 3, curve: 23 << 3 } as const

/** The type of an nkey: `A...`, `N...`, `O...`, `U...`, `X...`. */
export type Prefix = keyof typeof prefixes

export interface Nkey {
  readonly prefix: Prefix
  /** 32 bytes: Ed25519, or X25519 for `curve`. */
  readonly key: Uint8Array
}

/** base32 of `prefix || key || CRC-16/XMODEM (little-endian)`. Throws a `RangeError` unless the key has 32 bytes. */
export const encode = (prefix: Prefix, key: Uint8Array): string => {
  if (key.length !== Limits.keyBytes) throw new RangeError(`an nkey holds 32 bytes, not ${key.length}`)
  const body = Bytes.concat(Uint8Array.of(prefixes[prefix]), key)
  return base32nopad.encode(Bytes.concat(body, checksum(body)))
}

/** Parses a public nkey. Lower case, padding, other lengths, unknown types and wrong checksums are `key_malformed`. */
export const decode = (text: string): Result.Result<Nkey, Problem> => {
  // 56 characters carry 280 bits, exactly 35 bytes: no second spelling exists.
  if (!/^[A-Z2-7]{56}$/.test(text)) return fail("key_malformed", "an nkey has 56 characters of upper-case base32")
  const bytes = base32nopad.decode(text)
  const body = bytes.subarray(0, 33)
  if (!Bytes.equal(checksum(body), bytes.subarray(33))) return fail("key_malformed", "the nkey's checksum is wrong")
  for (const prefix of Object.keys(prefixes) as Array<Prefix>) {
    if (prefixes[prefix] === body[0]) return Result.succeed({ prefix, key: body.slice(1) })
  }
  return fail("key_malformed", "unknown type of nkey")
}

/** The user nkey of an account, `U...`. */
export const fromKey = (key: AdmittedKey): string => encode("user", key.ed25519)

/** Parses a user nkey and admits its key. Problems: `key_malformed`, `key_rejected`. */
export const toKey = (text: string): Result.Result<AdmittedKey, Problem> => {
  const decoded = decode(text)
  if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
  return decoded.success.prefix === "user" ? admit(decoded.success.key) : fail("key_malformed", "not a user nkey")
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0, low byte first. */
const checksum = (bytes: Uint8Array): Uint8Array => {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return Uint8Array.of(crc & 0xff, crc >> 8)
}
