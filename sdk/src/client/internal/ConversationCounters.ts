/** What is counted of each conversation, and the order in which everything on this device was stored. */
import * as Effect from "effect/Effect"
import type { StoreError } from "../../services/LocalStore.ts"
import type { Transaction } from "./Ledger.ts"
import * as Rows from "./rows/index.ts"

const none: Rows.ConversationCountersRow = {
  seq: 0,
  lastIncoming: 0,
  deliveredReceiptedUpTo: 0,
  readReceiptedUpTo: 0,
  readUpTo: 0,
  readReceiptDueUpTo: 0
}

/** The counters of a conversation, all zero for a new one. */
export const counters = (
  transaction: Transaction,
  peerHex: string
): Effect.Effect<Rows.ConversationCountersRow, StoreError> =>
  Effect.map(transaction.get(Rows.key.conversation(peerHex), Rows.ConversationCounters), (row) => row ?? none)

/** Takes the next place in local order. Places start at 1, so that 0 can mean "before all". */
export const nextOrder = (transaction: Transaction): Effect.Effect<number, StoreError> =>
  Effect.map(transaction.get(Rows.key.order, Rows.Order), (row) => {
    const order = row?.next ?? 1
    transaction.put(Rows.key.order, Rows.Order, { next: order + 1 })
    return order
  })

/** Counters whose receipts begin with the next message: what came as a request is never receipted. */
export const receiptsFromHere = (
  transaction: Transaction,
  counts: Rows.ConversationCountersRow
): Effect.Effect<Rows.ConversationCountersRow, StoreError> =>
  Effect.map(transaction.get(Rows.key.order, Rows.Order), (row) => {
    const last = (row?.next ?? 1) - 1
    return { ...counts, deliveredReceiptedUpTo: last, readReceiptedUpTo: last, readReceiptDueUpTo: last }
  })
