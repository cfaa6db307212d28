/** A conversation as its reader sees it: its history, and how far it was read. */
import * as Effect from "effect/Effect"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { ContactBook } from "../contacts/index.ts"
import * as Conversation from "../internal/ConversationCounters.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { readSettings } from "../internal/Settings.ts"
import * as Conversations from "./MessageLog.ts"
import { Receipts } from "./Receipts.ts"

/** The keys of a contact, as hex: the present one first, then those that it replaced. */
const keysOf = Effect.fnUntraced(function* (who: string) {
  const book = yield* ContactBook
  const account = yield* CurrentAccount
  const row = yield* book.find(who, yield* account.get)
  return [PrimaryKey.hexOf(row.primary), ...row.former]
})

/** See `KezChat.history`. */
export const history = Effect.fn("history")(function* (
  who: string,
  page?: { readonly before?: number; readonly limit?: number }
) {
  return yield* Conversations.history(yield* Ledger, yield* keysOf(who), page)
})

/** See `KezChat.markRead`. */
export const markRead = Effect.fn("markRead")(function* (who: string) {
  const ledger = yield* Ledger
  const receipts = yield* Receipts
  const keys = yield* keysOf(who)
  yield* ledger.transact((transaction) =>
    Effect.gen(function* () {
      const { readReceipts } = yield* readSettings(transaction)
      for (const hex of keys) {
        const talk = yield* Conversation.counters(transaction, hex)
        // What was read while read receipts were off is not receipted when they are switched on.
        const told = readReceipts ? {} : { readReceiptedUpTo: Math.max(talk.readReceiptedUpTo, talk.lastIncoming) }
        const readReceiptDueUpTo = Math.max(talk.readReceiptDueUpTo, talk.lastIncoming)
        transaction.put(Rows.key.conversation(hex), Rows.ConversationCounters, {
          ...talk,
          ...told,
          readUpTo: talk.lastIncoming,
          readReceiptDueUpTo
        })
        transaction.onCommit(() => receipts.due(hex))
      }
    })
  )
})
