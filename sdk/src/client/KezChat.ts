/**
 * A chat account on this device: the use cases of the SDK as one service.
 *
 * Only one process at a time may hold the `KezChat` of an account. What a call acknowledges is on disk: a message that
 * `send` returned survives a crash and the loss of the network, and is delivered once when the broker is reachable.
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
import type { Homes } from "../services/homes/Homes.ts"
import type { LocalStore, StoreConflict, StoreError } from "../services/LocalStore.ts"
import type { ManifestStore } from "../services/ManifestStore.ts"
import type { ProofFetcher } from "../services/ProofFetcher.ts"
import type { SigchainStore } from "../services/SigchainStore.ts"
import type { Vault } from "../services/Vault.ts"
import { checkOwner, create, deleteAccount, exportAccount, Lifecycle, report, restore, words } from "./account/index.ts"
import { ContactRefresh, Contacts } from "./contacts/index.ts"
import {
  checkHistory,
  conversations,
  draft,
  evidence,
  history,
  markRead,
  removeMessage,
  search,
  setDraft
} from "./conversations/index.ts"
import { Browsing, discard, matches, read } from "./files/fetch/index.ts"
import { Manifests, Shares } from "./files/share/index.ts"
import { BrokerLink } from "./internal/BrokerLink.ts"
import { ClientOptions } from "./internal/ClientOptions.ts"
import { CurrentAccount, toAccount } from "./internal/CurrentAccount.ts"
import { Events } from "./internal/Events.ts"
import { Ledger } from "./internal/Ledger.ts"
import { readSettings } from "./internal/Settings.ts"
import { Housekeeping, InboxSync, Mailbox, Outbox, Receipts, send } from "./messaging/index.ts"
import { proofCalls, type ProofCalls } from "./ProofCalls.ts"
import { rotationCalls, type RotationCalls } from "./RotationCalls.ts"
import { Proofs } from "./proofs/index.ts"
import type { EvidenceCalls } from "./EvidenceCalls.ts"
import { requestCalls, type RequestCalls } from "./RequestCalls.ts"
import { rooms, type Services } from "./Rooms.ts"
import type {
  Account,
  CatchingUp,
  Contact,
  Conversation,
  Event,
  FetchProgress,
  FoundAccount,
  HistoryPage,
  InboxUsage,
  KezChatError,
  Listing,
  Message,
  Options,
  SearchOptions,
  Settings,
  Share,
  ShareOptions,
  ReportOptions,
  ReportOutcome,
  Verification
} from "./model/index.ts"

export class KezChat extends Context.Service<
  KezChat,
  ProofCalls &
    RequestCalls &
    RotationCalls &
    EvidenceCalls & {
      /** The account on this device. Fails with `NoAccount` before `create` or `restore`. */
      readonly account: Effect.Effect<Account, KezChatError>
      /**
       * Creates an account: saves the seed in the vault, registers the handle, publishes the sigchain. It can be
       * interrupted at any step; calling it again with the same handle resumes. Show `words` to the user *before* this
       * call.
       */
      create(options: {
        readonly handle: string
        readonly words: Redacted.Redacted<string>
        /** For a home that registers only who has one (`registration` of its description is `invite`). */
        readonly invite?: string | undefined
      }): Effect.Effect<Account, KezChatError>
      /**
       * Restores an account on this device from its 24 words (or the 12 words of KEZ); the home server finds the handle
       * by the key. History arrives in the background, as far back as the broker retains it (30 days by default). `former`
       * are the words of keys that the account had before: their mail arrives too. On a device whose account was rotated
       * elsewhere, the words of the new key bring it back, with its history. Fails with `primary_moved` for the words of a
       * former key alone.
       */
      restore(options: {
        readonly words: Redacted.Redacted<string>
        readonly former?: ReadonlyArray<Redacted.Redacted<string>> | undefined
      }): Effect.Effect<Account, KezChatError>
      /** The account's 24 words; an account restored from 12 words has the 24 of the same seed. */
      readonly words: Effect.Effect<Redacted.Redacted<string>, KezChatError>
      /** Connection states, beginning with the current one; `Closed` without an account or with the option `offline`. */
      readonly connection: Stream.Stream<ConnectionState>
      /**
       * Events from the moment the stream is run. A listener may be up to 4,096 events behind; one that falls further
       * behind gets `Missed` in place of the events that it lost. A slow listener never delays the client.
       */
      readonly events: Stream.Stream<Event>
      /** Waits until all mail that the broker holds at this moment is stored here. Fails while it is unreachable. */
      readonly sync: Effect.Effect<void, KezChatError>
      /**
       * How far this device has caught up with its mail, beginning with the present state. `taken` equals `of` while it is
       * up to date.
       */
      readonly catchingUp: Stream.Stream<CatchingUp>
      /**
       * Checks the connection now, reconnects if it does not answer within 3 s, and fetches; for a program whose device
       * slept. Waits for the check only, and does nothing without a connection.
       */
      readonly nudge: Effect.Effect<void>
      /**
       * Waits until everything that can be sent is sent, including receipts, and until the manifest is published or an
       * attempt to publish it failed. Fails while the broker is unreachable. It does not wait for messages to contacts in
       * state `changed`, which need the user's decision, nor for those to inboxes that are full or limit our rate, which
       * stay queued and are retried.
       */
      readonly flush: Effect.Effect<void, KezChatError>

      /** Who bears a handle, without adding them: the verified record of the handle's home server. */
      lookUp(handle: string): Effect.Effect<FoundAccount, KezChatError>
      /**
       * Looks up a handle (`chris`, `@chris`, `chris@kez.lat`) at its own home server, verifies its record and sigchain, and
       * pins the key: trust on first use. Another home than the account's sees this device's address.
       */
      addContact(handle: string): Effect.Effect<Contact, KezChatError>
      /** All contacts: accepted and changed ones, then requests, then blocked ones; each group ordered by handle. */
      readonly contacts: Effect.Effect<ReadonlyArray<Contact>, KezChatError>
      /** A contact by handle, primary key or mention. Fails with `ContactUnknown`. */
      contact(who: string): Effect.Effect<Contact, KezChatError>
      /** Checks a contact's record and sigchain again. The result and the events show what changed. */
      refreshContact(who: string): Effect.Effect<Contact, KezChatError>
      /**
       * Safety number, sigchain, endpoints and claims of a contact. Claims whose last check is older than an hour are
       * checked again in the background; `ProofChanged` brings what comes of it.
       */
      verification(who: string): Effect.Effect<Verification, KezChatError>
      /**
       * Records that the user compared the safety number of `primary`. Fails with `KeyRefused` unless `primary` is the
       * key of an accepted contact: an offered key must be accepted first.
       */
      confirmKey(who: string, primary: string): Effect.Effect<Contact, KezChatError>
      /** Withdraws the confirmation. */
      unconfirmKey(who: string): Effect.Effect<Contact, KezChatError>
      /**
       * Replaces the contact's key by the offered key `primary`. Asks the home server again, and fails with `KeyRefused`
       * if `primary` is no longer the key that is offered. Texts queued for the old key go to a key that was handed over;
       * otherwise they fail, as offered files do.
       */
      acceptKey(who: string, primary: string): Effect.Effect<Contact, KezChatError>
      /**
       * Keeps the contact's key in spite of its `warning`: sending to it resumes. Messages wait while the home server
       * knows no account of that key. `KeyOffered` reminds at most once a day of a key that is still offered.
       */
      keepKey(who: string): Effect.Effect<Contact, KezChatError>
      /** Accepts a message request, also one that the inbox policy holds back: the contact can be written to, and gets receipts, also for what it wrote before. */
      accept(who: string): Effect.Effect<Contact, KezChatError>
      /**
       * Hides everything from a contact. The account's other devices and its home server are notified in the background, with
       * retries; the home server then discards the contact's messages, which the contact cannot notice.
       */
      block(who: string): Effect.Effect<Contact, KezChatError>
      /** Withdraws the block: the contact is accepted or a request again, as before. */
      unblock(who: string): Effect.Effect<Contact, KezChatError>
      /** Removes a contact and drops what is queued for it. Its messages stay unless `withMessages` is true. */
      removeContact(who: string, withMessages?: boolean): Effect.Effect<void, KezChatError>

      /**
       * Queues a text durably and returns; it is sent in the background. The body may have at most 40,960 bytes as JSON,
       * else it fails with `message_too_large`. The own handle as `who` writes a note to self.
       */
      send(who: string, text: string): Effect.Effect<Message, KezChatError>
      /**
       * The conversations, newest first, each with its last message, unread count and draft: one for every contact, also
       * those in state `requested` or `blocked`, and notes to self once there are any.
       */
      readonly conversations: Effect.Effect<ReadonlyArray<Conversation>, KezChatError>
      /**
       * Messages of a conversation, oldest first: the newest ones (50 by default), or those `before`, `after` or `around` a
       * `Message.order`.
       */
      history(who: string, page?: HistoryPage): Effect.Effect<ReadonlyArray<Message>, KezChatError>
      /**
       * The messages whose text has every word of `query`, newest first. Case and accents do not matter, and a word matches
       * within words. A query without a word finds nothing. Messages of blocked contacts are found only with `who`. It reads
       * the store as the stream is read, a page at a time.
       */
      search(query: string, options?: SearchOptions): Stream.Stream<Message, KezChatError>
      /** The text that `setDraft` stored for a contact; empty if there is none. */
      draft(who: string): Effect.Effect<string, KezChatError>
      /**
       * Stores the text that the user is writing to a contact, on this device only. A text that shows nothing removes it; one
       * that is too long for `send` fails with `message_too_large`. `send` leaves the draft as it is: only the caller knows
       * whether that text was the draft.
       */
      setDraft(who: string, text: string): Effect.Effect<void, KezChatError>
      /** Marks all messages of a contact as read, and tells the contact if read receipts are on. */
      markRead(who: string): Effect.Effect<void, KezChatError>
      /**
       * Removes a message of this account whose state is `failed`, by its `id`; whether there was one. Other messages stay:
       * they are on other devices and at the home server too.
       */
      removeMessage(id: string): Effect.Effect<boolean, KezChatError>

      /**
       * Encrypts a file into a blob on this device, offers it to the contacts and lists it in the manifest; none of its
       * bytes are sent. It can be fetched while `serve` runs on this device.
       */
      share(options: ShareOptions): Effect.Effect<Share, KezChatError>
      /** The files that this account shares, newest first. */
      readonly shared: Effect.Effect<ReadonlyArray<Share>, KezChatError>
      /** Withdraws a share: its entry and blob are removed, and nobody can fetch it. Copies already fetched remain. */
      unshare(id: string): Effect.Effect<Share, KezChatError>
      /** The files that a contact shares with this account, even while it is offline. The own handle works too. */
      browse(who: string): Effect.Effect<Listing, KezChatError>
      /**
       * Downloads a file's encrypted blob, verified as it arrives. `fileRef` is the id of an offer, `@user/entry` with the
       * entry's id or path, or the ticket of a file that was offered or listed (else it fails with `no_content_key`).
       * Resumes where an earlier run stopped, and waits while the owner is offline, until the stream is interrupted.
       */
      fetch(fileRef: string): Stream.Stream<FetchProgress, KezChatError>
      /**
       * Whether these bytes are exactly the file that `fileRef` names, as for `fetch`. Downloads nothing: encrypts the bytes
       * with the file's key and compares the hash. Fails as `fetch` does if `fileRef` names no file, and with `FileError` if
       * the bytes cannot be read.
       */
      matches(fileRef: string, bytes: AsyncIterable<Uint8Array>): Effect.Effect<boolean, KezChatError>
      /** The decrypted content of a completely fetched file; fails with `BlobStoreError` `missing` before that. */
      read(fileRef: string): Stream.Stream<Uint8Array, KezChatError>
      /** Removes what was fetched of a file from this device. Does nothing for the account's own shares. */
      discard(fileRef: string): Effect.Effect<void, KezChatError>
      /** Serves the account's shares until interrupted. Only one device of an account may serve at a time. */
      readonly serve: Effect.Effect<never, KezChatError>

      /** How full the account's inbox at its home server is. */
      readonly inbox: Effect.Effect<InboxUsage, KezChatError>
      /**
       * Has the home server delete the mail (or the copies of sent messages) that this device holds; returns what
       * remains. Devices that have not received it will not get it, and a restore from the words does not bring it back.
       * The reference server allows it once a minute.
       */
      trim(box?: "mail" | "sent"): Effect.Effect<InboxUsage, KezChatError>
      /**
       * Reports a contact to the operator of the home, who can read and verify the chosen messages and no others. Fails
       * with `handle_not_found` for somebody of another home.
       */
      report(options: ReportOptions): Effect.Effect<ReportOutcome, KezChatError>
      /** The settings of the account on this device. */
      readonly settings: Effect.Effect<Settings, KezChatError>
      /** Changes the given settings, leaves the others, and returns all. */
      updateSettings(change: Partial<Settings>): Effect.Effect<Settings, KezChatError>

      /**
       * Everything of the account but the seed, one JSON object an item. `kind` is `account`, `settings`, `event` (of the
       * sigchain), `contact`, `claim` (with its evidence), `message`, `share` or `manifest`.
       */
      readonly export: Stream.Stream<Readonly<Record<string, unknown>>, KezChatError>
      /** Deletes handle and inbox at the home server, then everything here. Final: the handle is never reissued. */
      readonly deleteAccount: Effect.Effect<void, KezChatError>
    }
>()("@kez-chat/sdk/KezChat") {
  /**
   * The account in the given store and vault. The layer fails if the store cannot be read, was written by a later
   * version, or holds an account other than `options.primary`. Without an account, calls fail with `NoAccount`.
   */
  static readonly layer = (
    options: Options = {}
  ): Layer.Layer<
    KezChat,
    StoreError | StoreConflict,
    | Crypto
    | Vault
    | LocalStore
    | Directory
    | SigchainStore
    | Homes
    | Broker
    | BlobStore
    | BlobTransport
    | ManifestStore
    | ProofFetcher
  > =>
    // Fresh: two accounts in one program share no room, although Effect builds a layer once where it can.
    Layer.fresh(
      Layer.effect(KezChat, make).pipe(Layer.provide(rooms), Layer.provide(Layer.succeed(ClientOptions, options)))
    )
}

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
  const proofs = yield* Proofs
  const receipts = yield* Receipts
  const refresh = yield* ContactRefresh
  const shares = yield* Shares

  if (primary !== undefined) yield* checkOwner(primary)
  yield* lifecycle.resume

  const { published, registered, start } = lifecycle
  const requests = yield* requestCalls(lifecycle)
  /** Waits for the broker; fails at once while it is unreachable. */
  const online = <A>(use: (connection: BrokerConnection) => Effect.Effect<A, KezChatError, Crypto>) =>
    run(Effect.andThen(registered, link.orOffline(Effect.flatMap(link.online, use))))

  return KezChat.of({
    account: Effect.map(account.get, toAccount),
    create: ({ handle, invite, words }) => run(create(handle, words, invite)),
    restore: ({ former, words }) => run(restore(words, former)),
    words: run(words),
    connection: link.states,
    events: events.stream,
    sync: run(Effect.andThen(registered, Effect.andThen(link.orOffline(inboxSync.caughtUp), refresh.named))),
    catchingUp: inboxSync.progress,
    nudge: Effect.andThen(link.check, inboxSync.hurry),
    flush: online(() =>
      Effect.all([receipts.settled, housekeeping.settled, outbox.drained, manifests.settled], { discard: true })
    ),
    lookUp: (handle) => run(contacts.lookUp(handle)),
    addContact: (handle) => run(contacts.addContact(handle)),
    contacts: contacts.contacts,
    contact: contacts.contact,
    refreshContact: (who) => run(contacts.refreshContact(who)),
    verification: (who) => run(Effect.tap(contacts.verification(who), proofs.lookedAt)),
    ...(yield* proofCalls(published)),
    ...requests.calls,
    ...(yield* rotationCalls),
    confirmKey: contacts.confirmKey,
    unconfirmKey: contacts.unconfirmKey,
    acceptKey: (who, primary) => run(Effect.flatMap(start(), (session) => contacts.acceptKey(session, who, primary))),
    keepKey: (who) => run(contacts.keepKey(who)),
    accept: (who) => run(Effect.flatMap(requests.letIn(who), contacts.accept)),
    block: (who) => run(Effect.flatMap(requests.block(who), contacts.block)),
    unblock: contacts.unblock,
    removeContact: (who, withMessages) => run(requests.remove(who, contacts.removeContact(who, withMessages))),
    send: (who, text) => run(Effect.flatMap(published, (session) => send(session, who, text))),
    conversations: run(conversations),
    history: (who, page) => run(history(who, page)),
    search: (query, options) => stream(search(query, options)),
    draft: (who) => run(draft(who)),
    setDraft: (who, text) => run(setDraft(who, text)),
    markRead: (who) => run(markRead(who)),
    removeMessage: (id) => run(removeMessage(id)),
    share: (options) => run(Effect.flatMap(published, (session) => shares.share(session, options))),
    shared: shares.shared,
    unshare: shares.unshare,
    browse: (who) => run(Effect.flatMap(start(), (session) => browsing.browse(session, who))),
    fetch: (fileRef) => stream(Effect.map(published, ({ transfers }) => transfers.fetch(fileRef))),
    read: (fileRef) => stream(Effect.map(start(), (session) => read(session, fileRef))),
    matches: (fileRef, bytes) => run(Effect.flatMap(start(), (session) => matches(session, fileRef, bytes))),
    discard: (fileRef) => run(Effect.flatMap(start(), (session) => discard(session, fileRef))),
    serve: run(Effect.flatMap(published, ({ transfers }) => transfers.serve)),
    inbox: online(mailbox.usage),
    // What was removed held the notes of the block list.
    trim: (box = "mail") =>
      online((connection) =>
        Effect.tap(mailbox.trim(connection, box), box === "sent" ? housekeeping.hurry : Effect.void)
      ),
    evidence: (id) => run(Effect.flatMap(start(), ({ former = [], identity }) => evidence([identity, ...former], id))),
    checkHistory: (who) => run(checkHistory(who)),
    settings: readSettings(ledger),
    updateSettings: (change) => run(requests.updateSettings(change)),
    export: stream(exportAccount),
    report: (options) => run(report(options)),
    deleteAccount: run(deleteAccount)
  })
})
