/** The use case `conversations`: what the store holds of each conversation, without reading through its messages. */
import * as Effect from "effect/Effect"
import { ContactBook, self, Trust } from "../contacts/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import { Ledger, scanRows } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { MessageLog } from "../messaging/index.ts"
import type { Conversation } from "../model/index.ts"
import { keysOf } from "./History.ts"

/** Conversations that are read at a time: a store may answer reads of one turn together. */
const concurrency = 32

/** See `KezChat.conversations`. */
export const conversations = Effect.gen(function* () {
  const ledger = yield* Ledger
  const book = yield* ContactBook
  const mine = yield* (yield* CurrentAccount).get
  const contacts = yield* book.all
  const rowsOf = <A>(prefix: string, row: Rows.Row<A>) =>
    Effect.map(scanRows(ledger, { prefix }, row), (rows) => new Map(rows.map(({ id, row }) => [id, row])))
  const counters = yield* rowsOf(Rows.prefix.conversations, Rows.ConversationCounters)
  const drafts = yield* rowsOf(Rows.prefix.drafts, Rows.Draft)

  const read = Effect.fnUntraced(function* (row: Rows.ContactRow) {
    const keys = keysOf(row)
    const [last] = yield* MessageLog.newest(ledger, keys, { limit: 1 })
    const draft = keys.map((hex) => drafts.get(hex)?.text).find((text) => text !== undefined)
    const conversation: Conversation = {
      peer: row.primary,
      ...(row.primary === mine.primary ? {} : { contact: Trust.toContact(row) }),
      ...(last === undefined ? {} : { last, lastAt: last.arrivedAt }),
      unread: keys.reduce((sum, hex) => sum + (counters.get(hex)?.unread ?? 0), 0),
      ...(draft === undefined ? {} : { draft })
    }
    return { conversation, at: last?.arrivedAt ?? row.addedAt, order: last?.order ?? 0 }
  })

  const notes = yield* read(self(mine))
  const lines = yield* Effect.forEach(contacts, read, { concurrency })
  const hasNotes = notes.conversation.last !== undefined || notes.conversation.draft !== undefined
  return (hasNotes ? [notes, ...lines] : lines)
    .sort((a, b) => b.at - a.at || b.order - a.order)
    .map(({ conversation }) => conversation)
})
