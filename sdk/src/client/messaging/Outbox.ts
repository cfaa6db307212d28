/**
 * Sending. `enqueue` writes the message, its place in the sender's count and the sealed frames of both copies in one
 * commit; lanes then send exactly these bytes, again and again under the same Kez-Id, until the broker has said `ok`.
 *
 * Each recipient has a lane of its own, so nobody waits for another's full inbox. A lane sends in order with a small
 * window in flight; after any failure it begins again at the oldest frame without an `ok`. So within one window frames
 * may be stored out of order if the broker refuses one in the middle, and never otherwise.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Id from "../../crypto/Id.ts"
import * as SealedMessage from "../../crypto/SealedMessage.ts"
import * as Body from "../../protocol/messages/Body.ts"
import * as Seal from "../../protocol/messages/Seal.ts"
import * as Hash from "../../protocol/encoding/Hash.ts"
import type { JsonObject } from "../../protocol/encoding/Json.ts"
import { admitHex, type AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { Head } from "../../protocol/sigchain/Sigchain.ts"
import { BrokerRefused, BrokerUnavailable } from "../../services/Broker.ts"
import type { StoreConflict, StoreError } from "../../services/LocalStore.ts"
import * as Conversations from "./MessageLog.ts"
import { Events } from "../internal/Events.ts"
import type { Message } from "../model/index.ts"
import { Ledger, type Transaction } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import { Offers } from "../files/fetch/index.ts"
import * as Rows from "../internal/rows/index.ts"
import * as Conversation from "../internal/ConversationCounters.ts"
import { SendQueue } from "../internal/SendQueue.ts"
import { Trust } from "../contacts/index.ts"

const { key } = Rows

/** Frames of one recipient in flight, and of all together. */
const laneWindow = 16
const windowSize = 64

/** Milliseconds before a lane tries again for the first time; doubled up to 5 s, or 60 s after a refusal. */
const firstPause = 250

/** The sigchain head that a body of this account names. */
export const chainOf = ({ head }: Pick<Rows.AccountRow, "head">): Head => head ?? { seq: 0, hash: Hash.blank("sha256") }

export class Outbox extends Context.Service<
  Outbox,
  {
    /** Whether a frame is a copy that this process sent itself a moment ago, byte for byte. */
    isOwnCopy(frame: Uint8Array): boolean
    /** Takes up what an earlier run left, and sends while the scope is open. */
    readonly run: Effect.Effect<void, StoreError, Scope.Scope>
    /** Waits until no lane has anything left that may be sent now. */
    readonly drained: Effect.Effect<void>
  }
>()("@kez-chat/sdk/Outbox") {}

interface Job {
  readonly order: number
  readonly to: AdmittedKey
  readonly kezId: string
  /** False for the sender's own copy, whose fate does not decide over the message's state. */
  readonly main: boolean
}

interface Lane {
  readonly jobs: Array<Job>
  running: boolean
  /** The contact may not be written to at present; the user decides when that ends. */
  parked: boolean
  /** The broker has no room for more of this at present: it is tried again, and nobody waits for that. */
  refused: boolean
}

type Outcome = "sent" | "again" | "later"

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const link = yield* BrokerLink
  const lanes = new Map<string, Lane>()
  const window = yield* Semaphore.make(windowSize)
  let idle: Array<Deferred.Deferred<void>> = []
  let startLane: ((hex: string) => void) | undefined

  // The ephemeral keys of the latest own copies: what comes back with one of them needs no opening.
  const ownCopies = new Set<string>()

  const busy = () => [...lanes.values()].some((lane) => !lane.parked && !lane.refused && lane.jobs.length > 0)
  const tellIdle = () => {
    if (busy()) return
    for (const waiting of idle) Deferred.doneUnsafe(waiting, Effect.void)
    idle = []
  }

  const push = (jobs: ReadonlyArray<Job>) => {
    for (const job of jobs) {
      const lane = lanes.get(job.to.hex) ?? { jobs: [], running: false, parked: false, refused: false }
      lanes.set(job.to.hex, lane)
      lane.jobs.push(job)
    }
    for (const hex of new Set(jobs.map((job) => job.to.hex))) startLane?.(hex)
  }

  const enqueue: SendQueue["Service"]["enqueue"] = Effect.fnUntraced(function* (transaction, session, peer, draft) {
    const account = session.account()
    const me = session.identity.key
    const chain = chainOf(account)
    const talk = yield* Conversation.counters(transaction, peer.hex)
    const createdAt = yield* Clock.currentTimeMillis
    const header = {
      id: yield* Id.make,
      to: peer,
      device: account.device,
      seq: talk.seq,
      ...(talk.prev === undefined ? {} : { prev: talk.prev }),
      createdAt
    }
    const body = { ...draft, chain } as Body.Known
    const signed = yield* SealedMessage.encrypt(session.identity, { ...header, body })
    const isHidden = Body.isHidden(draft)
    const readers = isHidden || peer.hex === me.hex ? [peer] : [peer, me]
    const copies: Array<Rows.OutRow["copies"][number]> = []
    const jobs: Array<Job> = []
    const order = yield* Conversation.nextOrder(transaction)
    for (const reader of readers) {
      const kezId = yield* Id.make
      const frame = yield* SealedMessage.sealFrame(signed.encoded, reader)
      transaction.putBytes(key.frame(kezId), frame)
      copies.push({ to: reader.hex, kezId, main: reader === peer })
      jobs.push({ order, to: reader, kezId, main: reader === peer })
    }
    transaction.put(key.out(order), Rows.Out, { peer: peer.hex, ...(isHidden ? {} : { message: order }), copies })
    const place = { ...header, from: me }
    transaction.putNew(key.slot(place), Rows.Slot, { id: header.id })
    transaction.put(key.seen(place), Rows.Seen, {
      hash: signed.hash,
      ...(isHidden ? {} : { peer: peer.hex, order })
    })
    transaction.put(key.conversation(peer.hex), Rows.ConversationCounters, {
      ...talk,
      seq: talk.seq + 1,
      ...(isHidden ? {} : { prev: signed.hash })
    })
    transaction.onCommit(() => push(jobs))
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
      state: "queued"
    }
    transaction.put(key.message(peer.hex, order), Rows.MessageRow, row)
    Offers.note(transaction, me.hex, peer.hex, order, row.body)
    return Conversations.toMessage(peer.hex, order, row)
  })

  const settle = (transaction: Transaction, message: Message | undefined) => {
    if (message !== undefined) transaction.onCommit(() => events.publish({ _tag: "State", message }))
  }

  const finished = Effect.fnUntraced(function* (transaction: Transaction, job: Job, failure?: string) {
    transaction.delete(key.frame(job.kezId))
    const row = yield* transaction.get(key.out(job.order), Rows.Out)
    const copy = row?.copies.find((copy) => copy.kezId === job.kezId)
    if (row === undefined || copy === undefined) return
    // What the recipient will never get is no part of the history that other devices see.
    const given = copy.main && failure !== undefined ? row.copies : [copy]
    for (const { kezId } of given) transaction.delete(key.frame(kezId))
    const copies = row.copies.filter((other) => !given.includes(other))
    if (copies.length === 0) transaction.delete(key.out(job.order))
    else transaction.put(key.out(job.order), Rows.Out, { ...row, copies })
    if (!copy.main || row.message === undefined) return
    const advance = Conversations.advance(failure === undefined ? "stored" : "failed", failure)
    settle(transaction, yield* Conversations.change(transaction, row.peer, row.message, advance))
  })

  /**
   * The broker has this copy, or will never take it (`failure`). Relaxed: were it undone by a loss of power, the same
   * bytes would be sent once more under the same Kez-Id.
   */
  const finish = (job: Job, failure?: string) =>
    ledger.transact((transaction) => finished(transaction, job, failure), { relaxed: true })

  const abandon: SendQueue["Service"]["abandon"] = Effect.fnUntraced(function* (transaction, peerHex, reason) {
    for (const entry of yield* transaction.scan({ prefix: Rows.prefix.out })) {
      const row = yield* Effect.fromResult(Rows.Out.decode(entry.key, entry.value))
      const main = row.copies.find((copy) => copy.main)
      if (row.peer !== peerHex || main === undefined) continue
      // The own copy goes with it: what was never sent is no part of the history that other devices see.
      for (const copy of row.copies) transaction.delete(key.frame(copy.kezId))
      transaction.delete(entry.key)
      if (row.message === undefined) continue
      const advance = Conversations.advance("failed", reason)
      settle(transaction, yield* Conversations.change(transaction, peerHex, row.message, advance))
    }
    transaction.onCommit(() => {
      const lane = lanes.get(peerHex)
      if (lane !== undefined) lane.jobs.length = 0
      tellIdle()
    })
  })

  /** The home refused it for now: the message says why and until when. Lost with the power, it is refused again. */
  const putOff = (job: Job, reason: "full" | "slow", until?: number) =>
    ledger.transact(
      (transaction) =>
        Effect.gen(function* () {
          const row = yield* transaction.get(key.out(job.order), Rows.Out)
          if (row?.message === undefined) return
          const waiting = { reason, ...(until === undefined ? {} : { until }) }
          const change = Conversations.putOff(waiting)
          settle(transaction, yield* Conversations.change(transaction, row.peer, row.message, change))
        }),
      { relaxed: true }
    )

  /** `waits`: the user keeps a key that the home no longer knows, so that `unknown` is no final answer. */
  const sendOne = (job: Job, waits: boolean): Effect.Effect<Outcome, StoreError | StoreConflict> =>
    Effect.gen(function* () {
      const frame = yield* ledger.getBytes(key.frame(job.kezId))
      if (frame === undefined) return "sent"
      const connection = yield* link.online
      if (!job.main) {
        ownCopies.add(Seal.ephemeralKeyOf(frame))
        if (ownCopies.size > 4_096) ownCopies.delete(ownCopies.values().next().value!)
      }
      const answer = yield* Effect.result(connection.send(job.to, job.kezId, frame))
      if (Result.isSuccess(answer)) {
        yield* finish(job)
        return "sent"
      }
      const error = answer.failure
      if (error instanceof BrokerUnavailable) return "again"
      if (error instanceof BrokerRefused && error.retryable) {
        if (error.code !== "full" && error.code !== "slow") return "again"
        if (job.main) yield* putOff(job, error.code, error.untilMillis)
        return "later"
      }
      if (waits && error instanceof BrokerRefused && error.code === "unknown") return "later"
      yield* finish(job, error.message)
      return "sent"
    })

  /** Sends the next frames of a lane; how long to wait before going on, or undefined when the lane may not be sent. */
  const step = Effect.fnUntraced(function* (hex: string, lane: Lane, pauseMillis: number) {
    yield* link.online
    const row = yield* ledger.get(key.contact(hex), Rows.Contact)
    if (row !== undefined && (row.state === "changed" || row.state === "blocked")) return undefined
    const waits = row !== undefined && Trust.isKept(row)
    const jobs = lane.jobs.slice(0, laneWindow)
    const outcomes = yield* Effect.forEach(jobs, (job) => Semaphore.withPermit(window, sendOne(job, waits)), {
      concurrency: laneWindow
    })
    lane.refused = outcomes.includes("later")
    const sent = new Set(jobs.filter((_, index) => outcomes[index] === "sent"))
    lane.jobs.splice(0, lane.jobs.length, ...lane.jobs.filter((job) => !sent.has(job)))
    if (sent.size === jobs.length) return 0
    return Math.min(sent.size > 0 ? firstPause : pauseMillis * 2, lane.refused ? 60_000 : 5_000)
  })

  const runLane = Effect.fnUntraced(function* (hex: string, lane: Lane) {
    let pauseMillis = 0
    while (lane.jobs.length > 0 && !lane.parked) {
      const stepped = yield* Effect.result(step(hex, lane, Math.max(pauseMillis, firstPause)))
      // A store that cannot be read or written is waited for like a broker that cannot be reached.
      pauseMillis = Result.isFailure(stepped) ? 5_000 : (stepped.success ?? 0)
      if (Result.isSuccess(stepped) && stepped.success === undefined) lane.parked = true
      tellIdle()
      if (pauseMillis > 0) yield* Effect.sleep(pauseMillis)
    }
    lane.running = false
  })

  const load = Effect.gen(function* () {
    let after: string | undefined
    while (true) {
      const entries = yield* ledger.scan({
        prefix: Rows.prefix.out,
        limit: 1_000,
        ...(after === undefined ? {} : { after })
      })
      const jobs: Array<Job> = []
      for (const entry of entries) {
        const row = yield* Effect.fromResult(Rows.Out.decode(entry.key, entry.value))
        for (const copy of row.copies) {
          const to = admitHex(copy.to)
          if (Result.isFailure(to)) continue
          jobs.push({ order: Rows.orderOf(entry.key), to: to.success, kezId: copy.kezId, main: copy.main })
        }
      }
      push(jobs)
      after = entries.at(-1)?.key
      if (entries.length < 1_000) return
    }
  })

  const wake: SendQueue["Service"]["wake"] = (hex) => {
    const lane = lanes.get(hex)
    if (lane === undefined) return
    lane.parked = false
    startLane?.(hex)
  }

  const outbox = Outbox.of({
    isOwnCopy: (frame) => ownCopies.has(Seal.ephemeralKeyOf(frame)),
    run: Effect.gen(function* () {
      const fork = yield* FiberSet.makeRuntime<never>()
      startLane = (hex) => {
        const lane = lanes.get(hex)
        if (lane === undefined || lane.running || lane.parked) return
        lane.running = true
        fork(runLane(hex, lane))
      }
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          startLane = undefined
          lanes.clear()
          tellIdle()
        })
      )
      yield* load
    }),
    drained: Effect.gen(function* () {
      if (!busy()) return
      const waiting = yield* Deferred.make<void>()
      idle.push(waiting)
      yield* Effect.onInterrupt(Deferred.await(waiting), () =>
        Effect.sync(() => {
          idle = idle.filter((other) => other !== waiting)
        })
      )
    })
  })
  return Context.make(Outbox, outbox).pipe(Context.add(SendQueue, SendQueue.of({ enqueue, abandon, wake })))
})

export const layer: Layer.Layer<Outbox | SendQueue, never, Ledger | Events | BrokerLink> = Layer.effectContext(make)

/** A body as its readers will parse it. */
const jsonOf = (body: Body.Known): Effect.Effect<JsonObject, Problem> =>
  Effect.map(Effect.fromResult(Body.encode(body)), (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as JsonObject)
