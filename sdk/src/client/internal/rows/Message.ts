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
    Schema.Struct({ reason: Schema.Literals(["full", "slow", "moved"]), until: Schema.optionalKey(Schema.Number) })
  ),
  suspicious: Schema.optionalKey(Schema.Literal(true)),
  gap: Schema.optionalKey(Count),
  equivocation: Schema.optionalKey(Schema.Literal(true)),
  fork: Schema.optionalKey(Schema.Literal(true)),
  retired: Schema.optionalKey(Schema.Literal(true)),
  /** With these and the own key the message's signed envelope can be made again (MessageEvidence). */
  proof: Schema.optionalKey(
    Schema.Struct({
      salt: Schema.String,
      sig: Schema.String,
      prev: Schema.optionalKey(Schema.String),
      /** Of a message sent here: the scalar of its frame's ephemeral key, which makes that frame again. */
      ephemeral: Schema.optionalKey(Schema.String)
    })
  ),
  /** The home's verified signature that it accepted the message: time in milliseconds, key `ed25519:<hex>`. */
  acceptance: Schema.optionalKey(Schema.Struct({ at: Schema.Number, key: Schema.String, sig: Schema.String })),
  /** Ids of the receipts that the other side signed for it; see `Receipt`. */
  receipts: Schema.optionalKey(
    Schema.Struct({ delivered: Schema.optionalKey(Schema.String), read: Schema.optionalKey(Schema.String) })
  )
})
export interface MessageRow extends Omit<typeof MessageFields.Type, "body"> {
  readonly body: JsonObject
}
export const MessageRow: Row<MessageRow> = row(MessageFields) as unknown as Row<MessageRow>

/** A receipt of a contact, from which its signed envelope can be made again. */
export const Receipt = row(
  Schema.Struct({
    body: Schema.Record(Schema.String, Schema.Json),
    device: Schema.String,
    seq: Count,
    hash: Schema.String,
    createdAt: Schema.Number,
    proof: Schema.Struct({ salt: Schema.String, sig: Schema.String, prev: Schema.optionalKey(Schema.String) })
  })
)
export type ReceiptRow = RowType<typeof Receipt>

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
  everyReceipt: "receipt/",
  receipts: (peer: string) => `receipt/${peer}/`,
  seen: "seen/",
  early: "early/",
  slots: "slot/",
  tracks: "track/"
} as const

export const key = {
  order: "order",
  message: (peer: string, order: number) => `${prefix.messages(peer)}${padded(order)}`,
  seen: (message: Parameters<typeof Message.seenKey>[0]) => `${prefix.seen}${Message.seenKey(message)}`,
  receipt: (peer: string, id: string) => `${prefix.receipts(peer)}${id}`,
  early: (author: string) => `${prefix.early}${author}`,
  seenBy: (hex: string, id: string) => `${prefix.seen}${hex}/${id}`,
  slot: (message: Parameters<typeof Message.sequenceKey>[0]) => `${prefix.slots}${Message.sequenceKey(message)}`,
  track: (from: AdmittedKey, to: AdmittedKey, device: string) => `${prefix.tracks}${from.hex}/${to.hex}/${device}`
} as const
