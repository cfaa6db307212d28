/** The use case `send`: checks a text, then stores and queues it in one commit. The outbox does the rest. */
import * as Effect from "effect/Effect"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { ContactBook, self, Trust } from "../contacts/index.ts"
import { Events } from "../internal/Events.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Session } from "../internal/Session.ts"
import { ContactUnknown } from "../model/index.ts"
import { chainOf } from "./Outbox.ts"
import * as SendableText from "./SendableText.ts"

/** See `KezChat.send`. */
export const send = Effect.fn("send")(function* (session: Session, who: string, text: string) {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const sendQueue = yield* SendQueue
  const events = yield* Events
  const account = session.account()
  const { primary } = yield* book.find(who, account)
  yield* SendableText.check(text, chainOf(account))
  const peer = yield* Effect.fromResult(PrimaryKey.parseEd25519(primary))
  return yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      const row =
        primary === account.primary ? self(account) : yield* transaction.get(Rows.key.contact(peer.hex), Rows.Contact)
      if (row === undefined) return yield* new ContactUnknown({ who })
      const refused = Trust.reasonNotToSend(row)
      if (refused !== undefined) return yield* refused
      const message = yield* sendQueue.enqueue(transaction, session, peer, { type: "text", text })
      if (message === undefined) return yield* Effect.die("a text leaves a message")
      transaction.onCommit(() => events.publish({ _tag: "Message", message, contact: Trust.toContact(row) }))
      return message
    })
  )
})
