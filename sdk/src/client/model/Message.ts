import * as Schema from "effect/Schema"
import { JsonObject, Millis } from "./Protocol.ts"

/**
 * `queued` here, `stored` at the home server, `delivered` to the other device by its signed receipt, `read`; or
 * `failed` for good.
 */
export const MessageState = Schema.Literals(["queued", "stored", "delivered", "read", "failed"])
export type MessageState = typeof MessageState.Type

/** The file that a message of type `file_share` offers; `Message.id` is what fetches it. */
export class OfferedFile extends Schema.Opaque<OfferedFile>()(
  Schema.Struct({
    /** As its owner calls it: `FileName.display` for showing, `FileName.safe` for saving. */
    name: Schema.String,
    mediaType: Schema.String,
    /** Bytes of the file. */
    size: Schema.Natural,
    /** `blake3:<hex>` of the encrypted blob. */
    blobHash: Schema.String,
    /** Encoded image of at most 8 KiB. In JSON it is base64url. */
    thumbnail: Schema.optionalKey(Schema.Uint8ArrayFromBase64Url)
  })
) {}

/** A message of a conversation, received or written. */
export class Message extends Schema.Opaque<Message>()(
  Schema.Struct({
    /** 22 base64url characters, the sender's. */
    id: Schema.String,
    /** The conversation: the other account's primary, or one's own for notes to self. */
    peer: Schema.String,
    direction: Schema.Literals(["in", "out"]),
    /**
     * Text, or the name of an offered file (fit for showing). For a body this version does not know: its fallback, or a
     * sentence that says so.
     */
    text: Schema.String,
    /** Body type as sent (`text`, `file_share`, ...). */
    type: Schema.String,
    /** What a `file_share` offers. Nothing of it is here until `fetch`. */
    file: Schema.optionalKey(OfferedFile),
    /** The whole body as it was signed, for types that say more than a text. */
    body: JsonObject,
    /** The sender's clock, milliseconds since the epoch. */
    createdAt: Millis,
    /** When the home server stored it (its clock), or when it was written here; milliseconds since the epoch. */
    arrivedAt: Millis,
    /** Place in local order: grows with every message stored on this device. */
    order: Schema.Natural,
    /** Only for `out`. */
    state: Schema.optionalKey(MessageState),
    /** Why it failed, when it did. */
    failure: Schema.optionalKey(Schema.String),
    /**
     * Why the home has not taken a queued message yet: the recipient's inbox has no room for it, or a limit of the day is
     * reached, until a time (milliseconds since the epoch) where it is known. It is tried again by itself.
     */
    waiting: Schema.optionalKey(
      Schema.Struct({ reason: Schema.Literals(["full", "slow"]), until: Schema.optionalKey(Millis) })
    ),
    /** `created_at` lies outside -30 d / +10 min of its arrival. */
    suspicious: Schema.optionalKey(Schema.Literal(true)),
    /** Messages of this sender's device before this one that are not held here. */
    gap: Schema.optionalKey(Schema.Natural),
    /** Another envelope with the same (from, id) came later: the sender shows different people different things. */
    equivocation: Schema.optionalKey(Schema.Literal(true)),
    /** Another envelope held the same place in the sender's count: two programs write with one device id. */
    fork: Schema.optionalKey(Schema.Literal(true))
  })
) {}
