/** The cryptographic primitives of the specification on node:crypto, by the RFCs' own names. */
import * as crypto from "node:crypto"

export const sha256 = (data: Uint8Array): Buffer => crypto.createHash("sha256").update(data).digest()
export const sha512 = (data: Uint8Array): Buffer => crypto.createHash("sha512").update(data).digest()
export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Buffer =>
  crypto.createHmac("sha256", key).update(data).digest()

/** RFC 5869. */
export const hkdfExtract = (salt: Uint8Array, ikm: Uint8Array): Buffer =>
  hmacSha256(salt.length === 0 ? Buffer.alloc(32) : salt, ikm)
export const hkdfExpand = (prk: Uint8Array, info: Uint8Array, length: number): Buffer => {
  const blocks: Array<Buffer> = []
  let previous: Uint8Array = Buffer.alloc(0)
  for (let i = 1; blocks.length * 32 < length; i++) {
    const block = hmacSha256(prk, Buffer.concat([previous, info, Buffer.from([i])]))
    blocks.push(block)
    previous = block
  }
  return Buffer.concat(blocks).subarray(0, length)
}
export const hkdfSha256 = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Buffer =>
  hkdfExpand(hkdfExtract(salt, ikm), info, length)

/** RFC 8439, ciphertext || tag. */
export const aeadSeal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer => {
  const cipher = crypto.createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 })
  cipher.setAAD(aad, { plaintextLength: plaintext.length })
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

const pkcs8 = (oid: "70" | "6e", raw: Uint8Array) =>
  crypto.createPrivateKey({
    key: Buffer.concat([Buffer.from(`302e020100300506032b65${oid}04220420`, "hex"), raw]),
    format: "der",
    type: "pkcs8"
  })
const spki = (oid: "70" | "6e", raw: Uint8Array) =>
  crypto.createPublicKey({
    key: Buffer.concat([Buffer.from(`302a300506032b65${oid}032100`, "hex"), raw]),
    format: "der",
    type: "spki"
  })
const rawPublic = (key: crypto.KeyObject): Buffer =>
  Buffer.from(crypto.createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32))

/** RFC 8032. */
export const ed25519Public = (seed: Uint8Array): Buffer => rawPublic(pkcs8("70", seed))
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Buffer =>
  crypto.sign(null, message, pkcs8("70", seed))

/** RFC 7748. */
export const x25519Public = (scalar: Uint8Array): Buffer => rawPublic(pkcs8("6e", scalar))
export const x25519 = (scalar: Uint8Array, publicKey: Uint8Array): Buffer =>
  crypto.diffieHellman({ privateKey: pkcs8("6e", scalar), publicKey: spki("6e", publicKey) })

/** The X25519 private key of a seed: SHA-512(seed)[0..32); RFC 7748 clamps it when it is used. */
export const x25519Private = (seed: Uint8Array): Buffer => {
  const scalar = Buffer.from(sha512(seed).subarray(0, 32))
  scalar[0] = (scalar[0] as number) & 248
  scalar[31] = ((scalar[31] as number) & 127) | 64
  return scalar
}

/** `length` bytes that look random and depend on `label` alone. */
export const stream = (label: string, length: number): Buffer =>
  Buffer.from(crypto.hkdfSync("sha256", label, "kez-chat vectors 0.1", "", length))
