import * as Schema from "effect/Schema"
import { StoreError } from "../../services/LocalStore.ts"
import { Account, Rotation } from "./Account.ts"
import { Contact } from "./Contact.ts"
import { InboxUsage } from "./InboxUsage.ts"
import { Message } from "./Message.ts"
import { Claim, Proving } from "./proofs/Proof.ts"
import { HeldRequest } from "./proofs/Request.ts"
import { Share } from "./Share.ts"

/** A change on this device. It survives the process before it is published, and the loss of power before it is acknowledged. */
export const Event = Schema.Union([
  /** The account was created or restored as far as `account.step`. */
  Schema.TaggedStruct("Account", { account: Account }),
  /** A step of a rotation of this account was taken. */
  Schema.TaggedStruct("Rotating", { rotation: Rotation }),
  /** The key of this account was handed over to `account.movedTo`, not by this device: nothing can be sent any more. */
  Schema.TaggedStruct("HandedOver", { account: Account }),
  /** A message was stored: a received one, or one written here or on another device of this account. */
  Schema.TaggedStruct("Message", { message: Message, contact: Contact }),
  /** A message's state or marks changed. */
  Schema.TaggedStruct("State", { message: Message }),
  /** A message that failed was removed. */
  Schema.TaggedStruct("MessageRemoved", { message: Message }),
  /** Messages were marked as read: `unread` of the conversation with `peer` (a primary key) is 0. */
  Schema.TaggedStruct("Read", { peer: Schema.String }),
  /** The draft for `peer` (a primary key) changed; an empty `text` removed it. */
  Schema.TaggedStruct("Draft", { peer: Schema.String, text: Schema.String }),
  /** A message from somebody who is not an accepted contact was stored. */
  Schema.TaggedStruct("Request", { contact: Contact, message: Message }),
  /** A contact was added or changed: named, accepted, blocked, verified, and so on. */
  Schema.TaggedStruct("Contact", { contact: Contact }),
  Schema.TaggedStruct("ContactRemoved", { contact: Contact }),
  /** Sending to a contact stopped, or is stopped for another reason; `contact.warning` is the reason. */
  Schema.TaggedStruct("KeyChanged", { contact: Contact }),
  /** A warning about a contact ended by itself, and its key is the same as before; `detail` says why. */
  Schema.TaggedStruct("KeyHealed", { contact: Contact, detail: Schema.String }),
  /** A reminder, at most once a day: another key is offered for a contact whose key the user keeps. */
  Schema.TaggedStruct("KeyOffered", { contact: Contact }),
  /**
   * A check changed what is known of a claim: another `state`, or `revoked`. `contact` is the account itself for its own
   * claims.
   */
  Schema.TaggedStruct("ProofChanged", { contact: Contact, claim: Claim }),
  /** A proof of this account that is being made got further, or was looked for in vain. */
  Schema.TaggedStruct("Proving", { proving: Proving }),
  /** The inbox policy holds mail of a stranger back, or found out more about them. */
  Schema.TaggedStruct("Held", { request: HeldRequest }),
  /** Progress of serving a file to a contact: about once a second, and when a response ends. */
  Schema.TaggedStruct("Served", {
    share: Share,
    contact: Contact,
    /** Bytes of the encrypted blob that were handed to the network. */
    sentBytes: Schema.Natural,
    totalBytes: Schema.Natural
  }),
  /** A share was added, or the manifest that lists it was published. */
  Schema.TaggedStruct("Shared", { share: Share }),
  /** A share was withdrawn. */
  Schema.TaggedStruct("Unshared", { share: Share }),
  /** The manifest cannot be published or anchored, and retrying does not help; see {@link Share.problem}. */
  Schema.TaggedStruct("PublishingFailed", { code: Schema.String, detail: Schema.String }),
  /** An unreadable frame of the inbox was skipped. `code` is one of the protocol's problem codes. */
  Schema.TaggedStruct("Dropped", { code: Schema.String, detail: Schema.String }),
  /** Mail, or copies of sent messages, fill 80 % of their limit at the home server. At most once a day for each. */
  Schema.TaggedStruct("InboxFilling", { box: Schema.Literals(["mail", "sent"]), usage: InboxUsage }),
  /**
   * Arriving messages cannot be stored: the disk is full (`full`), or another `reason` of {@link StoreError}. They stay
   * at the home server and are retried every 5 s. A listener that subscribes meanwhile gets this event first.
   */
  Schema.TaggedStruct("StoreFailing", { reason: StoreError.fields.reason, detail: Schema.String }),
  /** Arriving messages can be stored again, after `StoreFailing`. */
  Schema.TaggedStruct("StoreRecovered", {}),
  /** This listener fell behind and missed `count` events. No data is lost: read conversations, history and contacts again. */
  Schema.TaggedStruct("Missed", { count: Schema.Natural })
])
export type Event = typeof Event.Type
