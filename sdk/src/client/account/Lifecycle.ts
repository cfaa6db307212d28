/**
 * The account's session. It begins when the key is first needed, connects as soon as the handle is registered, because the
 * broker knows the account only then, and ends with the layer or when the account is deleted.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Identity } from "../../crypto/Identity.ts"
import { Handle } from "../../protocol/index.ts"
import { type Crypto, ServerUnreachable } from "../../services/index.ts"
import { ContactBook, ContactRefresh, IdentityLookup } from "../contacts/index.ts"
import { pruneDownloads, Transfers } from "../files/fetch/index.ts"
import { Manifests, Shares } from "../files/share/index.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import { ClientOptions } from "../internal/ClientOptions.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import type { Session } from "../internal/Session.ts"
import { Proofs } from "../proofs/index.ts"
import { Admissions, Housekeeping, Inbox, InboxSync, Outbox, Receipts } from "../messaging/index.ts"
import { AccountMoved, AccountUnfinished, type KezChatError } from "../model/index.ts"
import { finishCreation } from "./Registration.ts"
import * as FormerInboxes from "./FormerInboxes.ts"
import { openIdentity } from "./Seed.ts"
import { complete, formerIdentities, noteMoved, pendingStep } from "./Succession.ts"

/** A session with what runs for it. */
export interface Running extends Session {
  /** The connection and the background work have started. */
  connected: boolean
  readonly transfers: Transfers.Transfers
  /** Holds everything that runs for the session. */
  readonly scope: Scope.Closeable
}

/** Services of the use cases that a session runs without its caller. */
type Needs = Effect.Services<
  | ReturnType<typeof Transfers.open>
  | typeof openIdentity
  | ReturnType<typeof finishCreation>
  | typeof pruneDownloads
  | typeof complete
  | ReturnType<typeof formerIdentities>
  | ReturnType<typeof FormerInboxes.run>
>

const make = Effect.gen(function* () {
  const options = yield* ClientOptions
  const isOffline = options.offline === true
  const account = yield* CurrentAccount
  const admissions = yield* Admissions
  const book = yield* ContactBook
  const housekeeping = yield* Housekeeping
  const inbox = yield* Inbox
  const inboxSync = yield* InboxSync
  const link = yield* BrokerLink
  const lookup = yield* IdentityLookup
  const manifests = yield* Manifests
  const outbox = yield* Outbox
  const proofs = yield* Proofs
  const receipts = yield* Receipts
  const refresh = yield* ContactRefresh
  const shares = yield* Shares
  const context = yield* Effect.context<Needs>()
  const layerScope = yield* Scope.Scope
  const lock = yield* Semaphore.make(1)
  let running: Running | undefined

  const isCompletable = Effect.map(pendingStep, (step) => step === "transferred")

  const retried = <A, E, R>(asking: Effect.Effect<A, E, R>) =>
    Effect.retry(asking, {
      while: (error) => error instanceof ServerUnreachable,
      schedule: Schedule.spaced("10 seconds"),
      times: 6
    })

  /** Which key the home names for the account's handle, if another one. */
  const namedInstead = Effect.fnUntraced(function* ({ handle, primary }: ReturnType<Session["account"]>) {
    const { record } = yield* Effect.flatMap(Effect.fromResult(Handle.parse(handle)), (parsed) =>
      retried(lookup.byHandle(parsed))
    )
    return record.primary === primary ? undefined : record.primary
  })

  /** Finds out to which key the account's key was handed over, and begins anew with what is left to do for it. */
  const followMove = Effect.fnUntraced(
    function* (session: Running) {
      const before = session.account()
      // A chain that is not to be had says as little as one that is silent.
      const chain = yield* Effect.option(retried(lookup.chain(session.identity.primary)))
      const rotatedTo = Option.getOrUndefined(chain)?.state.rotatedTo
      yield* noteMoved(session, rotatedTo ?? Option.getOrUndefined(yield* Effect.option(namedInstead(before))))
      const isNews = before.movedTo === undefined && session.account().movedTo !== undefined
      if (isNews || (yield* isCompletable)) yield* Effect.forkIn(Effect.ignore(restart), layerScope)
    },
    (following) => Effect.ignore(following),
    Effect.provideContext(context)
  )

  const begin = Effect.fnUntraced(function* (session: Running) {
    const connection = yield* link.connect(session.identity.brokerLogin)
    // Before the first message arrives, so that the first stranger gets a handle too.
    yield* refresh.run
    yield* proofs.run
    yield* admissions.run(session)
    yield* inboxSync.run(session, connection)
    yield* Effect.forkScoped(Stream.runForEach(inboxSync.moves, () => followMove(session)))
    yield* Effect.forkScoped(
      Effect.ignore(Effect.provideContext(FormerInboxes.run(session, session.former ?? []), context))
    )
    // A key that was handed over can only read.
    if (session.account().movedTo !== undefined) return
    yield* outbox.run
    yield* receipts.run(session)
    yield* manifests.run(session)
    yield* Effect.forkScoped(Effect.ignore(inbox.retryKept(session)))
    yield* housekeeping.run(session)
    // With its stream, the home can have lost what it was told.
    yield* Effect.forkScoped(Stream.runForEach(inboxSync.renewals, () => housekeeping.hurry))
  })

  /** Connects and starts the background work. If the store fails half-way, all of it stops and the next call retries. */
  const connect = Effect.fnUntraced(function* (session: Running) {
    if (isOffline || session.connected || session.account().step === "created") return
    session.connected = true
    const scope = yield* Scope.fork(session.scope)
    yield* Effect.onError(Scope.provide(begin(session), scope), (cause) => {
      session.connected = false
      return Scope.close(scope, Exit.failCause(cause))
    })
  })

  /** Completes an unfinished creation, retrying while a server is unreachable. */
  const finishLater = (session: Running) =>
    finishCreation(session.identity).pipe(
      Effect.retry({
        while: (error) => error instanceof ServerUnreachable,
        schedule: Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")])
      }),
      Effect.andThen(connect(session)),
      Effect.ignore,
      Effect.provideContext(context)
    )

  const open = Effect.fnUntraced(function* (identity: Identity | undefined) {
    // A store of another account must not leave its contacts in memory.
    const key =
      identity ?? (yield* complete) ?? (yield* Effect.tapError(openIdentity, () => Effect.sync(() => book.reset())))
    const { step } = yield* account.get
    // After the store is known to be this account's, and before any transfer can begin.
    yield* Effect.ignore(pruneDownloads)
    const scope = yield* Scope.fork(layerScope)
    const session: Session = { identity: key, account: account.latest, former: yield* formerIdentities(key) }
    const transfers = yield* Scope.provide(Transfers.open(session), scope)
    running = { ...session, connected: false, transfers, scope }
    if (identity === undefined && !isOffline && step !== "published") {
      yield* Effect.forkIn(finishLater(running), scope)
    }
    return running
  }, Effect.provideContext(context))

  const start: (identity?: Identity) => Effect.Effect<Running, KezChatError, Crypto> = Effect.fnUntraced(function* (
    identity
  ) {
    const session = running ?? (yield* open(identity))
    yield* account.get
    yield* connect(session)
    return session
  }, Semaphore.withPermit(lock))

  const unfinished = ({ handle, step }: ReturnType<Session["account"]>) =>
    step === "published" ? undefined : new AccountUnfinished({ handle, step })

  const unable = (row: ReturnType<Session["account"]>) =>
    row.movedTo === undefined ? unfinished(row) : new AccountMoved({ handle: row.handle, to: row.movedTo })

  const end = Effect.suspend(() => {
    const session = running
    running = undefined
    return session === undefined ? Effect.void : Scope.close(session.scope, Exit.void)
  })

  const stop = Semaphore.withPermit(lock, end)
  const restart: Effect.Effect<Running, KezChatError, Crypto> = Effect.andThen(
    stop,
    Effect.suspend(() => start())
  )

  const isReady = (session: Running) => session.account().step === "published" && (session.connected || isOffline)

  return {
    /**
     * The session, started if there is none. `identity` is that of an account just created or restored, and saves asking
     * the vault. Fails with `NoAccount` or `VaultError`.
     */
    start,
    /** The session of a published account, which can send; fails with `AccountUnfinished` before, or `AccountMoved`. */
    published: Effect.gen(function* () {
      const session = running !== undefined && isReady(running) ? running : yield* start()
      const error = unable(session.account())
      return error === undefined ? session : yield* error
    }),
    /** The session of a registered account, which can connect to the broker; fails with `AccountUnfinished` before. */
    registered: Effect.gen(function* () {
      const session = yield* start()
      const row = session.account()
      const error = row.step === "created" ? unfinished(row) : undefined
      return error === undefined ? session : yield* error
    }),
    /** Ends the session. */
    stop,
    /** Ends the session and begins one anew, with the next key where a succession is to be completed. */
    restart,
    /** Starts a session in the background if there is an account, unless the client stays offline. */
    resume: Effect.gen(function* () {
      // If this fails, so does every call that reads contacts, and says why.
      yield* Effect.ignore(book.unnameStrangers)
      // In the background: the vault may wait for a passphrase. Calls that need the account report what is wrong with it.
      if (isOffline || Result.isFailure(yield* Effect.result(account.get))) return
      yield* Effect.forkScoped(Effect.ignore(start()))
      yield* Effect.forkScoped(shares.tidied)
    })
  }
})

export class Lifecycle extends Context.Service<Lifecycle>()("@kez-chat/sdk/Lifecycle", { make }) {}

export const layer = Layer.effect(Lifecycle, make)
