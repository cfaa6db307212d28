/** "This primary is also `subject`": the statement in a proof on another service (spec: claims). */
import * as Result from "effect/Result"
import * as Envelope from "./Envelope.ts"
import * as Identifier from "../identity/Identifier.ts"
import type { JsonObject } from "../encoding/Json.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

export interface Claim {
  /** `system:identifier`, for example `dns:example.org`. */
  readonly subject: string
  /** `ed25519:<hex>` or `nostr:npub1...`. */
  readonly primary: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Milliseconds since the epoch; from then on the claim is void. */
  readonly expiresAt?: number
}

const expiry = (claim: Claim): Result.Result<void, Problem> =>
  claim.expiresAt === undefined || Math.floor(claim.expiresAt / 1000) > Math.floor(claim.createdAt / 1000)
    ? Result.succeed(undefined)
    : fail("envelope_malformed", "the claim expires before it was made")

/** The payload of a claim; `subject` must be an identifier and the expiry later than the creation. */
export const payload = (claim: Claim): Result.Result<JsonObject, Problem> =>
  Result.gen(function* () {
    yield* Identifier.parse(claim.subject)
    yield* expiry(claim)
    return {
      type: Envelope.kinds.claim.type,
      version: Envelope.version,
      subject: claim.subject,
      primary: claim.primary,
      created_at: Timestamp.fromMillis(claim.createdAt),
      ...(claim.expiresAt === undefined ? {} : { expires_at: Timestamp.fromMillis(claim.expiresAt) })
    }
  })

/** The claim in an envelope; the signature is not checked. Fails with `envelope_malformed` for wrong members. */
export const parse = (envelope: Envelope.Envelope): Result.Result<Claim, Problem> =>
  Result.gen(function* () {
    const members = yield* Envelope.payloadOf(envelope, "claim", "envelope_malformed")
    const subject = yield* members.string("subject")
    yield* Identifier.parse(subject)
    const createdAt = yield* members.time("created_at")
    const claim: Claim = {
      subject,
      primary: envelope.signature.key,
      createdAt,
      ...(members.has("expires_at") ? { expiresAt: yield* members.time("expires_at") } : {})
    }
    yield* expiry(claim)
    return claim
  })
