/**
 * Telling contacts that their messages were delivered, and read where the user lets them know (spec KEZ-SEQ: receipts).
 *
 * What is still to be told is not kept message by message: each conversation has two marks, up to where the peer was
 * told, and the transaction that queues a receipt moves them. So nothing is told twice or forgotten, whatever crashes.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { admitHex, type AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { StoreError } from "../../services/LocalStore.ts"
import * as Conversation from "../internal/ConversationCounters.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"

const { key } = Rows

/** At most one receipt per peer in this time. */
const spacingMillis = 2_000

/** Most messages looked through for one receipt. */
const scanLimit = 512

export class Receipts extends Context.Service<
  Receipts,
  {
    /** A conversation may have something to be told. */
    due(peerHex: string): void
    /** Waits until every receipt that may go out now is queued. */
    readonly settled: Effect.Effect<void>
    /** Tells what is due while the scope is open, what an earlier run left included. */
    run(session: Session): Effect.Effect<void, StoreError, Scope.Scope | Crypto>
  }
>()("@kez-chat/sdk/Receipts") {}

/** What is to be told next of a conversation: messages after `after`, up to `upTo`. */
interface Due {
  readonly status: "delivered" | "read"
  readonly after: number
  readonly upTo: number
}

const nextDue = (talk: Rows.ConversationCountersRow): Due | undefined => {
  // `read` says `delivered` too, so it goes first and takes that mark along.
  if (talk.readReceiptDueUpTo > talk.readReceiptedUpTo)
    return { status: "read", after: talk.readReceiptedUpTo, upTo: talk.readReceiptDueUpTo }
  if (talk.lastIncoming > talk.deliveredReceiptedUpTo) {
    return { status: "delivered", after: talk.deliveredReceiptedUpTo, upTo: talk.lastIncoming }
  }
  return undefined
}

const tell = (talk: Rows.ConversationCountersRow, due: Due, told: number): Rows.ConversationCountersRow => ({
  ...talk,
  deliveredReceiptedUpTo: Math.max(talk.deliveredReceiptedUpTo, told),
  ...(due.status === "read" ? { readReceiptedUpTo: told } : {})
})

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const sendQueue = yield* SendQueue
  const link = yield* BrokerLink

  let start: ((peerHex: string) => void) | undefined
  const peers = new Map<string, PeerState>()

  /** Queues one receipt for a peer; false when nothing is due. */
  const queueOne = (session: Session, peer: AdmittedKey) =>
    ledger.transact((transaction) =>
      Effect.gen(function* () {
        const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
        const talk = yield* Conversation.counters(transaction, peer.hex)
        const due = nextDue(talk)
        if (due === undefined || contact?.state !== "accepted") return false
        const { ids, told } = yield* collect(transaction, peer.hex, due)
        transaction.put(key.conversation(peer.hex), Rows.ConversationCounters, tell(talk, due, told))
        if (ids.length > 0)
          yield* sendQueue.enqueue(transaction, session, peer, { type: "receipt", status: due.status, ids })
        return true
      })
    )

  const tellPeer = Effect.fnUntraced(function* (session: Session, peer: AdmittedKey, state: PeerState) {
    while (true) {
      // While offline more comes together, and one receipt serves for all of it.
      yield* link.online
      const now = yield* Clock.currentTimeMillis
      if (now < state.notBefore) yield* Effect.sleep(state.notBefore - now)
      state.again = false
      const queued = yield* Effect.result(queueOne(session, peer))
      for (const waiting of state.waiting.splice(0)) Deferred.doneUnsafe(waiting, Effect.void)
      if (Result.isFailure(queued)) yield* Effect.sleep(5_000)
      else if (queued.success) state.notBefore = (yield* Clock.currentTimeMillis) + spacingMillis
      else if (!state.again) break
    }
    state.running = false
  })

  return Receipts.of({
    due: (peerHex) => start?.(peerHex),
    settled: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const passes: Array<Deferred.Deferred<void>> = []
      for (const state of peers.values()) {
        if (!state.running || state.notBefore > now) continue
        const pass = Deferred.makeUnsafe<void>()
        state.waiting.push(pass)
        passes.push(pass)
      }
      yield* Effect.forEach(passes, Deferred.await, { discard: true })
    }),
    run: (session) =>
      Effect.gen(function* () {
        const fork = yield* FiberSet.makeRuntime<Crypto>()
        peers.clear()
        // An earlier run may have told somebody a moment ago.
        const notBefore = (yield* Clock.currentTimeMillis) + spacingMillis
        const left: Array<string> = []
        for (const entry of yield* ledger.scan({ prefix: Rows.prefix.conversations })) {
          const talk = yield* Effect.fromResult(Rows.ConversationCounters.decode(entry.key, entry.value))
          const hex = entry.key.slice(Rows.prefix.conversations.length)
          if (nextDue(talk) === undefined) continue
          peers.set(hex, { running: false, again: false, notBefore, waiting: [] })
          left.push(hex)
        }
        start = (hex) => {
          const state = peers.get(hex) ?? { running: false, again: false, notBefore: 0, waiting: [] }
          peers.set(hex, state)
          state.again = true
          const peer = admitHex(hex)
          if (state.running || Result.isFailure(peer)) return
          state.running = true
          fork(tellPeer(session, peer.success, state))
        }
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            start = undefined
            for (const state of peers.values()) {
              for (const waiting of state.waiting.splice(0)) Deferred.doneUnsafe(waiting, Effect.void)
            }
            peers.clear()
          })
        )
        for (const hex of left) start?.(hex)
      })
  })
})

export const layer: Layer.Layer<Receipts, never, Ledger | SendQueue | BrokerLink> = Layer.effect(Receipts, make)

interface PeerState {
  running: boolean
  /** Something became due while a receipt was being made. */
  again: boolean
  /** Milliseconds since the epoch. */
  notBefore: number
  readonly waiting: Array<Deferred.Deferred<void>>
}

/** The ids that one receipt can tell, and how far it tells. */
const collect = (
  transaction: Transaction,
  peerHex: string,
  due: Due
): Effect.Effect<{ readonly ids: ReadonlyArray<string>; readonly told: number }, StoreError | Problem> =>
  Effect.gen(function* () {
    const entries = yield* transaction.scan({
      prefix: Rows.prefix.messages(peerHex),
      after: key.message(peerHex, due.after),
      before: key.message(peerHex, due.upTo + 1),
      limit: scanLimit
    })
    const ids: Array<string> = []
    let told = due.after
    for (const entry of entries) {
      if (ids.length === Limits.receiptIds) return { ids, told }
      const row = yield* Effect.fromResult(Rows.MessageRow.decode(entry.key, entry.value))
      told = Rows.orderOf(entry.key)
      if (row.direction === "in") ids.push(row.id)
    }
    return { ids, told: entries.length < scanLimit ? due.upTo : told }
  })
