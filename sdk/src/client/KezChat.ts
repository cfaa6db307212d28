/**
 * A chat account on this device: the use cases of the SDK, composed.
 *
 * One process per account holds a `KezChat`. What it acknowledges is on disk: a message that `send` returned survives
 * the loss of process and network and goes out once, whenever the broker can be reached.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { Envelope } from "../protocol/Envelope.ts"
import type { Head } from "../protocol/Sigchain.ts"
import type { ConnectionState } from "../services/Broker.ts"
import type { KezChatError } from "./KezChatError.ts"

/** The account of this device. `step` says how far creation got; `resume` and every start carry on from there. */
export interface Account {
  /** `local@server`. */
  readonly handle: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  /** This installation's id, 22 base64url characters. */
  readonly device: string
  /** Base URL of the home server. */
  readonly home: string
  readonly step: "created" | "registered" | "published"
}

/** Where a contact's key stands for this account. */
export interface Contact {
  readonly handle: string
  readonly primary: string
  /**
   * `accepted`: may write to us. `requested`: wrote to us and awaits a decision. `blocked`: nothing of theirs is shown.
   * `changed`: the server names another key (`changedTo`) for the handle, or the chain was rolled back, forked or
   * rotated; sending stops until `acceptKey` or removal.
   */
  readonly state: "accepted" | "requested" | "blocked" | "changed"
  readonly changedTo?: string
  /** Why the state is `changed`, in a sentence. */
  readonly warning?: string
  /** The safety number was compared and confirmed by the user. */
  readonly verified: boolean
  /** Highest sigchain head seen. */
  readonly head?: Head
  /** Milliseconds since the epoch. */
  readonly addedAt: number
}

/** `queued` here, `stored` at the home server, `delivered` to the other device by its signed receipt, `read`; or `failed` for good. */
export type MessageState = "queued" | "stored" | "delivered" | "read" | "failed"

export interface Message {
  /** 22 base64url characters, the sender's. */
  readonly id: string
  /** The conversation: the other account's primary, or one's own for notes to self. */
  readonly peer: string
  readonly direction: "in" | "out"
  /** Text, or the fallback of a body this version does not know. */
  readonly text: string
  /** Body type as sent (`text`, `file_share`, ...). */
  readonly type: string
  /** The sender's clock, milliseconds since the epoch. */
  readonly createdAt: number
  /** Place in local order: grows with every message stored on this device. */
  readonly order: number
  /** Only for `out`. */
  readonly state?: MessageState
  /** Why it failed, when it did. */
  readonly failure?: string
  /** `created_at` lies outside -30 d / +10 min of its arrival. */
  readonly suspicious?: true
  /** Messages of this sender's device before this one that are not held here. */
  readonly gap?: number
  /** Another envelope with the same (from, id) came later: the sender shows different people different things. */
  readonly equivocation?: true
}

/** What happens, as it happens. Every event is durable before it is shown. */
export type Event =
  | { readonly _tag: "Message"; readonly message: Message; readonly contact: Contact }
  | { readonly _tag: "State"; readonly message: Message }
  | { readonly _tag: "Request"; readonly contact: Contact; readonly message: Message }
  | { readonly _tag: "KeyChanged"; readonly contact: Contact }
  | { readonly _tag: "Dropped"; readonly code: string; readonly detail: string }

/** What the safety number and the sigchain of a contact say, for a person to compare. */
export interface Verification {
  readonly contact: Contact
  /** Twelve groups of five digits. */
  readonly safetyNumber: string
  /** `kez:sn1:...` for a QR code. */
  readonly qr: string
  readonly head: Head
  readonly events: ReadonlyArray<Envelope>
  readonly endpoints: ReadonlyArray<Readonly<Record<string, unknown>>>
  readonly claims: ReadonlyArray<{ readonly subject: string; readonly revoked: boolean }>
}

export interface Sent {
  readonly message: Message
}

export class KezChat extends Context.Service<KezChat, {
  /** The account of this device; fails with `NoAccount` before `create` or `restore`. */
  readonly account: Effect.Effect<Account, KezChatError>
  /**
   * Makes an account: saves the seed in the vault, registers the handle, starts the sigchain. Stops safely at any step;
   * calling it again with the same handle carries on. Show `words` to the person *before* this call.
   */
  create(options: { readonly handle: string; readonly words: Redacted.Redacted<string> }): Effect.Effect<Account, KezChatError>
  /** Takes up an account from its 24 (or KEZ's 12) words on this device; the handle is found by the key. History follows by itself. */
  restore(options: { readonly words: Redacted.Redacted<string> }): Effect.Effect<Account, KezChatError>
  /** The 24 words (an account restored from 12 shows the 24 of its seed). */
  readonly words: Effect.Effect<Redacted.Redacted<string>, KezChatError>
  /** Connection to the broker; begins with the present state. */
  readonly connection: Stream.Stream<ConnectionState>
  /** Events from now on. */
  readonly events: Stream.Stream<Event>
  /** Waits until everything stored at the broker by now has been taken in. */
  readonly sync: Effect.Effect<void, KezChatError>
  /** Waits until nothing is queued to be sent. */
  readonly flush: Effect.Effect<void, KezChatError>

  /** Looks a handle up (`chris`, `@chris`, `chris@kez.lat`), verifies record and chain, and keeps the key: trust on first use. */
  addContact(handle: string): Effect.Effect<Contact, KezChatError>
  /** Contacts, accepted first, then requests, then blocked; each by handle. */
  readonly contacts: Effect.Effect<ReadonlyArray<Contact>, KezChatError>
  /** A handle, primary or mention as a contact of ours; fails with `ContactUnknown`. */
  contact(who: string): Effect.Effect<Contact, KezChatError>
  /** Asks server and chain again; shows what changed. */
  refreshContact(who: string): Effect.Effect<Contact, KezChatError>
  /** Safety number, chain and endpoints of a contact. */
  verification(who: string): Effect.Effect<Verification, KezChatError>
  /** Notes that the safety number was compared (or takes that back). */
  setVerified(who: string, verified: boolean): Effect.Effect<Contact, KezChatError>
  /** The user's word that a changed key or chain is right. */
  acceptKey(who: string): Effect.Effect<Contact, KezChatError>
  /** Accepts a message request. */
  accept(who: string): Effect.Effect<Contact, KezChatError>
  block(who: string): Effect.Effect<Contact, KezChatError>
  unblock(who: string): Effect.Effect<Contact, KezChatError>
  /** Forgets a contact; its messages stay unless `withMessages`. */
  removeContact(who: string, withMessages?: boolean): Effect.Effect<void, KezChatError>

  /** Queues a text of at most 40,000 bytes durably and returns at once; the broker is tried in the background. */
  send(who: string, text: string): Effect.Effect<Message, KezChatError>
  /** Messages of a conversation, oldest first; `before` is a `Message.order` to page back from. */
  history(who: string, page?: { readonly before?: number; readonly limit?: number }): Effect.Effect<ReadonlyArray<Message>, KezChatError>
  /** Marks what a contact wrote as read up to now; tells them if read receipts are on. */
  markRead(who: string): Effect.Effect<void, KezChatError>
  /** Read receipts (off at first) and who may write to us. */
  readonly settings: Effect.Effect<Settings, KezChatError>
  updateSettings(change: Partial<Settings>): Effect.Effect<Settings, KezChatError>

  /** Everything of the account but the seed, one JSON object per item: account, chain, contacts, messages. */
  readonly export: Stream.Stream<Readonly<Record<string, unknown>>, KezChatError>
  /** Deletes handle and inbox at the home server, then everything here. It cannot be undone and the handle stays burnt. */
  readonly deleteAccount: Effect.Effect<void, KezChatError>
}>()("@kez-chat/sdk/KezChat") {}

export interface Settings {
  /** Tell others when their messages were read. */
  readonly readReceipts: boolean
  /** Who may write without being asked for: `everyone` arrives as requests, `contacts` drops strangers unseen. */
  readonly inbox: "everyone" | "contacts"
}
