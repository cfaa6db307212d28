/** A claim, signed for tests, in its encodings. */
import { Effect, Redacted, Result } from "effect"
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto, Zstd } from "@kez-chat/sdk/node"
import { Encoding, Envelope, Identifier } from "@kez-chat/sdk/protocol"

export const identifier = (text: string): Identifier.Identifier => Result.getOrThrow(Identifier.parse(text))

export const proofOf = (subject: string) =>
  Effect.gen(function* () {
    const identity = yield* Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(7)))
    const envelope = yield* identity.signClaim({ subject, createdAt: Date.parse("2026-05-25T00:00:00Z") })
    return {
      envelope,
      compact: Encoding.encodeCompact(envelope, Zstd.compress),
      markdown: Encoding.encodeMarkdown(envelope),
      json: JSON.stringify(Envelope.toJson(envelope), undefined, 2)
    }
  }).pipe(Effect.provide(NodeCrypto.layer))

/** The envelope in a text, by the protocol's own decoder. */
export const envelopeIn = (text: string): Envelope.Envelope => Result.getOrThrow(Encoding.decode(text, Zstd.decompress))
