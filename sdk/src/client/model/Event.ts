import type { StoreError } from "../../services/LocalStore.ts"
import type { Contact } from "./Contact.ts"
import type { InboxUsage } from "./InboxUsage.ts"
import type { Message } from "./Message.ts"
import type { Share } from "./Share.ts"

/** What happens, as it happens. Every event is durable before it is shown. */
export type Event =
  /** A message was stored: received, or written here or on another device of this account (`direction` tells). */
  | { readonly _tag: "Message"; readonly message: Message; readonly contact: Contact }
  /** A message's state or marks changed. */
  | { readonly _tag: "State"; readonly message: Message }
  /** Somebody who is no accepted contact wrote. */
  | { readonly _tag: "Request"; readonly contact: Contact; readonly message: Message }
  /** A contact appeared, was resolved, accepted, blocked, verified ... */
  | { readonly _tag: "Contact"; readonly contact: Contact }
  | { readonly _tag: "ContactRemoved"; readonly contact: Contact }
  /** Sending to a contact stopped, or what stopped it is another thing now: `contact.warning` says why. */
  | { readonly _tag: "KeyChanged"; readonly contact: Contact }
  /** What had stopped sending is over by itself, and the contact's key is the one it was: `detail` says what happened. */
  | { readonly _tag: "KeyHealed"; readonly contact: Contact; readonly detail: string }
  /** Another key is still offered for a contact whose key the user keeps. At most once a day. */
  | { readonly _tag: "KeyOffered"; readonly contact: Contact }
  /**
   * A file of ours went out to a contact: so much of it has been handed to the network by now. About once a second, and
   * when an answer ends.
   */
  | {
      readonly _tag: "Served"
      readonly share: Share
      readonly contact: Contact
      /** Bytes of the encrypted blob. */
      readonly sentBytes: number
      readonly totalBytes: number
    }
  /** What we share changed: an entry came or went, or its manifest was published. */
  | { readonly _tag: "Shared"; readonly share: Share }
  | { readonly _tag: "Unshared"; readonly share: Share }
  /** The list of what we share cannot be published or anchored, and waiting does not help; see {@link Share.problem}. */
  | { readonly _tag: "PublishingFailed"; readonly code: string; readonly detail: string }
  /** A frame of the inbox was unreadable and was passed over; a closed problem code and its detail. */
  | { readonly _tag: "Dropped"; readonly code: string; readonly detail: string }
  /** One of the account's boxes at the home is 80 % full: mail, or copies of what was sent. At most once a day for each. */
  | { readonly _tag: "InboxFilling"; readonly box: "mail" | "sent"; readonly usage: InboxUsage }
  /**
   * What arrives cannot be stored: the disk is full (`full`), or {@link StoreError} says what else. It waits at the home
   * server and is tried again every 5 s. A listener that begins meanwhile hears this first.
   */
  | { readonly _tag: "StoreFailing"; readonly reason: StoreError["reason"]; readonly detail: string }
  /** What arrives can be stored again, after `StoreFailing`. */
  | { readonly _tag: "StoreRecovered" }
  /** This listener was too slow and missed `count` events. Nothing is lost: read history and contacts again. */
  | { readonly _tag: "Missed"; readonly count: number }
