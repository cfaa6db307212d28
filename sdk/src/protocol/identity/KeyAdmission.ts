/**
 * Validation of every Ed25519 public key before use (KEZ-KEY-006). An admitted key decodes, re-encodes to the same
 * bytes, is not of small order and has no torsion component. So the cofactorless verification equation gives the same
 * verdict on every backend, and its X25519 key never leads to an all-zero secret.
 */
import { ed25519 } from "@noble/curves/ed25519.js"
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

declare const admitted: unique symbol

/** A public key that passed {@link admit}. While cached, the same key gives the same object. */
export interface AdmittedKey {
  readonly [admitted]: true
  /** The 32 bytes of RFC 8032. Do not modify. */
  readonly ed25519: Uint8Array
  /** The 32-byte X25519 key under the birational map of RFC 7748 section 4.1. Do not modify. */
  readonly x25519: Uint8Array
  /** The Ed25519 key as 64 lower-case hex characters. */
  readonly hex: string
}

/** Admission multiplies by the group order (about a millisecond), so recent keys are cached. */
const cacheSize = 4096
const cache = new Map<string, AdmittedKey>()

/** Admits 32 bytes as a public key, or answers `key_rejected`; any other length is `key_malformed`. */
export const admit = (bytes: Uint8Array): Result.Result<AdmittedKey, Problem> =>
  bytes.length === Limits.keyBytes
    ? lookUp(Bytes.toHex(bytes))
    : fail("key_malformed", `a public key has ${Limits.keyBytes} bytes, not ${bytes.length}`)

/** Admits 64 lower-case hex characters as a public key, or answers `key_rejected`; any other text is `key_malformed`. */
export const admitHex = (hex: string): Result.Result<AdmittedKey, Problem> =>
  Bytes.isHex(hex, Limits.keyBytes)
    ? lookUp(hex)
    : fail("key_malformed", "a public key is 64 lower-case hex characters")

const lookUp = (hex: string): Result.Result<AdmittedKey, Problem> => {
  const known = cache.get(hex)
  if (known !== undefined) {
    // A Map keeps insertion order: moving a used key to its end makes the first one the least recently used.
    cache.delete(hex)
    cache.set(hex, known)
    return Result.succeed(known)
  }
  const checked = check(hex)
  if (Result.isSuccess(checked)) {
    cache.set(hex, checked.success)
    if (cache.size > cacheSize) cache.delete(cache.keys().next().value as string)
  }
  return checked
}

const check = (hex: string): Result.Result<AdmittedKey, Problem> => {
  let point: InstanceType<typeof ed25519.Point>
  try {
    point = ed25519.Point.fromHex(hex, false)
  } catch {
    return fail("key_rejected", "the bytes do not encode a point of the curve")
  }
  if (point.toHex() !== hex) return fail("key_rejected", "the encoding is not canonical")
  if (point.isSmallOrder()) return fail("key_rejected", "the point is of small order")
  if (!point.isTorsionFree()) return fail("key_rejected", "the point has a torsion component")
  const bytes = point.toBytes()
  return Result.succeed({ ed25519: bytes, x25519: ed25519.utils.toMontgomery(bytes), hex } as unknown as AdmittedKey)
}
