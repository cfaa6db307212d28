/** Messages in local order, and the envelopes and sequence numbers already seen. */
import * as Schema from "effect/Schema"
import type { JsonObject } from "../../../protocol/encoding/Json.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as Message from "../../../protocol/messages/Message.ts"
import { Count, padded, row, type Row, type RowType } from "./Row.ts"

export const Order = row(Schema.Struct({ next: Count }))

const MessageFields = Schema.Struct({
  id: Schema.String,
  direction: Schema.Literals(["in", "out"]),
  body: Schema.Record(Schema.String, Schema.Json),
  device: Schema.String,
  seq: Count,
  hash: Schema.String,
  createdAt: Schema.Number,
  /** When the broker stored it, or when it was written here; milliseconds since the epoch. */
  arrivedAt: Schema.Number,
  state: Schema.optionalKey(Schema.Literals(["queued", "stored", "delivered", "read", "failed"])),
  failure: Schema.optionalKey(Schema.String),
  waiting: Schema.optionalKey(
    Schema.Struct({ reason: Schema.Literals(["full", "slow"]), until: Schema.optionalKey(Schema.Number) })
  ),
  suspicious: Schema.optionalKey(Schema.Literal(true)),
  gap: Schema.optionalKey(Count),
  equivocation: Schema.optionalKey(Schema.Literal(true)),
  fork: Schema.optionalKey(Schema.Literal(true)),
  /** Of a received message: with these and the own key its signed envelope can be made again (MessageEvidence). */
  proof: Schema.optionalKey(
    Schema.Struct({ salt: Schema.String, sig: Schema.String, prev: Schema.optionalKey(Schema.String) })
  )
})
export interface MessageRow extends Omit<typeof MessageFields.Type, "body"> {
  readonly body: JsonObject
}
export const MessageRow: Row<MessageRow> = row(MessageFields) as unknown as Row<MessageRow>

/** Envelope hash and the message it became; `peer` and `order` are absent for receipts and dropped envelopes. */
export const Seen = row(
  Schema.Struct({ hash: Schema.String, peer: Schema.optionalKey(Schema.String), order: Schema.optionalKey(Count) })
)
export type SeenRow = RowType<typeof Seen>

/** Receipts of one contact for messages that no own copy has brought yet, oldest first. */
export const Early = row(
  Schema.Struct({
    receipts: Schema.Array(Schema.Struct({ id: Schema.String, status: Schema.Literals(["delivered", "read"]) }))
  })
)

export const Slot = row(Schema.Struct({ id: Schema.String }))

export const Track = row(Schema.Struct({ highest: Count }))

export const prefix = {
  everyMessage: "message/",
  messages: (peer: string) => `message/${peer}/`,
  seen: "seen/",
  early: "early/",
  slots: "slot/",
  tracks: "track/"
} as const

export const key = {
  order: "order",
  message: (peer: string, order: number) => `${prefix.messages(peer)}${padded(order)}`,
  seen: (message: Parameters<typeof Message.seenKey>[0]) => `${prefix.seen}${Message.seenKey(message)}`,
  early: (author: string) => `${prefix.early}${author}`,
  seenBy: (hex: string, id: string) => `${prefix.seen}${hex}/${id}`,
  slot: (message: Parameters<typeof Message.sequenceKey>[0]) => `${prefix.slots}${Message.sequenceKey(message)}`,
  track: (from: AdmittedKey, to: AdmittedKey, device: string) => `${prefix.tracks}${from.hex}/${to.hex}/${device}`
} as const
