/** Reports to the home's operator: a signed statement, with messages that the operator can verify (spec: reports). */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import type { JsonObject } from "../encoding/Json.ts"
import { Members } from "../encoding/Members.ts"
import * as Timestamp from "../encoding/Timestamp.ts"
import type { AdmittedKey } from "../identity/KeyAdmission.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import * as Message from "./Message.ts"

export const reasons = ["spam", "abuse", "illegal", "impersonation", "other"] as const
export type Reason = (typeof reasons)[number]

/** A message with the secret that opens it, and no other message. */
export interface Evidence {
  readonly message: Envelope.Envelope
  /** The message's own key and nonce: 44 bytes (KEZ-DM-006). */
  readonly opens: Uint8Array
}

export interface Report {
  /** The home server's name. */
  readonly server: string
  readonly reporter: AdmittedKey
  readonly reported: AdmittedKey
  readonly reason: Reason
  readonly note: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly messages: ReadonlyArray<Evidence>
}

/** The payload of a report. */
export const payload = (report: Report): JsonObject => ({
  type: Envelope.kinds.report.type,
  version: Envelope.version,
  server: report.server,
  primary: PrimaryKey.format(report.reporter),
  reported: PrimaryKey.format(report.reported),
  reason: report.reason,
  note: report.note,
  created_at: Timestamp.fromMillis(report.createdAt),
  messages: report.messages.map(({ message, opens }) => ({
    message: Envelope.toJson(message),
    opens: Bytes.toBase64Url(opens)
  }))
})

/**
 * The report in an envelope, whose messages are from the reported to the reporter; no signature is checked. Fails with
 * `envelope_malformed`, `message_misdirected`, or the code of a malformed message, key or time.
 */
export const parse = (envelope: Envelope.Envelope): Result.Result<Report, Problem> =>
  Result.gen(function* () {
    const members = yield* Envelope.payloadOf(envelope, "report", "envelope_malformed")
    const server = yield* members.string("server")
    const reporter = yield* PrimaryKey.parseEd25519(yield* members.string("primary"))
    const reported = yield* PrimaryKey.parseEd25519(yield* members.string("reported"))
    const given = yield* members.string("reason")
    const reason = reasons.find((each) => each === given)
    if (reason === undefined) return yield* members.bad("reason", "is not known")
    const note = yield* members.string("note", Limits.reportNoteCharacters, 0)
    const createdAt = yield* members.time("created_at")
    const messages: Array<Evidence> = []
    for (const item of yield* members.array("messages", Limits.reportMessages)) {
      const each = yield* Members.of(item, "envelope_malformed", "reported message")
      const message = yield* Envelope.fromJson(each.json["message"] ?? null)
      const { from, to } = yield* Message.parse(message)
      if (from.hex !== reported.hex || to.hex !== reporter.hex)
        return yield* fail("message_misdirected", "not from the reported account to the reporter")
      messages.push({ message, opens: yield* each.bytes("opens", { length: Message.okmBytes }) })
    }
    return { server, reporter, reported, reason, note, createdAt, messages }
  })
