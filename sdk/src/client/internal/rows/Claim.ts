/** Claims of accounts with what checks found, and proofs of the own account that are being made. */
import * as Schema from "effect/Schema"
import { ProofEvidence, UnreachableReason } from "../../model/proofs/Proof.ts"
import { Count, row, type RowType } from "./Row.ts"

export const Claim = row(
  Schema.Struct({
    /** As the chain has it. */
    subject: Schema.String,
    /** The chain's event that added it last. */
    seq: Count,
    revoked: Schema.Boolean,
    state: Schema.Literals(["unchecked", "valid", "unreachable", "broken"]),
    /** What the last answer said; times are milliseconds since the epoch. */
    sentence: Schema.String,
    reason: Schema.optionalKey(UnreachableReason),
    checkedAt: Schema.optionalKey(Schema.Number),
    lastGoodAt: Schema.optionalKey(Schema.Number),
    nextCheckAt: Schema.optionalKey(Schema.Number),
    retryAt: Schema.optionalKey(Schema.Number),
    /** When the proof that held last ends by its own word. */
    expiresAt: Schema.optionalKey(Schema.Number),
    /** When a proof that had held was first missed; absent unless it still is. */
    missedAt: Schema.optionalKey(Schema.Number),
    /** Consecutive checks without an answer. */
    failures: Count,
    /** The proof that held last. */
    good: Schema.optionalKey(ProofEvidence),
    /** What was found in its place. */
    found: Schema.optionalKey(ProofEvidence)
  })
)
export type ClaimRow = RowType<typeof Claim>

export const Proving = row(
  Schema.Struct({
    /** Normalised. */
    subject: Schema.String,
    /** The signed claim, JCS. */
    claim: Schema.String,
    step: Schema.Literals(["publish", "visible"]),
    sentence: Schema.optionalKey(Schema.String),
    checkedAt: Schema.optionalKey(Schema.Number),
    nextCheckAt: Schema.optionalKey(Schema.Number)
  })
)
export type ProvingRow = RowType<typeof Proving>

export const prefix = {
  claimsOfAll: "claim/",
  claims: (hex: string) => `claim/${hex}/`,
  provings: "proving/"
} as const

export const key = {
  /** `subject` is normalised where it is an identifier. */
  claim: (hex: string, subject: string) => `claim/${hex}/${subject}`,
  proving: (subject: string) => `proving/${subject}`
} as const
