/** The use case `markRead`: moves the read mark of a contact's conversations, and makes read receipts due. */
import * as Effect from "effect/Effect"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import { readSettings } from "../internal/Settings.ts"
import { Receipts } from "../messaging/index.ts"
import { find, keysOf } from "./History.ts"

/** See `KezChat.markRead`. */
export const markRead = Effect.fn("markRead")(function* (who: string) {
  const ledger = yield* Ledger
  const events = yield* Events
  const receipts = yield* Receipts
  const row = yield* find(who)
  yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      const { readReceipts } = yield* readSettings(transaction)
      let unread = 0
      for (const hex of keysOf(row)) {
        const counters = yield* ConversationCounters.read(transaction, hex)
        const { lastIncoming, readReceiptDueUpTo, readReceiptedUpTo } = counters
        unread += counters.unread ?? 0
        ConversationCounters.put(transaction, hex, {
          ...counters,
          readUpTo: lastIncoming,
          readReceiptDueUpTo: Math.max(readReceiptDueUpTo, lastIncoming),
          // What is read while read receipts are off stays without one when they are switched on.
          readReceiptedUpTo: readReceipts ? readReceiptedUpTo : Math.max(readReceiptedUpTo, lastIncoming),
          unread: 0
        })
        transaction.onCommit(() => receipts.due(hex))
      }
      if (unread > 0) transaction.onCommit(() => events.publish({ _tag: "Read", peer: row.primary }))
    })
  )
})
