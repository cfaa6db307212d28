/** node:crypto key objects from raw 32-byte keys (RFC 8410's fixed DER prefixes), which is how NATS carries them. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto"

const der = {
  ed25519: { private: "302e020100300506032b657004220420", public: "302a300506032b6570032100" },
  x25519: { private: "302e020100300506032b656e04220420", public: "302a300506032b656e032100" }
} as const

export type Curve = keyof typeof der

/** A private key from its 32-byte seed (Ed25519) or scalar (X25519). */
export const privateKey = (curve: Curve, raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([Buffer.from(der[curve].private, "hex"), raw]), format: "der", type: "pkcs8" })

/** A public key from its 32 bytes. Not a check that they are a good point. */
export const publicKey = (curve: Curve, raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([Buffer.from(der[curve].public, "hex"), raw]), format: "der", type: "spki" })

/** The 32 public bytes of a private key. */
export const publicBytes = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32)
