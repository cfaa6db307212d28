import * as Schema from "effect/Schema"
import { StoreError } from "../../services/LocalStore.ts"
import { Contact } from "./Contact.ts"
import { InboxUsage } from "./InboxUsage.ts"
import { Message } from "./Message.ts"
import { Share } from "./Share.ts"

/** What happens, as it happens. Every event is durable before it is shown. */
export const Event = Schema.Union([
  /** A message was stored: received, or written here or on another device of this account (`direction` tells). */
  Schema.TaggedStruct("Message", { message: Message, contact: Contact }),
  /** A message's state or marks changed. */
  Schema.TaggedStruct("State", { message: Message }),
  /** Somebody who is no accepted contact wrote. */
  Schema.TaggedStruct("Request", { contact: Contact, message: Message }),
  /** A contact appeared, was resolved, accepted, blocked, verified ... */
  Schema.TaggedStruct("Contact", { contact: Contact }),
  Schema.TaggedStruct("ContactRemoved", { contact: Contact }),
  /** Sending to a contact stopped, or what stopped it is another thing now: `contact.warning` says why. */
  Schema.TaggedStruct("KeyChanged", { contact: Contact }),
  /** What had stopped sending is over by itself, and the contact's key is the one it was: `detail` says what happened. */
  Schema.TaggedStruct("KeyHealed", { contact: Contact, detail: Schema.String }),
  /** Another key is still offered for a contact whose key the user keeps. At most once a day. */
  Schema.TaggedStruct("KeyOffered", { contact: Contact }),
  /**
   * A file of ours went out to a contact: so much of it has been handed to the network by now. About once a second, and
   * when an answer ends.
   */
  Schema.TaggedStruct("Served", {
    share: Share,
    contact: Contact,
    /** Bytes of the encrypted blob. */
    sentBytes: Schema.Natural,
    totalBytes: Schema.Natural
  }),
  /** What we share changed: an entry came or went, or its manifest was published. */
  Schema.TaggedStruct("Shared", { share: Share }),
  Schema.TaggedStruct("Unshared", { share: Share }),
  /** The list of what we share cannot be published or anchored, and waiting does not help; see {@link Share.problem}. */
  Schema.TaggedStruct("PublishingFailed", { code: Schema.String, detail: Schema.String }),
  /** A frame of the inbox was unreadable and was passed over; a closed problem code and its detail. */
  Schema.TaggedStruct("Dropped", { code: Schema.String, detail: Schema.String }),
  /** One of the account's boxes at the home is 80 % full: mail, or copies of what was sent. At most once a day for each. */
  Schema.TaggedStruct("InboxFilling", { box: Schema.Literals(["mail", "sent"]), usage: InboxUsage }),
  /**
   * What arrives cannot be stored: the disk is full (`full`), or {@link StoreError} says what else. It waits at the home
   * server and is tried again every 5 s. A listener that begins meanwhile hears this first.
   */
  Schema.TaggedStruct("StoreFailing", { reason: StoreError.fields.reason, detail: Schema.String }),
  /** What arrives can be stored again, after `StoreFailing`. */
  Schema.TaggedStruct("StoreRecovered", {}),
  /** This listener was too slow and missed `count` events. Nothing is lost: read history and contacts again. */
  Schema.TaggedStruct("Missed", { count: Schema.Natural })
])
export type Event = typeof Event.Type
