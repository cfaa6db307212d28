/** The file with which somebody shows what they sent or received (spec/evidence.md): its form. Nothing is verified here. */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Json from "../encoding/Json.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"
import * as Envelope from "../sigchain/Envelope.ts"
import * as Sigchain from "../sigchain/Sigchain.ts"
import * as Message from "./Message.ts"
import type { Evidence } from "./Report.ts"

const type = "kez.chat.evidence"

export interface EvidenceFile {
  readonly message: Evidence
  /** The home's statement, and the 32 bytes of the ephemeral key that make the accepted frame again. */
  readonly acceptance?: { readonly statement: Envelope.Envelope; readonly ephemeral: Uint8Array }
  /** Receipts of the addressee for the message, at most one of each status. */
  readonly receipts: ReadonlyArray<Evidence>
  /** The newest sigchain heads that the exporter knows, by primary. */
  readonly heads: Readonly<Record<string, Sigchain.Head>>
}

const disclosed = ({ message, opens }: Evidence): Json.JsonObject => ({
  message: Envelope.toJson(message),
  opens: Bytes.toBase64Url(opens)
})

export const toJson = ({ acceptance, heads, message, receipts }: EvidenceFile): Json.JsonObject => ({
  type,
  version: Envelope.version,
  ...disclosed(message),
  ...(acceptance === undefined
    ? {}
    : {
        acceptance: {
          statement: Envelope.toJson(acceptance.statement),
          ephemeral: Bytes.toBase64Url(acceptance.ephemeral)
        }
      }),
  receipts: receipts.map(disclosed),
  heads: Object.fromEntries(Object.entries(heads).map(([primary, head]) => [primary, { ...head }]))
})

const readDisclosed = (members: Members): Result.Result<Evidence, Problem> =>
  Result.gen(function* () {
    const message = yield* Envelope.fromJson(members.get("message") ?? null)
    return { message, opens: yield* members.bytes("opens", { length: Message.okmBytes }) }
  })

/** Parses a file strictly. Fails with `evidence_invalid`, or the code of an envelope that has not its form. */
export const parse = (input: string | Uint8Array): Result.Result<EvidenceFile, Problem> =>
  Result.gen(function* () {
    const json = yield* Json.parse(input, { maxBytes: Limits.evidenceBytes })
    const members = yield* Members.of(json, "evidence_invalid", "evidence")
    if (members.get("type") !== type || members.get("version") !== Envelope.version) {
      return yield* fail("evidence_invalid", `it is not ${type} of version ${Envelope.version}`)
    }
    const message = yield* readDisclosed(members)
    const receipts: Array<Evidence> = []
    for (const item of yield* members.array("receipts", 2)) {
      receipts.push(yield* readDisclosed(yield* Members.of(item, "evidence_invalid", "receipt")))
    }
    const heads: Record<string, Sigchain.Head> = Object.create(null)
    const named = yield* members.members("heads")
    for (const primary of Object.keys(named.json).slice(0, 2)) {
      yield* PrimaryKey.parseEd25519(primary)
      heads[primary] = yield* Sigchain.parseHead(yield* named.members(primary))
    }
    if (!members.has("acceptance")) return { message, receipts, heads }
    const accepted = yield* members.members("acceptance")
    const statement = yield* Envelope.fromJson(accepted.get("statement") ?? null)
    const ephemeral = yield* accepted.bytes("ephemeral", { length: Limits.keyBytes })
    return { message, acceptance: { statement, ephemeral }, receipts, heads }
  })
