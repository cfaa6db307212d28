import * as Schema from "effect/Schema"
import { Contact } from "./Contact.ts"
import { Message } from "./Message.ts"
import { Millis } from "./Protocol.ts"

/** A line of the list of conversations. */
export class Conversation extends Schema.Opaque<Conversation>()(
  Schema.Struct({
    /** The other account's primary key, or the own one for notes to self. */
    peer: Schema.String,
    /** Absent for notes to self. */
    contact: Schema.optionalKey(Contact),
    /** The newest message. */
    last: Schema.optionalKey(Message),
    /**
     * Messages that arrived since `markRead`, or since this account last wrote in the conversation, on any device. Stores
     * of versions that did not count begin at 0.
     */
    unread: Schema.Natural,
    /** Text that is not sent yet. */
    draft: Schema.optionalKey(Schema.String),
    /** `last.arrivedAt`: milliseconds since the epoch. */
    lastAt: Schema.optionalKey(Millis)
  })
) {}

const none = Schema.optionalKey(Schema.Never)
const limit = Schema.optionalKey(Schema.Natural)

/**
 * Which messages of a conversation, by `Message.order`; at most one of the three. Without one, the newest. `before` and
 * `after` exclude the given order; `around` includes it, with about half of the messages before it. `limit` is 50 by
 * default.
 */
export const HistoryPage = Schema.Union([
  Schema.Struct({ before: Schema.optionalKey(Schema.Natural), after: none, around: none, limit }),
  Schema.Struct({ after: Schema.Natural, before: none, around: none, limit }),
  Schema.Struct({ around: Schema.Natural, before: none, after: none, limit })
])
export type HistoryPage = typeof HistoryPage.Type

/** Where to search: in the conversation with `who` (all by default), before the `Message.order` in `before`. */
export const SearchOptions = Schema.Struct({
  who: Schema.optionalKey(Schema.String),
  before: Schema.optionalKey(Schema.Natural),
  /** Most results; unlimited by default. */
  limit
})
export type SearchOptions = typeof SearchOptions.Type
