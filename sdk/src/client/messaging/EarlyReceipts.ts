/** Receipts that arrive, also those that come before the own copies of their messages. */
import * as Effect from "effect/Effect"
import type * as SealedMessage from "../../crypto/SealedMessage.ts"
import { type Body, Bytes } from "../../protocol/index.ts"
import type { Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"
import type { Message as Kept } from "../model/index.ts"
import * as MessageLog from "./MessageLog.ts"

const { key } = Rows

/** Most receipts of one contact that are kept for messages whose own copies have not come. */
const earlyMax = 512

/** With the own key, enough to make a message's envelope again. */
export const proofOf = ({ envelope, message }: SealedMessage.Opened) => ({
  salt: Bytes.toBase64Url(message.salt),
  sig: envelope.signature.sig,
  ...(message.prev === undefined ? {} : { prev: message.prev })
})

/**
 * Applies a receipt to the messages that this account wrote to the receipt's author, and to no others. An own copy is
 * stored after its addressee's, so receipts can stand before it in the stream: they are kept until it comes.
 */
export const apply = Effect.fnUntraced(function* (
  transaction: Transaction,
  session: Session,
  body: Body.Receipt,
  opened: SealedMessage.Opened
) {
  const { message: receipt, peer } = opened
  const author = peer.hex
  let isKept = false
  const early: Array<string> = []
  const changed: Array<Kept> = []
  for (const id of new Set(body.ids)) {
    const seen = yield* transaction.get(key.seenBy(session.identity.key.hex, id), Rows.Seen)
    if (seen === undefined) early.push(id)
    if (seen?.peer !== author || seen.order === undefined) continue
    const advance = MessageLog.advance(body.status)
    const message = yield* MessageLog.change(transaction, author, seen.order, (row) => {
      if (row.direction === "in" || row.receipts?.[body.status] !== undefined) return advance(row)
      isKept = true
      return { ...advance(row), receipts: { ...row.receipts, [body.status]: receipt.id } }
    })
    if (message !== undefined) changed.push(message)
  }
  if (isKept) {
    transaction.put(key.receipt(author, receipt.id), Rows.Receipt, {
      body: opened.json as Rows.ReceiptRow["body"],
      device: receipt.device,
      seq: receipt.seq,
      hash: opened.hash,
      createdAt: receipt.createdAt,
      proof: proofOf(opened)
    })
  }
  if (early.length === 0) return changed
  const before = (yield* transaction.get(key.early(author), Rows.Early))?.receipts ?? []
  const read = new Set(before.flatMap(({ id, status }) => (status === "read" ? [id] : [])))
  const kept = before.filter(({ id }) => !early.includes(id))
  const added = early.map((id) => ({ id, status: read.has(id) ? ("read" as const) : body.status }))
  transaction.put(key.early(author), Rows.Early, { receipts: [...kept, ...added].slice(-earlyMax) })
  return changed
})

/** The state that receipts which came before an own copy give to its message. */
export const take = Effect.fnUntracedEager(function* (transaction: Transaction, peer: string, messageId: string) {
  const receipts = (yield* transaction.get(key.early(peer), Rows.Early))?.receipts ?? []
  const found = receipts.find(({ id }) => id === messageId)
  if (found === undefined) return "stored" as const
  const left = receipts.filter((one) => one !== found)
  if (left.length === 0) transaction.delete(key.early(peer))
  else transaction.put(key.early(peer), Rows.Early, { receipts: left })
  return found.status
})
