/**
 * The keys of an account, on node:crypto: what a person of the suite's world signs and opens with. It signs whatever a
 * check wants signed, right or wrong.
 */
import { ed25519 } from "@noble/curves/ed25519.js"
import { entropyToMnemonic } from "@scure/bip39"
import { wordlist } from "@scure/bip39/wordlists/english.js"
import { createHash, createPrivateKey, createPublicKey, diffieHellman, randomBytes, sign, verify } from "node:crypto"
import type { Envelope } from "../../servers/Signing.ts"
import { base32, concat, fromHex, hex, u8, utf8 } from "./Bytes.ts"
import { canonical, type JsonObject } from "./Canonical.ts"

/** DER prefixes of PKCS #8 and SubjectPublicKeyInfo (RFC 8410); the last byte of the OID tells the curves apart. */
const pkcs8 = (curve: "x25519" | "ed25519", key: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([fromHex(`302e020100300506032b65${curve === "x25519" ? "6e" : "70"}04220420`), key]),
    format: "der",
    type: "pkcs8"
  })
const spki = (curve: "x25519" | "ed25519", key: Uint8Array) =>
  createPublicKey({
    key: Buffer.concat([fromHex(`302a300506032b65${curve === "x25519" ? "6e" : "70"}032100`), key]),
    format: "der",
    type: "spki"
  })

export const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  createHash("sha256")
    .update(concat(...parts))
    .digest()
export const sha512 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  createHash("sha512")
    .update(concat(...parts))
    .digest()

/** The envelope hash. */
export const hashOf = (envelope: Envelope): string => `sha256:${hex(sha256(utf8(canonical(envelope))))}`

export const verifies = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    return signature.length === 64 && verify(null, message, spki("ed25519", publicKey), signature)
  } catch {
    return false
  }
}

/** Whether an envelope's signature is that of its key over its payload. */
export const isSigned = ({ payload, signature }: Envelope): boolean =>
  verifies(fromHex(signature.key.replace("ed25519:", "")), sha512(utf8(canonical(payload))), fromHex(signature.sig))

/** X25519 of two raw keys. */
export const agree = (secret: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  diffieHellman({ privateKey: pkcs8("x25519", secret), publicKey: spki("x25519", publicKey) })

/** A new ephemeral X25519 key. */
export const makeEphemeral = () => {
  const secret = randomBytes(32)
  const publicKey = createPublicKey(pkcs8("x25519", secret)).export({ format: "der", type: "spki" }).subarray(-32)
  return { secret, publicKey }
}

/** An account's public keys. */
export class Reader {
  /** 32 bytes. */
  readonly ed25519: Uint8Array
  readonly x25519: Uint8Array
  /** 64 hexadecimal digits. */
  readonly hex: string
  /** `ed25519:<hex>`. */
  readonly primary: string

  constructor(publicKey: Uint8Array) {
    this.ed25519 = publicKey
    this.x25519 = ed25519.utils.toMontgomery(publicKey)
    this.hex = hex(publicKey)
    this.primary = `ed25519:${this.hex}`
  }

  static of(primary: string): Reader {
    return new Reader(fromHex(primary.replace("ed25519:", "")))
  }

  /** The public nkey, `U…`. */
  get nkey(): string {
    const body = concat(u8(0xa0), this.ed25519)
    const check = crc16(body)
    return base32(concat(body, u8(check & 255), u8(check >> 8)))
  }
}

/** CRC-16/XMODEM. */
const crc16 = (bytes: Uint8Array): number => {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = ((crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021) & 0xffff
  }
  return crc
}

/** An account's keys, made from its seed. */
export class Keys extends Reader {
  readonly seed: Uint8Array
  readonly x25519Secret: Uint8Array
  readonly #key

  constructor(seed: Uint8Array = randomBytes(32)) {
    const key = pkcs8("ed25519", seed)
    super(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32))
    this.#key = key
    this.seed = seed
    this.x25519Secret = sha512(seed).slice(0, 32)
  }

  /** The 24 words. */
  get words(): string {
    return entropyToMnemonic(this.seed, wordlist)
  }

  signBytes(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.#key)
  }

  /** The signature over a payload, hexadecimal. */
  signPayload(payload: object): string {
    return hex(this.signBytes(sha512(utf8(canonical(payload)))))
  }

  sign(kez: string, payload: object): Envelope {
    return {
      kez,
      payload: JSON.parse(canonical(payload)) as JsonObject,
      signature: { alg: "ed25519-sha512-jcs", key: this.primary, sig: this.signPayload(payload) }
    }
  }
}
