/**
 * Proof of one message to somebody who is neither its author nor its addressee (spec: reports): its signed envelope, and
 * the key and nonce that open it and nothing else.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Body from "../../protocol/messages/Body.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Canonical from "../../protocol/encoding/Canonical.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as Message from "../../protocol/messages/Message.ts"
import * as Padding from "../../protocol/messages/Padding.ts"
import type { Evidence } from "../../protocol/messages/Report.ts"
import { Problem } from "../../protocol/Problem.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import { Crypto } from "../../services/Crypto.ts"
import type { Identity } from "../Identity.ts"
import * as SealedMessage from "../SealedMessage.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** What is kept of a message to prove it later. */
export interface Kept {
  readonly header: Message.Header
  readonly body: JsonObject
  readonly salt: Uint8Array
  readonly signature: Envelope.Signature
  /** `sha256:<hex>` of the envelope. */
  readonly hash: string
}

const unprovable = new Problem({
  code: "message_undecryptable",
  detail: "it was written by a version with other members, so it cannot be proven"
})

/** The proof of a message to or from this identity. Made again from its parts, it must have the hash it came with. */
export const disclose = Effect.fnUntraced(function* (
  identity: Identity,
  { body, hash, header, salt, signature }: Kept
): Effect.fn.Return<Evidence, Problem, Crypto> {
  const crypto = yield* Crypto
  const associated = Message.associatedPayload(header, salt)
  const peer = header.from.hex === identity.key.hex ? header.to : header.from
  const opens = yield* SealedMessage.messageSecret(crypto, identity, peer, header, salt)
  const padded = yield* Effect.fromResult(Padding.pad(Bytes.utf8(Canonical.encodeText(body))))
  const sealed = yield* crypto.aeadSeal(aeadOf(opens, Canonical.encodeText(associated)), padded)
  const message: Envelope.Envelope = {
    kez: "chat_message",
    payload: { ...associated, ciphertext: Bytes.toBase64Url(sealed) },
    signature
  }
  if ((yield* SignedEnvelope.hash(message)) !== hash) return yield* unprovable
  return { message, opens }
})

/** The body of a proven message: its author's signature holds, and the secret opens it. */
export const reveal = Effect.fnUntraced(function* ({
  message,
  opens
}: Evidence): Effect.fn.Return<{ readonly message: Message.Message; readonly body: JsonObject }, Problem, Crypto> {
  const crypto = yield* Crypto
  const parsed = yield* Effect.fromResult(Message.parse(message))
  yield* SignedEnvelope.verify(message)
  const aead = aeadOf(opens, Message.associatedText(message.payload))
  const padded = yield* Effect.mapError(
    crypto.aeadOpen(aead, parsed.ciphertext),
    () => new Problem({ code: "message_undecryptable", detail: "the secret does not open the message" })
  )
  const { json } = yield* Effect.fromResult(Result.flatMap(Padding.unpad(padded), Body.parse))
  return { message: parsed, body: json }
})

const aeadOf = (okm: Uint8Array, associatedText: string) => ({
  key: okm.subarray(0, Limits.keyBytes),
  nonce: okm.subarray(Limits.keyBytes),
  aad: Bytes.utf8(associatedText)
})
