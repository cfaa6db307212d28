/**
 * Checks contacts again: does the home server still name this key, and does the sigchain still extend what was seen of
 * it? On demand, and in the background for contacts without a handle, for chains that a message says have grown, and
 * for contacts that were not checked for a day.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Handle from "../../protocol/identity/Handle.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"
import { hexOf } from "../../protocol/identity/PrimaryKey.ts"
import { Problem } from "../../protocol/Problem.ts"
import { ServerUnreachable } from "../../services/index.ts"
import { ClaimBook } from "../claims/index.ts"
import { CurrentAccount } from "../internal/CurrentAccount.ts"
import * as KeyedWorker from "../internal/KeyedWorker.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import * as Rows from "../internal/rows/index.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import { ContactUnknown } from "../model/index.ts"
import { ContactBook } from "./ContactBook.ts"
import { IdentityLookup } from "./IdentityLookup.ts"
import * as Trust from "./Trust.ts"

/** A contact is due for a check when its last one is older than this. */
const staleMillis = 24 * 60 * 60 * 1_000

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const account = yield* CurrentAccount
  const book = yield* ContactBook
  const claimBook = yield* ClaimBook
  const lookup = yield* IdentityLookup
  const sendQueue = yield* SendQueue
  const worker = KeyedWorker.make()
  // The home says that a contact's key was handed over; its chain says to which one.
  sendQueue.onMoved((hex) => worker.wake(PrimaryKey.ofHex(hex)))

  /** Stores what `how` makes of a contact, and lets messages go out that this unblocks. */
  const judge = (primary: string, how: (row: Rows.ContactRow) => Result.Result<Trust.Judged, Problem>) =>
    ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const row = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        if (row === undefined) return yield* new ContactUnknown({ who: primary })
        const judged = yield* Effect.fromResult(how(row))
        book.keep(transaction, row, judged)
        transaction.onCommit(() => sendQueue.wake(hexOf(primary)))
        return judged.row
      })
    )

  const record = Effect.fnUntraced(function* (row: Rows.ContactRow) {
    const handle = yield* Effect.fromResult(Handle.parse(row.handle))
    const answer = yield* Effect.result(lookup.byHandle(handle, row.home))
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
   * Gives a key without a handle the one that its record proves, unless that handle is pinned to another key: then that
   * contact is checked, and this key stays without a handle (KEZ-SEQ-045).
   */
  const assignHandle = Effect.fnUntraced(function* (primary: string, mine: Rows.AccountRow) {
    const { handle } = (yield* lookup.byPrimary(primary, mine.server)).record
    if (handle === mine.handle) {
      return yield* new Problem({
        code: "record_invalid",
        detail: `the home server names ${primary} for your own handle`
      })
    }
    // In one transaction: the user may add the bearer of the handle at this moment.
    const pinned = yield* ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const row = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
        if (row === undefined) return yield* new ContactUnknown({ who: primary })
        const bearers = (yield* book.bearers(transaction, handle)).filter((other) => other.primary !== primary)
        const pinned = bearers.filter(({ state }) => state !== "requested")
        if (pinned.length > 0) return pinned
        for (const other of bearers) book.save(transaction, Trust.unnamed(other))
        book.keep(transaction, row, { row: { ...row, handle, resolved: true } })
        transaction.onCommit(() => sendQueue.wake(hexOf(primary)))
        return []
      })
    )
    for (const other of pinned) {
      // First what the owner signed: a key that was handed over to is no surprise.
      const checked = yield* Effect.result(chain(other.primary))
      if (other.state !== "blocked") yield* record(other)
      else if (Result.isSuccess(checked)) yield* followBlock(other.primary, primary, checked.success.line)
    }
  })

  /** Blocks the key that a blocked contact's chain leads to, which takes the contact's place (KEZ-SEQ-122). */
  const followBlock = (blocked: string, primary: string, line: ReadonlyArray<string>) =>
    !line.includes(primary)
      ? Effect.void
      : ledger.transact(
          Effect.fnUntraced(function* (transaction: Transaction) {
            const old = yield* transaction.get(Rows.key.contact(hexOf(blocked)), Rows.Contact)
            const next = yield* transaction.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
            if (old?.state !== "blocked" || next === undefined) return
            const passed = yield* book.passed(transaction, line, primary)
            const former = [...new Set([...next.former, ...passed, ...old.former, hexOf(blocked)])]
            yield* book.retire(transaction, former, hexOf(primary), yield* Clock.currentTimeMillis)
            book.remove(transaction, old)
            book.save(transaction, { ...Trust.named(Trust.block(next), old.handle, old.home), former })
          })
        )

  const chain = Effect.fnUntraced(function* (primary: string) {
    const before = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    const chain = yield* lookup.chain(primary, before?.home)
    const line = yield* lookup.line(chain.state.rotatedTo, before?.home)
    const time = yield* Clock.currentTimeMillis
    const row = yield* judge(primary, (row) => Trust.afterChain(row, chain, time, before?.claimed, line))
    const contact = Trust.toContact(row)
    // Claims of a chain that is not believed, such as one that was rolled back, are not taken over.
    if (row.head !== undefined && row.head.hash === chain.head?.hash) {
      yield* ledger.transact((transaction) => claimBook.sync(transaction, contact, chain.state.claims))
    }
    return { contact, chain, line }
  })

  const now = Effect.fnUntraced(function* (primary: string) {
    const mine = yield* account.get
    const row = yield* ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact)
    if (row === undefined) return yield* new ContactUnknown({ who: primary })
    if (row.resolved) yield* record(row)
    else yield* assignHandle(primary, mine)
    return (yield* chain(primary)).contact
  })

  const enqueueStale = Effect.gen(function* () {
    const time = yield* Clock.currentTimeMillis
    for (const row of yield* book.all) {
      const isStale = (row.checkedAt ?? 0) < time - staleMillis && row.state !== "blocked"
      // A `changed` contact may have healed: do not make the user wait a day for it.
      if (!row.resolved || row.claimed !== undefined || isStale || row.state === "changed") worker.wake(row.primary)
    }
  })

  return {
    /** Asks the contact's home server alone which key bears the contact's handle, and stores what follows. */
    record,
    /** Asks the home server and the sig-server about a contact, and stores what follows. */
    now,
    /** Fetches and verifies a contact's sigchain, and stores what follows. */
    chain,
    /** Requests a background check, as `now`. Ignored while the background checks do not run. */
    enqueue: worker.wake,
    /** Waits for a pending background check of this contact, for 3 s at most. */
    awaitPending: (primary: string) => Effect.asVoid(Effect.timeoutOption(worker.settled(primary), "3 seconds")),
    /** Waits for pending checks of contacts without a handle, for 3 s at most: until then they are known by key only. */
    named: Effect.gen(function* () {
      const unnamed = (yield* book.all).filter(({ resolved }) => !resolved)
      yield* Effect.forEach(unnamed, ({ primary }) => worker.settled(primary), {
        concurrency: "unbounded",
        discard: true
      })
    }).pipe(Effect.timeoutOption("3 seconds"), Effect.asVoid),
    /** Runs the background checks until the scope closes; begins with the contacts that are due. */
    run: Effect.gen(function* () {
      yield* worker.run({
        // Only an outage is worth a retry; any other answer is final until the next reason to ask. Another home that
        // is down has the hour until `enqueueStale`, so that it never holds up the contacts of this one.
        round: (primary) =>
          now(primary).pipe(
            Effect.catch((error) =>
              Effect.flatMap(ledger.get(Rows.key.contact(hexOf(primary)), Rows.Contact), (row) =>
                error instanceof ServerUnreachable && row?.home === undefined ? Effect.fail(error) : Effect.void
              )
            ),
            Effect.as("idle")
          ),
        retry: KeyedWorker.backoff("1 second", "5 minutes"),
        concurrency: 4
      })
      yield* enqueueStale
      yield* Effect.forkScoped(Effect.forever(Effect.ignore(Effect.delay(enqueueStale, "1 hour"))))
    })
  }
})

export class ContactRefresh extends Context.Service<ContactRefresh>()("@kez-chat/sdk/ContactRefresh", { make }) {}

export const layer = Layer.effect(ContactRefresh, make)
