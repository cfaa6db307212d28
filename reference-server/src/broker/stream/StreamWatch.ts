/**
 * The stream's epoch and last sequence number as the responders need them.
 *
 * `last` on a page must not be smaller than any number a client has seen, or the client would start over for nothing.
 * The numbers that this process stored and read are known at once. If a client knows a higher one, it comes from
 * another instance; then the stream's leader is asked, once for all waiting requests.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { every } from "../../process/Every.ts"
import { attempt } from "../connections/BrokerDown.ts"
import type { RoleConnection } from "../connections/RoleConnection.ts"
import type { StreamPosition } from "../limits/StreamPosition.ts"
import * as InboxStream from "./InboxStream.ts"
import type { StreamFailure, StreamState } from "./InboxStream.ts"

export type StreamWatch = Effect.Success<ReturnType<typeof make>>

/** Interval at which the leader is asked for the sizes and the epoch, which another instance may have replaced. */
const refreshMillis = 10_000
/** A new leader may report too little for a moment; a stream that has really gone back keeps reporting it. */
const recheckMillis = 1_000
const rechecks = 4

/** Follows the stream that `registrar` reaches until the scope closes. */
export const make = Effect.fnUntraced(function* (
  options: InboxStream.InboxStreamOptions,
  position: StreamPosition,
  registrar: RoleConnection
) {
  const scope = yield* Effect.scope
  let state: StreamState | undefined
  let isOther = false
  let asking: Fiber.Fiber<StreamState, StreamFailure> | undefined
  /** The epoch that this process's own count of the last number belongs to. */
  let counted: string | undefined

  /** If another instance has replaced the epoch, what was counted before means nothing. */
  const countFor = (epoch: string): void => {
    if (counted !== undefined && counted !== epoch) position.dropLast()
    counted = epoch
  }

  const take = (fresh: StreamState): StreamState => {
    const lastSeq = state?.epoch === fresh.epoch ? Math.max(state.lastSeq, fresh.lastSeq) : fresh.lastSeq
    state = { ...fresh, lastSeq }
    countFor(fresh.epoch)
    position.noteLast(lastSeq)
    return state
  }

  const ask = Effect.gen(function* () {
    asking ??= yield* registrar.get.pipe(
      Effect.flatMap(InboxStream.info),
      Effect.map(take),
      Effect.ensuring(Effect.sync(() => (asking = undefined))),
      Effect.forkIn(scope)
    )
    return yield* Fiber.join(asking)
  })

  /**
   * Makes or updates the stream on a new REGISTRAR connection. The state is forgotten when the scope closes: the stream
   * behind the next connection may be another.
   */
  const start = Effect.fn("StreamWatch.start")(function* (connection: NatsConnection) {
    let fresh = yield* Effect.tapErrorTag(InboxStream.ensure(connection, options), "OtherPartitions", (error) =>
      // Once: it is tried again for as long as the server runs.
      isOther
        ? Effect.void
        : Effect.andThen(
            Effect.sync(() => (isOther = true)),
            Effect.logError(error.message)
          )
    )
    isOther = false
    const known = Effect.suspend(() => {
      countFor(fresh.epoch)
      return position.knownLast
    })
    for (let i = 0; i < rechecks && fresh.lastSeq < (yield* known); i++) {
      yield* Effect.sleep(recheckMillis)
      fresh = yield* InboxStream.info(connection)
    }
    const highest = yield* known
    if (fresh.lastSeq < highest) {
      // Acknowledged frames are gone (a restored backup, a lost disk). Their numbers will be assigned again, so they
      // must belong to another epoch, or clients would mistake new frames for ones they have.
      yield* Effect.logWarning("the inbox stream has gone back; clients start again under a new epoch").pipe(
        Effect.annotateLogs({ known: highest, found: fresh.lastSeq })
      )
      fresh = yield* InboxStream.ensure(connection, options, fresh.epoch)
      // Only now: a crash before this line makes one epoch too many; in the other order it would make none.
      yield* position.resetLast
      counted = fresh.epoch
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        state = undefined
        take(fresh)
      }),
      () => Effect.sync(() => (state = undefined))
    )
  })

  const refresh = Effect.gen(function* () {
    const connection = yield* registrar.get
    yield* Effect.catchIf(
      Effect.asVoid(ask),
      (error) => error._tag === "JetStreamError" && error.code === InboxStream.notFound,
      Effect.fnUntraced(function* () {
        yield* Effect.logWarning("the inbox stream is gone")
        // Dialling again makes a new one.
        yield* attempt(() => connection.close())
      })
    )
  })
  yield* every(refreshMillis, "the inbox stream was not inspected", Effect.ignore(refresh))

  /** The state, if it is known without asking and its last number is at least `atLeast`. For the hot path. */
  const known = (atLeast = 0) => (state !== undefined && atLeast <= state.lastSeq ? state : undefined)
  return {
    start,
    known,
    /** The state with a last number of at least `atLeast`, if the stream has come that far. */
    current: Effect.fnUntraced(function* (atLeast: number) {
      const before = known(atLeast)
      if (before !== undefined) return before
      // An answer that was already under way may be older than what this client saw.
      const wasAsking = asking !== undefined
      const answer = yield* ask
      return !wasAsking || atLeast <= answer.lastSeq ? answer : yield* ask
    }),
    noteLast: (seq: number) => {
      if (state !== undefined && seq > state.lastSeq) state = { ...state, lastSeq: seq }
      position.noteLast(seq)
    }
  }
})
