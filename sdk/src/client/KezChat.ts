/**
 * A chat account on this device: the use cases of the SDK, composed.
 *
 * One process per account holds a `KezChat`. What it acknowledges is on disk: a message that `send` returned survives
 * the loss of process and network and goes out once, whenever the broker can be reached.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import type { Envelope } from "../protocol/sigchain/Envelope.ts"
import type { JsonObject } from "../protocol/encoding/Json.ts"
import type { ChainClaim, Endpoint, Head } from "../protocol/sigchain/Sigchain.ts"
import type { BlobStore } from "../services/BlobStore.ts"
import type { BlobTransport } from "../services/BlobTransport.ts"
import type { Broker, ConnectionState } from "../services/Broker.ts"
import type { Crypto } from "../services/Crypto.ts"
import type { Directory } from "../services/Directory.ts"
import type { LocalStore, StoreConflict, StoreError } from "../services/LocalStore.ts"
import type { ManifestStore } from "../services/ManifestStore.ts"
import type { SigchainStore } from "../services/SigchainStore.ts"
import type { Vault } from "../services/Vault.ts"
import type { KezChatError } from "./model/KezChatError.ts"
import { make } from "./compose.ts"

/**
 * The account of this device. `step` says how far creation got: the seed is kept, the handle is registered, the sigchain
 * names the inbox. Every start, and `create` or `restore` called again, carries on from there. Sending needs `published`.
 */
export interface Account {
  /** `local@server`. */
  readonly handle: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  /** This installation's id, 22 base64url characters. */
  readonly device: string
  /** The home server's name, the part of the handle after the `@`. */
  readonly server: string
  readonly step: "created" | "registered" | "published"
}

/** Where a contact's key stands for this account. */
export interface Contact {
  /** `local@server`; the primary itself as long as the home server has not named the key. */
  readonly handle: string
  readonly primary: string
  /**
   * `accepted`: may write to us. `requested`: wrote to us and awaits a decision. `blocked`: nothing of theirs is shown.
   * `changed`: the server names another key for the handle or none, or the chain was rolled back, forked or rotated;
   * sending stops until `acceptKey`, `keepKey` or removal, or until what stopped it turns out to be over.
   */
  readonly state: "accepted" | "requested" | "blocked" | "changed"
  /** Another key for this contact. Nothing was ever sent to it; `acceptKey` takes it. */
  readonly offered?: OfferedKey
  /** What is wrong with key or chain, in a sentence; also where the user keeps the key all the same. */
  readonly warning?: string
  /** The user has kept the key in spite of `warning`. */
  readonly kept?: true
  /** The safety number of `primary` was compared and confirmed by the user. */
  readonly verified: boolean
  /** Highest sigchain head seen. */
  readonly head?: Head
  /** Milliseconds since the epoch. */
  readonly addedAt: number
}

/** A key that could take the place of a contact's. */
export interface OfferedKey {
  readonly primary: string
  /**
   * `handed_over`: the contact's own key has signed a rotation to it. `unexplained`: only the home server names it, which
   * a new device without the old words and an attack have in common.
   */
  readonly origin: "handed_over" | "unexplained"
}

/**
 * `queued` here, `stored` at the home server, `delivered` to the other device by its signed receipt, `read`; or
 * `failed` for good.
 */
export type MessageState = "queued" | "stored" | "delivered" | "read" | "failed"

/** The file that a message of type `file_share` offers; `Message.id` is what fetches it. */
export interface OfferedFile {
  /** As its owner calls it: `FileName.display` for showing, `FileName.safe` for saving. */
  readonly name: string
  readonly mediaType: string
  /** Bytes of the file. */
  readonly size: number
  /** `blake3:<hex>` of the encrypted blob. */
  readonly blobHash: string
  /** Encoded image of at most 8 KiB. */
  readonly thumbnail?: Uint8Array
}

export interface Message {
  /** 22 base64url characters, the sender's. */
  readonly id: string
  /** The conversation: the other account's primary, or one's own for notes to self. */
  readonly peer: string
  readonly direction: "in" | "out"
  /**
   * Text, or the name of an offered file (fit for showing). For a body this version does not know: its fallback, or a
   * sentence that says so.
   */
  readonly text: string
  /** Body type as sent (`text`, `file_share`, ...). */
  readonly type: string
  /** What a `file_share` offers. Nothing of it is here until `fetch`. */
  readonly file?: OfferedFile
  /** The whole body as it was signed, for types that say more than a text. */
  readonly body: JsonObject
  /** The sender's clock, milliseconds since the epoch. */
  readonly createdAt: number
  /** When the home server stored it (its clock), or when it was written here; milliseconds since the epoch. */
  readonly arrivedAt: number
  /** Place in local order: grows with every message stored on this device. */
  readonly order: number
  /** Only for `out`. */
  readonly state?: MessageState
  /** Why it failed, when it did. */
  readonly failure?: string
  /**
   * Why the home has not taken a queued message yet: the recipient's inbox has no room for it, or a limit of the day is
   * reached, until a time (milliseconds since the epoch) where it is known. It is tried again by itself.
   */
  readonly waiting?: { readonly reason: "full" | "slow"; readonly until?: number }
  /** `created_at` lies outside -30 d / +10 min of its arrival. */
  readonly suspicious?: true
  /** Messages of this sender's device before this one that are not held here. */
  readonly gap?: number
  /** Another envelope with the same (from, id) came later: the sender shows different people different things. */
  readonly equivocation?: true
  /** Another envelope held the same place in the sender's count: two programs write with one device id. */
  readonly fork?: true
}

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

/** Bytes of the account's frames at its home, and how many there may be. */
export interface BoxUsage {
  readonly used: number
  readonly limit: number
  /** When the oldest frame there was stored, milliseconds since the epoch; absent where there is none. */
  readonly oldest?: number
}

/** How full an account's inbox at its home is. Frames stay there, for new and restored devices, until retention ends. */
export interface InboxUsage {
  /** Mail from others. */
  readonly mail: BoxUsage & {
    /** The part of it that strangers use, and may use. */
    readonly strangers: { readonly used: number; readonly limit: number }
  }
  /** Copies of what was sent. */
  readonly sent: BoxUsage
}

/** A contact's key with the safety number that both sides see if it is theirs. */
export interface NumberedKey {
  readonly primary: string
  /** Twelve groups of five digits. */
  readonly safetyNumber: string
  /** `kez:sn1:...` for a QR code. */
  readonly qr: string
}

/** What the safety number and the sigchain of a contact say, for a person to compare. */
export interface Verification {
  readonly contact: Contact
  /** The key that this account holds as the contact's. */
  readonly pinned: NumberedKey
  /**
   * The key that is offered in its place. While the contact is `changed`, this is the number to compare: the contact's
   * old device still shows the pinned one, also when somebody else has taken the handle.
   */
  readonly offered?: OfferedKey & Partial<NumberedKey>
  /** Absent where the sig-server knows no chain of theirs. */
  readonly head?: Head
  /** Every event of the chain, verified. */
  readonly events: ReadonlyArray<Envelope>
  readonly endpoints: ReadonlyArray<Endpoint>
  readonly claims: ReadonlyArray<ChainClaim>
}

/** A file to be shared. */
export interface FileSource {
  /** A bare file name of 1 to 255 characters. */
  readonly name: string
  /** Where it lies within a shared folder, parts separated by `/`. */
  readonly folder?: string
  /** `application/octet-stream` unless told. */
  readonly mediaType?: string
  /** Encoded image of at most 8 KiB, shown to who may fetch the file. */
  readonly thumbnail?: Uint8Array
  /** Its content, read once from the first byte to the last. What it throws becomes a `FileError`. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** With whom a file is shared. At least one contact, or `public`. */
export interface ShareOptions {
  readonly file: FileSource
  /** Contacts who get an offer and may fetch it. */
  readonly with?: ReadonlyArray<string>
  /** Everybody who browses may see and read it. */
  readonly public?: boolean
  /** No entry in the manifest: only the offers lead to it. */
  readonly unlisted?: boolean
  /** Called as the file is encrypted, with the bytes of it that are done. */
  readonly onProgress?: (bytes: number) => void
}

/** A file that this account shares. */
export interface Share {
  /** 22 base64url characters; its entry in the manifest where it is listed. */
  readonly id: string
  readonly name: string
  readonly folder?: string
  readonly mediaType: string
  /** Bytes of the file. */
  readonly size: number
  readonly blobHash: string
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
  readonly listed: "readers" | "public" | "unlisted"
  /** `published`: readers find it in the list at the home. `pending`: not yet, it is tried again by itself. */
  readonly manifest: "pending" | "published" | "none"
  /**
   * Why the list cannot be published, where waiting does not help, such as `too_large`; with `chain_full` it is
   * published, and the sigchain names no further list. A code of the protocol and what to do.
   */
  readonly problem?: { readonly code: string; readonly detail: string }
  /** Whether this device has the bytes; another device of the account may. */
  readonly here: boolean
  readonly readers: ReadonlyArray<ShareReader>
  /** The id of a newer share of the same path that all readers of this one may fetch. This one stays until `unshare`. */
  readonly replacedBy?: string
}

export interface ShareReader {
  readonly primary: string
  readonly handle: string
  /** Bytes of the encrypted blob that were handed to the network for them. */
  readonly sentBytes: number
  /** When all of it had been, milliseconds since the epoch. */
  readonly fetchedAt?: number
}

/** A file of another account that this one may fetch, by its manifest. */
export interface ListedFile extends OfferedFile {
  /** The entry's id. */
  readonly id: string
  readonly folder?: string
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
  readonly public: boolean
  /** The id of the newest file of the same path, where this one is older: show that one instead. */
  readonly replacedBy?: string
}

/** What an account shares with this one. */
export interface Listing {
  readonly owner: Contact
  /** 0 where nothing was ever shared. */
  readonly revision: number
  /** When the owner signed it, milliseconds since the epoch. */
  readonly createdAt?: number
  /** `kept`: the home could not be asked; this is the newest one seen before. */
  readonly source: "home" | "kept"
  /** By path. */
  readonly files: ReadonlyArray<ListedFile>
}

/** How far fetching a file has come. */
export interface FetchProgress {
  readonly file: OfferedFile & { readonly folder?: string }
  readonly owner: Contact
  /**
   * `waiting`: for the owner's device or for a connection, `reason` says why; it goes on by itself. `complete` is the
   * last one: the encrypted blob is here and verified, and `read` gives the file.
   */
  readonly state: "waiting" | "connecting" | "receiving" | "complete"
  readonly reason?: string
  /** Bytes of the blob that are here and verified, those of earlier runs included. */
  readonly haveBytes: number
  readonly totalBytes: number
}

/** How a {@link KezChat} is to run. */
export interface Options {
  /**
   * The account that the store must hold, if it holds one: `ed25519:<hex>`. Another one fails with `StoreError`
   * `foreign`, before anything in store or blobs is touched. Without it, that shows when the key is first used.
   */
  readonly primary?: string
  /**
   * Use no network but where a call cannot do without it (`create`, `addContact`, ...): no broker connection, no
   * background checks. What is sent waits in the store. Default false.
   */
  readonly offline?: boolean
}

export class KezChat extends Context.Service<
  KezChat,
  {
    /** The account of this device; fails with `NoAccount` before `create` or `restore`. */
    readonly account: Effect.Effect<Account, KezChatError>
    /**
     * Makes an account: saves the seed in the vault, registers the handle, starts the sigchain. Stops safely at any step;
     * calling it again with the same handle carries on. Show `words` to the person *before* this call.
     */
    create(options: {
      readonly handle: string
      readonly words: Redacted.Redacted<string>
    }): Effect.Effect<Account, KezChatError>
    /**
     * Takes up an account from its 24 (or KEZ's 12) words on this device; the handle is found by the key. History follows
     * by itself, as far back as the broker retains it (30 days by default).
     */
    restore(options: { readonly words: Redacted.Redacted<string> }): Effect.Effect<Account, KezChatError>
    /** The 24 words (an account restored from 12 shows the 24 of its seed). */
    readonly words: Effect.Effect<Redacted.Redacted<string>, KezChatError>
    /** Connection to the broker; begins with the present state. `Closed` while there is no account, or offline by option. */
    readonly connection: Stream.Stream<ConnectionState>
    /**
     * Events from the moment the stream is run. A listener may lag 4,096 events behind; beyond that it gets `Missed`
     * instead of the events it has no room for, and never slows intake down.
     */
    readonly events: Stream.Stream<Event>
    /**
     * Waits until everything stored at the broker by now has been taken in; fails at once while the broker is out of
     * reach.
     */
    readonly sync: Effect.Effect<void, KezChatError>
    /**
     * Waits until all that can be sent has been, receipts that are due included, and until the manifest was published or an
     * attempt at it failed; fails at once while the broker is out of reach. Not waited for here are messages to contacts in
     * state `changed`, which wait for the user, and to inboxes that are full or have had enough of ours for a while: they
     * stay queued and are tried again.
     */
    readonly flush: Effect.Effect<void, KezChatError>

    /**
     * Looks a handle up (`chris`, `@chris`, `chris@kez.lat`), verifies record and chain, and keeps the key: trust on
     * first use.
     */
    addContact(handle: string): Effect.Effect<Contact, KezChatError>
    /** Contacts, accepted first, then requests, then blocked; each by handle. */
    readonly contacts: Effect.Effect<ReadonlyArray<Contact>, KezChatError>
    /** A handle, primary or mention as a contact of ours; fails with `ContactUnknown`. */
    contact(who: string): Effect.Effect<Contact, KezChatError>
    /** Asks server and chain again; shows what changed. */
    refreshContact(who: string): Effect.Effect<Contact, KezChatError>
    /** Safety number, chain and endpoints of a contact. */
    verification(who: string): Effect.Effect<Verification, KezChatError>
    /**
     * Notes that the safety number of `primary` was compared. Fails with `KeyRefused` unless `primary` is the key of an
     * accepted contact: an offered key has to be accepted first.
     */
    confirmKey(who: string, primary: string): Effect.Effect<Contact, KezChatError>
    /** Takes that back. */
    unconfirmKey(who: string): Effect.Effect<Contact, KezChatError>
    /**
     * Takes the offered key `primary` in place of the contact's. The home is asked once more; fails with `KeyRefused` where
     * `primary` is not what it offers by then. What is queued for the old key fails.
     */
    acceptKey(who: string, primary: string): Effect.Effect<Contact, KezChatError>
    /**
     * Keeps the contact's key whatever the home and the sigchain say: sending to it goes on. Messages that the home takes
     * for nobody wait; `KeyOffered` reminds once a day of a key that is still offered.
     */
    keepKey(who: string): Effect.Effect<Contact, KezChatError>
    /** Accepts a message request: from now on its messages are answered with receipts, and it can be written to. */
    accept(who: string): Effect.Effect<Contact, KezChatError>
    /**
     * Shows nothing of theirs any more. The account's other devices and its home are told in the background, until it is
     * confirmed; the home then keeps none of their frames, and they cannot tell.
     */
    block(who: string): Effect.Effect<Contact, KezChatError>
    unblock(who: string): Effect.Effect<Contact, KezChatError>
    /** Forgets a contact and what is still queued for it; its messages stay unless `withMessages`. */
    removeContact(who: string, withMessages?: boolean): Effect.Effect<void, KezChatError>

    /**
     * Queues a text durably and returns at once; the broker is tried in the background. The body with its text must fit
     * 40,960 bytes as JSON (`message_too_large` beyond). One's own handle as `who` is a note to self.
     */
    send(who: string, text: string): Effect.Effect<Message, KezChatError>
    /**
     * The newest messages of a conversation, oldest first (50 unless told); `before` is a `Message.order` to page back
     * from.
     */
    history(
      who: string,
      page?: { readonly before?: number; readonly limit?: number }
    ): Effect.Effect<ReadonlyArray<Message>, KezChatError>
    /** Marks what a contact wrote as read up to now; tells them if read receipts are on. */
    markRead(who: string): Effect.Effect<void, KezChatError>
    /**
     * Encrypts a file, keeps the blob here, sends offers without a byte of it, and lists it in the manifest. It can be
     * fetched while `serve` runs on this device.
     */
    share(options: ShareOptions): Effect.Effect<Share, KezChatError>
    /** What this account shares, newest first. */
    readonly shared: Effect.Effect<ReadonlyArray<Share>, KezChatError>
    /**
     * Takes a share back: nobody can fetch it any more, its entry goes, its blob is removed. What was fetched stays
     * with them.
     */
    unshare(id: string): Effect.Effect<Share, KezChatError>
    /** What a contact shares with us, also while they are away. One's own handle lists one's own manifest. */
    browse(who: string): Effect.Effect<Listing, KezChatError>
    /**
     * Brings a file's encrypted blob here, verified as it arrives. `what` is the id of an offer, `@user/entry` by the
     * entry's id or path, or a ticket of a file that was offered or listed (else `no_content_key`). Goes on where an
     * earlier run stopped; waits while the owner is away, for as long as the stream is run.
     */
    fetch(what: string): Stream.Stream<FetchProgress, KezChatError>
    /**
     * Whether these bytes are exactly the file that `what` names (as for `fetch`). Nothing is fetched: encrypted under the
     * file's own key they have its hash, or they are other bytes. Fails as `fetch` does where `what` names nothing, and
     * with `FileError` where the bytes cannot be read.
     */
    matches(what: string, bytes: AsyncIterable<Uint8Array>): Effect.Effect<boolean, KezChatError>
    /** The content of a file that was fetched completely, decrypted. `BlobStoreError` `missing` before that. */
    read(what: string): Stream.Stream<Uint8Array, KezChatError>
    /** Removes what was fetched of a file from this device. One's own shares are not touched. */
    discard(what: string): Effect.Effect<void, KezChatError>
    /** Answers other devices that fetch our files, until it is interrupted. One device of an account at a time. */
    readonly serve: Effect.Effect<never, KezChatError>

    /** How full the account's inbox at its home is. */
    readonly inbox: Effect.Effect<InboxUsage, KezChatError>
    /**
     * Has the home remove the mail (or the copies of what was sent) that this device holds, and says what is left. Other
     * devices that have not taken it in will not get it, and it does not come back with the words. Once a minute.
     */
    trim(box?: "mail" | "sent"): Effect.Effect<InboxUsage, KezChatError>
    /** Read receipts (off at first) and who may write to us. */
    readonly settings: Effect.Effect<Settings, KezChatError>
    updateSettings(change: Partial<Settings>): Effect.Effect<Settings, KezChatError>

    /** Everything of the account but the seed, one JSON object per item: account, chain, contacts, messages, shares. */
    readonly export: Stream.Stream<Readonly<Record<string, unknown>>, KezChatError>
    /** Deletes handle and inbox at the home server, then everything here. It cannot be undone and the handle stays burnt. */
    readonly deleteAccount: Effect.Effect<void, KezChatError>
  }
>()("@kez-chat/sdk/KezChat") {
  /**
   * The account in the given store and vault. Fails to build only if the store cannot be read or was written by a later
   * version; while there is no account, its calls answer `NoAccount`.
   */
  static readonly layer = (
    options: Options = {}
  ): Layer.Layer<
    KezChat,
    StoreError | StoreConflict,
    Crypto | Vault | LocalStore | Directory | SigchainStore | Broker | BlobStore | BlobTransport | ManifestStore
  > => Layer.effect(KezChat, make(options))
}

export interface Settings {
  /** Tell others when their messages were read. */
  readonly readReceipts: boolean
  /** Who may write without being asked for: `everyone` arrives as requests, `contacts` drops strangers unseen. */
  readonly inbox: "everyone" | "contacts"
  /**
   * Once a day, have the home remove mail that every device of the account holds (off at first). What is removed does not
   * come back with the words.
   */
  readonly autoTrim: boolean
}
