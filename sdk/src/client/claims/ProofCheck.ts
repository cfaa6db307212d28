/**
 * Asks the service of a claimed identity for the proof, and judges what it answers (spec/proofs.md). The fetcher
 * keeps to what services bear.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as VerifiedProof from "../../crypto/verified/VerifiedProof.ts"
import { Envelope, Identifier } from "../../protocol/index.ts"
import type { Problem } from "../../protocol/Problem.ts"
import {
  type Crypto,
  type Fetched,
  type FoundProof,
  ProofFetcher,
  type ProofUnreachable
} from "../../services/index.ts"
import type { ProofEvidence } from "../model/index.ts"
import type { Finding } from "./ClaimState.ts"

/** Characters that are kept of what is no proof: a stranger may publish much of it. */
const keptCharacters = 2_048

const evidenceOf = (fetched: Fetched, found: FoundProof, proof: string): ProofEvidence => ({
  url: found.url,
  fetchedAt: found.fetchedAt,
  digest: found.digest,
  recipe: fetched.recipe,
  ...(fetched.dnssec === undefined ? {} : { dnssec: fetched.dnssec }),
  proof
})

const listed = (places: ReadonlyArray<string>): string => (places.length === 0 ? "" : `: ${places.join("; ")}`)

const asked = ({ message: sentence, reason, retryAt }: ProofUnreachable): Finding =>
  reason === "rate_limited"
    ? { _tag: "Limited", sentence, ...(retryAt === undefined ? {} : { retryAt }) }
    : { _tag: "Unreachable", sentence, reason }

const make = Effect.gen(function* () {
  const fetcher = yield* ProofFetcher

  const judge = Effect.fnUntraced(function* (
    primary: string,
    subject: string,
    fetched: Fetched
  ): Effect.fn.Return<Finding, never, Crypto> {
    const decompress = yield* fetcher.decompress
    const now = yield* Clock.currentTimeMillis
    let fault: { readonly found: FoundProof; readonly problem: Problem } | undefined
    for (const found of fetched.found) {
      const proof = yield* Effect.result(VerifiedProof.verify(found.text, { subject, primary, now }, decompress))
      if (Result.isSuccess(proof)) {
        const { claim, envelope } = proof.success
        return {
          _tag: "Good",
          evidence: evidenceOf(fetched, found, Envelope.encodeText(envelope)),
          ...(claim.expiresAt === undefined ? {} : { expiresAt: claim.expiresAt })
        }
      }
      // A proof that ended says more than the faults of other candidates.
      if (fault === undefined || proof.failure.code === "proof_expired") fault = { found, problem: proof.failure }
    }
    if (fetched.missed !== undefined) return asked(fetched.missed)
    if (fault === undefined) return { _tag: "Bad", sentence: `there is no proof${listed(fetched.asked)}` }
    const { found, problem } = fault
    return {
      _tag: "Bad",
      sentence: `the proof at ${found.url} does not hold: ${problem.message}`,
      evidence: evidenceOf(fetched, found, found.text.slice(0, keptCharacters)),
      ...(problem.code === "proof_expired" ? { certain: true as const } : {})
    }
  })

  return {
    /** Whether there are identities of this system, aliases resolved, whose proofs some client can check. */
    isSystem: (name: string): boolean =>
      name === "did" ||
      fetcher.systems.includes(name) ||
      // Nothing is published for a key.
      (name !== "ed25519" && Identifier.isKnownSystem(name)),
    /** Checks whether `subject` proves that it belongs to `primary`. */
    check: Effect.fn("ProofCheck.check")(function* (
      primary: string,
      subject: string
    ): Effect.fn.Return<Finding, never, Crypto> {
      const identifier = Identifier.parse(subject)
      if (Result.isFailure(identifier)) {
        return { _tag: "Bad", sentence: identifier.failure.message, certain: true }
      }
      const fetched = yield* Effect.result(fetcher.fetch(identifier.success))
      if (Result.isFailure(fetched)) return asked(fetched.failure)
      return yield* judge(primary, subject, fetched.success)
    })
  }
})

export class ProofCheck extends Context.Service<ProofCheck>()("@kez-chat/sdk/ProofCheck", { make }) {}

export const layer = Layer.effect(ProofCheck, make)
