/** Messages as the specification writes them, and as it does not. */
import { randomBytes } from "node:crypto"
import type { Envelope } from "../../servers/Signing.ts"
import { base64Url, concat, fromBase64Url, u32, u8, utf8 } from "./Bytes.ts"
import { canonical } from "./Canonical.ts"
import { hkdf, open, openWith, seal, sealTo } from "./Hpke.ts"
import { agree, type Keys, Reader } from "./Keys.ts"

export type Payload = Readonly<Record<string, unknown>>

export const randomId = (): string => {
  for (;;) {
    const id = base64Url(randomBytes(16))
    if (!id.startsWith("-")) return id
  }
}

export const timeOf = (millis: number): string => `${new Date(millis).toISOString().slice(0, 19)}Z`

const paddedLength = (length: number): number => {
  if (length <= 32) return 32
  const power = 2 ** Math.ceil(Math.log2(length))
  const chunk = power <= 256 ? 32 : power / 8
  return chunk * Math.ceil(length / chunk)
}

export const pad = (body: Uint8Array): Uint8Array =>
  concat(u32(body.length), body, new Uint8Array(paddedLength(body.length) - body.length))

/** What was padded; undefined where the padding is another. */
export const unpad = (padded: Uint8Array): Uint8Array | undefined => {
  const body = padded.subarray(4, 4 + Buffer.from(padded).readUInt32BE(0))
  return Buffer.compare(pad(body), padded) === 0 ? body : undefined
}

/** The same key for author and addressee. */
const keyFor = (own: Keys, peer: Reader, payload: Payload) => {
  const [from, to] = payload["from"] === own.primary ? [own, peer] : [peer, own]
  const info = concat(utf8("kez.chat.message/1"), u8(0), from.ed25519, to.ed25519)
  const okm = hkdf(agree(own.x25519Secret, peer.x25519), fromBase64Url(String(payload["salt"])), info, 44)
  return {
    key: okm.subarray(0, 32),
    nonce: okm.subarray(32),
    aad: utf8(canonical({ ...payload, ciphertext: undefined }))
  }
}

/** What opens one message: its key and nonce. */
export const opensOf = (own: Keys, peer: Reader, payload: Payload): string => {
  const { key, nonce } = keyFor(own, peer, payload)
  return base64Url(concat(key, nonce))
}

/** Encrypts a padded plaintext for `peer` under the members of `payload`, and signs it all. */
export const encrypt = (author: Keys, peer: Reader, payload: Payload, plaintext: Uint8Array): Envelope => {
  const { aad, key, nonce } = keyFor(author, peer, payload)
  return author.sign("chat_message", { ...payload, ciphertext: base64Url(seal(key, nonce, aad, plaintext)) })
}

const sealInfo = "kez.chat.seal/1"
const sealAad = (reader: Reader) => concat(u8(1), reader.ed25519)

/** Seals any bytes as a frame for a reader. */
export const sealFrame = (reader: Reader, bytes: Uint8Array): Uint8Array => {
  const { ct, enc } = sealTo(reader, sealInfo, sealAad(reader), bytes)
  return concat(u8(1), enc, ct)
}

/** What a reader finds in a frame. */
export interface Opened {
  readonly envelope: Envelope
  readonly body: Payload
  /** The sealed bytes and the body as they were written. */
  readonly text: string
  readonly bodyText: string
}

/** Opens a frame that the client under test sent; undefined where it does not open or is no message. */
export const openFrame = (reader: Keys, frame: Uint8Array): Opened | undefined => {
  try {
    const sealed = openWith(reader, sealInfo, sealAad(reader), frame.subarray(1, 33), frame.subarray(33))
    if (sealed === undefined) return undefined
    const text = Buffer.from(sealed).toString("utf8")
    const envelope = JSON.parse(text) as Envelope
    const { ciphertext, from, to } = envelope.payload as { ciphertext: string; from: string; to: string }
    const peer = from === reader.primary ? to : from
    const { aad, key, nonce } = keyFor(reader, Reader.of(peer), envelope.payload)
    const plaintext = open(key, nonce, aad, fromBase64Url(ciphertext))
    if (plaintext === undefined) return undefined
    const length = Buffer.from(plaintext).readUInt32BE(0)
    const bodyText = Buffer.from(plaintext.subarray(4, 4 + length)).toString("utf8")
    return { envelope, body: JSON.parse(bodyText) as Payload, text, bodyText }
  } catch {
    return undefined
  }
}
