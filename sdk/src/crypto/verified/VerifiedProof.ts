/**
 * A published text judged as the proof of an identity (spec/proofs.md): it must hold a claim, in any of the four
 * encodings, of this subject and this key, signed by that key and not expired. Where the text was found is not judged
 * here: a proof is worth as much as the place that it was fetched from.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Identifier from "../../protocol/identity/Identifier.ts"
import * as Timestamp from "../../protocol/encoding/Timestamp.ts"
import * as Claim from "../../protocol/sigchain/Claim.ts"
import * as Encoding from "../../protocol/sigchain/Encoding.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import { Problem } from "../../protocol/Problem.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** The claim that a proof has to make. */
export interface Expected {
  /** `system:identifier`, in any spelling. */
  readonly subject: string
  /** `ed25519:<hex>` or `nostr:npub1...`. */
  readonly primary: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface VerifiedProof {
  readonly claim: Claim.Claim
  readonly envelope: Envelope.Envelope
}

/** Most compact proofs that are looked at in a text which is none of the encodings as a whole, such as a post. */
const compactMax = 4

const compactIn = /kez:z1:[A-Za-z0-9_-]+/g

/** The envelopes in a text, each as a result: one for a text that is an encoding, several for one that quotes some. */
const envelopesIn = (
  text: string,
  decompress: Encoding.Decompress
): ReadonlyArray<Result.Result<Envelope.Envelope, Problem>> => {
  const whole = Encoding.decode(text, decompress)
  if (Result.isSuccess(whole)) return [whole]
  const quoted = [...new Set(text.match(compactIn))].slice(0, compactMax)
  return quoted.length === 0 ? [whole] : quoted.map((compact) => Encoding.decodeCompact(compact, decompress))
}

const judge = Effect.fnUntraced(function* (
  envelope: Envelope.Envelope,
  { now, primary, subject }: Expected
): Effect.fn.Return<VerifiedProof, Problem, Crypto> {
  if (envelope.kez !== "claim") {
    return yield* new Problem({
      code: "proof_mismatch",
      detail: `it is signed, but it is a ${envelope.kez} and no claim`
    })
  }
  const claim = yield* Effect.fromResult(Claim.parse(envelope))
  if (!Identifier.same(claim.subject, subject)) {
    return yield* new Problem({ code: "proof_mismatch", detail: `it speaks of ${claim.subject}, not of ${subject}` })
  }
  if (claim.primary !== primary) {
    return yield* new Problem({ code: "proof_mismatch", detail: `it names the key ${claim.primary}, not ${primary}` })
  }
  yield* SignedEnvelope.verify(envelope)
  if (claim.expiresAt !== undefined && claim.expiresAt <= now) {
    return yield* new Problem({ code: "proof_expired", detail: `it ended at ${Timestamp.fromMillis(claim.expiresAt)}` })
  }
  return { claim, envelope }
})

/**
 * The proof in a text that somebody published. Fails with `proof_mismatch` if it speaks of another subject, key or
 * matter, `proof_expired`, `signature_invalid`, and the problems of encodings, envelopes and claims; of several proofs in
 * one text, the first that holds counts, else the first fault.
 */
export const verify = Effect.fnUntraced(function* (
  text: string,
  expected: Expected,
  decompress: Encoding.Decompress
): Effect.fn.Return<VerifiedProof, Problem, Crypto> {
  let fault: Problem | undefined
  for (const envelope of envelopesIn(text, decompress)) {
    const judged = Effect.flatMap(Effect.fromResult(envelope), (envelope) => judge(envelope, expected))
    const proof = yield* Effect.result(judged)
    if (Result.isSuccess(proof)) return proof.success
    fault ??= proof.failure
  }
  return yield* fault ?? new Problem({ code: "encoding_malformed", detail: "there is no proof in it" })
})
