/**
 * Sending. `enqueue` writes the message, its sequence number and the sealed frames of both copies in one commit.
 * Lanes then send exactly these bytes, repeatedly under the same Kez-Id, until the broker answers `ok`.
 *
 * Each recipient has a lane of its own, so a full inbox delays nobody else. A lane sends in order: one frame first, and
 * a small window in flight once that frame was accepted. After any failure it begins again at the oldest frame without an
 * `ok`. So frames can be stored out of order only within one window, if the broker refuses one in the middle.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Id from "../../crypto/Id.ts"
import * as SealedMessage from "../../crypto/SealedMessage.ts"
import { Body, Bytes, Hash, Limits, Seal } from "../../protocol/index.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import { admitHex, type AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../../protocol/Problem.ts"
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
import { pauses, Unsent } from "./sending/LanePauses.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import { Trust } from "../contacts/index.ts"
import { makeReaddress } from "./Readdress.ts"

const { key } = Rows

/** Most frames in flight to one recipient, and to all together. */
const laneWindow = 16
const windowSize = 64

/** Most own copies of this process that are recognised when they come back. */
const ownCopiesMax = 4_096

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

interface Job {
  readonly order: number
  readonly to: AdmittedKey
  readonly kezId: string
  /** False for the sender's own copy, which does not decide the message's state. */
  readonly main: boolean
  /** Ask the home to sign that it accepted it: a message that the history shows, to somebody else. */
  readonly isSigned: boolean
}

interface Lane {
  readonly jobs: Array<Job>
  /** Frames of the next round: one at first and after a failure, so that a refusal finds nothing behind it in flight. */
  window: number
  /** The home server has no room for this at present. It is tried again, and `drained` does not wait for it. */
  refused: boolean
  /** The latest time from which the refusals of this round say that another try can succeed. */
  notBefore: number
}

/** How a copy's sending ended. */
interface Ended {
  readonly failure?: string
  readonly acceptance?: NonNullable<Rows.MessageRow["acceptance"]>
}

/** `again` where the broker gave no answer that counts, `refused` where it is out of room for now. */
type Outcome = "done" | "again" | "refused"

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
      const lane = lanes.get(job.to.hex) ?? { jobs: [], window: 1, refused: false, notBefore: 0 }
      lanes.set(job.to.hex, lane)
      lane.jobs.push(job)
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
    const body = { ...draft, chain } as Body.Known
    const signed = yield* SealedMessage.encrypt(session.identity, { ...header, body })
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
    transaction.onCommit(() => push(jobsOf(order, out)))
    if (isHidden) return undefined
    const row: Rows.MessageRow = {
      id: header.id,
      direction: "out",
      body: yield* jsonOf(body),
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

  /**
   * Records that the broker has this copy, perhaps signed for, or will never accept it (`failure`). Relaxed: if a loss of power undoes it,
   * the same bytes are sent once more under the same Kez-Id.
   */
  const finish = (job: Job, ended: Ended = {}) =>
    ledger.transact((transaction) => removeCopy(transaction, job, ended), { relaxed: true })

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
      lane.jobs.length = 0
      // A round that finds nothing to send ends the lane's pause, and the wait of `drained`.
      worker.hurry(peerHex)
    })
  })

  const readdress = makeReaddress({ abandon, enqueue, events })

  /** Records why and until when the home refuses a message. Relaxed: after a loss of power it is refused again. */
  const noteRefusal = (job: Job, reason: "full" | "slow" | "moved", until?: number) =>
    ledger.transact(
      Effect.fnUntraced(function* (transaction: Transaction) {
        const row = yield* transaction.get(key.out(job.order), Rows.Out)
        if (row?.message === undefined) return
        const update = MessageLog.withWaiting({ reason, ...(until === undefined ? {} : { until }) })
        publishState(transaction, yield* MessageLog.change(transaction, row.peer, row.message, update))
      }),
      { relaxed: true }
    )

  /** `isKept`: the user keeps a key that the home no longer knows, so `unknown` is not final. */
  const sendOne = Effect.fnUntraced(function* (
    lane: Lane,
    job: Job,
    isKept: boolean
  ): Effect.fn.Return<Outcome, LedgerError> {
    const frame = yield* ledger.getBytes(key.frame(job.kezId))
    if (frame === undefined) return "done"
    const connection = yield* link.online
    if (!job.main) {
      ownCopies.add(Seal.ephemeralKeyOf(frame))
      if (ownCopies.size > ownCopiesMax) ownCopies.delete(ownCopies.values().next().value!)
    }
    const answer = yield* Effect.result(connection.send(job.to, job.kezId, frame, job.isSigned))
    if (Result.isSuccess(answer)) {
      const signed = answer.success
      const acceptance =
        signed === undefined || !job.isSigned ? undefined : yield* verifyAcceptance(job.to, frame, signed)
      yield* finish(job, acceptance === undefined ? {} : { acceptance })
      return "done"
    }
    const error = answer.failure
    if (error instanceof BrokerUnavailable) return "again"
    if (error instanceof BrokerRefused && error.retryable) {
      if (error.code !== "full" && error.code !== "slow") return "again"
      lane.notBefore = Math.max(lane.notBefore, error.untilMillis ?? 0)
      if (job.main) yield* noteRefusal(job, error.code, error.untilMillis)
      return "refused"
    }
    if (error instanceof BrokerRefused && error.code === "moved") {
      // The user decides about the key after it (KEZ-SEQ-120).
      if (job.main) yield* noteRefusal(job, "moved")
      tellMoved(job.to.hex)
      return "refused"
    }
    if (isKept && error instanceof BrokerRefused && error.code === "unknown") return "refused"
    yield* finish(job, { failure: error.message })
    return "done"
  })

  /** Sends the next window of a lane. A lane that the user has to decide about rests until `wake`. */
  const round = Effect.fnUntraced(function* (hex: string) {
    const lane = lanes.get(hex)
    if (lane === undefined) return "idle"
    const contact = yield* ledger.get(key.contact(hex), Rows.Contact)
    if (contact !== undefined && Trust.isQueueHeld(contact)) return "idle"
    const isKept = contact !== undefined && Trust.isKept(contact)
    const jobs = lane.jobs.slice(0, lane.window)
    lane.notBefore = 0
    const outcomes = yield* Effect.forEach(jobs, (job) => Semaphore.withPermit(window, sendOne(lane, job, isKept)), {
      concurrency: laneWindow
    })
    lane.refused = outcomes.includes("refused")
    const done = new Set(jobs.filter((_, index) => outcomes[index] === "done"))
    lane.jobs.splice(0, lane.jobs.length, ...lane.jobs.filter((job) => !done.has(job)))
    lane.window = done.size < jobs.length ? 1 : laneWindow
    if (done.size < jobs.length) {
      const { notBefore, refused: isRefused } = lane
      return yield* new Unsent({ isRefused, madeProgress: done.size > 0, notBefore })
    }
    if (lane.jobs.length > 0) return "again"
    lanes.delete(hex)
    return "idle"
  })

  const load = Effect.gen(function* () {
    let after: string | undefined
    while (true) {
      const range = { prefix: Rows.prefix.out, limit: 1_000, ...(after === undefined ? {} : { after }) }
      const rows = yield* scanRows(ledger, range, Rows.Out)
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

/** A body as its readers will parse it. */
const jsonOf = (body: Body.Known): Effect.Effect<JsonObject, Problem> =>
  Effect.map(Effect.fromResult(Body.encode(body)), (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as JsonObject)
