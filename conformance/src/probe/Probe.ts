/** Compares what an input shows with what this project takes KEZ to be. */
import { VerifiedChain, SignedEnvelope } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Claim, Envelope, Json, Limits, type Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { shown } from "../shim/Protocol.ts"
import { type Fact, type FactId, facts, type Sighting, sighting } from "./Facts.ts"
import { findLink, ours as ourLink } from "./Links.ts"
import { isObject, type JsonObject } from "./LooseJson.ts"
import type { Found, Reading } from "./Reading.ts"
import { findRule, ours, signatureOf } from "./SigningRules.ts"

/** - `holds`, `otherwise`: as assumed, or not. - `not-shown`: the input has nothing that would tell. */
type Verdict = "holds" | "otherwise" | "not-shown"

export interface Finding extends Fact {
  readonly fact: FactId
  readonly verdict: Verdict
  /** What was there, and how often. */
  readonly seen: ReadonlyArray<{ readonly what: string; readonly holds: boolean; readonly times: number }>
}

/** Kinds of seen values listed for one fact. */
const listed = 8

const namesOf = (value: JsonObject): string => shown(Object.keys(value).join(", "), 120)
const shownValue = (value: unknown): string => shown(JSON.stringify(value) ?? "absent", 80)

const exactly = (value: JsonObject, names: ReadonlyArray<string>): boolean =>
  Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name))

/** Envelopes for which every rule is tried, if this project's own does not verify; others would take minutes. */
const limitSearches = 16

const signingOf = (envelopes: ReadonlyArray<Found>): ReadonlyArray<Sighting> => {
  let searches = 0
  return envelopes.flatMap((one) => {
    const tried = findRule(one, searches < limitSearches)
    if (typeof tried === "string") return [sighting("ed25519-message", false, tried)]
    if (tried.tried > 1) searches += 1
    const fact = tried.system === "ed25519" ? "ed25519-message" : "nostr-message"
    const { rule } = tried
    if (rule === undefined) {
      const count = tried.tried === 1 ? "this rule does not verify" : `none of ${tried.tried} rules verifies`
      return [sighting(fact, false, count)]
    }
    const isOurs = rule.messages.includes(ours.message)
    return [
      sighting("signed-payload", isOurs, isOurs ? ours.message : rule.messages.join(", or ")),
      ...(rule.messages.length > 1 && isOurs
        ? [sighting("signed-payload", true, `here also: ${rule.messages.slice(1).join(", and ")}`)]
        : []),
      sighting(fact, rule.scheme === ours[tried.system], rule.scheme)
    ]
  })
}

const timeForm = (value: unknown): string => {
  if (typeof value === "number") return value > 1e11 ? "a number of milliseconds" : "a number of seconds"
  if (typeof value !== "string") return shownValue(value)
  const [, fraction, zone] = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(value) ?? []
  if (zone === undefined) return shownValue(value)
  return `${fraction === undefined ? "whole seconds" : `${fraction.length - 1} digits of a second`}, ${zone}`
}

const formsOf = ({ value }: Found, signature: JsonObject, payload: JsonObject): ReadonlyArray<Sighting> => {
  const { alg, key, sig } = signature
  const kind =
    typeof value["kez"] === "string" && Object.hasOwn(Envelope.kinds, value["kez"]) ? value["kez"] : undefined
  const known = kind === undefined ? undefined : Envelope.kinds[kind as Envelope.Kind]
  const system = typeof key === "string" && key.startsWith("nostr:") ? "nostr" : "ed25519"
  const isKey = typeof key === "string" && /^(?:ed25519:[0-9a-f]{64}|nostr:npub1[0-9a-z]{58})$/.test(key)
  const signer = known?.signer ?? "primary"
  return [
    sighting("envelope-members", exactly(value, ["kez", "payload", "signature"]), namesOf(value)),
    sighting("signature-members", exactly(signature, ["alg", "key", "sig"]), namesOf(signature)),
    sighting("algorithm-name", alg === Envelope.algorithmOf(system), shownValue(alg)),
    sighting(
      "signature-form",
      typeof sig === "string" && /^[0-9a-f]{128}$/.test(sig),
      typeof sig === "string" && /^[0-9a-f]+$/.test(sig) ? `${sig.length} lower-case digits` : shownValue(sig)
    ),
    sighting("key-form", isKey, isKey ? `${system}:` : shownValue(key)),
    sighting(
      "signer",
      payload[signer] !== undefined && payload[signer] === key,
      payload[signer] === key ? signer : `${signer} is ${shownValue(payload[signer])}`
    ),
    sighting(
      "kind",
      known !== undefined && payload["type"] === known.type,
      `${shownValue(value["kez"])} with ${shownValue(payload["type"])}`
    ),
    sighting("version", payload["version"] === Envelope.version, shownValue(payload["version"])),
    ...["created_at", "expires_at"]
      .filter((name) => Object.hasOwn(payload, name) && payload[name] !== null)
      .map((name) => {
        const form = timeForm(payload[name])
        return sighting("time-form", form === "whole seconds, Z", form)
      }),
    ...["prev", "expires_at"]
      .filter((name) => Object.hasOwn(payload, name))
      .map((name) =>
        sighting("absent-members", payload[name] !== null, `${name} is ${payload[name] === null ? "null" : "present"}`)
      )
  ]
}

/** Members that ought to be there, and those besides, which are kept. */
const membersOf = (
  fact: FactId,
  payload: JsonObject,
  needed: ReadonlyArray<string>,
  optional: ReadonlyArray<string>
): Sighting => {
  const missing = needed.filter((name) => !Object.hasOwn(payload, name))
  const besides = Object.keys(payload).filter((name) => ![...needed, ...optional, "type", "version"].includes(name))
  const words = [
    ...(missing.length > 0 ? [`without ${missing.join(", ")}`] : []),
    ...(besides.length > 0 ? [`also ${shown(besides.join(", "), 120)}`] : [])
  ]
  return sighting(fact, missing.length === 0, words.join("; ") || "these")
}

const isEvent = ({ value }: Found): boolean => value["kez"] === "sigchain_event"
const isClaim = ({ value }: Found): boolean => value["kez"] === "claim"
const payloadOf = ({ value }: Found): JsonObject => value["payload"] as JsonObject

const eventOf = (one: Found): ReadonlyArray<Sighting> => {
  const payload = payloadOf(one)
  const { op, payload: inner, prev, seq } = payload
  const isFirst = seq === 0
  const content = isObject(inner) ? inner : {}
  return [
    membersOf("event-members", payload, ["primary", "seq", "created_at", "op", "payload"], ["prev"]),
    sighting(
      "prev-presence",
      isFirst === !Object.hasOwn(payload, "prev"),
      `${prev === undefined ? "absent" : "present"} at seq ${isFirst ? 0 : typeof seq === "number" ? "above 0" : shownValue(seq)}`
    ),
    ...(typeof prev === "string"
      ? [
          sighting(
            "prev-form",
            /^sha256:[0-9a-f]{64}$/.test(prev),
            shown(
              prev.replace(/[0-9a-f]{16,}$/, ({ length }) => `${length} lower-case digits`),
              90
            )
          )
        ]
      : []),
    sighting("operation", typeof op === "string", shownValue(op)),
    ...(op === "add" || op === "revoke"
      ? [sighting("subject", typeof content["subject"] === "string", `${op} with ${namesOf(content) || "nothing"}`)]
      : []),
    ...(op === "rotate"
      ? [
          sighting(
            "rotation",
            typeof content["new_primary"] === "string" && typeof content["new_sig"] === "string",
            namesOf(content) || "nothing"
          )
        ]
      : [])
  ]
}

/** What the events of one input show together; a part of a chain shows nothing of its beginning. */
const chainOf = (events: ReadonlyArray<Found>): ReadonlyArray<Sighting> => {
  const sightings: Array<Sighting> = []
  const bySeq = new Map<unknown, Found>(events.map((event) => [payloadOf(event)["seq"], event]))
  for (const [at, event] of events.entries()) {
    const { prev, seq } = payloadOf(event)
    const last = at === 0 ? undefined : payloadOf(events[at - 1]!)["seq"]
    if (at > 0 && typeof last === "number")
      sightings.push(
        sighting("first-seq", seq === last + 1, seq === last + 1 ? "one more each" : `${shownValue(seq)} after ${last}`)
      )
    else if (seq === 0 || prev === undefined || prev === null)
      sightings.push(sighting("first-seq", seq === 0, `the first is ${shownValue(seq)}`))
    const before = typeof seq === "number" ? bySeq.get(seq - 1) : undefined
    if (typeof prev !== "string" || before === undefined) continue
    const link = findLink(prev, before)
    if (link === undefined) sightings.push(sighting("prev-input", false, "none of the rules that were tried fits"))
    else
      sightings.push(
        sighting("prev-input", link.inputs.includes(ourLink.input), link.inputs.join(", or ")),
        sighting("prev-hash", link.hash === ourLink.hash, link.hash)
      )
  }
  return sightings
}

type Read = Result.Result<Envelope.Envelope, Problem.Problem>

const problemOf = ({ code, detail }: Problem.Problem): string => `${code}: ${shown(detail ?? "", 160)}`

/** What the SDK itself says: each envelope, and all events as one chain. */
const verdictOfSdk = (envelopes: ReadonlyArray<Found>, parsed: ReadonlyArray<Read>): Promise<ReadonlyArray<Sighting>> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const sightings: Array<Sighting> = []
      const events: Array<Envelope.Envelope> = []
      for (const [at, read] of parsed.entries()) {
        if (Result.isFailure(read)) sightings.push(sighting("accepted", false, problemOf(read.failure)))
        else if (isEvent(envelopes[at]!)) events.push(read.success)
        else {
          const checked = yield* Effect.result(
            Effect.andThen(
              SignedEnvelope.verify(read.success),
              isClaim(envelopes[at]!) ? Effect.fromResult(Claim.parse(read.success)) : Effect.void
            )
          )
          sightings.push(
            sighting(
              "accepted",
              Result.isSuccess(checked),
              Result.isSuccess(checked) ? "accepted" : problemOf(checked.failure)
            )
          )
        }
      }
      const [first] = events
      // The rest of a chain cannot be verified without what precedes it.
      if (first !== undefined && (first.payload["seq"] === 0 || !Object.hasOwn(first.payload, "prev"))) {
        const chain = yield* Effect.result(VerifiedChain.verify(first.signature.key, events))
        sightings.push(
          sighting("accepted", Result.isSuccess(chain), Result.isSuccess(chain) ? "a chain" : problemOf(chain.failure))
        )
      }
      return sightings
    }).pipe(Effect.provide(NodeCrypto.layer))
  )

const parseStrictly = ({ text }: Found): Result.Result<Json.Json, Problem.Problem> =>
  Json.parse(text, { maxBytes: Limits.manifestBytes })

/** Every fact, with what the input shows of it, in the order of the table. */
export const probe = async ({ envelopes, sightings: carried }: Reading): Promise<ReadonlyArray<Finding>> => {
  const strict = envelopes.map(parseStrictly)
  const sightings: ReadonlyArray<Sighting> = [
    ...carried,
    ...strict.map((read) =>
      sighting("strict-json", Result.isSuccess(read), Result.isSuccess(read) ? "strict" : problemOf(read.failure))
    ),
    ...signingOf(envelopes),
    ...envelopes.flatMap((one) => {
      const { signature } = one.value
      return [
        ...formsOf(one, isObject(signature) ? signature : { ...signatureOf(one) }, payloadOf(one)),
        ...(isClaim(one)
          ? [membersOf("claim-members", payloadOf(one), ["subject", "primary", "created_at"], ["expires_at"])]
          : []),
        ...(isEvent(one) ? eventOf(one) : [])
      ]
    }),
    ...chainOf(envelopes.filter(isEvent)),
    ...(await verdictOfSdk(
      envelopes,
      strict.map((read) => Result.flatMap(read, Envelope.fromJson))
    ))
  ]
  return (Object.keys(facts) as ReadonlyArray<FactId>).map((fact) => {
    const own = sightings.filter((one) => one.fact === fact)
    const counted = new Map<string, { what: string; holds: boolean; times: number }>()
    for (const { holds, seen } of own) {
      const key = `${holds} ${seen}`
      const known = counted.get(key)
      if (known === undefined) counted.set(key, { what: seen, holds, times: 1 })
      else known.times += 1
    }
    // What is otherwise comes first, so that the limit does not hide it.
    const seen = [...counted.values()].sort((one, other) => Number(one.holds) - Number(other.holds)).slice(0, listed)
    const verdict = own.length === 0 ? "not-shown" : own.every(({ holds }) => holds) ? "holds" : "otherwise"
    return { fact, ...facts[fact], verdict, seen }
  })
}
