/**
 * Keeps this device in sync with the account's stream at the broker: fetches pages until one is empty, then takes live
 * frames, and fetches again whenever a live frame does not fit (spec/broker.md, KEZ-NAT).
 *
 * Only fetching has to be reliable; live frames just arrive sooner. If they are lost, repeated or reordered, or if the
 * buffer overflows, another fetch follows. A store that could not be written recovers in the same way: nothing is
 * acknowledged, so the frames that it did not take are still at the home server.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Seal from "../../protocol/messages/Seal.ts"
import type { Frame, Page } from "../../protocol/broker/Page.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { BrokerConnection, BrokerUnavailable, Crypto, Delivered } from "../../services/index.ts"
import { BrokerRefused, StoreError } from "../../services/index.ts"
import type { CatchingUp } from "../model/index.ts"
import { Events } from "../internal/Events.ts"
import { Inbox, type Opened } from "./Inbox.ts"
import { Ledger, type LedgerError } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import * as Position from "./Position.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"

/** Most live frames waiting to be taken in. Further ones are left for the next fetch. */
const bufferSize = 1_024

/** Most live frames taken in one commit. */
const batchSize = 256

/** Most frames whose ephemeral keys are remembered. */
const recentMax = 8_192

/** Pauses after failed fetches, in milliseconds: doubled from the first one, up to the last one for this failure. */
const firstPause = 500
const lastPause = 30_000
const lastStorePause = 5_000

type FetchError = Problem | BrokerRefused | BrokerUnavailable | LedgerError

/** The home has no more mail for a key that handed its handle over (KEZ-NAT-121). */
export const isMoved = (error: unknown): boolean => error instanceof BrokerRefused && error.code === "moved"

/** A page, and its frames opened. */
interface OpenedPage {
  readonly page: Page
  readonly opened: ReadonlyArray<Opened>
}

const upToDate: CatchingUp = { taken: 0, of: 0 }

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const inbox = yield* Inbox
  const link = yield* BrokerLink

  const wake = Latch.makeUnsafe(false)
  const hurried = Latch.makeUnsafe(false)
  const progress = yield* SubscriptionRef.make<CatchingUp>(upToDate)
  /** How often the stream was another one than before. */
  const renewals = yield* SubscriptionRef.make(0)
  /** How often the home said that this key handed its handle over. */
  const moves = yield* SubscriptionRef.make(0)
  let position = Position.start
  let buffered: Array<Delivered> = []
  let fetchRequested = false
  let isStoreFailing = false
  let waiting: Array<Deferred.Deferred<void, FetchError>> = []
  // The ephemeral keys of the frames taken most recently, by sequence number. A live frame at or below `base` that is
  // not among them belongs to another stream than the position.
  const recentFrames = new Map<number, string>()

  const requestFetch = () => {
    fetchRequested = true
    wake.openUnsafe()
  }

  const take = (session: Session, epoch: string, frames: ReadonlyArray<Opened>, next: Position.Position) =>
    Effect.map(inbox.take(session, epoch, frames, next), () => {
      position = next
      for (const { frame, seq } of frames) recentFrames.set(seq, Seal.ephemeralKeyOf(frame))
      for (const seq of recentFrames.keys()) {
        if (recentFrames.size <= recentMax) break
        recentFrames.delete(seq)
      }
    })

  const setProgress = (change: (before: CatchingUp) => CatchingUp) =>
    SubscriptionRef.updateSome(progress, (before) => {
      const after = change(before)
      return after.taken === before.taken && after.of === before.of ? Option.none() : Option.some(after)
    })

  /**
   * The pages after a position, their frames opened, until one is empty. While one is stored, the next two are opened and
   * another is fetched: a commit may take as long as opening the frames of a page.
   */
  const pagesAfter = (session: Session, connection: BrokerConnection, { base, epoch }: Position.Position) =>
    Stream.paginate({ after: base, epoch }, ({ after, epoch }) =>
      Effect.map(connection.fetch(after, epoch), (page) => {
        const end = page.frames.at(-1)?.seq
        const isLast = end === undefined || (page.epoch === epoch && end <= after)
        return [[page], isLast ? Option.none() : Option.some({ after: end, epoch: page.epoch })] as const
      })
    ).pipe(
      Stream.buffer({ capacity: 1 }),
      Stream.mapEffect((page) => Effect.map(inbox.open(session, page.frames), (opened) => ({ page, opened })), {
        concurrency: 2
      })
    )

  /** Takes pages until one is empty. */
  const fetchAll = Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
    const atEnd = setProgress(({ taken }) => ({ taken, of: taken }))
    let beyondEnd = 0
    let isAgain = false
    const takePage = Effect.fnUntraced(function* ({ opened, page }: OpenedPage) {
      if (position.epoch === undefined) position = { ...position, epoch: page.epoch }
      else if (Position.isOtherStream(position, page)) {
        const next = { ...Position.start, epoch: page.epoch }
        // At once: what depends on the epoch does not wait for the first frame of another stream.
        yield* ledger.transact(
          (transaction) => Effect.sync(() => transaction.put(Rows.key.position, Rows.Position, next)),
          { relaxed: true }
        )
        position = next
        recentFrames.clear()
        yield* SubscriptionRef.update(renewals, (count) => count + 1)
      } else if (Position.isBeyondEnd(position, page)) {
        // Believed only the second time, because one answer may come from a replica that lags behind.
        beyondEnd += 1
        if (beyondEnd > 1) position = { ...Position.start, epoch: page.epoch }
        else yield* Effect.sleep(250)
        isAgain = true
        return false
      }
      const end = page.frames.at(-1)?.seq
      if (end === undefined || end <= position.base) {
        yield* atEnd
        return false
      }
      const frames = fresh(opened)
      yield* setProgress(({ of, taken }) => {
        const begun = taken === of ? 0 : taken
        return { taken: begun, of: begun + frames.length + page.pending }
      })
      yield* take(session, page.epoch, frames, Position.afterFetched(position, end))
      yield* setProgress(({ of, taken }) => ({ taken: taken + frames.length, of }))
      return true
    })
    do {
      isAgain = false
      yield* Stream.runForEachWhile(pagesAfter(session, connection, position), takePage).pipe(
        Effect.catchIf(isMoved, () =>
          Effect.andThen(
            SubscriptionRef.update(moves, (count) => count + 1),
            atEnd
          )
        )
      )
    } while (isAgain)
  })

  const fresh = (frames: ReadonlyArray<Opened>): ReadonlyArray<Opened> => {
    const taken = new Set(position.ahead)
    return frames.filter(({ seq }) => seq > position.base && !taken.has(seq))
  }

  /** Takes buffered frames that follow one another; the first that does not fit leaves the rest to a fetch. */
  const takeLive = (session: Session): Effect.Effect<void, LedgerError, Crypto> =>
    Effect.suspend(() => {
      const batch = buffered.splice(0, batchSize)
      const frames: Array<Frame> = []
      let next = position
      for (const live of batch) {
        const verdict = Position.judge(next, live)
        if (verdict === "known" && recentFrames.get(live.seq) === Seal.ephemeralKeyOf(live.frame)) continue
        if (verdict !== "take") {
          requestFetch()
          break
        }
        frames.push(live)
        next = Position.afterLive(next, live)
      }
      if (next.ahead.length >= Position.realignAfter) requestFetch()
      if (frames.length === 0) return Effect.void
      return Effect.flatMap(inbox.open(session, frames), (opened) => take(session, next.epoch ?? "", opened, next))
    })

  /** Publishes when the store begins to refuse what arrives, and when it accepts it again. */
  const reportStore = (failure?: FetchError) => {
    if (failure instanceof StoreError) {
      if (isStoreFailing) return
      isStoreFailing = true
      events.publish({ _tag: "StoreFailing", reason: failure.reason, detail: failure.detail })
    } else if (isStoreFailing && failure === undefined) {
      isStoreFailing = false
      events.publish({ _tag: "StoreRecovered" })
    }
  }

  const complete = (
    callers: ReadonlyArray<Deferred.Deferred<void, FetchError>>,
    outcome: Result.Result<void, FetchError>
  ) => {
    for (const caller of callers) Deferred.doneUnsafe(caller, Effect.fromResult(outcome))
  }

  const loop = Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
    let pauseMillis = firstPause
    while (true) {
      if (!fetchRequested && buffered.length === 0) {
        wake.closeUnsafe()
        yield* wake.await
        continue
      }
      if (!fetchRequested) {
        // Frames that could not be stored are fetched again.
        const taken = yield* Effect.result(takeLive(session))
        if (Result.isFailure(taken)) {
          reportStore(taken.failure)
          requestFetch()
        }
        continue
      }
      yield* link.online
      fetchRequested = false
      const callers = waiting
      waiting = []
      const outcome = yield* Effect.result(fetchAll(session, connection))
      complete(callers, outcome)
      if (Result.isSuccess(outcome)) {
        reportStore()
        pauseMillis = firstPause
        continue
      }
      const { failure } = outcome
      reportStore(failure)
      fetchRequested = true
      pauseMillis = Math.min(pauseMillis, failure instanceof StoreError ? lastStorePause : lastPause)
      yield* Effect.race(Effect.sleep(pauseMillis), Latch.await(hurried))
      pauseMillis *= 2
    }
  })

  return {
    /** Takes in frames until the scope closes. The connection must be new: nothing may have been read from it. */
    run: Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
      position = (yield* ledger.get(Rows.key.position, Rows.Position)) ?? Position.start
      buffered = []
      recentFrames.clear()
      yield* setProgress(() => upToDate)
      // Subscribed before the first fetch, so that nothing falls between the two.
      const live = Stream.runForEach(connection.live, (delivered) =>
        Effect.sync(() => {
          if (buffered.length < bufferSize) buffered.push(delivered)
          else fetchRequested = true
          wake.openUnsafe()
        })
      )
      yield* Effect.forkScoped(live)
      yield* Effect.forkScoped(
        Stream.runForEach(link.states, (state) =>
          Effect.sync(() => (state._tag === "Online" ? requestFetch() : undefined))
        )
      )
      requestFetch()
      yield* Effect.forkScoped(loop(session, connection))
    }),
    /** How far it has caught up, beginning with the present state. */
    progress: SubscriptionRef.changes(progress),
    /** Emits whenever the home says, at the end of the mail, that the account's key handed its handle over (KEZ-NAT-125). */
    moves: Stream.drop(SubscriptionRef.changes(moves), 1),
    /** Emits whenever the stream turns out to be another one. */
    renewals: Stream.drop(SubscriptionRef.changes(renewals), 1),
    /** Asks for a fetch, and ends a pause after one that failed. Does not wait for it. */
    hurry: Effect.suspend(() => {
      requestFetch()
      return Effect.asVoid(Latch.release(hurried))
    }),
    /** Completes when a fetch that began after this call has reached the end of the stream; fails with that fetch. */
    caughtUp: Effect.gen(function* () {
      const caller = yield* Deferred.make<void, FetchError>()
      waiting.push(caller)
      requestFetch()
      yield* Effect.onInterrupt(Deferred.await(caller), () =>
        Effect.sync(() => {
          waiting = waiting.filter((other) => other !== caller)
        })
      )
    })
  }
})

export class InboxSync extends Context.Service<InboxSync>()("@kez-chat/sdk/InboxSync", { make }) {}

export const layer = Layer.effect(InboxSync, make)
