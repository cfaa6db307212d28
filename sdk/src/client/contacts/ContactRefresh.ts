/**
 * Looks again at contacts: does the home still name this key, does the chain still hold? On demand, and in the
 * background for strangers to be named, for chains that a message says have grown, and for those not looked at in a day.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Handle from "../../protocol/identity/Handle.ts"
import { Problem } from "../../protocol/Problem.ts"
import { ServerUnreachable } from "../../services/Directory.ts"
import { ContactBook } from "./ContactBook.ts"
import { hexOf } from "../../protocol/identity/PrimaryKey.ts"
import { IdentityLookup } from "./IdentityLookup.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import type { Chain } from "../internal/OwnSigchain.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Crypto } from "../../services/Crypto.ts"
import type { Contact } from "../model/index.ts"
import { ContactUnknown, type KezChatError } from "../model/index.ts"
import { Ledger } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import * as Trust from "./Trust.ts"

export class ContactRefresh extends Context.Service<
  ContactRefresh,
  {
    /** Asks the home alone for a contact's handle and keeps what follows from its answer. */
    record(row: Rows.ContactRow, server: string): Effect.Effect<Rows.ContactRow, KezChatError, Crypto>
    /** Asks home and sig-server about a contact and keeps what follows from the answers. */
    now(primary: string): Effect.Effect<Contact, KezChatError, Crypto>
    /** Fetches a contact's chain and keeps what follows from it. */
    chain(primary: string): Effect.Effect<{ readonly contact: Contact; readonly chain: Chain }, KezChatError, Crypto>
    /** Has a contact checked in the background, soon. */
    enqueue(primary: string): void
    /** Waits until a wanted check was made, but no longer than a moment: for showing a stranger with a name. */
    awaitPending(primary: string): Effect.Effect<void>
    /** Works off what is wanted while the scope is open. */
    readonly run: Effect.Effect<void, KezChatError, Scope.Scope | Crypto>
  }
>()("@kez-chat/sdk/ContactRefresh") {}

const dayMillis = 24 * 60 * 60 * 1_000

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const lookup = yield* IdentityLookup
  const sendQueue = yield* SendQueue
  const queue = yield* Queue.unbounded<string>()
  const wanted = new Map<string, Deferred.Deferred<void>>()
  const working = new Map<string, Deferred.Deferred<void>>()
  let running = false

  const judge = (primary: string, how: (row: Rows.ContactRow) => Result.Result<Trust.Judged, Problem>) =>
    ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        if (row === undefined) return yield* new ContactUnknown({ who: primary })
        const judged = yield* Effect.fromResult(how(row))
        book.keep(transaction, row, judged)
        transaction.onCommit(() => sendQueue.wake(hexOf(primary)))
        return judged.row
      })
    )

  const compareRecord = Effect.fnUntraced(function* (row: Rows.ContactRow, server: string) {
    const handle = yield* Effect.fromResult(Handle.parse(row.handle))
    const answer = yield* Effect.result(lookup.byHandle(handle.local, server))
    const time = yield* Clock.currentTimeMillis
    if (Result.isSuccess(answer)) {
      const { primary } = answer.success.record
      return yield* judge(row.primary, (current) => Result.succeed(Trust.afterRecord(current, primary, time)))
    }
    const problem = answer.failure
    if (problem instanceof Problem && (problem.code === "handle_deleted" || problem.code === "handle_not_found")) {
      return yield* judge(row.primary, (current) => Result.succeed(Trust.afterLoss(current, problem, time)))
    }
    return yield* problem
  })

  /**
   * A key that had no name here gets the one the home proves, unless the name is pinned to another key: then it is that
   * contact who is looked at, and this key stays without a name.
   */
  const name = Effect.fnUntraced(function* (primary: string, mine: Rows.AccountRow) {
    const { record } = yield* lookup.byPrimary(primary, mine.server)
    if (record.handle === mine.handle) {
      return yield* new Problem({ code: "record_invalid", detail: `the home gives your own name to ${primary}` })
    }
    // In one transaction: the user may add the name's bearer at this moment.
    const pinned = yield* ledger.transact((transaction) =>
      Effect.gen(function* () {
        const row = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        if (row === undefined) return yield* new ContactUnknown({ who: primary })
        const bearers = (yield* book.bearers(transaction, record.handle)).filter((other) => other.primary !== primary)
        const pinned = bearers.filter(({ state }) => state !== "requested")
        if (pinned.length > 0) return pinned
        for (const other of bearers) book.save(transaction, Trust.unnamed(other))
        book.keep(transaction, row, { row: { ...row, handle: record.handle, resolved: true } })
        transaction.onCommit(() => sendQueue.wake(hexOf(primary)))
        return []
      })
    )
    for (const other of pinned) yield* compareRecord(other, mine.server)
  })

  const chain: ContactRefresh["Service"]["chain"] = Effect.fnUntraced(function* (primary) {
    const before = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    const chain = yield* lookup.chain(primary)
    const time = yield* Clock.currentTimeMillis
    const row = yield* judge(primary, (row) => Trust.afterChain(row, chain, time, before?.claimed))
    return { contact: Trust.toContact(row), chain }
  })

  const now: ContactRefresh["Service"]["now"] = Effect.fnUntraced(function* (primary: string) {
    const mine = yield* account.get
    const row = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    if (row === undefined) return yield* new ContactUnknown({ who: primary })
    if (row.resolved) yield* compareRecord(row, mine.server)
    else yield* name(primary, mine)
    return (yield* chain(primary)).contact
  })

  const enqueue: ContactRefresh["Service"]["enqueue"] = (primary) => {
    if (!running || wanted.has(primary)) return
    wanted.set(primary, Deferred.makeUnsafe<void>())
    Queue.offerUnsafe(queue, primary)
  }

  // An outage is waited out, with the same contact; any other answer is final until the next reason to look.
  const work = Effect.fnUntraced(function* () {
    let pauseMillis = 1_000
    while (true) {
      const primary = yield* Queue.take(queue)
      const done = wanted.get(primary)
      if (done === undefined) continue
      // Wanted again from now on means once more: what is under way may have asked too early.
      wanted.delete(primary)
      working.set(primary, done)
      const result = yield* Effect.result(now(primary))
      if (working.get(primary) === done) working.delete(primary)
      Deferred.doneUnsafe(done, Effect.void)
      if (Result.isSuccess(result) || !(result.failure instanceof ServerUnreachable)) {
        pauseMillis = 1_000
        continue
      }
      yield* Effect.sleep(Math.max(pauseMillis, result.failure.retryAfterMillis ?? 0))
      pauseMillis = Math.min(pauseMillis * 2, 5 * 60_000)
      enqueue(primary)
    }
  })

  const enqueueStale = Effect.gen(function* () {
    const time = yield* Clock.currentTimeMillis
    for (const row of yield* book.all) {
      const stale = (row.checkedAt ?? 0) < time - dayMillis && row.state !== "blocked"
      // What stopped may be over: whoever waits for that should not wait a day.
      if (!row.resolved || row.claimed !== undefined || stale || row.state === "changed") enqueue(row.primary)
    }
  })

  return ContactRefresh.of({
    record: compareRecord,
    now,
    chain,
    enqueue,
    awaitPending: (primary) => {
      const waiting = working.get(primary) ?? wanted.get(primary)
      return waiting === undefined
        ? Effect.void
        : Effect.asVoid(Effect.timeoutOption(Deferred.await(waiting), "3 seconds"))
    },
    run: Effect.gen(function* () {
      running = true
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          running = false
          for (const waiting of [...wanted.values(), ...working.values()]) Deferred.doneUnsafe(waiting, Effect.void)
          wanted.clear()
          working.clear()
        })
      )
      yield* enqueueStale
      yield* Effect.forkScoped(Effect.forever(Effect.ignore(Effect.delay(enqueueStale, "1 hour"))))
      for (let worker = 0; worker < 4; worker++) yield* Effect.forkScoped(work())
    })
  })
})

export const layer: Layer.Layer<
  ContactRefresh,
  never,
  Ledger | CurrentAccount | ContactBook | IdentityLookup | SendQueue
> = Layer.effect(ContactRefresh, make)
