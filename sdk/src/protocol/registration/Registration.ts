/**
 * Handles at a home server: the statements that register and delete one, the server's public record of it, and the
 * server's self-description (spec: registration).
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import * as Handle from "../identity/Handle.ts"
import type { Json, JsonObject } from "../encoding/Json.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Limits from "../Limits.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, Problem } from "../Problem.ts"
import * as Endpoint from "../sigchain/Endpoint.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** The content of a registration or deletion. */
export interface Statement {
  /** The local part, `chris`. */
  readonly handle: string
  /** The home server's name, `kez.lat`. */
  readonly server: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  readonly key: AdmittedKey
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

export type StatementKind = "handle_registration" | "handle_deletion"

/** The payload that registers (or deletes) `local@server` for a key. Fails with `handle_malformed`. */
export const payload = (
  kind: StatementKind,
  statement: Pick<Statement, "handle" | "server" | "key" | "createdAt">
): Result.Result<JsonObject, Problem> =>
  Result.map(Handle.parse(`${statement.handle}@${statement.server}`), (handle) => ({
    type: Envelope.kinds[kind].type,
    version: Envelope.version,
    handle: handle.local,
    server: handle.server,
    primary: PrimaryKey.format(statement.key),
    created_at: Timestamp.fromMillis(statement.createdAt)
  }))

const parseStatement =
  (kind: StatementKind) =>
  (envelope: Envelope.Envelope): Result.Result<Statement, Problem> =>
    Result.gen(function* () {
      const members = yield* Envelope.payloadOf(envelope, kind, "envelope_malformed")
      const local = yield* members.string("handle")
      const server = yield* members.string("server")
      const handle = yield* Handle.parse(`${local}@${server}`)
      const primary = yield* members.string("primary")
      const key = yield* PrimaryKey.parseEd25519(primary)
      const createdAt = yield* members.time("created_at")
      return { handle: handle.local, server: handle.server, primary, key, createdAt }
    })

/** The registration in an envelope; the signature is not checked. A chat account's primary is Ed25519. */
export const parseRegistration = parseStatement("handle_registration")

/** The deletion in an envelope; the signature is not checked. */
export const parseDeletion = parseStatement("handle_deletion")

/** `clock_skew` unless a statement was made within 5 minutes of `now` (milliseconds). */
export const checkWindow = (statement: Pick<Statement, "createdAt">, now: number): Result.Result<void, Problem> => {
  const difference = statement.createdAt - now
  return Math.abs(difference) <= Limits.statementWindowMillis
    ? Result.succeed(undefined)
    : fail("clock_skew", `created_at is ${Math.round(difference / 1000)} s from this server's clock`)
}

/**
 * The body of `POST /v1/register`: the envelope, or the flat body `{handle, primary, created_at, registration_sig}`,
 * which is the same statement with the server's own name implied; it is nested here.
 */
export const parseRequest = (json: Json, server: string): Result.Result<Envelope.Envelope, Problem> => {
  const members = Members.of(json, "envelope_malformed", "registration")
  if (Result.isFailure(members)) return Result.fail(members.failure)
  const flat = members.success
  if (!flat.has("registration_sig")) return Envelope.fromJson(json)
  const { handle, primary, created_at, registration_sig, ...others } = flat.json
  if (Object.keys(others).length > 0) return fail("envelope_malformed", "the flat registration has other members")
  return Envelope.fromJson({
    kez: "handle_registration",
    payload: {
      type: Envelope.kinds.handle_registration.type,
      version: Envelope.version,
      handle: handle ?? null,
      server,
      primary: primary ?? null,
      created_at: created_at ?? null
    },
    signature: { alg: Envelope.algorithmOf("ed25519"), key: primary ?? null, sig: registration_sig ?? null }
  })
}

/** The body of `POST /v1/register`, with the invite that may come beside the statement. */
export interface Request {
  readonly registration: Envelope.Envelope
  readonly invite?: string
}

const inviteForm = /^[A-Za-z0-9_-]{1,64}$/

/** {@link parseRequest}, or `{invite, registration}` around what it takes (KEZ-REG-046). */
export const parseInvited = (json: Json, server: string): Result.Result<Request, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "envelope_malformed", "registration")
    if (!members.has("registration")) return { registration: yield* parseRequest(json, server) }
    const { invite: _, registration: statement, ...others } = members.json
    if (Object.keys(others).length > 0) return yield* fail("envelope_malformed", "the registration has other members")
    const invite = yield* members.matching("invite", inviteForm, "an invite")
    return { invite, registration: yield* parseRequest(statement ?? null, server) }
  })

/** A home server's public record of a handle. Unverified until it passes `VerifiedRecord.verify` (crypto). */
export interface HandleRecord {
  /** Fully qualified, `local@server`. */
  readonly handle: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  /** RFC 3339 UTC. */
  readonly registered_at: string
  /** The claimed sig-server of the account; clients use their own configuration instead. */
  readonly sigchain_url: string
  /** The home's broker for this account; the sigchain is authoritative. */
  readonly endpoints: ReadonlyArray<Endpoint.NatsEndpoint>
  readonly registration: Envelope.Envelope
}

/** Parses a record. Every fault is `record_invalid`; its detail says which. */
export const parseRecord = (json: Json): Result.Result<HandleRecord, Problem> =>
  Result.mapError(readRecord(json), (problem) =>
    problem.code === "record_invalid" ? problem : new Problem({ code: "record_invalid", detail: problem.message })
  )

const readRecord = (json: Json): Result.Result<HandleRecord, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "record_invalid", "record")
    const handle = yield* members.string("handle")
    yield* Handle.parse(handle)
    const primary = yield* members.string("primary")
    yield* PrimaryKey.parseEd25519(primary)
    const registered_at = yield* members.string("registered_at", 64)
    yield* Timestamp.parse(registered_at)
    const sigchain_url = yield* members.string("sigchain_url", Limits.urlMax)
    const endpoints: Array<Endpoint.NatsEndpoint> = []
    for (const item of yield* members.array("endpoints", Limits.brokerUrls)) {
      const endpoint = yield* Endpoint.parse(item, primary)
      if (endpoint.protocol !== "nats") return yield* members.bad("endpoints", "contains other endpoints than brokers")
      endpoints.push(endpoint)
    }
    if (!members.has("registration")) return yield* members.bad("registration", "is missing")
    const registration = yield* Envelope.fromJson(members.json["registration"] ?? null)
    return { handle, primary, registered_at, sigchain_url, endpoints, registration }
  })

/** The JSON value of a record, as sent by the server. */
export const recordToJson = (record: HandleRecord): JsonObject => ({
  handle: record.handle,
  primary: record.primary,
  registered_at: record.registered_at,
  sigchain_url: record.sigchain_url,
  endpoints: record.endpoints.map((endpoint) => ({ ...endpoint })),
  registration: Envelope.toJson(record.registration)
})

/** Who may register at a home: everybody, who has an invite, or nobody. */
export const admissions = ["open", "invite", "closed"] as const
export type Admission = (typeof admissions)[number]

/** What an operator publishes about itself. */
export interface Operator {
  /** `mailto:` or `https:`. */
  readonly contact?: string
  /** `https:`. */
  readonly terms?: string
  /** `https:`. */
  readonly privacy?: string
}

/** The forms of {@link Operator}'s URLs. */
export const operatorForms = {
  contact: /^(?:mailto:|https:\/\/)[^\s"<>]{1,500}$/,
  terms: /^https:\/\/[^\s"<>]{1,500}$/,
  privacy: /^https:\/\/[^\s"<>]{1,500}$/
} as const

/** The members that have their form; others are ignored (KEZ-REG-057). */
const operatorOf = (json: Json | undefined): Operator => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return {}
  const found = Object.entries(operatorForms).filter(([name, form]) => {
    const value = (json as JsonObject)[name]
    return typeof value === "string" && form.test(value)
  })
  return Object.fromEntries(found.map(([name]) => [name, (json as JsonObject)[name]]))
}

/** Services that a web page of this home may ask for proofs: its policy admits no others. */
export interface ProofSources {
  /** DNS over HTTPS (RFC 8484). */
  readonly dns?: string
  /** Relays, `wss:`. */
  readonly nostr?: ReadonlyArray<string>
  /** A public XRPC service of the Bluesky network. */
  readonly bluesky?: string
  /** The directory of `did:plc` identities. */
  readonly plc?: string
}

/** https, or http to this machine. */
const proofUrlForm = /^(?:https:\/\/|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])[^\s"'<>;,]{1,500}$/
const relayForm = /^(?:wss:\/\/|ws:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/])[^\s"'<>;,]{1,500}$/

/** Whether a value has the form of a member of {@link ProofSources}. */
export const proofSourceForms = {
  dns: (value: Json) => isForm(value, proofUrlForm),
  nostr: (value: Json) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= Limits.proofRelays &&
    value.every((url) => isForm(url, relayForm)),
  bluesky: (value: Json) => isForm(value, proofUrlForm),
  plc: (value: Json) => isForm(value, proofUrlForm)
} as const

const isForm = (value: Json, form: RegExp): boolean =>
  typeof value === "string" && form.test(value) && URL.canParse(value)

/** The members that have their form; others are ignored (KEZ-REG-110). */
const proofSourcesOf = (json: Json | undefined): ProofSources => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return {}
  const found = Object.entries(proofSourceForms).filter(([name, isOfForm]) => {
    const value = (json as JsonObject)[name]
    return value !== undefined && isOfForm(value)
  })
  return Object.fromEntries(found.map(([name]) => [name, (json as JsonObject)[name]]))
}

/** The keys that have their form and are admitted; others are ignored (KEZ-NAT-102). */
const acceptanceKeysOf = (json: Json | undefined): ReadonlyArray<string> =>
  (Array.isArray(json) ? json : [])
    .slice(0, Limits.acceptanceKeys)
    .filter((key): key is string => typeof key === "string" && Result.isSuccess(PrimaryKey.parseEd25519(key)))

/** The content of `/.well-known/kez-chat`: a home server's self-description. */
export interface WellKnown {
  /** The server's name, the part after the `@`. */
  readonly server: string
  /** Broker URLs that clients dial: `nats://` or `tls://`, and `ws://` or `wss://`. */
  readonly broker: Endpoint.BrokerUrls
  /** Base URL of the home's sig-server. */
  readonly sig_server: string
  /** Who may register; everybody where it is missing. */
  readonly registration?: Admission
  /** Addresses of the operator, as URLs. */
  readonly operator?: Operator
  /** What a page of this home may ask for proofs; nothing where it is missing. */
  readonly proof_sources?: ProofSources
  /** The keys under which this home signs acceptances, the one in use first; absent where it signs none. */
  readonly acceptance_keys?: ReadonlyArray<string>
  /** Published limits by name, whole numbers; units are in the names. */
  readonly limits: Readonly<Record<string, number>>
}

const urls = (members: Members, name: string, pattern: RegExp): Result.Result<ReadonlyArray<string>, Problem> => {
  const isUrl = (text: string) => !Bytes.isLongerThan(text, Limits.urlMax) && pattern.test(text)
  return members.strings(name, Limits.brokerUrls, isUrl, "such a URL")
}

/** Parses `/.well-known/kez-chat`; fails with `record_invalid`. */
export const parseWellKnown = (json: Json): Result.Result<WellKnown, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "record_invalid", "kez-chat")
    const server = yield* members.string("server")
    if (!Handle.isServerName(server)) return yield* members.bad("server", "is not a server name")
    const broker = yield* members.members("broker")
    const tcp = yield* urls(broker, "tcp", /^(nats|tls):\/\/\S+$/)
    const websocket = yield* urls(broker, "websocket", /^wss?:\/\/\S+$/)
    const sig_server = yield* members.matching("sig_server", /^https?:\/\/\S{1,500}$/, "an http(s) URL")
    const limits: Record<string, number> = {}
    if (members.has("limits")) {
      const listed = yield* members.members("limits")
      for (const name of Object.keys(listed.json)) limits[name] = yield* listed.integer(name)
    }
    const registration = admissions.find((each) => each === members.json["registration"])
    const operator = operatorOf(members.json["operator"])
    const proofSources = proofSourcesOf(members.json["proof_sources"])
    const acceptanceKeys = acceptanceKeysOf(members.json["acceptance_keys"])
    return {
      server,
      broker: { tcp, websocket },
      sig_server,
      ...(registration === undefined ? {} : { registration }),
      ...(Object.keys(operator).length === 0 ? {} : { operator }),
      ...(Object.keys(proofSources).length === 0 ? {} : { proof_sources: proofSources }),
      ...(acceptanceKeys.length === 0 ? {} : { acceptance_keys: acceptanceKeys }),
      limits
    }
  })
