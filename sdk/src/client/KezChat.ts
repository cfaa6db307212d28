/**
 * A chat account on this device: the use cases of the SDK, composed.
 *
 * One process per account holds a `KezChat`. What it acknowledges is on disk: a message that `send` returned survives
 * the loss of process and network and goes out once, whenever the broker can be reached.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { BlobStore } from "../services/BlobStore.ts"
import type { BlobTransport } from "../services/BlobTransport.ts"
import type { Broker, BrokerConnection, ConnectionState } from "../services/Broker.ts"
import type { Crypto } from "../services/Crypto.ts"
import type { Directory } from "../services/Directory.ts"
import type { LocalStore, StoreConflict, StoreError } from "../services/LocalStore.ts"
import type { ManifestStore } from "../services/ManifestStore.ts"
import type { SigchainStore } from "../services/SigchainStore.ts"
import type { Vault } from "../services/Vault.ts"
import {
  checkOwner,
  create,
  deleteAccount,
  exportAccount,
  layer as accountLayer,
  Lifecycle,
  restore,
  sigchainLayer,
  words
} from "./account/index.ts"
import { Contacts, layer as contactsLayer } from "./contacts/index.ts"
import { Browsing, layer as fetchLayer } from "./files/fetch/index.ts"
import { layer as shareLayer, Manifests, Shares } from "./files/share/index.ts"
import { layer as clockLayer } from "./internal/BrokerClock.ts"
import { BrokerLink, layer as linkLayer } from "./internal/BrokerLink.ts"
import { ClientOptions } from "./internal/ClientOptions.ts"
import { CurrentAccount, layer as currentAccountLayer, toAccount } from "./internal/CurrentAccount.ts"
import { Events, layer as eventsLayer } from "./internal/Events.ts"
import { layer as ledgerLayer, Ledger } from "./internal/Ledger.ts"
import { readSettings, updateSettings } from "./internal/Settings.ts"
import {
  history,
  Housekeeping,
  InboxSync,
  layer as messagingLayer,
  Mailbox,
  markRead,
  Outbox,
  outboxLayer,
  Receipts,
  send
} from "./messaging/index.ts"
import type {
  Account,
  Contact,
  Event,
  FetchProgress,
  InboxUsage,
  KezChatError,
  Listing,
  Message,
  Options,
  Settings,
  Share,
  ShareOptions,
  Verification
} from "./model/index.ts"

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
  > =>
    // Fresh: two accounts in one program share no room, although Effect builds a layer once where it can.
    Layer.fresh(
      Layer.effect(KezChat, make).pipe(Layer.provide(rooms), Layer.provide(Layer.succeed(ClientOptions, options)))
    )
}

/** Each layer rests on those below it. */
const rooms = accountLayer.pipe(
  Layer.provideMerge(messagingLayer),
  Layer.provideMerge(fetchLayer),
  Layer.provideMerge(shareLayer),
  Layer.provideMerge(sigchainLayer),
  Layer.provideMerge(contactsLayer),
  Layer.provideMerge(outboxLayer),
  Layer.provideMerge(Layer.mergeAll(currentAccountLayer, eventsLayer, linkLayer, clockLayer)),
  Layer.provideMerge(ledgerLayer)
)

/** What the calls of a client may use. */
type Services = Layer.Success<typeof rooms> | Crypto | Vault | Directory | BlobStore

const make = Effect.gen(function* () {
  const services = yield* Effect.context<Services>()
  const run = <A, E>(effect: Effect.Effect<A, E, Services>): Effect.Effect<A, E> =>
    Effect.provideContext(effect, services)
  const stream = <A, E>(effect: Effect.Effect<Stream.Stream<A, E, Services>, E, Services>): Stream.Stream<A, E> =>
    Stream.provideContext(Stream.unwrap(effect), services)

  const { primary } = yield* ClientOptions
  const account = yield* CurrentAccount
  const browsing = yield* Browsing
  const contacts = yield* Contacts
  const events = yield* Events
  const housekeeping = yield* Housekeeping
  const inboxSync = yield* InboxSync
  const ledger = yield* Ledger
  const lifecycle = yield* Lifecycle
  const link = yield* BrokerLink
  const mailbox = yield* Mailbox
  const manifests = yield* Manifests
  const outbox = yield* Outbox
  const receipts = yield* Receipts
  const shares = yield* Shares

  if (primary !== undefined) yield* checkOwner(primary)
  yield* lifecycle.resume

  const { published, registered, start } = lifecycle
  /** Waits for the broker; fails at once while it is unreachable. */
  const online = <A>(use: (connection: BrokerConnection) => Effect.Effect<A, KezChatError, Crypto>) =>
    run(Effect.andThen(registered, link.orOffline(Effect.flatMap(link.online, use))))

  return KezChat.of({
    account: Effect.map(account.get, toAccount),
    create: ({ handle, words }) => run(create(handle, words)),
    restore: ({ words }) => run(restore(words)),
    words: run(words),
    connection: link.states,
    events: events.stream,
    sync: run(Effect.andThen(registered, link.orOffline(inboxSync.caughtUp))),
    flush: run(
      Effect.andThen(
        registered,
        link.orOffline(
          Effect.all([receipts.settled, housekeeping.settled, outbox.drained, manifests.settled], { discard: true })
        )
      )
    ),
    addContact: (handle) => run(contacts.addContact(handle)),
    contacts: contacts.contacts,
    contact: contacts.contact,
    refreshContact: (who) => run(contacts.refreshContact(who)),
    verification: (who) => run(contacts.verification(who)),
    confirmKey: contacts.confirmKey,
    unconfirmKey: contacts.unconfirmKey,
    acceptKey: (who, primary) => run(contacts.acceptKey(who, primary)),
    keepKey: (who) => run(contacts.keepKey(who)),
    accept: contacts.accept,
    block: contacts.block,
    unblock: contacts.unblock,
    removeContact: contacts.removeContact,
    send: (who, text) => run(Effect.flatMap(published, (session) => send(session, who, text))),
    history: (who, page) => run(history(who, page)),
    markRead: (who) => run(markRead(who)),
    share: (options) => run(Effect.flatMap(published, (session) => shares.share(session, options))),
    shared: shares.shared,
    unshare: shares.unshare,
    browse: (who) => run(Effect.flatMap(start(), (session) => browsing.browse(session, who))),
    fetch: (what) => stream(Effect.map(published, ({ transfers }) => transfers.fetch(what))),
    read: (what) => stream(Effect.map(start(), ({ transfers }) => transfers.read(what))),
    matches: (what, bytes) => run(Effect.flatMap(start(), ({ transfers }) => transfers.matches(what, bytes))),
    discard: (what) => run(Effect.flatMap(start(), ({ transfers }) => transfers.discard(what))),
    serve: run(Effect.flatMap(published, ({ transfers }) => transfers.serve)),
    inbox: online(mailbox.usage),
    trim: (box = "mail") => online((connection) => mailbox.trim(connection, box)),
    settings: readSettings(ledger),
    updateSettings: (change) => run(updateSettings(change)),
    export: stream(exportAccount),
    deleteAccount: run(deleteAccount)
  })
})
