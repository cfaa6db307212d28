/** The use case `markRead`: moves the read mark of a contact's conversations, and makes read receipts due. */
import * as Effect from "effect/Effect"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import { readSettings } from "../internal/Settings.ts"
import { Receipts } from "../messaging/index.ts"
import { keysOf } from "./History.ts"

/** See `KezChat.markRead`. */
export const markRead = Effect.fn("markRead")(function* (who: string) {
  const ledger = yield* Ledger
  const receipts = yield* Receipts
  const keys = yield* keysOf(who)
  yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      const { readReceipts } = yield* readSettings(transaction)
      for (const hex of keys) {
        const counters = yield* ConversationCounters.read(transaction, hex)
        const { lastIncoming, readReceiptDueUpTo, readReceiptedUpTo } = counters
        ConversationCounters.put(transaction, hex, {
          ...counters,
          readUpTo: lastIncoming,
          readReceiptDueUpTo: Math.max(readReceiptDueUpTo, lastIncoming),
          // What is read while read receipts are off stays without one when they are switched on.
          readReceiptedUpTo: readReceipts ? readReceiptedUpTo : Math.max(readReceiptedUpTo, lastIncoming)
        })
        transaction.onCommit(() => receipts.due(hex))
      }
    })
  )
})
