/**
 * Checks an evidence file (spec/evidence.md) without an account and without a server. What holds is what the keys in it
 * signed; whose they are, and whether a home published its key, the caller asks elsewhere.
 */
import * as Effect from "effect/Effect"
import * as Acceptance from "../../protocol/broker/Acceptance.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import * as EvidenceFile from "../../protocol/messages/EvidenceFile.ts"
import * as Envelope from "../../protocol/sigchain/Envelope.ts"
import * as Sigchain from "../../protocol/sigchain/Sigchain.ts"
import { Problem } from "../../protocol/Problem.ts"
import { Members } from "../../protocol/encoding/Members.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as MessageEvidence from "./MessageEvidence.ts"
import * as SealedMessage from "../SealedMessage.ts"
import * as SignedAcceptance from "./SignedAcceptance.ts"
import * as SignedEnvelope from "../SignedEnvelope.ts"

/** What a file shows. Times are in milliseconds since the epoch. */
export interface Shown {
  /** Primary of the author, who signed the message. */
  readonly from: string
  /** Primary of the addressee. */
  readonly to: string
  readonly id: string
  /** The author's clock. */
  readonly createdAt: number
  readonly body: JsonObject
  /**
   * The key of a home accepted the frame of this message for this addressee, by the home's clock. It says nothing of
   * storage or delivery: a frame of a blocked sender is accepted, and stored frames expire and are trimmed.
   */
  readonly acceptance?: { readonly server: string; readonly key: string; readonly at: number }
  /** The addressee's device signed that it had the message; by the addressee's clock. */
  readonly receipts: ReadonlyArray<{ readonly status: "delivered" | "read"; readonly createdAt: number }>
  /** Sigchain heads that author and addressee named in what they signed, by primary; the newest of each. */
  readonly heads: Readonly<Record<string, Sigchain.Head>>
}

const invalid = (detail: string) => new Problem({ code: "evidence_invalid", detail })

/** Fails with `evidence_invalid`, `signature_invalid`, `message_undecryptable`, or a code of the form of a part. */
export const check = Effect.fnUntraced(function* (
  input: string | Uint8Array
): Effect.fn.Return<Shown, Problem, Crypto> {
  const file = yield* Effect.fromResult(EvidenceFile.parse(input))
  const { body, message } = yield* MessageEvidence.reveal(file.message)
  const [from, to] = [PrimaryKey.format(message.from), PrimaryKey.format(message.to)]
  const heads: Record<string, Sigchain.Head> = {}
  yield* noteHead(heads, from, body)

  const receipts: Array<Shown["receipts"][number]> = []
  for (const evidence of file.receipts) {
    const receipt = yield* MessageEvidence.reveal(evidence)
    const { ids, status, type } = receipt.body
    const isBack = receipt.message.from.hex === message.to.hex && receipt.message.to.hex === message.from.hex
    if (!isBack) return yield* invalid("a receipt is not from the addressee to the author")
    if (type !== "receipt" || !Array.isArray(ids) || !ids.includes(message.id)) {
      return yield* invalid("a receipt does not name the message")
    }
    receipts.push({ status: status === "read" ? "read" : "delivered", createdAt: receipt.message.createdAt })
    yield* noteHead(heads, to, receipt.body)
  }

  for (const [primary, head] of Object.entries(file.heads)) {
    if (primary !== from && primary !== to) return yield* invalid(`${primary} is neither author nor addressee`)
    const signed = heads[primary]
    if (signed !== undefined && (head.seq < signed.seq || (head.seq === signed.seq && head.hash !== signed.hash))) {
      return yield* invalid(`the sigchain head of ${primary} contradicts the one that it signed`)
    }
  }

  const shown = { from, to, id: message.id, createdAt: message.createdAt, body, receipts, heads }
  if (file.acceptance === undefined) return shown
  const { ephemeral, statement } = file.acceptance
  const acceptance = yield* Effect.fromResult(Acceptance.parse(statement))
  yield* SignedEnvelope.verify(statement)
  const encoded = Envelope.encode(file.message.message)
  const frame = yield* SealedMessage.sealFrameWith(encoded, message.to, ephemeral)
  const named = yield* SignedAcceptance.hashes({ recipient: message.to, frame })
  if (named.recipient !== acceptance.recipient) return yield* invalid("the home accepted it for another recipient")
  if (named.frame !== acceptance.frame) return yield* invalid("what the home accepted is not this message")
  const key = PrimaryKey.format(acceptance.key)
  return { ...shown, acceptance: { server: acceptance.server, key, at: acceptance.acceptedAt } }
})

/** Takes over the head that a signed body names, if it is the newest of its author. */
const noteHead = Effect.fnUntraced(function* (heads: Record<string, Sigchain.Head>, primary: string, body: JsonObject) {
  const members = yield* Effect.fromResult(Members.of(body["chain"], "evidence_invalid", "chain"))
  const head = yield* Effect.fromResult(Sigchain.parseHead(members))
  if (head.seq >= (heads[primary]?.seq ?? 0)) heads[primary] = head
})
