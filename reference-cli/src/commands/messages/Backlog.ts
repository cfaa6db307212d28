/** Messages of all conversations in local order. */
import type { Contact, KezChat, KezChatError, Message } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"

type Chat = KezChat["Service"]

export interface Placed {
  readonly message: Message
  readonly contact: Contact
}

const pageSize = 200

/** The messages of one conversation after `order`, oldest first. */
const since = Effect.fnUntraced(function* (chat: Chat, contact: Contact, order: number) {
  let found: ReadonlyArray<Message> = []
  let before: number | undefined
  for (;;) {
    const page = yield* chat.history(contact.primary, {
      limit: pageSize,
      ...(before === undefined ? {} : { before })
    })
    const newer = page.filter((message) => message.order > order)
    found = [...newer, ...found]
    if (newer.length < pageSize) return found.map((message) => ({ message, contact }))
    before = page[0]!.order
  }
})

/** All messages after `order`, oldest first, without those of blocked contacts. */
export const after = Effect.fn("Backlog.after")(function* (
  chat: Chat,
  order: number
): Effect.fn.Return<ReadonlyArray<Placed>, KezChatError> {
  const contacts = yield* chat.contacts
  const found = yield* Effect.forEach(
    contacts.filter(({ state }) => state !== "blocked"),
    (contact) => since(chat, contact, order)
  )
  return found.flat().toSorted((a, b) => a.message.order - b.message.order)
})

/** The largest `order` of any message, 0 if there is none. */
export const newestOrder = Effect.fn("Backlog.newestOrder")(function* (
  chat: Chat
): Effect.fn.Return<number, KezChatError> {
  const contacts = yield* chat.contacts
  const newest = yield* Effect.forEach(contacts, ({ primary }) => chat.history(primary, { limit: 1 }))
  return Math.max(0, ...newest.flat().map(({ order }) => order))
})
