/**
 * Handing a handle over from one key to another at a home server (spec: registration, Handing over): the old key's
 * statement, which holds the new key's acceptance, and the new key's registration, which becomes the record's.
 */
import * as Result from "effect/Result"
import { Members } from "../encoding/Members.ts"
import type { Json, JsonObject } from "../encoding/Json.ts"
import * as Timestamp from "../encoding/Timestamp.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as Handle from "../identity/Handle.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import * as Registration from "./Registration.ts"

/** What both keys sign. */
export interface Statement {
  /** The local part. */
  readonly handle: string
  readonly server: string
  readonly old: AdmittedKey
  readonly new: AdmittedKey
  /** Hash of the event that ended the old key's chain, `sha256:<hex>`. */
  readonly rotate: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** The body of `POST /v1/transfer`. */
export interface Request {
  /** A `handle_transfer`, signed by the old key. */
  readonly transfer: Envelope.Envelope
  /** A `handle_registration` of the same handle, signed by the new key. */
  readonly registration: Envelope.Envelope
}

const named = (statement: Statement): Result.Result<Handle.Handle, Problem> =>
  Handle.parse(`${statement.handle}@${statement.server}`)

/** The payload that the new key signs. */
export const acceptancePayload = (statement: Statement): Result.Result<JsonObject, Problem> =>
  Result.map(named(statement), ({ local, server }) => ({
    type: "kez.handle_transfer_acceptance",
    version: Envelope.version,
    handle: local,
    server,
    old: PrimaryKey.format(statement.old),
    new: PrimaryKey.format(statement.new),
    rotate: statement.rotate,
    created_at: Timestamp.fromMillis(statement.createdAt)
  }))

/** The payload that the old key signs; `newSig` is the new key's signature over {@link acceptancePayload}, in hex. */
export const payload = (statement: Statement & { readonly newSig: string }): Result.Result<JsonObject, Problem> =>
  Result.map(named(statement), ({ local, server }) => ({
    type: Envelope.kinds.handle_transfer.type,
    version: Envelope.version,
    handle: local,
    server,
    primary: PrimaryKey.format(statement.old),
    new: PrimaryKey.format(statement.new),
    rotate: statement.rotate,
    created_at: Timestamp.fromMillis(statement.createdAt),
    new_sig: statement.newSig
  }))

/** A request whose members agree; no signature is checked. */
export interface Parsed extends Statement {
  readonly request: Request
  /** What the new key signed of the transfer, and its signature. */
  readonly acceptance: JsonObject
  readonly newSig: string
  /** When the registration was made, in milliseconds since the epoch. */
  readonly registeredAt: number
}

/** The request in a JSON value; `envelope_malformed` and `envelope_kind`, or the code of a member's form. */
export const parse = (json: Json): Result.Result<Parsed, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "envelope_malformed", "transfer")
    const { registration, transfer, ...others } = members.json
    if (Object.keys(others).length > 0) return yield* fail("envelope_malformed", "the transfer has other members")
    const request = {
      transfer: yield* Envelope.fromJson(transfer ?? null),
      registration: yield* Envelope.fromJson(registration ?? null)
    }
    const statement = yield* Envelope.payloadOf(request.transfer, "handle_transfer", "envelope_malformed")
    const local = yield* statement.string("handle")
    const handle = yield* Handle.parse(`${local}@${yield* statement.string("server")}`)
    const old = yield* PrimaryKey.parseEd25519(yield* statement.string("primary"))
    const successor = yield* PrimaryKey.parseEd25519(yield* statement.string("new"))
    const rotate = yield* statement.hash("rotate", "sha256")
    const createdAt = yield* statement.time("created_at")
    const newSig = yield* statement.hex("new_sig", Limits.signatureBytes)
    if (old.hex === successor.hex) return yield* fail("envelope_malformed", "old and new key are the same")
    const registered = yield* Registration.parseRegistration(request.registration)
    if (
      registered.key.hex !== successor.hex ||
      registered.handle !== handle.local ||
      registered.server !== handle.server
    ) {
      return yield* fail("envelope_malformed", "the registration is not one of this handle by the new key")
    }
    const said = { handle: handle.local, server: handle.server, old, new: successor, rotate, createdAt }
    return { ...said, request, acceptance: yield* acceptancePayload(said), newSig, registeredAt: registered.createdAt }
  })

/** `clock_skew` unless both statements were made within 5 minutes of `now` (milliseconds). */
export const checkWindow = (
  { createdAt, registeredAt }: Pick<Parsed, "createdAt" | "registeredAt">,
  now: number
): Result.Result<void, Problem> =>
  Result.flatMap(Registration.checkWindow({ createdAt }, now), () =>
    Registration.checkWindow({ createdAt: registeredAt }, now)
  )

/** The JSON value of a request, as it is sent. */
export const toJson = ({ registration, transfer }: Request): JsonObject => ({
  transfer: Envelope.toJson(transfer),
  registration: Envelope.toJson(registration)
})
