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

/**
 * A clamped X25519 scalar that is -1 or 1 modulo the group order and 0 modulo 8: it takes the torsion away from a point
 * and leaves the rest, up to the sign, which X25519 does not see. So a point has no torsion component if it stays itself.
 */
const torsionRemover = Uint8Array.from([
  0xa0, 0x23, 0xcd, 0xd0, 0x83, 0xef, 0x5b, 0xb8, 0x2f, 0x10, 0xd6, 0x2e, 0x59, 0xe1, 0x5a, 0x68, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0x50
])

/** X25519 (RFC 7748) of one scalar and any point; undefined where it fails. */
type Multiply = (point: Uint8Array) => Uint8Array | undefined

let removeTorsion: Multiply = () => undefined

/**
 * Has keys checked by a native X25519, ten times as fast. Only what it finds admissible stays unchecked here, so one
 * that fails or is missing costs time and no verdict.
 */
export const accelerate = (multiplyBy: (scalar: Uint8Array) => Multiply): void => {
  removeTorsion = multiplyBy(torsionRemover)
}

const isUnchanged = (point: Uint8Array): boolean => {
  const found = removeTorsion(point)
  return found !== undefined && Bytes.equal(found, point)
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

/** The u-coordinate of RFC 7748 section 4.1 of a point that is not of small order. */
const montgomery = (point: InstanceType<typeof ed25519.Point>): Uint8Array => {
  const { Fp } = ed25519.Point
  const { y } = point.toAffine()
  return Fp.toBytes(Fp.div(Fp.add(Fp.ONE, y), Fp.sub(Fp.ONE, y)))
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
  const x25519 = montgomery(point)
  if (!isUnchanged(x25519) && !point.isTorsionFree()) {
    return fail("key_rejected", "the point has a torsion component")
  }
  return Result.succeed({ ed25519: point.toBytes(), x25519, hex } as unknown as AdmittedKey)
}
