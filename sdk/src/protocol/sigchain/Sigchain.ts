/**
 * The signed, hash-linked list of a primary's public facts: claims, devices, endpoints, shared files, rotation (spec:
 * sigchain). Pure: `VerifiedChain` (crypto) checks signatures and computes the hashes.
 */
import * as Result from "effect/Result"
import { attempt, valid } from "../Attempt.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Envelope from "./Envelope.ts"
import * as Identifier from "../identity/Identifier.ts"
import type { JsonObject } from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Timestamp from "../encoding/Timestamp.ts"

/** The head of a chain: its last event's number and hash. */
export interface Head {
  readonly seq: number
  /** `sha256:<64 hex>` over the JCS form of the whole event envelope. */
  readonly hash: string
}

/** Reads `{seq, hash}`. */
export const parseHead = (members: Members): Result.Result<Head, Problem> =>
  attempt(() => ({ seq: valid(members.integer("seq")), hash: valid(members.hash("hash", "sha256")) }))

/** The operations this version writes, with their payloads. */
export type Operation =
  | { readonly op: "add"; readonly payload: { readonly subject: string } }
  | { readonly op: "revoke"; readonly payload: { readonly subject: string } }
  | { readonly op: "rotate"; readonly payload: { readonly new_primary: string; readonly new_sig: string } }
  | { readonly op: "add_device"; readonly payload: JsonObject }
  | { readonly op: "add_endpoint"; readonly payload: Endpoint.Endpoint }
  | { readonly op: "remove_endpoint"; readonly payload: Endpoint.EndpointName }
  | { readonly op: "set_shared_files"; readonly payload: SharedFiles }

/** The anchor of the shared-files manifest. */
export interface SharedFiles {
  /** `blake3:<64 hex>` over the manifest's bytes. */
  readonly manifest: string
  /** Bytes. */
  readonly size: number
  /** The manifest's revision. Absent in events written before manifests could follow an anchor. */
  readonly revision?: number
}

/** An event of a chain. */
export interface Event {
  /** The owner of the chain, who signs the envelope. */
  readonly primary: string
  readonly seq: number
  /** Absent exactly at `seq` 0. */
  readonly prev?: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** One of {@link Operation}'s names, or an unknown one. */
  readonly op: string
  readonly payload: JsonObject
}

/** The event in an envelope; signature and links are not checked. Fails with `event_malformed`. */
export const parseEvent = (envelope: Envelope.Envelope): Result.Result<Event, Problem> =>
  Result.gen(function* () {
    const members = yield* Envelope.payloadOf(envelope, "sigchain_event", "event_malformed")
    const seq = yield* members.integer("seq")
    if (members.has("prev") !== seq > 0) return yield* members.bad("prev", "must be absent exactly in the first event")
    const prev = seq === 0 ? {} : { prev: yield* members.hash("prev", "sha256") }
    const createdAt = yield* members.time("created_at")
    const op = yield* members.string("op", Limits.operationMax)
    const payload = yield* members.members("payload")
    return { primary: envelope.signature.key, seq, ...prev, createdAt, op, payload: payload.json }
  })

/** The payload of an event that extends `after` (or starts a chain), to be signed by `primary`. */
export const eventPayload = (event: {
  readonly primary: string
  readonly after: Head | undefined
  readonly operation: Operation
  readonly createdAt: number
}): JsonObject => ({
  type: Envelope.kinds.sigchain_event.type,
  version: Envelope.version,
  primary: event.primary,
  seq: event.after === undefined ? 0 : event.after.seq + 1,
  ...(event.after === undefined ? {} : { prev: event.after.hash }),
  created_at: Timestamp.fromMillis(event.createdAt),
  op: event.operation.op,
  payload: { ...event.operation.payload }
})

/** The bytes that link to an event: its hash is their SHA-256, written `sha256:<hex>`. */
export const linkInput = (event: Envelope.Envelope): Uint8Array => Envelope.encode(event)

const parseSharedFiles = (payload: JsonObject): Result.Result<SharedFiles, Problem> =>
  Result.gen(function* () {
    const members = new Members(payload, "event_malformed", "set_shared_files")
    const manifest = yield* members.hash("manifest", "blake3")
    const size = yield* members.integer("size", 1, Limits.manifestBytes)
    return members.has("revision")
      ? { manifest, size, revision: yield* members.integer("revision") }
      : { manifest, size }
  })

/** A new key's acceptance of a chain: the signed payload, the key, and the signature. */
export interface RotationAcceptance {
  readonly newPrimary: string
  readonly system: "ed25519" | "nostr"
  readonly payload: JsonObject
  /** 128 hex digits, as received. */
  readonly sig: string
}

/** The payload that the new key of a rotation signs. */
export const acceptancePayload = (rotation: {
  readonly old: string
  readonly new: string
  readonly after: Head | undefined
  readonly createdAt: number
}): JsonObject => ({
  type: "kez.rotation_acceptance",
  version: Envelope.version,
  old: rotation.old,
  new: rotation.new,
  seq: rotation.after === undefined ? 0 : rotation.after.seq + 1,
  ...(rotation.after === undefined ? {} : { prev: rotation.after.hash }),
  created_at: Timestamp.fromMillis(rotation.createdAt)
})

/** The acceptance to verify before a `rotate` event is applied; admits the new key. */
export const rotationAcceptance = (event: Event): Result.Result<RotationAcceptance, Problem> =>
  Result.gen(function* () {
    const members = new Members(event.payload, "event_malformed", "rotate")
    const newPrimary = yield* members.string("new_primary")
    const key = yield* PrimaryKey.parse(newPrimary)
    if (newPrimary === event.primary) return yield* members.bad("new_primary", "is the old one")
    const sig = yield* members.hex("new_sig", Limits.signatureBytes)
    const after = event.prev === undefined ? undefined : { seq: event.seq - 1, hash: event.prev }
    const payload = acceptancePayload({ old: event.primary, new: newPrimary, after, createdAt: event.createdAt })
    return { newPrimary, system: key.system, payload, sig }
  })

/** A claim of another identity, as recorded in the chain. */
export interface ChainClaim {
  readonly subject: string
  /** The last event that added it. */
  readonly seq: number
  readonly revoked: boolean
}

/** The result of all events of a chain. Plain JSON data that can be stored and resumed. */
export interface ChainState {
  readonly primary: string
  /** Absent for a chain without events. */
  readonly head?: Head
  /** Size of the chain in JSONL: the JCS form of every event and a line feed. */
  readonly bytes: number
  readonly endpoints: ReadonlyArray<Endpoint.Endpoint>
  readonly claims: ReadonlyArray<ChainClaim>
  /** Payloads of `add_device`, as found. */
  readonly devices: ReadonlyArray<JsonObject>
  readonly sharedFiles?: SharedFiles
  /** The key to which the chain was rotated, which ended it. A rotation alone does not make that key trusted. */
  readonly rotatedTo?: string
  /** Events without effect: operations unknown to this version, and KEZ payloads without a subject. */
  readonly ignored: ReadonlyArray<{ readonly seq: number; readonly op: string }>
}

export const empty = (primary: string): ChainState => ({
  primary,
  bytes: 0,
  endpoints: [],
  claims: [],
  devices: [],
  ignored: []
})

/** An event whose signature (and rotation acceptance) is verified, with its hash and its size in JCS. */
export interface CheckedEvent {
  readonly event: Event
  readonly hash: string
  readonly bytes: number
}

/** `event` must belong to this chain and follow `head`. Fails with `event_malformed` or `chain_conflict`. */
export const checkNext = (primary: string, head: Head | undefined, event: Event): Result.Result<void, Problem> => {
  if (event.primary !== primary) return fail("event_malformed", `event ${event.seq} belongs to ${event.primary}`)
  const expected = head === undefined ? 0 : head.seq + 1
  if (event.seq !== expected) return fail("chain_conflict", `expected event ${expected}, found ${event.seq}`)
  if (event.prev !== head?.hash) return fail("chain_conflict", `event ${event.seq} does not follow ${head?.hash}`)
  return Result.succeed(undefined)
}

/** Checks this version's rules for an operation's payload. Fails with `event_malformed`. */
export const checkOperation = (primary: string, operation: Operation): Result.Result<unknown, Problem> => {
  const payload: JsonObject = { ...operation.payload }
  switch (operation.op) {
    case "add_endpoint":
      return Endpoint.parse(payload, primary)
    case "remove_endpoint":
      return Endpoint.parseName(payload)
    case "set_shared_files":
      return parseSharedFiles(payload)
    case "add":
    case "revoke":
      return new Members(payload, "event_malformed", operation.op).string("subject", Limits.identifierMax)
    case "rotate":
    case "add_device":
      return Result.succeed(undefined)
  }
}

/** Operations that stay possible in a full chain: rotation and revocation. */
/** What subjects are compared by; one that is no identifier counts as it is written. */
const normal = (subject: string): string =>
  Result.match(Identifier.parse(subject), { onFailure: () => subject, onSuccess: ({ text }) => text })

const isAlwaysAdmitted = (op: string): boolean => op === "rotate" || op === "revoke" || op.startsWith("remove_")

/**
 * Whether an event of `bytes` bytes in JCS fits in a chain of `chainBytes` bytes: the last 256 KiB admit only `rotate`,
 * `revoke` and `remove_*`. Fails with `too_large` or `chain_full`.
 */
export const checkRoom = (chainBytes: number, op: string, bytes: number): Result.Result<void, Problem> => {
  if (bytes > Limits.eventBytes) return fail("too_large", `the event has ${bytes} bytes`)
  const most = isAlwaysAdmitted(op) ? Limits.chainBytes : Limits.chainBytes - Limits.chainReserve
  if (chainBytes + bytes + 1 <= most) return Result.succeed(undefined)
  return fail("chain_full", `a chain of ${chainBytes} bytes has no room for ${op}, ${bytes} bytes`)
}

/**
 * Applies events to a state in order, all or none. Fails with `chain_conflict` (a gap, a repetition or another
 * predecessor), `chain_terminated` (an event after `rotate`), `chain_full` or `event_malformed`.
 */
export const extend = (state: ChainState, events: ReadonlyArray<CheckedEvent>): Result.Result<ChainState, Problem> =>
  Result.gen(function* () {
    let { bytes, head, rotatedTo, sharedFiles } = state
    let endpoints = state.endpoints
    const claims = new Map(state.claims.map((claim) => [normal(claim.subject), claim]))
    const devices = [...state.devices]
    const ignored = [...state.ignored]
    for (const { bytes: size, event, hash } of events) {
      if (rotatedTo !== undefined)
        return yield* fail("chain_terminated", `an event follows the rotation to ${rotatedTo}`)
      yield* checkNext(state.primary, head, event)
      yield* checkRoom(bytes, event.op, size)
      bytes += size + 1
      head = { seq: event.seq, hash }
      switch (event.op) {
        case "add":
        case "revoke": {
          const subject = event.payload["subject"]
          if (typeof subject !== "string") ignored.push({ seq: event.seq, op: event.op })
          else if (event.op === "add") claims.set(normal(subject), { subject, seq: event.seq, revoked: false })
          else {
            const added = claims.get(normal(subject))
            if (added === undefined) ignored.push({ seq: event.seq, op: event.op })
            else claims.set(normal(subject), { ...added, revoked: true })
          }
          break
        }
        case "add_endpoint": {
          const endpoint = yield* Endpoint.parse(event.payload, state.primary)
          endpoints = [...endpoints.filter((known) => !Endpoint.isNamed(known, endpoint)), endpoint]
          break
        }
        case "remove_endpoint": {
          const name = yield* Endpoint.parseName(event.payload)
          endpoints = endpoints.filter((known) => !Endpoint.isNamed(known, name))
          break
        }
        case "set_shared_files":
          sharedFiles = yield* parseSharedFiles(event.payload)
          break
        case "rotate":
          rotatedTo = (yield* rotationAcceptance(event)).newPrimary
          break
        case "add_device":
          devices.push(event.payload)
          break
        default:
          ignored.push({ seq: event.seq, op: event.op })
      }
    }
    return {
      primary: state.primary,
      ...(head === undefined ? {} : { head }),
      bytes,
      endpoints,
      claims: [...claims.values()],
      devices,
      ...(sharedFiles === undefined ? {} : { sharedFiles }),
      ...(rotatedTo === undefined ? {} : { rotatedTo }),
      ignored
    }
  })

/** Comparison of a verified chain with the previously known head. */
export type Comparison =
  | { readonly _tag: "new" }
  | { readonly _tag: "same" }
  | { readonly _tag: "extended"; readonly by: number }
  /** The event at `known.seq` changed: two histories of one key. */
  | { readonly _tag: "fork"; readonly known: Head; readonly seen: Head }
  /** The chain ends before the known head. Empty where a head is known means unavailable, not rolled back. */
  | { readonly _tag: "rollback"; readonly known: Head; readonly seen: Head }
  | { readonly _tag: "unavailable"; readonly known: Head }

/** Compares hashes of a verified chain from event `first` on with the highest known head, which is not before it. */
export const compare = (known: Head | undefined, hashes: ReadonlyArray<string>, first = 0): Comparison => {
  const last = hashes.at(-1)
  if (known === undefined) return { _tag: "new" }
  if (last === undefined) return { _tag: "unavailable", known }
  const seen = { seq: first + hashes.length - 1, hash: last }
  if (seen.seq < known.seq) return { _tag: "rollback", known, seen }
  const there = hashes[known.seq - first]
  if (there !== known.hash) return { _tag: "fork", known, seen: { seq: known.seq, hash: there ?? seen.hash } }
  return seen.seq === known.seq ? { _tag: "same" } : { _tag: "extended", by: seen.seq - known.seq }
}

/** The problem for a fork or rollback, naming both heads; undefined for every other comparison. */
export const alarm = (primary: string, comparison: Comparison): Problem | undefined => {
  if (comparison._tag !== "fork" && comparison._tag !== "rollback") return undefined
  const { known, seen } = comparison
  const heads = `known is event ${known.seq} ${known.hash}, seen is event ${seen.seq} ${seen.hash}`
  const code = comparison._tag === "fork" ? "chain_fork" : "chain_rollback"
  return Result.getOrThrow(Result.flip(fail(code, `${primary}: ${heads}`)))
}
