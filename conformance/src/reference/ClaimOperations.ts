/** Judging proofs, the states of claims, and whom a policy lets in, over the SDK's own rules. */
import { ClaimState, InboxPolicy } from "@kez-chat/sdk"
import { VerifiedProof } from "@kez-chat/sdk/crypto"
import { Zstd } from "@kez-chat/sdk/node"
import { Timestamp } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import { type Input, list, number, object, type Operation, text } from "./CaseInput.ts"

const optional = (input: Input, name: string) =>
  input[name] === undefined ? {} : { millis: number(input, name) * 1_000 }

const judge: Operation = (input) =>
  Effect.gen(function* () {
    const now = yield* Effect.fromResult(Timestamp.parse(text(input, "now")))
    const expected = { subject: text(input, "subject"), primary: text(input, "primary"), now }
    const { claim } = yield* VerifiedProof.verify(text(input, "text"), expected, Zstd.decompress)
    return {
      subject: claim.subject,
      created_at: Timestamp.fromMillis(claim.createdAt),
      ...(claim.expiresAt === undefined ? {} : { expires_at: Timestamp.fromMillis(claim.expiresAt) })
    }
  })

const evidence = { url: "", fetchedAt: 0, digest: "", recipe: "", proof: "" }

const findingOf = (check: Input): ClaimState.Finding => {
  const expiry = optional(check, "expires_at")
  const retry = optional(check, "retry_at")
  switch (text(check, "outcome")) {
    case "proof":
      return { _tag: "Good", evidence, ...("millis" in expiry ? { expiresAt: expiry.millis } : {}) }
    case "none":
      return { _tag: "Bad", sentence: "" }
    case "limited":
      return { _tag: "Limited", sentence: "", ...("millis" in retry ? { retryAt: retry.millis } : {}) }
    default:
      return { _tag: "Unreachable", reason: "network", sentence: "" }
  }
}

const states: Operation = (input) =>
  Effect.sync(() => {
    const claim = { subject: "dns:example.org", seq: 0, revoked: false }
    let row = ClaimState.afterChain(undefined, claim, true, 0)
    return list(input["checks"]).map((item) => {
      const check = object(item)
      const now = number(check, "at") * 1_000
      row = ClaimState.afterCheck(row, findingOf(check), now, 0)
      return ClaimState.toClaim(row, now).state
    })
  })

const admits: Operation = (input) =>
  Effect.sync(() => {
    const now = number(input, "now") * 1_000
    const provenBy = { systems: list(input["systems"]).map(String), domains: list(input["domains"]).map(String) }
    return list(input["claims"]).flatMap((item) => {
      const claim = object(item)
      const subject = text(claim, "subject")
      const goodAt = number(claim, "good_at") * 1_000
      const row = {
        subject,
        seq: 0,
        sentence: "",
        failures: 0,
        state: text(claim, "state") as "valid",
        revoked: claim["revoked"] === true,
        lastGoodAt: goodAt,
        ...(claim["missed"] === true ? { missedAt: goodAt + 1 } : {})
      }
      return InboxPolicy.counts(row, { inbox: "proven", introductions: false, provenBy }, now) ? [subject] : []
    })
  })

export const claimOperations: Readonly<Record<string, Operation>> = {
  "proof.judge": judge,
  "claim.states": states,
  "policy.admits": admits
}
