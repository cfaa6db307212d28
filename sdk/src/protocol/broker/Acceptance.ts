/**
 * A home's signed statement that it accepted a frame (spec/broker.md, Acceptance). It names the recipient and the frame by
 * hashes, and no place in the stream.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import type { JsonObject } from "../encoding/Json.ts"
import * as Timestamp from "../encoding/Timestamp.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import type { Problem } from "../Problem.ts"
import * as Envelope from "../sigchain/Envelope.ts"

/** The header of a send that asks for an acceptance, and its value. */
export const header = "Kez-Accept"
export const asked = "1"

export interface Acceptance {
  /** The home server's name. */
  readonly server: string
  /** The key of the home that signs, one of its description's `acceptance_keys`. */
  readonly key: AdmittedKey
  /** `sha256:<hex>` of {@link recipientBytes}. */
  readonly recipient: string
  /** `sha256:<hex>` of the frame. */
  readonly frame: string
  /** Milliseconds since the epoch, whole seconds. */
  readonly acceptedAt: number
}

const recipientLabel = Bytes.utf8("kez.chat.acceptance/1\0")

/** What is hashed to name a recipient by its 32-byte Ed25519 key. */
export const recipientBytes = (ed25519: Uint8Array): Uint8Array => Bytes.concat(recipientLabel, ed25519)

export const payload = (acceptance: Acceptance): JsonObject => ({
  type: Envelope.kinds.acceptance.type,
  version: Envelope.version,
  server: acceptance.server,
  key: PrimaryKey.format(acceptance.key),
  recipient: acceptance.recipient,
  frame: acceptance.frame,
  accepted_at: Timestamp.fromMillis(acceptance.acceptedAt)
})

/** The acceptance in an envelope; the signature is not checked. Fails with `envelope_malformed` or a code of its parts. */
export const parse = (envelope: Envelope.Envelope): Result.Result<Acceptance, Problem> =>
  Result.gen(function* () {
    const members = yield* Envelope.payloadOf(envelope, "acceptance", "envelope_malformed")
    const server = yield* members.string("server")
    const key = yield* PrimaryKey.parseEd25519(yield* members.string("key"))
    const recipient = yield* members.hash("recipient", "sha256")
    const frame = yield* members.hash("frame", "sha256")
    const acceptedAt = yield* members.time("accepted_at")
    return { server, key, recipient, frame, acceptedAt }
  })
