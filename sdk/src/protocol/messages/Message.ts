/** The chat message: envelope payload, bytes that bind its encryption, and its role for an account (spec: messages). */
import * as Result from "effect/Result"
import { attempt, valid } from "../Attempt.ts"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import type { JsonObject } from "../encoding/Json.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import * as Padding from "./Padding.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** The only message encryption of this version. */
export const suite = "x25519-hkdf-sha256-chacha20poly1305"

/** The plain part of a message, set by the sender before encryption. */
export interface Header {
  /** 16 random bytes as 22 base64url characters. */
  readonly id: string
  readonly from: AdmittedKey
  readonly to: AdmittedKey
  /** 16 random bytes as 22 base64url characters, new per installation. */
  readonly device: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Counts from 0 per (from, to, device). */
  readonly seq: number
  /** `sha256:<hex>` of the newest non-receipt envelope of the conversation in the sender's local order; informational. */
  readonly prev?: string
}

/** A well-formed message with an encrypted body. */
export interface Message extends Header {
  /** 32 bytes. */
  readonly salt: Uint8Array
  /** Ciphertext and tag. */
  readonly ciphertext: Uint8Array
}

/** The payload of a header and salt without its ciphertext; see {@link associatedText}. */
export const associatedPayload = (header: Header, salt: Uint8Array): JsonObject => ({
  type: Envelope.kinds.chat_message.type,
  version: Envelope.version,
  id: header.id,
  from: PrimaryKey.format(header.from),
  to: PrimaryKey.format(header.to),
  device: header.device,
  created_at: Timestamp.fromMillis(header.createdAt),
  seq: header.seq,
  ...(header.prev === undefined ? {} : { prev: header.prev }),
  suite,
  salt: Bytes.toBase64Url(salt)
})

const maxCiphertext = 4 + Padding.paddedLength(Limits.bodyBytes) + Limits.tagBytes
const minCiphertext = 4 + Padding.paddedLength(1) + Limits.tagBytes

/**
 * The message in an envelope; the signature is not checked. Admits `from` and `to`. Fails with `message_malformed`,
 * `suite_unsupported`, or the code of a malformed key, time or base64url text.
 */
export const parse = (envelope: Envelope.Envelope): Result.Result<Message, Problem> =>
  attempt(() => {
    const members = valid(Envelope.payloadOf(envelope, "chat_message", "message_malformed"))
    const id = valid(members.id("id"))
    const from = valid(PrimaryKey.parseEd25519(valid(members.string("from"))))
    const to = valid(PrimaryKey.parseEd25519(valid(members.string("to"))))
    const device = valid(members.id("device"))
    const createdAt = valid(members.time("created_at"))
    const seq = valid(members.integer("seq"))
    const prev = members.has("prev") ? { prev: valid(members.hash("prev", "sha256")) } : {}
    if (valid(members.string("suite")) !== suite) return valid(fail("suite_unsupported", `not ${suite}`))
    const salt = valid(members.bytes("salt", { length: Limits.saltBytes }))
    const ciphertext = valid(members.bytes("ciphertext", { max: maxCiphertext }))
    if (ciphertext.length < minCiphertext) return valid(members.bad("ciphertext", "is too short"))
    return { id, from, to, device, createdAt, seq, ...prev, salt, ciphertext }
  })

const infoLabel = Bytes.utf8("kez.chat.message/1\0")

/** HKDF info of a message's key and nonce: sender and recipient. */
export const kdfInfo = (from: AdmittedKey, to: AdmittedKey): Uint8Array =>
  Bytes.concat(infoLabel, from.ed25519, to.ed25519)

/** Bytes of HKDF output: a 32-byte key, then a 12-byte nonce. */
export const okmBytes = Limits.keyBytes + Limits.aeadNonceBytes

/** AEAD associated data of a message, as text: JCS of its payload without `ciphertext`, unknown members included. */
export const associatedText = (payload: JsonObject): string => {
  const { ciphertext: _, ...rest } = payload
  return Canonical.encodeText(rest)
}

/** {@link associatedText} as UTF-8. */
export const aad = (payload: JsonObject): Uint8Array => Bytes.utf8(associatedText(payload))

const cutHead = Bytes.utf8('{"ciphertext":"')
const cutTail = Bytes.utf8('",')
const brace = 0x7b

/**
 * {@link aad}, cut out of the payload's JCS form instead of serialised again. `signed` must be that form, and `payload`
 * one that {@link parse} accepted: then `ciphertext` has no escapes, and it is the first member unless a later version
 * adds one that sorts before it.
 */
export const aadOf = (payload: JsonObject, signed: Uint8Array): Uint8Array => {
  const { ciphertext } = payload
  const end = cutHead.length + (typeof ciphertext === "string" ? ciphertext.length : 0)
  if (
    !Bytes.equal(signed.subarray(0, cutHead.length), cutHead) ||
    !Bytes.equal(signed.subarray(end, end + cutTail.length), cutTail)
  ) {
    return aad(payload)
  }
  // The comma becomes the opening brace.
  const cut = signed.slice(end + 1)
  cut[0] = brace
  return cut
}

/** A message's role for its receiver: mail from `peer`, a copy of one sent to `peer`, or a note to oneself. */
export interface Role {
  readonly role: "incoming" | "sent" | "note"
  readonly peer: AdmittedKey
}

/** The role, or `message_misdirected` for a message between others (re-sealed to us). */
export const roleOf = (me: AdmittedKey, message: Pick<Header, "from" | "to">): Result.Result<Role, Problem> => {
  const fromMe = message.from.hex === me.hex
  const toMe = message.to.hex === me.hex
  if (fromMe && toMe) return Result.succeed({ role: "note", peer: me })
  if (fromMe) return Result.succeed({ role: "sent", peer: message.to })
  if (toMe) return Result.succeed({ role: "incoming", peer: message.from })
  return fail("message_misdirected", `from ${message.from.hex} to ${message.to.hex}`)
}

/** Identifies a message for deduplication: ids are unique per sender. */
export const seenKey = (message: Pick<Header, "from" | "id">): string => `${message.from.hex}/${message.id}`

/** The position of a message in its sender's sequence. Two envelopes at one position are a fork. */
export const sequenceKey = (message: Pick<Header, "from" | "to" | "device" | "seq">): string =>
  `${message.from.hex}/${message.to.hex}/${message.device}/${message.seq}`

/** How many messages are missing before `seq`, given the `highest` held of its (from, to, device); or `earlier`. */
export const gapBefore = (highest: number | undefined, seq: number): number | "earlier" =>
  highest !== undefined && seq <= highest ? "earlier" : seq - (highest === undefined ? 0 : highest + 1)

/** Whether `created_at` lies outside -30 d / +10 min of the arrival (both in milliseconds). */
export const isSuspicious = (createdAt: number, arrivedAt: number): boolean =>
  createdAt < arrivedAt - Limits.messageAgeMillis || createdAt > arrivedAt + Limits.messageAheadMillis

/**
 * For how many more milliseconds the addresses of an `address` count; 0 if they do not. The author's clock gives the
 * span, the broker's the time since it was stored, and the asker's monotonic clock the time since it asked.
 */
export const addressLife = (
  { createdAt, expiresAt }: { readonly createdAt: number; readonly expiresAt: number },
  since: { readonly stored: number; readonly asked: number }
): number =>
  since.asked > Limits.addressRequestMillis
    ? 0
    : Math.max(0, Math.min(Limits.addressLifetimeMillis, expiresAt - createdAt) - since.stored)
