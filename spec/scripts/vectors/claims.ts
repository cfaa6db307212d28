/** Judging proofs, the states of claims as time passes, and whom a policy lets in by them. */
import { compact } from "./envelope.ts"
import { alice, bob, type Json, type JsonObject, jcs, sign, time } from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const subject = "dns:example.org"
const now = "2026-06-01T00:00:00Z"
const payload = (change: JsonObject = {}): JsonObject => ({
  type: "kez.claim",
  version: 1,
  subject,
  primary: alice.primary,
  created_at: time,
  ...change
})
const claim = jcs(sign(alice, "claim", payload()))
const proof = compact(claim)
const fence = "```kez\n" + claim + "\n```\n"
const forged = jcs({ ...sign(alice, "claim", payload()), payload: payload({ created_at: now }) })
const ofBob = jcs(sign(bob, "claim", payload({ primary: bob.primary })))
const event = jcs(
  sign(alice, "sigchain_event", {
    type: "kez.sigchain.event",
    version: 1,
    primary: alice.primary,
    seq: 0,
    created_at: time,
    op: "add",
    payload: { subject }
  })
)

const asked = (text: string, change: JsonObject = {}): JsonObject => ({
  text,
  subject,
  primary: alice.primary,
  now,
  ...change
})
const found: JsonObject = { subject, created_at: time }
const holds = (id: string, why: string, text: string, change?: JsonObject, result: JsonObject = found) =>
  valid(id, ["KEZ-PRF-150"], why, asked(text, change), result)
const fails = (id: string, why: string, text: string, error: string, change?: JsonObject) =>
  invalid(id, ["KEZ-PRF-150"], why, asked(text, change), error)

const ending = (expires_at: string) => jcs(sign(alice, "claim", payload({ expires_at })))

const judging: Operation = {
  file: "proofs/judge",
  operation: "proof.judge",
  description:
    "input: a candidate, the subject and primary that it should prove, and the time. result: subject, created_at and, where there is one, expires_at of the claim.",
  valid: [
    holds("json", "JSON", claim),
    holds("compact", "the compact form", proof),
    holds("markdown", "a fence", `# KEZ proof\n\nPrimary: ${alice.primary}\n\n${fence}`),
    holds("spelling", "another spelling of the subject", claim, { subject: "dns:Example.ORG." }),
    holds(
      "expires-later",
      "a claim that ends later",
      ending("2026-06-01T00:00:01Z"),
      {},
      {
        ...found,
        expires_at: "2026-06-01T00:00:01Z"
      }
    )
  ],
  invalid: [
    fails("subject", "another subject", claim, "proof_mismatch", { subject: "dns:example.com" }),
    fails("subdomain", "a name below the subject", claim, "proof_mismatch", { subject: "dns:www.example.org" }),
    fails("system", "the same name in another system", claim, "proof_mismatch", { subject: "web:https://example.org" }),
    fails("primary", "a valid claim of another key", ofBob, "proof_mismatch"),
    fails("kind", "a signed sigchain event", event, "proof_mismatch"),
    fails("signature", "a payload that was changed", forged, "signature_invalid"),
    fails("expired", "it ends now", ending(now), "proof_expired"),
    fails("text", "no proof", "hello", "encoding_malformed"),
    fails("cut", "a compact form without its end", proof.slice(0, -8), "encoding_malformed")
  ]
}

const hour = 3_600
const day = 24 * hour
/** What a check found at so many seconds. */
const check = (at: number, outcome: string, more: JsonObject = {}): JsonObject => ({ at, outcome, ...more })
const states = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  checks: ReadonlyArray<JsonObject>,
  result: ReadonlyArray<string>
) => valid(id, requirements, why, { checks }, result as Json)

const claimStates: Operation = {
  file: "proofs/states",
  operation: "claim.states",
  description:
    "input: the checks of one claim in order: `at`, in seconds, and `outcome`: `proof` (until `expires_at`, if given), `none` (the system answered without a proof), `unreachable`, or `limited` until `retry_at`. result: the state after each check.",
  valid: [
    states("valid", ["KEZ-PRF-151"], "a proof", [check(0, "proof")], ["valid"]),
    states("never", ["KEZ-PRF-153"], "never a proof", [check(0, "none")], ["broken"]),
    states("unreachable", ["KEZ-PRF-151"], "no answer", [check(0, "unreachable")], ["unreachable"]),
    states(
      "month",
      ["KEZ-PRF-152"],
      "down for a month",
      [check(0, "proof"), ...Array.from({ length: 30 }, (_, n) => check((n + 1) * day, "unreachable"))],
      ["valid", ...Array.from({ length: 30 }, () => "unreachable")]
    ),
    states("missed-once", ["KEZ-PRF-153"], "missed once", [check(0, "proof"), check(day, "none")], ["valid", "valid"]),
    states(
      "missed-early",
      ["KEZ-PRF-153"],
      "missed twice within an hour",
      [check(0, "proof"), check(day, "none"), check(day + hour - 1, "none")],
      ["valid", "valid", "valid"]
    ),
    states(
      "missed-twice",
      ["KEZ-PRF-153"],
      "missed twice an hour apart",
      [check(0, "proof"), check(day, "none"), check(day + hour, "none")],
      ["valid", "valid", "broken"]
    ),
    states(
      "found-between",
      ["KEZ-PRF-153"],
      "found again between two misses",
      [check(0, "proof"), check(day, "none"), check(day + 60, "proof"), check(day + 2 * hour, "none")],
      ["valid", "valid", "valid", "valid"]
    ),
    states(
      "unreachable-between",
      ["KEZ-PRF-153"],
      "an outage between two misses",
      [check(0, "proof"), check(day, "none"), check(day + 60, "unreachable"), check(day + hour, "none")],
      ["valid", "valid", "unreachable", "broken"]
    ),
    states(
      "outage-missed",
      ["KEZ-PRF-153"],
      "an outage of 90 days, and then a miss: nothing makes it valid",
      [check(0, "proof"), check(90 * day, "unreachable"), check(91 * day, "none"), check(91 * day + hour, "none")],
      ["valid", "unreachable", "unreachable", "broken"]
    ),
    states(
      "limited-long",
      ["KEZ-PRF-152"],
      "a limit for longer than a week",
      [check(0, "proof"), check(7 * day, "limited"), check(7 * day + 1, "limited"), check(400 * day, "limited")],
      ["valid", "valid", "unreachable", "unreachable"]
    ),
    states(
      "broken-down",
      ["KEZ-PRF-152"],
      "an outage after it broke",
      [check(0, "none"), check(day, "unreachable"), check(2 * day, "proof")],
      ["broken", "broken", "valid"]
    ),
    states(
      "limited",
      ["KEZ-PRF-152"],
      "a limit changes nothing",
      [check(0, "limited", { retry_at: hour }), check(hour, "proof"), check(day, "limited", { retry_at: day + hour })],
      ["unchecked", "valid", "valid"]
    ),
    states(
      "ended-down",
      ["KEZ-PRF-153"],
      "it ended, and nobody answers",
      [check(0, "proof", { expires_at: day }), check(2 * day, "unreachable")],
      ["valid", "broken"]
    ),
    states(
      "ended-later",
      ["KEZ-PRF-153"],
      "it ends while nobody answers, and while a limit postpones the check",
      [
        check(0, "proof", { expires_at: day }),
        check(day - 60, "unreachable"),
        check(day, "limited", { retry_at: 2 * day })
      ],
      ["valid", "unreachable", "broken"]
    )
  ]
}

const known = (subject: string, state: string, more: JsonObject = {}): JsonObject => ({
  subject,
  state,
  good_at: 100 * hour,
  missed: false,
  revoked: false,
  ...more
})
const admits = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  claims: ReadonlyArray<JsonObject>,
  result: Json,
  lists: JsonObject = {}
) => valid(id, requirements, why, { systems: [], domains: [], now: 100 * hour, claims, ...lists }, result)
const domains = { domains: ["example.org"] }

const admission: Operation = {
  file: "proofs/admission",
  operation: "policy.admits",
  description:
    "input: the systems and domains that a policy for proven strangers names, the time in seconds, and the claims of a stranger: `state`, `good_at` (when a proof was last found), whether it was missed since, and whether it was revoked. result: the subjects that count.",
  valid: [
    admits("any", ["KEZ-PRF-161"], "any proof", [known("github:carol", "valid")], ["github:carol"]),
    admits(
      "system",
      ["KEZ-PRF-161"],
      "a named system",
      [known("github:carol", "valid"), known(subject, "valid")],
      [subject],
      {
        systems: ["dns"]
      }
    ),
    admits(
      "alias",
      ["KEZ-PRF-161"],
      "an alias",
      [known("mastodon:c@example.org", "valid")],
      ["mastodon:c@example.org"],
      {
        systems: ["ap"]
      }
    ),
    admits("domain", ["KEZ-PRF-161"], "a named domain", [known(subject, "valid")], [subject], domains),
    admits(
      "below",
      ["KEZ-PRF-161"],
      "a name below it",
      [known("dns:a.b.example.org", "valid")],
      ["dns:a.b.example.org"],
      domains
    ),
    admits(
      "web",
      ["KEZ-PRF-161"],
      "a page below it",
      [known("web:https://w.example.org/~c", "valid")],
      ["web:https://w.example.org/~c"],
      domains
    ),
    admits(
      "suffix",
      ["KEZ-PRF-161"],
      "a name that only ends alike",
      [known("dns:evil-example.org", "valid")],
      [],
      domains
    ),
    admits("above", ["KEZ-PRF-161"], "the domain above", [known(subject, "valid")], [], { domains: ["a.example.org"] }),
    admits("fediverse", ["KEZ-PRF-161"], "an account at the domain", [known("ap:c@example.org", "valid")], [], domains),
    ...["unreachable", "broken", "unchecked"].map((state) =>
      admits(state, ["KEZ-PRF-162"], `a claim that is ${state}`, [known(subject, state)], [])
    ),
    admits("revoked", ["KEZ-PRF-161"], "a claim that was taken back", [known(subject, "valid", { revoked: true })], []),
    admits("missed", ["KEZ-PRF-163"], "a proof that was missed since", [known(subject, "valid", { missed: true })], []),
    admits("fresh", ["KEZ-PRF-163"], "48 hours old", [known(subject, "valid", { good_at: 52 * hour })], [subject]),
    admits("stale", ["KEZ-PRF-163"], "older", [known(subject, "valid", { good_at: 52 * hour - 1 })], [])
  ]
}

export const operations: ReadonlyArray<Operation> = [judging, claimStates, admission]
