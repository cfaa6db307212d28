import * as Schema from "effect/Schema"
import { Millis } from "../Protocol.ts"

/** What was fetched, so that anybody can judge it again. */
export class ProofEvidence extends Schema.Opaque<ProofEvidence>()(
  Schema.Struct({
    /** What was asked: a URL, or `dns:_kez.example.org` for TXT records. */
    url: Schema.String,
    /** Milliseconds since the epoch. */
    fetchedAt: Millis,
    /** `sha256:<64 hex>` over the answer's bytes. */
    digest: Schema.String,
    /** Version of the channel's layout rules, `github/1`. */
    recipe: Schema.String,
    /** For `dns`: whether DNSSEC protects the answer; absent where that is not known. */
    dnssec: Schema.optionalKey(Schema.Literals(["secure", "insecure"])),
    /** The signed claim as JSON, or the first 2,048 characters of what was found in its place. */
    proof: Schema.String
  })
) {}

/**
 * Why a service could not be asked. `network`: no usable answer. `forbidden`: an address that is never asked.
 * `needs_cli`: this client cannot ask it, and the command line can. `unsupported`: nobody knows how to check this system.
 */
export const UnreachableReason = Schema.Literals(["network", "forbidden", "needs_cli", "unsupported"])

/** An identity elsewhere that an account says is its own, and what this device found out about it. */
export class Claim extends Schema.Opaque<Claim>()(
  Schema.Struct({
    /** `system:identifier`, as the sigchain has it. */
    subject: Schema.String,
    /** `dns`, `github`, ...; aliases resolved. */
    system: Schema.String,
    /** The event of the sigchain that claimed it last. */
    seq: Schema.Natural,
    /**
     * `valid`: a proof that holds was found, last at `lastGoodAt`. `unreachable`: the service could not be asked, which
     * says nothing about the claim, or a proof was last found over a week ago. `broken`: the service has no proof or another one. A claim that once held breaks
     * only when two checks at least an hour apart agree. `unchecked`: not asked yet.
     */
    state: Schema.Literals(["unchecked", "valid", "unreachable", "broken"]),
    /** The account took the claim back. That changes no message. */
    revoked: Schema.Boolean,
    /** The state in words. */
    sentence: Schema.String,
    /** For `unreachable`: why. */
    reason: Schema.optionalKey(UnreachableReason),
    /** When the service was last asked. Times are in milliseconds since the epoch. */
    checkedAt: Schema.optionalKey(Millis),
    /** When a proof that holds was last found. */
    lastGoodAt: Schema.optionalKey(Millis),
    /** When this device asks again; absent for a claim that it never asks about. */
    nextCheckAt: Schema.optionalKey(Millis),
    /** The service asked not to be asked before this time. */
    retryAt: Schema.optionalKey(Millis),
    /** The proof that held last or, for a broken claim, what was found in its place. */
    evidence: Schema.optionalKey(ProofEvidence)
  })
) {}

/** How to publish a proof. */
export class ProofPublication extends Schema.Opaque<ProofPublication>()(
  Schema.Struct({
    /** What to do, one sentence a step, in order. */
    steps: Schema.Array(Schema.String),
    /** What to publish, ready to paste. */
    text: Schema.String,
    /** Where it will be looked for. */
    where: Schema.String
  })
) {}

/** A proof that is being made. */
export class Proving extends Schema.Opaque<Proving>()(
  Schema.Struct({
    /** `system:identifier`, normalised. */
    subject: Schema.String,
    /**
     * `publish`: the proof is signed and has to be published. `visible`: it was found and holds, and is about to be
     * recorded in the sigchain. `recorded`: others see it.
     */
    step: Schema.Literals(["publish", "visible", "recorded"]),
    publication: ProofPublication,
    /** Why it is not found yet, or why the last step failed; absent before it was looked for. */
    sentence: Schema.optionalKey(Schema.String),
    /** When it was last looked for; milliseconds since the epoch. */
    checkedAt: Schema.optionalKey(Millis),
    /** When `prove` looks again. */
    nextCheckAt: Schema.optionalKey(Millis)
  })
) {}
