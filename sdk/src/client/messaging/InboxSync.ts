/**
 * Keeps the inbox level with the broker: fetches pages until one is empty, then takes frames live, and fetches again
 * whenever there is doubt (spec/broker.md, KEZ-NAT).
 *
 * Fetching is the one way that must work; live frames are the short cut. So live frames may be lost, repeated or
 * reordered, and this buffer may overflow: all that follows is another fetch. That is also how a store recovers that could
 * not be written: nothing is acknowledged, so what it did not take is still at the home.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Seal from "../../protocol/messages/Seal.ts"
import type { Frame, Page } from "../../protocol/broker/Page.ts"
import type { Problem } from "../../protocol/Problem.ts"
import type { BrokerConnection, BrokerRefused, BrokerUnavailable, Delivered } from "../../services/Broker.ts"
import type { Crypto } from "../../services/Crypto.ts"
import { StoreError } from "../../services/LocalStore.ts"
import { Events } from "../internal/Events.ts"
import { Inbox } from "./Inbox.ts"
import { Ledger, type LedgerError } from "../internal/Ledger.ts"
import { BrokerLink } from "../internal/BrokerLink.ts"
import * as Position from "./Position.ts"
import * as Rows from "../internal/rows/index.ts"
import type { Session } from "../internal/Session.ts"

/** Live frames waiting to be taken in; beyond this they are left for the next fetch. */
const bufferSize = 1_024

/** Live frames taken in one commit. */
const batchSize = 256

/** Pauses between fetches that fail, in milliseconds: doubled from the first, up to the last of what failed. */
const firstPause = 500
const lastPause = 30_000
const lastStorePause = 5_000

type FetchError = Problem | BrokerRefused | BrokerUnavailable | LedgerError

export class InboxSync extends Context.Service<
  InboxSync,
  {
    /** Takes in what comes while the scope is open. The connection must be new: nothing may have been read from it. */
    run(session: Session, connection: BrokerConnection): Effect.Effect<void, LedgerError, Scope.Scope | Crypto>
    /** Completes when a fetch that began after this call has reached the end; fails as that fetch fails. */
    readonly caughtUp: Effect.Effect<void, FetchError>
  }
>()("@kez-chat/sdk/InboxSync") {}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const inbox = yield* Inbox
  const link = yield* BrokerLink

  const wake = Latch.makeUnsafe(false)
  let position = Position.start
  let buffered: Array<Delivered> = []
  let fetchWanted = false
  let isStoreFailing = false
  let waiting: Array<Deferred.Deferred<void, FetchError>> = []
  // The frames taken in lately: a live frame below `base` that is not one of them belongs to another stream than the one
  // this position counts.
  const recentFrames = new Map<number, string>()

  const wantFetch = () => {
    fetchWanted = true
    wake.openUnsafe()
  }

  const take = (session: Session, epoch: string, frames: ReadonlyArray<Frame>, next: Position.Position) =>
    Effect.map(inbox.take(session, epoch, frames, next), () => {
      position = next
      for (const { frame, seq } of frames) recentFrames.set(seq, Seal.ephemeralKeyOf(frame))
      for (const seq of recentFrames.keys()) {
        if (recentFrames.size <= 8_192) break
        recentFrames.delete(seq)
      }
    })

  /** Takes pages until one is empty. Each page is opened and committed before the next is asked for. */
  const fetchAll = (session: Session, connection: BrokerConnection): Effect.Effect<void, FetchError, Crypto> =>
    Effect.gen(function* () {
      let beyondEnd = 0
      while (true) {
        const page = yield* connection.fetch(position.base, position.epoch)
        if (position.epoch === undefined) position = { ...position, epoch: page.epoch }
        else if (Position.isOtherStream(position, page)) {
          position = { ...Position.start, epoch: page.epoch }
          recentFrames.clear()
        } else if (Position.isBeyondEnd(position, page)) {
          // Twice, because one answer may come from a replica that lags behind.
          beyondEnd += 1
          if (beyondEnd > 1) position = { ...Position.start, epoch: page.epoch }
          else yield* Effect.sleep(250)
          continue
        }
        const end = page.frames.at(-1)?.seq
        const frames = fresh(page)
        if (end === undefined || end <= position.base) return
        yield* take(session, page.epoch, frames, Position.afterFetched(position, end))
      }
    })

  const fresh = (page: Page): ReadonlyArray<Frame> => {
    const taken = new Set(position.ahead)
    return page.frames.filter(({ seq }) => seq > position.base && !taken.has(seq))
  }

  /** Takes the buffered frames that follow on one another; the first doubt leaves the rest to a fetch. */
  const takeLive = (session: Session): Effect.Effect<void, LedgerError, Crypto> =>
    Effect.suspend(() => {
      const batch = buffered.splice(0, batchSize)
      const frames: Array<Frame> = []
      let next = position
      for (const live of batch) {
        const judgement = Position.judge(next, live)
        if (judgement === "known" && recentFrames.get(live.seq) === Seal.ephemeralKeyOf(live.frame)) continue
        if (judgement !== "take") {
          wantFetch()
          break
        }
        frames.push(live)
        next = Position.afterLive(next, live)
      }
      if (next.ahead.length >= Position.realignAfter) wantFetch()
      return frames.length === 0 ? Effect.void : take(session, next.epoch ?? "", frames, next)
    })

  /** Tells when the store begins to refuse what arrives, and when it takes it again. */
  const noteStore = (failure?: FetchError) => {
    if (failure instanceof StoreError) {
      if (isStoreFailing) return
      isStoreFailing = true
      events.publish({ _tag: "StoreFailing", reason: failure.reason, detail: failure.detail })
    } else if (isStoreFailing && failure === undefined) {
      isStoreFailing = false
      events.publish({ _tag: "StoreRecovered" })
    }
  }

  const settle = (
    callers: ReadonlyArray<Deferred.Deferred<void, FetchError>>,
    outcome: Result.Result<void, FetchError>
  ) => {
    for (const caller of callers) Deferred.doneUnsafe(caller, Effect.fromResult(outcome))
  }

  const loop = Effect.fnUntraced(function* (session: Session, connection: BrokerConnection) {
    let pauseMillis = firstPause
    while (true) {
      if (!fetchWanted && buffered.length === 0) {
        wake.closeUnsafe()
        yield* wake.await
        continue
      }
      if (!fetchWanted) {
        // A frame that could not be kept is not passed over: it is fetched again.
        const taken = yield* Effect.result(takeLive(session))
        if (Result.isFailure(taken)) {
          noteStore(taken.failure)
          wantFetch()
        }
        continue
      }
      yield* link.online
      fetchWanted = false
      const callers = waiting
      waiting = []
      const outcome = yield* Effect.result(fetchAll(session, connection))
      settle(callers, outcome)
      if (Result.isSuccess(outcome)) {
        noteStore()
        pauseMillis = firstPause
        continue
      }
      const { failure } = outcome
      noteStore(failure)
      fetchWanted = true
      pauseMillis = Math.min(pauseMillis, failure instanceof StoreError ? lastStorePause : lastPause)
      yield* Effect.sleep(pauseMillis)
      pauseMillis *= 2
    }
  })

  return InboxSync.of({
    run: (session, connection) =>
      Effect.gen(function* () {
        position = (yield* ledger.get(Rows.key.position, Rows.Position)) ?? Position.start
        buffered = []
        recentFrames.clear()
        // Subscribed before the first fetch, so that nothing falls between the two.
        const live = Stream.runForEach(connection.live, (delivered) =>
          Effect.sync(() => {
            if (buffered.length < bufferSize) buffered.push(delivered)
            else fetchWanted = true
            wake.openUnsafe()
          })
        )
        yield* Effect.forkScoped(live)
        yield* Effect.forkScoped(
          Stream.runForEach(link.states, (state) =>
            Effect.sync(() => (state._tag === "Online" ? wantFetch() : undefined))
          )
        )
        wantFetch()
        yield* Effect.forkScoped(loop(session, connection))
      }),
    caughtUp: Effect.gen(function* () {
      const caller = yield* Deferred.make<void, FetchError>()
      waiting.push(caller)
      wantFetch()
      yield* Effect.onInterrupt(Deferred.await(caller), () =>
        Effect.sync(() => {
          waiting = waiting.filter((other) => other !== caller)
        })
      )
    })
  })
})

export const layer: Layer.Layer<InboxSync, never, Ledger | Events | Inbox | BrokerLink> = Layer.effect(InboxSync, make)
