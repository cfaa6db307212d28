/** The protocol's byte layouts, written down once more from the text of the specification. */
import { base64Url, byte, bytes, fromHex, hex, u32 } from "./Bytes.ts"
import { toMontgomery } from "./Curve.ts"
import * as Primitives from "./Primitives.ts"

export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

/** RFC 8785 for what the protocol allows: integers, well-formed strings. Array.prototype.sort orders by UTF-16 units. */
export const jcs = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(jcs).join(",")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const object = value as JsonObject
  const members = Object.keys(object).sort()
  return `{${members.map((name) => `${JSON.stringify(name)}:${jcs(object[name] as Json)}`).join(",")}}`
}

export interface Envelope {
  readonly [name: string]: Json
  readonly kez: string
  readonly payload: JsonObject
  readonly signature: { readonly alg: string; readonly key: string; readonly sig: string }
}

/** An account made from a seed. */
export interface Account {
  readonly seed: Buffer
  readonly ed32: Buffer
  readonly hex: string
  readonly primary: string
  readonly x25519: Buffer
  readonly x25519Private: Buffer
}

export const account = (seed: Uint8Array): Account => {
  const ed32 = Primitives.ed25519Public(seed)
  return {
    seed: Buffer.from(seed),
    ed32,
    hex: hex(ed32),
    primary: `ed25519:${hex(ed32)}`,
    x25519: toMontgomery(ed32),
    x25519Private: Primitives.x25519Private(seed)
  }
}

/** The seed of KEZ's own worked example, and three more. */
export const alice = account(Buffer.alloc(32, 0x42))
export const bob = account(Primitives.stream("bob", 32))
export const carol = account(Primitives.stream("carol", 32))
export const mallory = account(Primitives.stream("mallory", 32))

/** Ed25519 over SHA-512(JCS(payload)), as 128 hex digits. */
export const signature = (signer: Account, payload: JsonObject): string =>
  hex(Primitives.ed25519Sign(signer.seed, Primitives.sha512(bytes(jcs(payload)))))

export const sign = (signer: Account, kez: string, payload: JsonObject): Envelope => ({
  kez,
  payload,
  signature: { alg: "ed25519-sha512-jcs", key: signer.primary, sig: signature(signer, payload) }
})

export const envelopeHash = (envelope: Envelope): string => `sha256:${hex(Primitives.sha256(bytes(jcs(envelope))))}`

export const time = "2026-05-25T00:00:00Z"

export const paddedLength = (n: number): number => {
  if (n <= 32) return 32
  let power = 1
  while (power < n) power *= 2
  const step = power <= 256 ? 32 : power / 8
  return step * Math.ceil(n / step)
}
export const pad = (body: Uint8Array): Buffer =>
  bytes(u32(body.length), body, Buffer.alloc(paddedLength(body.length) - body.length))

/** HPKE Base, RFC 9180, with the suite of the specification; every intermediate value. */
export const hpkeSeal = (
  ephemeralScalar: Uint8Array,
  recipientX25519: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array
) => {
  const kemSuite = bytes("KEM", fromHex("0020"))
  const suite = bytes("HPKE", fromHex("002000010003"))
  const extract = (id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
    Primitives.hkdfExtract(salt, bytes("HPKE-v1", id, label, ikm))
  const expand = (id: Uint8Array, prk: Uint8Array, label: string, context: Uint8Array, length: number) =>
    Primitives.hkdfExpand(prk, bytes(byte(length >> 8, length & 255), "HPKE-v1", id, label, context), length)
  const none = Buffer.alloc(0)
  const enc = Primitives.x25519Public(ephemeralScalar)
  const dh = Primitives.x25519(ephemeralScalar, recipientX25519)
  const sharedSecret = expand(
    kemSuite,
    extract(kemSuite, none, "eae_prk", dh),
    "shared_secret",
    bytes(enc, recipientX25519),
    32
  )
  const context = bytes(byte(0), extract(suite, none, "psk_id_hash", none), extract(suite, none, "info_hash", info))
  const secret = extract(suite, sharedSecret, "secret", none)
  const key = expand(suite, secret, "key", context, 32)
  const nonce = expand(suite, secret, "base_nonce", context, 12)
  return { enc, dh, sharedSecret, key, nonce, ct: Primitives.aeadSeal(key, nonce, aad, plaintext) }
}

export const sealFrame = (
  recipient: Pick<Account, "ed32" | "x25519">,
  plaintext: Uint8Array,
  ephemeral: Uint8Array
) => {
  const aad = bytes(byte(1), recipient.ed32)
  const sealed = hpkeSeal(ephemeral, recipient.x25519, bytes("kez.chat.seal/1"), aad, plaintext)
  return { ...sealed, aad, frame: bytes(byte(1), sealed.enc, sealed.ct) }
}

export interface Draft {
  readonly from: Account
  readonly to: Account
  readonly id?: string
  readonly device?: string
  readonly seq?: number
  readonly prev?: string
  readonly createdAt?: string
  readonly salt?: Buffer
  /** Members to change or to add before encryption, for cases that break a rule. */
  readonly change?: JsonObject
  /** The plaintext instead of the padded body. */
  readonly plaintext?: Buffer
}

/** A message with every value on its way, from body bytes to the signed envelope. */
export const message = (draft: Draft, body: Uint8Array) => {
  const { from, to } = draft
  const salt = draft.salt ?? Primitives.stream("salt", 32)
  const header: JsonObject = {
    type: "kez.chat.message",
    version: 1,
    id: draft.id ?? base64Url(Primitives.stream("id", 16)),
    from: from.primary,
    to: to.primary,
    device: draft.device ?? base64Url(Primitives.stream("device", 16)),
    created_at: draft.createdAt ?? time,
    seq: draft.seq ?? 0,
    ...(draft.prev === undefined ? {} : { prev: draft.prev }),
    suite: "x25519-hkdf-sha256-chacha20poly1305",
    salt: base64Url(salt),
    ...draft.change
  }
  const shared = Primitives.x25519(from.x25519Private, to.x25519)
  const info = bytes("kez.chat.message/1", byte(0), from.ed32, to.ed32)
  const okm = Primitives.hkdfSha256(shared, salt, info, 44)
  const key = okm.subarray(0, 32)
  const nonce = okm.subarray(32)
  const aad = bytes(jcs(header))
  const plaintext = draft.plaintext ?? pad(body)
  const ciphertext = Primitives.aeadSeal(key, nonce, aad, plaintext)
  const payload: JsonObject = { ...header, ciphertext: base64Url(ciphertext) }
  const envelope = sign(from, "chat_message", payload)
  return { salt, shared, info, okm, key, nonce, aad, plaintext, ciphertext, payload, envelope }
}

/** The head that bodies of examples carry. */
export const chain: JsonObject = { seq: 0, hash: `sha256:${"00".repeat(32)}` }
export const textBody = (text: string): Buffer => bytes(jcs({ type: "text", text, chain }))
