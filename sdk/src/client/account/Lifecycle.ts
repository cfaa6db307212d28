/**
 * The account at work. A session begins when the key is first needed and the vault gives it; it connects as soon as the
 * broker can know the account, and ends with the layer or with the account.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { Identity } from "../../crypto/Identity.ts"
import type { Crypto } from "../../services/Crypto.ts"
import { ServerUnreachable } from "../../services/Directory.ts"
import { ContactBook, ContactRefresh } from "../contacts/index.ts"
import { collect, Transfers } from "../files/fetch/index.ts"
import { Manifests, Shares } from "../files/share/index.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import { ClientOptions } from "../internal/ClientOptions.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import type { Session } from "../internal/Session.ts"
import { Housekeeping, Inbox, InboxSync, Outbox, Receipts } from "../messaging/index.ts"
import { AccountUnfinished, type KezChatError } from "../model/index.ts"
import { Accounts } from "./Create.ts"

/** An account whose key is at hand. `scope` holds what runs for it; `connected` once it has begun. */
export interface Running extends Session {
  connected: boolean
  readonly transfers: Transfers.Transfers
  readonly scope: Scope.Closeable
}

export class Lifecycle extends Context.Service<
  Lifecycle,
  {
    /**
     * The session, begun where there is none. Fails with `NoAccount`, and with what the vault fails with. `identity` is
     * that of an account just created or restored, whose vault need not be asked.
     */
    start(identity?: Identity): Effect.Effect<Running, KezChatError, Crypto>
    /** The session of an account that is finished far enough to be sent from; else fails with `AccountUnfinished`. */
    readonly published: Effect.Effect<Running, KezChatError, Crypto>
    /** Begins a session of an account that the broker can know; else fails with `AccountUnfinished`. */
    readonly registered: Effect.Effect<Running, KezChatError, Crypto>
    /** Ends the session. */
    readonly stop: Effect.Effect<void>
    /** Begins a session in the background where there is an account, unless the client is to stay offline. */
    readonly resume: Effect.Effect<void, never, Crypto | Scope.Scope>
  }
>()("@kez-chat/sdk/Lifecycle") {}

const make = Effect.gen(function* () {
  const options = yield* ClientOptions
  const isOffline = options.offline === true
  const account = yield* CurrentAccount
  const accounts = yield* Accounts
  const book = yield* ContactBook
  const housekeeping = yield* Housekeeping
  const inbox = yield* Inbox
  const inboxSync = yield* InboxSync
  const link = yield* BrokerLink
  const manifests = yield* Manifests
  const outbox = yield* Outbox
  const receipts = yield* Receipts
  const refresh = yield* ContactRefresh
  const shares = yield* Shares
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof Transfers.open>>>()
  const layerScope = yield* Scope.Scope
  const lock = yield* Semaphore.make(1)
  let running: Running | undefined

  const begin = Effect.fnUntraced(function* (session: Running) {
    const connection = yield* link.connect(session.identity.brokerLogin)
    // Before the first message comes in, so that the first stranger is named too.
    yield* refresh.run
    yield* inboxSync.run(session, connection)
    yield* outbox.run
    yield* receipts.run(session)
    yield* manifests.run(session)
    yield* Effect.forkScoped(Effect.ignore(inbox.retryKept(session)))
    yield* housekeeping.run(session)
  })

  /**
   * Connects and sets everything going, once the broker can know the account. Where the store fails half way, all of it
   * is undone, and the next call tries again.
   */
  const connect = Effect.fnUntraced(function* (session: Running) {
    if (isOffline || session.connected || session.account().step === "created") return
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
      Effect.andThen(connect(session)),
      Effect.ignore
    )

  const open = Effect.fnUntraced(function* (identity: Identity | undefined) {
    // What is remembered of another account's store is forgotten with it.
    const key = identity ?? (yield* Effect.tapError(accounts.open, () => Effect.sync(() => book.reset())))
    const { step } = yield* account.get
    // Once the store is known to be this account's, and before anybody can begin a transfer.
    yield* Effect.ignore(Effect.provideContext(collect, context))
    const scope = yield* Scope.fork(layerScope)
    const session: Session = { identity: key, account: account.latest }
    const transfers = yield* Transfers.open(session).pipe(Effect.provideContext(context), Scope.provide(scope))
    running = { ...session, connected: false, transfers, scope }
    if (identity === undefined && !isOffline && step !== "published") {
      yield* Effect.forkIn(finishLater(running), scope)
    }
    return running
  })

  const start: Lifecycle["Service"]["start"] = Effect.fnUntraced(function* (identity) {
    const session = running ?? (yield* open(identity))
    yield* account.get
    yield* connect(session)
    return session
  }, Semaphore.withPermit(lock))

  const unfinished = ({ handle, step }: ReturnType<Session["account"]>) =>
    step === "published" ? undefined : new AccountUnfinished({ handle, step })

  const isReady = (session: Running) => session.account().step === "published" && (session.connected || isOffline)

  return Lifecycle.of({
    start,
    published: Effect.gen(function* () {
      const session = running !== undefined && isReady(running) ? running : yield* start()
      const error = unfinished(session.account())
      return error === undefined ? session : yield* error
    }),
    registered: Effect.gen(function* () {
      const session = yield* start()
      const row = session.account()
      const error = row.step === "created" ? unfinished(row) : undefined
      return error === undefined ? session : yield* error
    }),
    stop: Semaphore.withPermit(
      lock,
      Effect.suspend(() => {
        const session = running
        running = undefined
        return session === undefined ? Effect.void : Scope.close(session.scope, Exit.void)
      })
    ),
    resume: Effect.gen(function* () {
      // Where that fails, every call that reads contacts does too, and says why.
      yield* Effect.ignore(book.unnameStrangers)
      // Whatever needs the vault may wait for a passphrase; the account's own calls report what is wrong with it.
      if (isOffline || Result.isFailure(yield* Effect.result(account.get))) return
      yield* Effect.forkScoped(Effect.ignore(start()))
      yield* Effect.forkScoped(shares.tidied)
    })
  })
})

export const layer = Layer.effect(Lifecycle, make)
