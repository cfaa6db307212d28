/**
 * Sending. `enqueue` writes the message, its sequence number and the sealed frames of both copies in one commit.
 * Lanes then send exactly these bytes, repeatedly under the same Kez-Id, until the broker answers `ok`.
 *
 * Each recipient has a lane of its own, so a full inbox delays nobody else. A lane sends in order: one frame first, and
 * a small sliding window in flight once that frame was accepted. After any failure nothing more is sent until all in
 * flight are answered, and it begins again at the oldest frame without an `ok`. So frames can be stored out of order
 * only within one window, if the broker refuses one in the middle or its answer is lost. Answers that came together are
 * recorded together.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Id from "../../crypto/Id.ts"
import * as SealedMessage from "../../crypto/SealedMessage.ts"
import { Body, Bytes, Hash, Limits, Seal } from "../../protocol/index.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import { admitHex } from "../../protocol/identity/KeyAdmission.ts"
import type { Head } from "../../protocol/sigchain/Sigchain.ts"
import { BrokerRefused, BrokerUnavailable, Crypto, type StoreError } from "../../services/index.ts"
import { Acceptances } from "./sending/Acceptances.ts"
import * as MessageLog from "./MessageLog.ts"
import { Events } from "../internal/Events.ts"
import type { Message } from "../model/index.ts"
import { Ledger, type LedgerError, scanRows, type Transaction } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import * as KeyedWorker from "../internal/KeyedWorker.ts"
import { Offers } from "../files/fetch/index.ts"
import * as Rows from "../internal/rows/index.ts"
import * as ConversationCounters from "../internal/ConversationCounters.ts"
import type { Job } from "./sending/Lane.ts"
import * as Lanes from "./sending/Lane.ts"
import { pauses, Unsent } from "./sending/LanePauses.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import { Trust } from "../contacts/index.ts"
import { makeReaddress } from "./Readdress.ts"

const { key } = Rows

/** Most frames in flight to all recipients together. */
const windowSize = 64

/** Most own copies of this process that are recognised when they come back. */
const ownCopiesMax = 4_096

const utf8 = new TextDecoder()

/** The sigchain head that a body of this account names. */
export const chainOf = ({ head }: Pick<Rows.AccountRow, "head">): Head => head ?? { seq: 0, hash: Hash.blank("sha256") }

export class Outbox extends Context.Service<
  Outbox,
  {
    /** Whether a frame is, byte for byte, an own copy that this process sent recently. */
    isOwnCopy(frame: Uint8Array): boolean
    /** Loads what an earlier run left, and sends until the scope closes. */
    readonly run: Effect.Effect<void, StoreError, Scope.Scope>
    /** Waits until no lane has anything left that may be sent now. */
    readonly drained: Effect.Effect<void>
  }
>()("@kez-chat/sdk/Outbox") {}

/** How a copy's sending ended. */
interface Ended {
  readonly failure?: string
  readonly acceptance?: NonNullable<Rows.MessageRow["acceptance"]>
}

type Unanswered = BrokerRefused | BrokerUnavailable | StoreError
/** What the broker answered, or why there is no answer that counts. */
type Answer = Result.Result<Ended, Unanswered>
type Lane = Lanes.Lane<Exit.Exit<Ended, Unanswered>>

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const link = yield* BrokerLink
  const acceptances = yield* Acceptances
  const crypto = yield* Crypto
  const verifyAcceptance = (...accepted: Parameters<typeof acceptances.verify>) =>
    Effect.provideService(
      Effect.orElseSucceed(acceptances.verify(...accepted), () => undefined),
      Crypto,
      crypto
    )
  const worker = KeyedWorker.make()
  const lanes = new Map<string, Lane>()
  const window = yield* Semaphore.make(windowSize)

  let tellWoken: (peerHex: string) => void = () => {}
  let tellMoved: (peerHex: string) => void = () => {}

  // The ephemeral keys of the latest own copies: a frame that comes back with one of them need not be opened.
  const ownCopies = new Set<string>()

  const push = (jobs: ReadonlyArray<Job>) => {
    for (const job of jobs) {
      const lane = lanes.get(job.to.hex) ?? Lanes.make<Exit.Exit<Ended, Unanswered>>()
      lanes.set(job.to.hex, lane)
      lane.add(job)
      worker.wake(job.to.hex)
    }
  }

  /** The copies that may go now: another device shows an own copy as stored, so it waits for the addressee's. */
  const jobsOf = (order: number, { copies, message }: Pick<Rows.OutRow, "copies" | "message">): ReadonlyArray<Job> => {
    const main = copies.filter((copy) => copy.main)
    const isShown = message !== undefined && copies.length > 1
    return (main.length > 0 ? main : copies).flatMap(({ kezId, main, to }) =>
      Result.match(admitHex(to), {
        onFailure: () => [],
        onSuccess: (admitted) => [{ order, to: admitted, kezId, main, isSigned: main && isShown }]
      })
    )
  }

  const enqueue: SendQueue["Service"]["enqueue"] = Effect.fnUntraced(function* (transaction, session, peer, draft) {
    const account = session.account()
    const me = session.identity.key
    const chain = chainOf(account)
    const counters = yield* ConversationCounters.read(transaction, peer.hex)
    const createdAt = yield* Clock.currentTimeMillis
    const header = {
      id: yield* Id.make,
      to: peer,
      device: account.device,
      seq: counters.seq,
      ...(counters.prev === undefined ? {} : { prev: counters.prev }),
      createdAt
    }
    const known = { ...draft, chain } as Body.Known
    const body = yield* Effect.fromResult(Body.encode(known))
    yield* Effect.fromResult(Body.checkAuthor(known, me))
    const signed = yield* SealedMessage.encryptBytes(crypto, session.identity, header, body)
    const isHidden = Body.isHidden(draft)
    const readers = isHidden || peer.hex === me.hex ? [peer] : [peer, me]
    const copies: Array<Rows.OutRow["copies"][number]> = []
    const order = yield* ConversationCounters.nextOrder(transaction)
    const ephemeral = yield* crypto.randomBytes(Limits.keyBytes)
    for (const reader of readers) {
      const kezId = yield* Id.make
      const frame = yield* reader === peer && readers.length > 1
        ? SealedMessage.sealFrameWith(signed.encoded, reader, ephemeral)
        : SealedMessage.sealFrame(signed.encoded, reader)
      transaction.putBytes(key.frame(kezId), frame)
      copies.push({ to: reader.hex, kezId, main: reader === peer })
    }
    const out = { peer: peer.hex, ...(isHidden ? {} : { message: order }), copies }
    transaction.put(key.out(order), Rows.Out, out)
    const sent = { ...header, from: me }
    transaction.putNew(key.slot(sent), Rows.Slot, { id: header.id })
    transaction.put(key.seen(sent), Rows.Seen, {
      hash: signed.hash,
      ...(isHidden ? {} : { peer: peer.hex, order })
    })
    ConversationCounters.put(transaction, peer.hex, {
      ...counters,
      seq: counters.seq + 1,
      ...(isHidden ? {} : { prev: signed.hash, unread: 0 })
    })
    transaction.onDurable(() => push(jobsOf(order, out)))
    if (isHidden) return undefined
    const row: Rows.MessageRow = {
      id: header.id,
      direction: "out",
      // As its readers will parse it.
      body: JSON.parse(utf8.decode(body)) as JsonObject,
      device: header.device,
      seq: header.seq,
      hash: signed.hash,
      createdAt,
      arrivedAt: createdAt,
      state: "queued",
      proof: {
        salt: String(signed.envelope.payload["salt"]),
        sig: signed.envelope.signature.sig,
        ...(header.prev === undefined ? {} : { prev: header.prev }),
        ...(readers.length > 1 ? { ephemeral: Bytes.toBase64Url(ephemeral) } : {})
      }
    }
    transaction.put(key.message(peer.hex, order), Rows.MessageRow, row)
    Offers.note(transaction, me.hex, peer.hex, order, row.body)
    return MessageLog.toMessage(peer.hex, order, row)
  })

  const publishState = (transaction: Transaction, message: Message | undefined) => {
    if (message !== undefined) transaction.onCommit(() => events.publish({ _tag: "State", message }))
  }

  const removeCopy = Effect.fnUntraced(function* (transaction: Transaction, job: Job, ended: Ended) {
    const { acceptance, failure } = ended
    transaction.delete(key.frame(job.kezId))
    const row = yield* transaction.get(key.out(job.order), Rows.Out)
    const copy = row?.copies.find((copy) => copy.kezId === job.kezId)
    if (row === undefined || copy === undefined) return
    // Other devices are not shown a message that its recipient will never get.
    const removed = copy.main && failure !== undefined ? row.copies : [copy]
    for (const { kezId } of removed) transaction.delete(key.frame(kezId))
    const copies = row.copies.filter((other) => !removed.includes(other))
    if (copies.length === 0) transaction.delete(key.out(job.order))
    else {
      transaction.put(key.out(job.order), Rows.Out, { ...row, copies })
      transaction.onCommit(() => push(jobsOf(job.order, { ...row, copies })))
    }
    if (!copy.main || row.message === undefined) return
    const advance = MessageLog.advance(failure === undefined ? "stored" : "failed", failure)
    const update = (before: Rows.MessageRow) => {
      const advanced = advance(before)
      return acceptance === undefined ? advanced : { ...advanced, acceptance }
    }
    publishState(transaction, yield* MessageLog.change(transaction, row.peer, row.message, update))
  })

  const abandon: SendQueue["Service"]["abandon"] = Effect.fnUntraced(function* (transaction, peerHex, reason) {
    for (const { key: rowKey, row } of yield* scanRows(transaction, { prefix: Rows.prefix.out }, Rows.Out)) {
      const main = row.copies.find((copy) => copy.main)
      if (row.peer !== peerHex || main === undefined) continue
      // The own copy too: a message that was never sent is not shown to the account's other devices.
      for (const copy of row.copies) transaction.delete(key.frame(copy.kezId))
      transaction.delete(rowKey)
      if (row.message === undefined) continue
      const advance = MessageLog.advance("failed", reason)
      publishState(transaction, yield* MessageLog.change(transaction, peerHex, row.message, advance))
    }
    transaction.onCommit(() => {
      const lane = lanes.get(peerHex)
      if (lane === undefined) return
      lane.clear()
      // A round that finds nothing to send ends the lane's pause, and the wait of `drained`.
      worker.hurry(peerHex)
    })
  })

  const readdress = makeReaddress({ abandon, enqueue, events })

  /** Records why and until when the home refuses a message. */
  const noteRefusal = Effect.fnUntraced(function* (
    transaction: Transaction,
    job: Job,
    reason: "full" | "slow" | "moved",
    until?: number
  ) {
    const row = yield* transaction.get(key.out(job.order), Rows.Out)
    if (!job.main || row?.message === undefined) return
    const update = MessageLog.withWaiting({ reason, ...(until === undefined ? {} : { until }) })
    publishState(transaction, yield* MessageLog.change(transaction, row.peer, row.message, update))
  })

  /** Sends one frame and asks for its answer, unless it was given up: then it is gone, or no longer in flight. */
  const request = Effect.fnUntraced(function* (
    lane: Lane,
    job: Job,
    read: Exit.Exit<Uint8Array | undefined, StoreError>
  ): Effect.fn.Return<Ended, Unanswered> {
    const frame = yield* read
    const connection = yield* link.online
    if (frame === undefined || !lane.isFlying(job)) return {}
    if (!job.main) {
      ownCopies.add(Seal.ephemeralKeyOf(frame))
      if (ownCopies.size > ownCopiesMax) ownCopies.delete(ownCopies.values().next().value!)
    }
    const signed = yield* connection.send(job.to, job.kezId, frame, job.isSigned)
    const acceptance =
      signed === undefined || !job.isSigned ? undefined : yield* verifyAcceptance(job.to, frame, signed)
    return acceptance === undefined ? {} : { acceptance }
  })

  /**
   * Records one answer: `again` where it does not count, `refused` where the home is out of room for now. `isKept`: the
   * user keeps a key that the home no longer knows, so `unknown` is not final.
   */
  const record = Effect.fnUntraced(function* (transaction: Transaction, job: Job, answer: Answer, isKept: boolean) {
    if (Result.isSuccess(answer)) {
      yield* removeCopy(transaction, job, answer.success)
      return "done"
    }
    const error = answer.failure
    if (!(error instanceof BrokerRefused)) return "again"
    if (error.retryable) {
      if (error.code !== "full" && error.code !== "slow") return "again"
      yield* noteRefusal(transaction, job, error.code, error.untilMillis)
      return "refused"
    }
    if (error.code === "moved") {
      // The user decides about the key after it (KEZ-SEQ-120).
      yield* noteRefusal(transaction, job, "moved")
      transaction.onCommit(() => tellMoved(job.to.hex))
      return "refused"
    }
    if (isKept && error.code === "unknown") return "refused"
    yield* removeCopy(transaction, job, { failure: error.message })
    return "done"
  })

  /**
   * Sends a lane's frames until none is left, or one must be tried again. A lane that the user has to decide about rests
   * until `wake`.
   */
  const round = Effect.fnUntraced(function* (hex: string): Effect.fn.Return<"idle", LedgerError | Unsent> {
    const lane = lanes.get(hex)
    if (lane === undefined) return "idle"
    lane.recall()
    const unsent = { isUnsent: false, isRefused: false, madeProgress: false, notBefore: 0 }
    while (true) {
      // Each time, because the user or the contact's chain may stop the lane while frames are in flight.
      const contact = yield* ledger.get(key.contact(hex), Rows.Contact)
      const isHeld = contact !== undefined && Trust.isQueueHeld(contact)
      const isKept = contact !== undefined && Trust.isKept(contact)
      for (let job = isHeld ? undefined : lane.next(); job !== undefined; job = lane.next()) {
        const sent = job
        // In turn: a store may answer for a small frame before it does for a large one.
        const frame = yield* Effect.exit(ledger.getBytes(key.frame(sent.kezId)))
        const answered = Effect.map(Effect.exit(request(lane, sent, frame)), (answer) => lane.answer(sent, answer))
        yield* Effect.forkChild(Semaphore.withPermit(window, answered), { startImmediately: true })
      }
      if (lane.inFlight === 0) {
        if (isHeld) return "idle"
        break
      }
      yield* Latch.await(lane.changed)
      Latch.closeUnsafe(lane.changed)
      // A defect ends the round.
      const answers = yield* Effect.forEach(lane.answers(), ([job, exit]) =>
        Effect.map(Effect.result(exit), (answer): readonly [Job, Answer] => [job, answer])
      )
      if (answers.length === 0) continue
      // Relaxed: if a loss of power undoes it, the same bytes are sent once more under the same Kez-Id.
      const outcomes = yield* ledger.transact(
        (transaction) => Effect.forEach(answers, ([job, answer]) => record(transaction, job, answer, isKept)),
        { relaxed: true }
      )
      for (const [index, [job, answer]] of answers.entries()) {
        lane.settle(job, outcomes[index] === "done")
        if (outcomes[index] === "done") {
          unsent.madeProgress = true
          lane.refused = false
        } else unsent.isUnsent = true
        if (outcomes[index] === "refused") unsent.isRefused = true
        if (Result.isFailure(answer) && answer.failure instanceof BrokerRefused)
          unsent.notBefore = Math.max(unsent.notBefore, answer.failure.untilMillis ?? 0)
      }
    }
    lane.refused = unsent.isRefused
    if (lane.isEmpty) lanes.delete(hex)
    else if (unsent.isUnsent) return yield* new Unsent(unsent)
    return "idle"
  })

  const load = Effect.gen(function* () {
    let after: string | undefined
    while (true) {
      const range = { prefix: Rows.prefix.out, limit: 1_000, ...(after === undefined ? {} : { after }) }
      const rows = yield* scanRows(ledger, range, Rows.Out)
      if (after === undefined && rows.length > 0) yield* ledger.sync // A dead process may not have (KEZ-DM-016).
      push(rows.flatMap(({ key: rowKey, row }) => jobsOf(Rows.orderOf(rowKey), row)))
      after = rows.at(-1)?.key
      if (rows.length < 1_000) return
    }
  })

  const outbox = Outbox.of({
    isOwnCopy: (frame) => ownCopies.has(Seal.ephemeralKeyOf(frame)),
    run: Effect.gen(function* () {
      lanes.clear()
      yield* worker.run({ ready: () => Effect.asVoid(link.online), round, retry: pauses })
      yield* load
    }),
    drained: Effect.gen(function* () {
      while (true) {
        const next = worker.busy().find((hex) => lanes.get(hex)?.refused === false)
        if (next === undefined) return
        yield* worker.settled(next)
      }
    })
  })
  return Context.make(Outbox, outbox).pipe(
    Context.add(
      SendQueue,
      SendQueue.of({
        enqueue,
        abandon,
        readdress,
        onMoved: (listener) => void (tellMoved = listener),
        wake: (peerHex) => {
          worker.wake(peerHex)
          tellWoken(peerHex)
        },
        onWake: (listener) => void (tellWoken = listener)
      })
    )
  )
})

export const layer = Layer.effectContext(make)
