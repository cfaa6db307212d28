/**
 * Messages between body and frame (spec: messages): encrypt, sign, seal; open, verify, decrypt. Runs for every message,
 * so each payload is serialised and parsed once, without copies.
 */
import * as Effect from "effect/Effect"
import * as Body from "../protocol/messages/Body.ts"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import * as Canonical from "../protocol/encoding/Canonical.ts"
import * as Envelope from "../protocol/sigchain/Envelope.ts"
import type { JsonObject } from "../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Limits from "../protocol/Limits.ts"
import * as Message from "../protocol/messages/Message.ts"
import * as Padding from "../protocol/messages/Padding.ts"
import { Problem } from "../protocol/Problem.ts"
import * as Seal from "../protocol/messages/Seal.ts"
import { Crypto, type SecretKey } from "../services/Crypto.ts"
import * as Hpke from "./Hpke.ts"
import type { Identity } from "./Identity.ts"
import * as IdentitySecret from "./IdentitySecret.ts"
import * as SignedEnvelope from "./SignedEnvelope.ts"

type Service = Crypto["Service"]

/** A message to send: the body and the header without `from`, which is the identity's key. */
export interface Draft extends Omit<Message.Header, "from"> {
  readonly body: Body.Known
  /** 32 bytes; random if absent. Only vector tests set it. */
  readonly salt?: Uint8Array
}

/** A signed message, ready to be sealed to its recipient and its sender. */
export interface Signed {
  readonly envelope: Envelope.Envelope
  /** JCS of the envelope, the bytes that get sealed. */
  readonly encoded: Uint8Array
  /** `sha256:<hex>` of `encoded`. */
  readonly hash: string
}

/** A verified frame: the message, its role for this account, and its body. */
export interface Opened extends Message.Role, Body.Received {
  readonly message: Message.Message
  readonly envelope: Envelope.Envelope
  /** `sha256:<hex>` of the envelope's JCS form: a different hash under the same `Message.seenKey` is equivocation. */
  readonly hash: string
}

/** Encrypts a body for `draft.to` and signs. Fails with `message_too_large` or the problem of a malformed body. */
export const encrypt = Effect.fnUntraced(function* (
  identity: Identity,
  draft: Draft
): Effect.fn.Return<Signed, Problem, Crypto> {
  const body = yield* Effect.fromResult(Body.encode(draft.body))
  yield* Effect.fromResult(Body.checkAuthor(draft.body, identity.key))
  return yield* encryptBytes(yield* Crypto, identity, draft, body)
})

/** {@link encrypt} for raw body bytes, used by vector tests; the bytes are encrypted, not signed. */
export const encryptBytes = Effect.fnUntraced(function* (
  crypto: Service,
  identity: Identity,
  draft: Omit<Draft, "body">,
  body: Uint8Array
): Effect.fn.Return<Signed, Problem> {
  const padded = yield* Effect.fromResult(Padding.pad(body))
  const secret = IdentitySecret.of(identity)
  const salt = draft.salt ?? (yield* crypto.randomBytes(Limits.saltBytes))
  const associated = Message.associatedPayload({ ...draft, from: identity.key }, salt)
  const associatedText = Canonical.encodeText(associated)
  const aad = Bytes.utf8(associatedText)
  const aead = yield* aeadOf(crypto, identity, draft.to, { from: identity.key, to: draft.to }, salt, aad)
  const ciphertext = Bytes.toBase64Url(yield* crypto.aeadSeal(aead, padded))
  // `ciphertext` sorts before all other members of our payload, so the signed text needs no second JCS pass.
  const text = `{"ciphertext":"${ciphertext}",${associatedText.slice(1)}`
  const signature = yield* SignedEnvelope.signText(crypto, secret, text)
  const encoded = Bytes.utf8(Envelope.encodeTextWith("chat_message", text, signature))
  const payload: JsonObject = { ...associated, ciphertext }
  return {
    envelope: { kez: "chat_message", payload, signature },
    encoded,
    hash: yield* SignedEnvelope.hashEncoded(crypto, encoded)
  }
})

const agreed = new WeakMap<SecretKey, WeakMap<AdmittedKey, Uint8Array>>()

/** The secret that an identity shares with a peer. It never changes, so it is cached as long as both keys are. */
const agree = (crypto: Service, identity: Identity, peer: AdmittedKey): Effect.Effect<Uint8Array> => {
  const secret = IdentitySecret.of(identity)
  const secrets = agreed.get(secret) ?? new WeakMap<AdmittedKey, Uint8Array>()
  agreed.set(secret, secrets)
  const known = secrets.get(peer)
  if (known !== undefined) return Effect.succeed(known)
  // An admitted key has no torsion component, so the shared secret is never zero.
  return Effect.map(Effect.orDie(crypto.agree(secret, peer)), (shared) => {
    secrets.set(peer, shared)
    return shared
  })
}

/** Key and nonce of one message between an identity and a peer: 44 bytes, of which nothing follows about another. */
export const messageSecret = (
  crypto: Service,
  identity: Identity,
  peer: AdmittedKey,
  { from, to }: Pick<Message.Header, "from" | "to">,
  salt: Uint8Array
): Effect.Effect<Uint8Array> =>
  Effect.flatMapEager(agree(crypto, identity, peer), (shared) =>
    crypto.hkdfSha256(shared, salt, Message.kdfInfo(from, to), Message.okmBytes)
  )

/** Key, nonce and associated data of a message between an identity and a peer. */
const aeadOf = (
  crypto: Service,
  identity: Identity,
  peer: AdmittedKey,
  parts: Pick<Message.Header, "from" | "to">,
  salt: Uint8Array,
  aad: Uint8Array
) =>
  Effect.mapEager(messageSecret(crypto, identity, peer, parts, salt), (okm) => ({
    key: okm.subarray(0, Limits.keyBytes),
    nonce: okm.subarray(Limits.keyBytes),
    aad
  }))

/**
 * Seals a signed message to one reader: its recipient, or its sender for their own copy. Every call returns a different
 * frame, so the outbox stores the frame. Fails with `message_too_large`.
 */
export const sealFrame = (encoded: Uint8Array, reader: AdmittedKey): Effect.Effect<Uint8Array, Problem, Crypto> =>
  Effect.flatMap(Hpke.seal(reader, Seal.info, Seal.aad(reader), encoded), (sealed) =>
    Effect.fromResult(Seal.encode(sealed))
  )

/**
 * {@link sealFrame} with an ephemeral key of 32 random bytes, used for no other frame. Whoever has them can make this
 * frame again, and so see which message it holds, but read no other.
 */
export const sealFrameWith = Effect.fnUntraced(function* (
  encoded: Uint8Array,
  reader: AdmittedKey,
  ephemeral: Uint8Array
): Effect.fn.Return<Uint8Array, Problem, Crypto> {
  const pair = yield* (yield* Crypto).ephemeral(ephemeral)
  const sealed = yield* Hpke.seal(reader, Seal.info, Seal.aad(reader), encoded, pair)
  return yield* Effect.fromResult(Seal.encode(sealed))
})

/**
 * Checks a frame in the order of the specification: open, parse strictly, kind and signer, admission of both keys,
 * signature, role, decryption, padding, body, ticket. A failure is permanent for that frame.
 */
export const openFrame = (identity: Identity, frame: Uint8Array): Effect.Effect<Opened, Problem, Crypto> =>
  Crypto.use((crypto) => openFrameWith(crypto, identity, frame))

/** {@link openFrame}, complete when it returns where the backend is synchronous: one step of a fiber a frame. */
const openFrameWith = Effect.fnUntracedEager(function* (
  crypto: Service,
  identity: Identity,
  frame: Uint8Array
): Effect.fn.Return<Opened, Problem> {
  const sealed = yield* Effect.fromResult(Seal.decode(frame))
  const opened = yield* Effect.mapErrorEager(
    Hpke.openWith(crypto, identity, Seal.info, Seal.aad(identity.key), sealed),
    () => new Problem({ code: "frame_unreadable", detail: "it does not open with this account's key" })
  )
  const { encoded, envelope, signedBytes } = yield* Effect.fromResult(Envelope.parseEncoded(opened))
  const message = yield* Effect.fromResult(Message.parse(envelope))
  yield* SignedEnvelope.verifyBytes(crypto, signedBytes, envelope.signature)
  const { peer, role } = yield* Effect.fromResult(Message.roleOf(identity.key, message))
  const plaintext = yield* decrypt(crypto, identity, peer, message, Message.aadOf(envelope.payload, signedBytes))
  const { body, json } = yield* Effect.fromResult(Body.parse(plaintext))
  yield* Effect.fromResult(Body.checkAuthor(body, message.from))
  const hash = yield* SignedEnvelope.hashEncoded(crypto, encoded)
  return { role, peer, message, envelope, body, json, hash }
})

/** The body bytes of a verified message with its `Message.aad`; `message_undecryptable` or `padding_invalid`. */
export const decrypt = Effect.fnUntracedEager(function* (
  crypto: Service,
  identity: Identity,
  peer: AdmittedKey,
  message: Message.Message,
  aad: Uint8Array
): Effect.fn.Return<Uint8Array, Problem> {
  const aead = yield* aeadOf(crypto, identity, peer, message, message.salt, aad)
  const padded = yield* Effect.mapErrorEager(
    crypto.aeadOpen(aead, message.ciphertext),
    () => new Problem({ code: "message_undecryptable", detail: "key or associated data do not fit" })
  )
  return yield* Effect.fromResult(Padding.unpad(padded))
})
