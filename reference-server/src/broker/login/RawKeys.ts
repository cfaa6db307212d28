/** node:crypto key objects from raw 32-byte keys, as NATS encodes them. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto"

/** RFC 8410's PKCS #8 up to the 32 bytes of the key itself. */
const pkcs8 = { ed25519: "302e020100300506032b657004220420", x25519: "302e020100300506032b656e04220420" } as const

export type Curve = keyof typeof pkcs8

/** A private key from its 32-byte seed (Ed25519) or scalar (X25519). */
export const privateKey = (curve: Curve, raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([Buffer.from(pkcs8[curve], "hex"), raw]), format: "der", type: "pkcs8" })

/** A public key from its 32 bytes. They are not checked to be a valid point. */
export const publicKey = (curve: Curve, raw: Uint8Array): KeyObject => {
  // Node throws and catches exceptions to detect the format; their stack traces would take longer than the import.
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    const x = Buffer.from(raw).toString("base64url")
    return createPublicKey({ key: { kty: "OKP", crv: curve === "ed25519" ? "Ed25519" : "X25519", x }, format: "jwk" })
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The 32 public bytes of a private key. */
export const publicBytes = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32)
