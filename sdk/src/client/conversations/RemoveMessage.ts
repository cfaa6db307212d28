/** The use case `removeMessage`: takes a message that was never sent out of its conversation. */
import * as Effect from "effect/Effect"
import { PrimaryKey } from "../../protocol/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { MessageLog } from "../messaging/index.ts"

const { key } = Rows

/** See `KezChat.removeMessage`. */
export const removeMessage = Effect.fn("removeMessage")(function* (id: string) {
  const ledger = yield* Ledger
  const events = yield* Events
  const { primary } = yield* (yield* CurrentAccount).get
  return yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      // What was seen stays: its sequence number is not used again.
      const seen = yield* transaction.get(key.seenBy(PrimaryKey.hexOf(primary), id), Rows.Seen)
      if (seen?.peer === undefined || seen.order === undefined) return false
      const { order, peer } = seen
      const row = yield* transaction.get(key.message(peer, order), Rows.MessageRow)
      if (row?.state !== "failed") return false
      transaction.delete(key.message(peer, order))
      transaction.onCommit(() =>
        events.publish({ _tag: "MessageRemoved", message: MessageLog.toMessage(peer, order, row) })
      )
      return true
    })
  )
})
