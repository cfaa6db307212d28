/**
 * Receipts to contacts: that their messages were delivered and, if the user allows it, read (spec KEZ-SEQ: receipts).
 *
 * What is still due is not kept per message. Each conversation has two marks, up to which message delivered and read
 * receipts are queued, and the transaction that queues a receipt moves them. So after a crash no message is receipted
 * twice and none is forgotten.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { admitHex, type AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import { Ledger, scanRows, type Transaction } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import * as KeyedWorker from "../internal/KeyedWorker.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"

const { key } = Rows

/** Minimum time between two receipts to one peer, in milliseconds. */
const spacingMillis = 2_000

/** Most messages scanned for one receipt. */
const scanLimit = 512

/** The next receipt of a conversation: for messages after `after`, up to `upTo`. */
interface Due {
  readonly status: "delivered" | "read"
  readonly after: number
  readonly upTo: number
}

const nextDue = (counters: Rows.ConversationCountersRow): Due | undefined => {
  const { deliveredReceiptedUpTo, lastIncoming, readReceiptDueUpTo, readReceiptedUpTo } = counters
  // `read` implies `delivered`, so it goes first and moves that mark too.
  if (readReceiptDueUpTo > readReceiptedUpTo) {
    return { status: "read", after: readReceiptedUpTo, upTo: readReceiptDueUpTo }
  }
  if (lastIncoming > deliveredReceiptedUpTo) {
    return { status: "delivered", after: deliveredReceiptedUpTo, upTo: lastIncoming }
  }
  return undefined
}

const receipted = (
  counters: Rows.ConversationCountersRow,
  { status }: Due,
  upTo: number
): Rows.ConversationCountersRow => ({
  ...counters,
  deliveredReceiptedUpTo: Math.max(counters.deliveredReceiptedUpTo, upTo),
  ...(status === "read" ? { readReceiptedUpTo: upTo } : {})
})

/** The ids that fit in one receipt, and the message up to which they go. */
const collect = Effect.fnUntraced(function* (transaction: Transaction, peerHex: string, due: Due) {
  const entries = yield* transaction.scan({
    prefix: Rows.prefix.messages(peerHex),
    after: key.message(peerHex, due.after),
    before: key.message(peerHex, due.upTo + 1),
    limit: scanLimit
  })
  const ids: Array<string> = []
  let upTo = due.after
  for (const entry of entries) {
    if (ids.length === Limits.receiptIds) return { ids, upTo }
    const row = yield* Effect.fromResult(Rows.MessageRow.decode(entry.key, entry.value))
    upTo = Rows.orderOf(entry.key)
    if (row.direction === "in") ids.push(row.id)
  }
  return { ids, upTo: entries.length < scanLimit ? due.upTo : upTo }
})

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const sendQueue = yield* SendQueue
  const link = yield* BrokerLink
  const worker = KeyedWorker.make()
  /** When the next receipt to a peer may be queued, in milliseconds since the epoch. */
  const notBefore = new Map<string, number>()

  /** Queues one receipt to a peer; false if none is due. */
  const queueNext = (session: Session, peer: AdmittedKey) =>
    ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
        const counters = yield* ConversationCounters.read(transaction, peer.hex)
        const due = nextDue(counters)
        if (due === undefined || contact?.state !== "accepted") return false
        const { ids, upTo } = yield* collect(transaction, peer.hex, due)
        ConversationCounters.put(transaction, peer.hex, receipted(counters, due, upTo))
        if (ids.length > 0) {
          yield* sendQueue.enqueue(transaction, session, peer, { type: "receipt", status: due.status, ids })
        }
        return true
      })
    )

  const round = Effect.fnUntraced(function* (session: Session, peerHex: string) {
    const peer = admitHex(peerHex)
    if (Result.isFailure(peer) || !(yield* queueNext(session, peer.success))) {
      notBefore.delete(peerHex)
      return "idle"
    }
    notBefore.set(peerHex, (yield* Clock.currentTimeMillis) + spacingMillis)
    return "again"
  })

  /** Messages that arrive while offline or between two receipts share the next receipt. */
  const ready = Effect.fnUntraced(function* (peerHex: string) {
    yield* link.online
    const pauseMillis = (notBefore.get(peerHex) ?? 0) - (yield* Clock.currentTimeMillis)
    if (pauseMillis > 0) yield* Effect.sleep(pauseMillis)
  })

  // Accepting a contact makes receipts due for what it wrote before.
  sendQueue.onWake(worker.wake)

  return {
    /** A conversation may have receipts due. */
    due: worker.wake,
    /** Waits until every receipt that may go out now is queued. */
    settled: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const sendable = worker.busy().filter((peerHex) => (notBefore.get(peerHex) ?? 0) <= now)
      yield* Effect.forEach(sendable, worker.settled, { concurrency: "unbounded", discard: true })
    }),
    /** Queues due receipts until the scope closes, those that an earlier run left first. */
    run: Effect.fnUntraced(function* (session: Session) {
      notBefore.clear()
      yield* worker.run({ ready, round: (peerHex) => round(session, peerHex), retry: Schedule.spaced("5 seconds") })
      // An earlier run may have queued a receipt just before it ended.
      const first = (yield* Clock.currentTimeMillis) + spacingMillis
      const conversations = { prefix: Rows.prefix.conversations }
      for (const { id: peerHex, row } of yield* scanRows(ledger, conversations, Rows.ConversationCounters)) {
        if (nextDue(row) === undefined) continue
        notBefore.set(peerHex, first)
        worker.wake(peerHex)
      }
    })
  }
})

export class Receipts extends Context.Service<Receipts>()("@kez-chat/sdk/Receipts", { make }) {}

export const layer = Layer.effect(Receipts, make)
