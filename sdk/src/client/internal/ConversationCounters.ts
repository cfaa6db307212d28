/** The counters of each conversation, and the local order: the order in which this device stored its messages. */
import * as Effect from "effect/Effect"
import type { StoreError } from "../../services/LocalStore.ts"
import type { Transaction } from "./Ledger.ts"
import * as Rows from "./rows/index.ts"

const zero: Rows.ConversationCountersRow = {
  seq: 0,
  lastIncoming: 0,
  deliveredReceiptedUpTo: 0,
  readReceiptedUpTo: 0,
  readUpTo: 0,
  readReceiptDueUpTo: 0
}

/** The counters of a conversation, all zero for a new one. */
export const read = (transaction: Transaction, peerHex: string) =>
  Effect.mapEager(transaction.get(Rows.key.conversation(peerHex), Rows.ConversationCounters), (row) => row ?? zero)

export const put = (transaction: Transaction, peerHex: string, counters: Rows.ConversationCountersRow): void =>
  transaction.put(Rows.key.conversation(peerHex), Rows.ConversationCounters, counters)

/** Takes the next number of the local order. Numbers start at 1, so that 0 can mean "before the first message". */
export const nextOrder = (transaction: Transaction): Effect.Effect<number, StoreError> =>
  Effect.mapEager(transaction.get(Rows.key.order, Rows.Order), (row) => {
    const order = row?.next ?? 1
    transaction.put(Rows.key.order, Rows.Order, { next: order + 1 })
    return order
  })
