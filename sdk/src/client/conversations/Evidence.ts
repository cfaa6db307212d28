/** The use case `evidence`: what this account can show of one message to anybody (spec/evidence.md). */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Identity } from "../../crypto/Identity.ts"
import * as SignedAcceptance from "../../crypto/evidence/SignedAcceptance.ts"
import * as SealedMessage from "../../crypto/SealedMessage.ts"
import { Bytes, Envelope, EvidenceFile, PrimaryKey, Sigchain } from "../../protocol/index.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import { admitHex } from "../../protocol/identity/KeyAdmission.ts"
import type { Evidence } from "../../protocol/messages/Report.ts"
import { Problem } from "../../protocol/Problem.ts"
import { ContactBook } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as ProvenMessage from "../internal/ProvenMessage.ts"
import * as Rows from "../internal/rows/index.ts"

const { key } = Rows

const notFound = (detail: string) => new Problem({ code: "evidence_invalid", detail })

/** A message by its id: of this account, or of one of its contacts, under whichever key it was. */
const find = Effect.fnUntraced(function* (own: ReadonlyArray<string>, id: string) {
  const ledger = yield* Ledger
  const contacts = yield* (yield* ContactBook).all
  const authors = [...own, ...contacts.flatMap(({ former, primary }) => [PrimaryKey.hexOf(primary), ...former])]
  for (const author of authors) {
    const seen = yield* ledger.get(key.seenBy(author, id), Rows.Seen)
    if (seen?.peer === undefined || seen.order === undefined) continue
    const row = yield* ledger.get(key.message(seen.peer, seen.order), Rows.MessageRow)
    if (row !== undefined) return { row, peer: seen.peer }
  }
  return yield* notFound(`no message has the id ${id}`)
})

/** See `KezChat.evidence`. */
export const evidence = Effect.fn("evidence")(function* (identities: ReadonlyArray<Identity>, id: string) {
  const ledger = yield* Ledger
  const account = yield* (yield* CurrentAccount).get
  const own = [PrimaryKey.hexOf(account.primary), ...(account.former ?? [])]
  const { peer: peerHex, row } = yield* find(own, id)
  const peer = yield* Effect.fromResult(admitHex(peerHex))
  const isMine = row.direction === "out"
  const disclosed = yield* ProvenMessage.discloseWith(
    identities,
    (me) => (isMine ? { id, from: me, to: peer } : { id, from: peer, to: me }),
    row
  )
  if (disclosed === undefined) {
    if (own.length > identities.length) {
      return yield* notFound("it is of a key that this account had before, whose words this device does not have")
    }
    return yield* notFound("it was stored by a version of this program that kept too little to prove it")
  }

  const { evidence: message, identity } = disclosed
  const receipts: Array<Evidence> = []
  for (const receiptId of Object.values(row.receipts ?? {})) {
    const receipt = yield* ledger.get(key.receipt(peerHex, receiptId), Rows.Receipt)
    if (receipt === undefined) continue
    const stored = { ...receipt, body: receipt.body as JsonObject }
    const made = yield* ProvenMessage.disclose(identity, { id: receiptId, from: peer, to: identity.key }, stored)
    if (made !== undefined) receipts.push(made)
  }

  const contact = yield* ledger.get(key.contact(peerHex), Rows.Contact)
  const heads: Record<string, Sigchain.Head> = {}
  // A former key's chain has ended, and no head of it is kept.
  if (account.head !== undefined && identity.primary === account.primary) heads[account.primary] = account.head
  if (contact?.head !== undefined) heads[contact.primary] = contact.head

  const acceptance = yield* acceptanceOf(account.server, peerHex, row, message.message)
  const file = { message, receipts, heads, ...(acceptance === undefined ? {} : { acceptance }) }
  return JSON.stringify(EvidenceFile.toJson(file), undefined, 2)
})

/** The home's statement of a sent message, from what is kept of it. */
const acceptanceOf = Effect.fnUntraced(function* (
  server: string,
  recipientHex: string,
  { acceptance, proof }: Rows.MessageRow,
  message: Envelope.Envelope
) {
  if (acceptance === undefined || proof?.ephemeral === undefined) return undefined
  const recipient = yield* Effect.fromResult(admitHex(recipientHex))
  const signer = yield* Effect.fromResult(PrimaryKey.parseEd25519(acceptance.key))
  const ephemeral = yield* Effect.fromResult(Bytes.fromBase64Url(proof.ephemeral))
  const sig = Result.getOrThrow(Bytes.fromBase64Url(acceptance.sig))
  const frame = yield* SealedMessage.sealFrameWith(Envelope.encode(message), recipient, ephemeral)
  const accepted = { server, key: signer, recipient, frame }
  return { statement: yield* SignedAcceptance.envelope(accepted, { atMillis: acceptance.at, sig }), ephemeral }
})
