import * as Schema from "effect/Schema"
import { JsonObject, Millis } from "./Protocol.ts"

/**
 * `queued`: on this device. `stored`: at the home server. `delivered` and `read`: by the recipient's signed receipts.
 * `failed`: it will not be sent.
 */
export const MessageState = Schema.Literals(["queued", "stored", "delivered", "read", "failed"])
export type MessageState = typeof MessageState.Type

/** The file that a message of type `file_share` offers; `fetch` takes the message's `id`. */
export class OfferedFile extends Schema.Opaque<OfferedFile>()(
  Schema.Struct({
    /** The owner's name for it, untrusted: use `FileName.display` to show it and `FileName.safe` to save it. */
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

/** A received or written message. */
export class Message extends Schema.Opaque<Message>()(
  Schema.Struct({
    /** Chosen by the sender, 22 base64url characters. */
    id: Schema.String,
    /** The conversation: the other account's primary key, or the own one for notes to self. */
    peer: Schema.String,
    direction: Schema.Literals(["in", "out"]),
    /**
     * The text, or the name of an offered file, fit for display. For a body type that this version does not know: its
     * fallback, or a sentence that says so.
     */
    text: Schema.String,
    /** Body type as sent: `text`, `file_share`, ... */
    type: Schema.String,
    /** The offered file of a `file_share`. Its content is not here before `fetch`. */
    file: Schema.optionalKey(OfferedFile),
    /** The complete signed body, for types that contain more than a text. */
    body: JsonObject,
    /** The sender's clock, milliseconds since the epoch. */
    createdAt: Millis,
    /** When the home server stored it, by its clock, or when it was written here; milliseconds since the epoch. */
    arrivedAt: Millis,
    /** Position in local order, which grows with every message stored on this device. */
    order: Schema.Natural,
    /** Only of outgoing messages. */
    state: Schema.optionalKey(MessageState),
    /** Why it failed. */
    failure: Schema.optionalKey(Schema.String),
    /**
     * Why the home server refuses a queued message for now. `full`: the recipient's inbox has no room. `slow`: a rate
     * limit, until the given time (milliseconds since the epoch) if that is known. It is retried. `moved`: the
     * recipient's key was handed over to another one; it waits for the user's decision about that key.
     */
    waiting: Schema.optionalKey(
      Schema.Struct({ reason: Schema.Literals(["full", "slow", "moved"]), until: Schema.optionalKey(Millis) })
    ),
    /** When the home server signed that it accepted the message, milliseconds since the epoch; see `evidence`. */
    acceptedAt: Schema.optionalKey(Millis),
    /** `createdAt` is more than 30 days before or 10 minutes after its arrival. */
    suspicious: Schema.optionalKey(Schema.Literal(true)),
    /** Number of messages that this sender's device sent before this one and that are missing here. */
    gap: Schema.optionalKey(Schema.Natural),
    /** Another envelope with the same sender and id arrived later: the sender equivocates. */
    equivocation: Schema.optionalKey(Schema.Literal(true)),
    /** Another envelope has the same sequence number: two programs of the sender use one device id. */
    fork: Schema.optionalKey(Schema.Literal(true)),
    /** Written with a former key of the contact and stored after the user accepted the key after it. */
    retired: Schema.optionalKey(Schema.Literal(true))
  })
) {}

/** What is missing from a conversation, as far as its messages tell: what was sent last can be missing unnoticed. */
export class HistoryCheck extends Schema.Opaque<HistoryCheck>()(
  Schema.Struct({
    messages: Schema.Natural,
    /** Messages that name the one before them. */
    linked: Schema.Natural,
    /** Messages whose author had one before them that this device never had: its hash is `prev`. */
    missing: Schema.Array(Schema.Struct({ before: Message, prev: Schema.String })),
    /** Runs of numbers of the other side's devices that never came, receipts and other hidden messages among them. */
    gaps: Schema.Array(
      Schema.Struct({ from: Schema.String, device: Schema.String, first: Schema.Natural, last: Schema.Natural })
    )
  })
) {}
