/** Making what is queued for a key anew for another one: for a contact's new key, or with the account's own new key. */
import * as Effect from "effect/Effect"
import { self, Trust } from "../contacts/index.ts"
import type { Events } from "../internal/Events.ts"
import { scanRows } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import type { SendQueue } from "../internal/SendQueue.ts"
import * as MessageLog from "./MessageLog.ts"

const { key } = Rows

type Queue = SendQueue["Service"]

/** See `SendQueue.readdress`. */
export const makeReaddress = ({
  abandon,
  enqueue,
  events
}: Pick<Queue, "abandon" | "enqueue"> & { readonly events: Events["Service"] }): Queue["readdress"] =>
  Effect.fnUntraced(function* (transaction, session, peerHex, to) {
    const texts: Array<string> = []
    for (const { key: rowKey, row } of yield* scanRows(transaction, { prefix: Rows.prefix.out }, Rows.Out)) {
      const main = row.copies.find((copy) => copy.main)
      if (row.peer !== peerHex || main === undefined || row.message === undefined) continue
      const message = yield* transaction.get(key.message(peerHex, row.message), Rows.MessageRow)
      if (message?.body["type"] !== "text" || typeof message.body["text"] !== "string") continue
      for (const copy of row.copies) transaction.delete(key.frame(copy.kezId))
      transaction.delete(rowKey)
      transaction.delete(key.message(peerHex, row.message))
      const removed = MessageLog.toMessage(peerHex, row.message, message)
      transaction.onCommit(() => events.publish({ _tag: "MessageRemoved", message: removed }))
      texts.push(message.body["text"])
    }
    yield* abandon(transaction, peerHex, "it was made for a key that is not used any more: send or share it again")
    for (const text of texts) {
      const message = yield* enqueue(transaction, session, to, { type: "text", text })
      const row = yield* transaction.get(key.contact(to.hex), Rows.Contact)
      const contact = row ?? (to.hex === session.identity.key.hex ? self(session.account()) : undefined)
      if (message === undefined || contact === undefined) continue
      transaction.onCommit(() => events.publish({ _tag: "Message", message, contact: Trust.toContact(contact) }))
    }
  })
