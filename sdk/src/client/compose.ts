/** Puts the use cases together: one account, one connection, one store. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Identity } from "../crypto/Identity.ts"
import * as PrimaryKey from "../protocol/identity/PrimaryKey.ts"
import { BlobStore } from "../services/BlobStore.ts"
import { Broker } from "../services/Broker.ts"
import { ServerUnreachable } from "../services/Directory.ts"
import { StoreError } from "../services/LocalStore.ts"
import { Vault } from "../services/Vault.ts"
import * as Accounts from "./account/Accounts.ts"
import * as Addresses from "./files/fetch/Addresses.ts"
import * as BlockList from "./contacts/BlockList.ts"
import * as BrokerClock from "./internal/BrokerClock.ts"
import * as Browsing from "./files/fetch/Browsing.ts"
import * as Checks from "./contacts/ContactRefresh.ts"
import * as ContactBook from "./contacts/ContactBook.ts"
import * as Contacts from "./contacts/Contacts.ts"
import * as Conversations from "./messaging/Conversations.ts"
import * as Device from "./files/fetch/Device.ts"
import * as DevicePositions from "./messaging/DevicePositions.ts"
import * as Downloads from "./files/fetch/Downloads.ts"
import * as Events from "./internal/Events.ts"
import * as Export from "./account/Export.ts"
import * as Housekeeping from "./messaging/Housekeeping.ts"
import * as Inbox from "./messaging/Inbox.ts"
import * as Intake from "./messaging/InboxSync.ts"
import * as Introductions from "./contacts/IdentityLookup.ts"
import type { Account, Message, Options } from "./model/index.ts"
import type { KezChat } from "./KezChat.ts"
import { AccountUnfinished, ContactUnknown, type KezChatError } from "./model/index.ts"
import * as Ledger from "./internal/Ledger.ts"
import * as Link from "./internal/BrokerLink.ts"
import * as Mailbox from "./messaging/Mailbox.ts"
import * as Manifests from "./files/share/Manifests.ts"
import * as Outbox from "./messaging/Outbox.ts"
import * as Receipts from "./messaging/Receipts.ts"
import * as Rows from "./internal/rows/index.ts"
import * as Serving from "./files/share/Serving.ts"
import type { Session } from "./internal/Session.ts"
import * as Settings from "./internal/Settings.ts"
import * as Shares from "./files/share/Shares.ts"
import * as Sources from "./files/fetch/Sources.ts"
import * as Texts from "./messaging/Texts.ts"
import * as Trust from "./contacts/Trust.ts"

const toAccount = ({ device, handle, primary, server, step }: Rows.AccountRow): Account => ({
  handle,
  primary,
  device,
  server,
  step
})

/** The store must be of this layout, or empty. */
const checkVersion = (ledger: Ledger.Ledger) =>
  ledger.transact((transaction) =>
    Effect.gen(function* () {
      const version = yield* transaction.get(Rows.key.version, Rows.Version)
      if (version !== undefined && version > Rows.version) {
        const detail = `it was written by a later version (layout ${version}, this one knows ${Rows.version}): update`
        return yield* new StoreError({ reason: "newer", detail })
      }
      if (version === undefined) transaction.put(Rows.key.version, Rows.Version, Rows.version)
    })
  )

/** What goes to and comes from other devices. */
type Transfers = Pick<KezChat["Service"], "fetch" | "matches" | "read" | "discard" | "serve">

/** An account whose key is at hand. `scope` holds what runs for it; `connected` once it has begun. */
interface Running extends Session {
  row: Rows.AccountRow
  connected: boolean
  readonly transfers: Transfers
  readonly scope: Scope.Closeable
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const broker = yield* Broker
  const vault = yield* Vault
  const blobs = yield* BlobStore
  const layerScope = yield* Scope.Scope
  const ledger = yield* Ledger.make
  yield* checkVersion(ledger)
  if (options.primary !== undefined) yield* Accounts.checkOwner(ledger, options.primary)
  const events = Events.make()
  const link = yield* Link.make
  const introductions = yield* Introductions.make
  const accounts = yield* Accounts.make(ledger, introductions)
  const book = ContactBook.make(ledger, events)
  const outbox = yield* Outbox.make(ledger, events)
  const checks = yield* Checks.make({ ledger, book, outbox, introductions, account: accounts.current })
  const receipts = Receipts.make(ledger, outbox)
  const brokerClock = BrokerClock.make()
  const addresses = yield* Addresses.make(ledger, outbox, brokerClock)
  const fork = yield* FiberSet.makeRuntime<never>()

  const publishRequest = (primary: string, message: Message) => {
    const named = Effect.gen(function* () {
      yield* checks.settled(primary)
      const row = yield* ledger.get(Rows.key.contact(Conversations.hexOf(primary)), Rows.Contact)
      if (row !== undefined) events.publish({ _tag: "Request", contact: Trust.toContact(row), message })
    })
    fork(Effect.ignore(named))
  }
  const blocks = BlockList.make(ledger, book, outbox)
  const positions = DevicePositions.make(ledger, outbox)
  const mailbox = Mailbox.make(ledger, events, blocks, positions)
  const housekeeping = Housekeeping.make(events, blocks, positions, mailbox)
  const inbox = yield* Inbox.make({
    ledger,
    events,
    book,
    checks,
    outbox,
    receipts,
    addresses,
    blocks,
    positions,
    brokerClock,
    publishRequest
  })
  const intake = Intake.make(ledger, events, inbox)
  const contacts = yield* Contacts.make({ ledger, book, introductions, checks, outbox, account: accounts.current })

  const lock = yield* Semaphore.make(1)
  let running: Running | undefined

  const manifests = yield* Manifests.make({
    ledger,
    events,
    append: (session, next) =>
      Effect.gen(function* () {
        const chain = yield* accounts.append(session.identity, next)
        if (running?.identity === session.identity) running.row = yield* accounts.current
        return chain
      })
  })

  const begin = Effect.fnUntraced(function* (session: Running) {
    const connection = yield* link.connect(broker, session.identity.brokerLogin)
    // Before the first message comes in, so that the first stranger is named too.
    yield* checks.run
    yield* intake.run(session, link, connection)
    yield* outbox.run(link)
    yield* receipts.run(session, link)
    yield* manifests.run(session)
    yield* Effect.forkScoped(Effect.ignore(inbox.retryKept(session)))
    yield* housekeeping.run(session, link)
  })

  /**
   * Connects and sets everything going, once the broker can know the account. Where the store fails half way, all of it
   * is undone, and the next call tries again.
   */
  const connect = Effect.fnUntraced(function* (session: Running) {
    if (options.offline === true || session.connected || session.row.step === "created") return
    session.connected = true
    const scope = yield* Scope.fork(session.scope)
    yield* Effect.onError(Scope.provide(begin(session), scope), (cause) => {
      session.connected = false
      return Scope.close(scope, Exit.failCause(cause))
    })
  })

  /** Carries an unfinished creation on for as long as the home or sig-server is out of reach. */
  const finishLater = (session: Running) =>
    accounts.finish(session.identity).pipe(
      Effect.retry({
        while: (error) => error instanceof ServerUnreachable,
        schedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")])
      }),
      Effect.flatMap((row) => {
        session.row = row
        return connect(session)
      }),
      Effect.ignore
    )

  const start = (identity?: Identity) =>
    Semaphore.withPermit(
      lock,
      Effect.gen(function* () {
        if (running === undefined) {
          // What is remembered of another account's store is forgotten with it.
          const key = identity ?? (yield* Effect.tapError(accounts.open, () => Effect.sync(() => book.reset())))
          const row = yield* accounts.current
          // Once the store is known to be this account's, and before anybody can begin a transfer.
          yield* Effect.ignore(Downloads.collect(ledger, blobs))
          const scope = yield* Scope.fork(layerScope)
          const begun: Omit<Running, "transfers"> = {
            identity: key,
            row,
            connected: false,
            scope,
            account: () => begun.row
          }
          const session: Running = Object.assign(begun, {
            transfers: yield* Scope.provide(transfersOf(begun), scope)
          })
          running = session
          if (identity === undefined && options.offline !== true && row.step !== "published") {
            yield* Effect.forkIn(finishLater(session), scope)
          }
        }
        const session = running
        session.row = yield* accounts.current
        yield* connect(session)
        return session
      })
    )

  const stop = Semaphore.withPermit(
    lock,
    Effect.suspend(() => {
      const session = running
      running = undefined
      return session === undefined ? Effect.void : Scope.close(session.scope, Exit.void)
    })
  )

  /** The account, its creation finished far enough to be sent from. */
  const published = Effect.gen(function* () {
    const isReady = (session: Running) =>
      session.row.step === "published" && (session.connected || options.offline === true)
    const session = running !== undefined && isReady(running) ? running : yield* start()
    const { handle, step } = session.row
    return step === "published" ? session : yield* new AccountUnfinished({ handle, step })
  })

  const connected = Effect.gen(function* () {
    const session = yield* start()
    const { handle, step } = session.row
    if (step === "created") return yield* new AccountUnfinished({ handle, step })
  })

  const account = accounts.current
  const shares = yield* Shares.make({ ledger, events, book, outbox, manifests, account, session: published })
  const serving = Serving.make({ ledger, events, account })
  const browsing = yield* Browsing.make({
    ledger,
    book,
    checks,
    introductions,
    account,
    identity: Effect.map(start(), (session) => session.identity),
    isOffline: options.offline === true
  })

  const sources = yield* Sources.make({ ledger, book, listings: browsing })
  const makeDevice = yield* Device.make
  const makeDownloads = yield* Downloads.make
  const isOffline = options.offline === true

  const transfersOf = Effect.fnUntraced(function* (session: Session): Effect.fn.Return<Transfers, never, Scope.Scope> {
    const device = yield* makeDevice({ session, link, addresses, shares: serving })
    const downloads = yield* makeDownloads({ session, device, ledger, link, addresses, sources, isOffline })
    const closed = link.orOffline(Effect.never)
    return { ...downloads, serve: isOffline ? closed : device.serve }
  })

  const keysOf = (who: string) =>
    Effect.gen(function* () {
      const row = yield* book.find(who, yield* accounts.current)
      return [Conversations.hexOf(row.primary), ...row.former]
    })

  const send = Effect.fnUntraced(function* (who: string, text: string): Effect.fn.Return<Message, KezChatError> {
    const session = yield* published
    const { primary } = yield* book.find(who, session.row)
    yield* Texts.check(text, Outbox.chainOf(session.row))
    const peer = yield* Effect.fromResult(PrimaryKey.parseEd25519(primary))
    const own = primary === session.row.primary
    return yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = own
          ? ContactBook.self(session.row)
          : yield* transaction.get(Rows.key.contact(peer.hex), Rows.Contact)
        if (row === undefined) return yield* new ContactUnknown({ who })
        const blocked = Trust.reasonNotToSend(row)
        if (blocked !== undefined) return yield* blocked
        const message = yield* outbox.enqueue(transaction, session, peer, { type: "text", text })
        if (message === undefined) return yield* Effect.die("a text leaves a message")
        transaction.afterwards(() => events.publish({ _tag: "Message", message, contact: Trust.toContact(row) }))
        return message
      })
    )
  })

  const markRead = Effect.fnUntraced(function* (who: string): Effect.fn.Return<void, KezChatError> {
    const hexes = yield* keysOf(who)
    yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const { readReceipts } = yield* Settings.readSettings(transaction)
        for (const hex of hexes) {
          const talk = yield* Conversations.talk(transaction, hex)
          // What was read while read receipts were off stays untold when they are switched on.
          const told = readReceipts ? {} : { readReceiptedUpTo: Math.max(talk.readReceiptedUpTo, talk.lastIncoming) }
          const readReceiptDueUpTo = Math.max(talk.readReceiptDueUpTo, talk.lastIncoming)
          transaction.put(Rows.key.conversation(hex), Rows.ConversationCounters, {
            ...talk,
            ...told,
            readUpTo: talk.lastIncoming,
            readReceiptDueUpTo
          })
          transaction.afterwards(() => receipts.due(hex))
        }
      })
    )
  })

  const deleteAccount = Effect.gen(function* () {
    yield* accounts.current
    // Without a seed an earlier call got as far as clearing the vault: only the rest is left to do.
    if (Option.isSome(yield* vault.load)) yield* accounts.revoke((yield* start()).identity)
    yield* stop
    // The account's own row goes last: cut off before that, deletion can be called again and finds what is left.
    for (const { hash } of yield* blobs.list) yield* blobs.remove(hash)
    for (const prefix of Rows.everything) yield* Contacts.forget(ledger, prefix)
    yield* vault.clear
    yield* Contacts.forget(ledger, Rows.key.account)
    book.reset()
  })

  // Where that fails, every call that reads contacts does too, and says why.
  yield* Effect.ignore(book.unnameStrangers)
  // Whatever needs the vault may wait for a passphrase; the account's own calls report what is wrong with it.
  if (options.offline !== true && Result.isSuccess(yield* Effect.result(accounts.current))) {
    yield* Effect.forkScoped(Effect.ignore(start()))
    yield* Effect.forkScoped(shares.tidied)
  }

  const transfers: Transfers = {
    fetch: (what) => Stream.unwrap(Effect.map(published, (session) => session.transfers.fetch(what))),
    read: (what) => Stream.unwrap(Effect.map(start(), (session) => session.transfers.read(what))),
    matches: (what, bytes) => Effect.flatMap(start(), (session) => session.transfers.matches(what, bytes)),
    discard: (what) => Effect.flatMap(start(), (session) => session.transfers.discard(what)),
    serve: Effect.flatMap(published, (session) => session.transfers.serve)
  }

  const service: KezChat["Service"] = {
    account: Effect.map(accounts.current, toAccount),
    create: ({ handle, words }) =>
      Effect.flatMap(accounts.create(handle, words), (identity) =>
        Effect.map(start(identity), (session) => toAccount(session.row))
      ),
    restore: ({ words }) =>
      Effect.flatMap(accounts.restore(words), (identity) =>
        Effect.map(start(identity), (session) => toAccount(session.row))
      ),
    words: Effect.andThen(accounts.current, accounts.words),
    connection: link.states,
    events: events.stream,
    sync: Effect.andThen(connected, link.orOffline(intake.caughtUp)),
    flush: Effect.andThen(
      connected,
      link.orOffline(
        Effect.all([receipts.settled, housekeeping.settled, outbox.drained, manifests.settled], { discard: true })
      )
    ),
    ...contacts,
    send,
    history: (who, page) => Effect.flatMap(keysOf(who), (keys) => Conversations.history(ledger, keys, page)),
    markRead,
    share: shares.share,
    shared: shares.shared,
    unshare: shares.unshare,
    browse: browsing.browse,
    ...transfers,
    inbox: Effect.andThen(connected, link.orOffline(Effect.flatMap(link.online, mailbox.usage))),
    trim: (box = "mail") =>
      Effect.andThen(
        connected,
        link.orOffline(Effect.flatMap(link.online, (connection) => mailbox.trim(connection, box)))
      ),
    settings: Settings.readSettings(ledger),
    updateSettings: (change) => Settings.updateSettings(ledger, change),
    export: Export.items(ledger, accounts.current),
    deleteAccount
  }
  return service
})
