/**
 * The verification rule (KEZ-KEY-008): a signature (R, S) of an admitted key A is valid iff S < L and encode(S*B - k*A)
 * equals R, with k = SHA-512(R || A || M) mod L. noble's `verify` multiplies by the cofactor, so it accepts a torsioned
 * R.
 */
import { ed25519 } from "@noble/curves/ed25519.js"
import { bytesToNumberLE } from "@noble/curves/utils.js"
import { sha512 } from "@noble/hashes/sha2.js"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"

const { Point } = ed25519
const order = Point.Fn.ORDER

/** Whether the rule holds. Slow (milliseconds) and not constant time: for public values only. */
export const verify = (key: AdmittedKey, message: Uint8Array, signature: Uint8Array): boolean => {
  if (!isReduced(signature)) return false
  const r = signature.subarray(0, 32)
  const s = bytesToNumberLE(signature.subarray(32))
  const k = bytesToNumberLE(sha512(Bytes.concat(r, key.ed25519, message))) % order
  const expected = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(key.ed25519).multiplyUnsafe(k))
  return Bytes.equal(expected.toBytes(), r)
}

/** Whether a signature has 64 bytes and S < L. */
export const isReduced = (signature: Uint8Array): boolean =>
  signature.length === Limits.signatureBytes && bytesToNumberLE(signature.subarray(32)) < order

/**
 * Whether R decodes to the identity, canonically (y = 1, sign 0) or not. No honest signer produces it, and platforms
 * disagree (OpenSSL 3.5 refuses it, noble does not), so backends leave this case to {@link verify}.
 */
export const hasIdentityR = (signature: Uint8Array): boolean => {
  const y = signature.slice(0, 32)
  y[31] = (y[31] as number) & 0x7f
  return Bytes.equal(y, one) || Bytes.equal(y, onePlusP)
}

const one = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
/** 2^255 - 18, little-endian. */
const onePlusP = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xee : i === 31 ? 0x7f : 0xff))
