/** The counters of a conversation: sequence numbers, receipts, and how far the user has read; and its draft. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "./Row.ts"

/** Orders are `Message.order`, 0 for none. On disk the members keep the names that the first version gave them. */
const Counters = Schema.Struct({
  /** The next `seq` of this device to this peer. */
  seq: Count,
  /** Hash of the newest envelope that is not a receipt. */
  prev: Schema.optionalKey(Schema.String),
  /** Order of the newest received message. Receipts for it wait while its author is not accepted. */
  lastIncoming: Count,
  /** Up to this order every `delivered` receipt is queued, or is never to be sent. */
  deliveredReceiptedUpTo: Count,
  /** Up to this order every `read` receipt is queued, or is never to be sent. */
  readReceiptedUpTo: Count,
  /** Up to this order the user has read. */
  readUpTo: Count,
  /** Up to this order the peer may learn that the user has read. */
  readReceiptDueUpTo: Count,
  /** See `Conversation.unread`; absent in older stores. */
  unread: Schema.optionalKey(Count)
}).pipe(
  Schema.encodeKeys({
    lastIncoming: "incoming",
    deliveredReceiptedUpTo: "toldDelivered",
    readReceiptedUpTo: "toldRead",
    readUpTo: "read",
    readReceiptDueUpTo: "tellRead"
  })
)

export const ConversationCounters = row(Counters, Schema.encodeSync(Counters))
export type ConversationCountersRow = RowType<typeof ConversationCounters>

/** Text that is not sent yet. */
export const Draft = row(Schema.Struct({ text: Schema.String }))

export const prefix = { conversations: "talk/", drafts: "draft/" } as const

export const key = {
  conversation: (hex: string) => `${prefix.conversations}${hex}`,
  draft: (hex: string) => `${prefix.drafts}${hex}`
} as const
