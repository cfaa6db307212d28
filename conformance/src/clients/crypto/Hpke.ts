/** HPKE (RFC 9180), mode Base, single-shot, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. */
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto"
import { concat, u16, u8, utf8 } from "./Bytes.ts"
import { agree, type Keys, makeEphemeral, type Reader } from "./Keys.ts"

const empty = new Uint8Array(0)
const kem = concat(utf8("KEM"), u16(0x20))
const suite = concat(utf8("HPKE"), u16(0x20), u16(1), u16(3))

const hmac = (key: Uint8Array, data: Uint8Array): Uint8Array => createHmac("sha256", key).update(data).digest()

/** RFC 5869. */
export const expand = (prk: Uint8Array, info: Uint8Array, length: number): Uint8Array => {
  let block: Uint8Array = empty
  let output: Uint8Array = empty
  for (let index = 1; output.length < length; index++) {
    block = hmac(prk, concat(block, info, u8(index)))
    output = concat(output, block)
  }
  return output.subarray(0, length)
}

export const hkdf = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array =>
  expand(hmac(salt.length === 0 ? new Uint8Array(32) : salt, secret), info, length)

const labeledExtract = (id: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array) =>
  hmac(salt.length === 0 ? new Uint8Array(32) : salt, concat(utf8("HPKE-v1"), id, utf8(label), secret))
const labeledExpand = (id: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number) =>
  expand(prk, concat(u16(length), utf8("HPKE-v1"), id, utf8(label), info), length)

/** Key and base nonce. */
const schedule = (dh: Uint8Array, enc: Uint8Array, pkR: Uint8Array, info: Uint8Array) => {
  const shared = labeledExpand(kem, labeledExtract(kem, empty, "eae_prk", dh), "shared_secret", concat(enc, pkR), 32)
  const pskIdHash = labeledExtract(suite, empty, "psk_id_hash", empty)
  const context = concat(u8(0), pskIdHash, labeledExtract(suite, empty, "info_hash", info))
  const secret = labeledExtract(suite, shared, "secret", empty)
  return {
    key: labeledExpand(suite, secret, "key", context, 32),
    nonce: labeledExpand(suite, secret, "base_nonce", context, 12)
  }
}

/** ct || tag. */
export const seal = (key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array => {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 })
  cipher.setAAD(aad, { plaintextLength: plaintext.length })
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** The plaintext, or undefined where the tag does not verify. */
export const open = (
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array
): Uint8Array | undefined => {
  const decipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 })
  decipher.setAAD(aad, { plaintextLength: sealed.length - 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  const plaintext = decipher.update(sealed.subarray(0, -16))
  try {
    decipher.final()
    return plaintext
  } catch {
    return undefined
  }
}

export const sealTo = (reader: Reader, info: string, aad: Uint8Array, plaintext: Uint8Array) => {
  const { publicKey: enc, secret } = makeEphemeral()
  const { key, nonce } = schedule(agree(secret, reader.x25519), enc, reader.x25519, utf8(info))
  return { enc, ct: seal(key, nonce, aad, plaintext) }
}

export const openWith = (keys: Keys, info: string, aad: Uint8Array, enc: Uint8Array, ct: Uint8Array) => {
  const { key, nonce } = schedule(agree(keys.x25519Secret, enc), enc, keys.x25519, utf8(info))
  return open(key, nonce, aad, ct)
}
