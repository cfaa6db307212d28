/**
 * `Broker` over NATS on TCP or WebSocket. Uses each connection of nats.js once and redials itself, because it must tell
 * a refused login from an outage, retry them at different rates, and log in again when a login has expired.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Acceptance, Block, BrokerAnswer, Limits, Page, Problem, Subject, Trim } from "../../protocol/index.ts"
import {
  Broker,
  type BrokerConnection,
  type BrokerLogin,
  type BrokerRefused,
  BrokerUnavailable,
  type ConnectionState,
  type Delivered
} from "../../services/Broker.ts"
import { Crypto } from "../../services/Crypto.ts"
import { checkHost, type HomeReach } from "../../services/homes/HomeReach.ts"
import * as Answer from "./Answer.ts"
import * as Delivery from "./Delivery.ts"
import * as Dial from "./Dial.ts"
import * as Eviction from "./Eviction.ts"
import * as KezId from "../../protocol/broker/KezId.ts"
import * as Login from "./Login.ts"
import * as Target from "./Target.ts"

export interface NatsBrokerOptions {
  /** URLs of one home's broker, tried in turn. An effect runs before each dial: the home may be down or move. */
  readonly urls: ReadonlyArray<string> | Effect.Effect<ReadonlyArray<string>, { readonly message: string }>
  /** The home server that named `urls`, which restricts the addresses they may have (spec KEZ-REG-031). */
  readonly namedBy?: HomeReach
}

export interface Transport {
  readonly schemes: Target.Schemes
  readonly connect: Dial.Connect
  /** A second transport, for URLs with its schemes. */
  readonly other?: Pick<Transport, "schemes" | "connect">
  /** Registers a callback for when a retry is worthwhile (the network is back); returns the way to unregister. */
  readonly onWake?: (wake: () => void) => () => void
}

/** Time limits of the broker's answer to a send, and of a page of 700 KB over a slow line, in milliseconds. */
const sendTimeoutMillis = 10_000
const fetchTimeoutMillis = 30_000
/** Time limit of the broker's answer to a check, in milliseconds. */
const checkTimeoutMillis = 3_000
/** Live frames buffered for a slow reader; older ones are dropped, which the reader sees as a gap. */
const liveCapacity = 512
/** Pauses between dials, in milliseconds: the first and the longest. They double, with jitter. */
const outagePause = { first: 250, longest: 30_000 }
const refusalPause = { first: 5_000, longest: 300_000 }

/** A connection that lasted this long resets the pauses, in milliseconds. */
const steadyMillis = 5_000

/** A broker for the accounts of one home server. */
export const layer = (transport: Transport, options: NatsBrokerOptions): Layer.Layer<Broker, never, Crypto> =>
  Layer.effect(
    Broker,
    Effect.map(Crypto, (crypto) => Broker.of({ connect: (login) => open(transport, options, crypto, login) }))
  )

const open = Effect.fnUntraced(function* (
  transport: Transport,
  options: NatsBrokerOptions,
  crypto: Crypto["Service"],
  login: BrokerLogin
): Effect.fn.Return<BrokerConnection, never, Scope.Scope> {
  const { hex, ed25519 } = login.account
  const state = yield* SubscriptionRef.make<ConnectionState>({
    _tag: "Connecting",
    since: yield* Clock.currentTimeMillis
  })
  const sendWindow = yield* Semaphore.make(Limits.sendsUnanswered)
  const fetchWindow = yield* Semaphore.make(Limits.fetchesUnanswered)
  const listeners = new Set<Queue.Queue<Delivered, Cause.Done>>()
  const checked = Latch.makeUnsafe(false)
  let session: NatsConnection | undefined
  let silent = Deferred.makeUnsafe<typeof unanswered>()

  const set = (make: (since: number) => ConnectionState) =>
    Effect.flatMap(Clock.currentTimeMillis, (since) => SubscriptionRef.set(state, make(since)))

  const deliver = (message: Msg): void => {
    const delivered = Delivery.accept(hex, (name) => message.headers?.values(name) ?? [], message.data)
    if (delivered === undefined) return
    // The bytes are in a buffer of the socket; copy them to keep them.
    const frame = delivered.frame.slice()
    for (const listener of listeners) Queue.offerUnsafe(listener, { ...delivered, frame })
  }

  /** One connection from dial to end: the error (none when its login expired), how long it lasted, and how it ended. */
  const serve = (turn: number) =>
    Effect.gen(function* () {
      const url = yield* nextUrl(options, turn)
      const { connect, schemes } = transportOf(transport, url)
      const target = Target.parse(url, schemes)
      if (Result.isFailure(target))
        return yield* new BrokerUnavailable({ reason: "unreachable", detail: target.failure })
      const named = options.namedBy === undefined ? undefined : checkHost(options.namedBy, target.success.host)
      if (named !== undefined && Result.isFailure(named)) return yield* Dial.forbidden(named.failure)
      const auth = Login.make(login, target.success.host)
      const connection = yield* dial(connect, target.success, auth, hex)
      return yield* Effect.gen(function* () {
        const refused = auth.refused()
        if (refused !== undefined) return yield* new BrokerUnavailable({ reason: "unauthorized", detail: refused })
        yield* Effect.tryPromise({ try: () => listen(connection, hex, deliver), catch: Dial.explainRequest })
        session = connection
        silent = Deferred.makeUnsafe()
        // Read now, because a closed connection no longer has it.
        const server = connection.info?.server_id
        const since = yield* Clock.currentTimeMillis
        yield* SubscriptionRef.set(state, { _tag: "Online", since, url })
        const cause = yield* Effect.raceFirst(
          Effect.promise(() => connection.closed()),
          Deferred.await(silent)
        )
        const error = Dial.isExpiry(cause)
          ? undefined
          : new BrokerUnavailable({ reason: "unreachable", detail: "the connection was lost", cause })
        const heldMillis = (yield* Clock.currentTimeMillis) - since
        const isLost = error === undefined || cause === unanswered
        const end: Eviction.End = isLost ? { _tag: "Lost" } : { _tag: "Closed", heldMillis, server }
        return { error, heldMillis, end }
      }).pipe(
        Effect.ensuring(
          Effect.suspend(() => {
            session = undefined
            const closing = connection.close().catch(() => undefined)
            // A WebSocket whose other end is gone may take minutes to close.
            return Deferred.isDoneUnsafe(silent) ? Effect.void : Effect.promise(() => closing)
          })
        )
      )
    }).pipe(
      Effect.catch((error) => {
        const end: Eviction.End = { _tag: error.reason === "unauthorized" ? "Refused" : "Lost" }
        return Effect.succeed({ error, heldMillis: 0, end })
      })
    )

  const run = Effect.gen(function* () {
    let failures = 0
    let refusedBefore = false
    let closures = Eviction.none
    for (let turn = 0; ;) {
      const { end, error, heldMillis } = yield* serve(turn)
      closures = Eviction.count(closures, end)
      if (Eviction.isEvicted(closures)) {
        const evicted = new BrokerUnavailable({ reason: "evicted", detail: Eviction.detail, cause: error })
        yield* set((since) => ({ _tag: "Offline", since, error: evicted }))
        yield* pause(transport, Eviction.waitMillis)
        closures = Eviction.none
        failures = 0
        continue
      }
      const refused = error?.reason === "unauthorized" || error?.reason === "forbidden"
      // Avoids a tight loop with a broker that accepts and then drops us.
      if (heldMillis > steadyMillis || refused !== refusedBefore) failures = 0
      refusedBefore = refused
      if (error === undefined) {
        yield* set((since) => ({ _tag: "Connecting", since }))
      } else {
        turn += 1
        const current = yield* SubscriptionRef.get(state)
        if (current._tag !== "Offline" || current.error.reason !== error.reason) {
          yield* set((since) => ({ _tag: "Offline", since, error }))
        }
      }
      const { first, longest } = refused ? refusalPause : outagePause
      const jitter = 0.5 + (yield* Random.next) / 2
      const millis = Math.min(longest, first * 2 ** Math.min(failures, 12)) * jitter
      yield* Effect.race(pause(transport, millis), Latch.await(checked))
      failures += 1
    }
  })

  const request = (
    subject: string,
    payload: Uint8Array,
    timeout: number,
    lines: ReadonlyArray<readonly [name: string, value: string]> = []
  ) =>
    Effect.flatMap(
      Effect.suspend(() => (session === undefined ? online(state) : Effect.void)),
      () =>
        Effect.tryPromise({
          try: async () => {
            if (session === undefined) throw new Error("the connection was lost")
            if (lines.length === 0) return await session.request(subject, payload, { timeout })
            const header = headers()
            for (const [name, value] of lines) header.set(name, value)
            return await session.request(subject, payload, { timeout, headers: header })
          },
          catch: Dial.explainRequest
        })
    )

  const newRequest = (subject: string, payload: Uint8Array) =>
    Effect.mapError(request(subject, payload, sendTimeoutMillis), Dial.orOlder)

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      yield* set((since) => ({ _tag: "Closed", since }))
      for (const listener of listeners) Queue.endUnsafe(listener)
    })
  )
  yield* Effect.forkScoped(run)

  return {
    state: SubscriptionRef.changes(state).pipe(Stream.takeUntil((current) => current._tag === "Closed")),
    send: Effect.fnUntraced(function* (recipient, kezId, frame, isSigned = false) {
      if (frame.length < 1 || frame.length > Limits.frameBytes) return yield* Answer.refused("size")
      if (!KezId.isKezId(kezId)) return yield* Answer.refused("bad")
      const reply = yield* Semaphore.withPermit(
        sendWindow,
        request(Subject.inbox(recipient.hex), frame, sendTimeoutMillis, [
          [KezId.header, kezId],
          ...(isSigned ? [[Acceptance.header, Acceptance.asked] as const] : [])
        ])
      )
      const answer = Answer.parse(reply.data)
      if (answer === "ok") return isSigned ? BrokerAnswer.signedIn(reply.data) : undefined
      return yield* answer ?? notUnderstood()
    }),
    trim: Effect.fnUntraced(function* (box, remove) {
      const nonce = yield* crypto.randomBytes(Limits.fetchNonceBytes)
      const payload = Trim.encodeRequest({ box, nonce, ...(remove === undefined ? {} : { remove }) })
      const { data } = yield* newRequest(Subject.trim(hex), payload)
      return Trim.decodeAnswer(data, nonce) ?? (yield* refusalIn(data))
    }),
    block: Effect.fnUntraced(function* (op, { hex: who }) {
      const nonce = yield* crypto.randomBytes(Limits.fetchNonceBytes)
      const payload = Block.encodeRequest({ op, who, nonce })
      const { data } = yield* newRequest(Subject.block(hex), payload)
      if (!Block.isDone(data, nonce)) return yield* refusalIn(data)
    }),
    fetch: Effect.fnUntraced(function* (after, epoch) {
      const nonce = yield* crypto.randomBytes(Limits.fetchNonceBytes)
      const payload = Page.encodeRequest({ after, nonce, ...(epoch === undefined ? {} : { epoch }) })
      const reply = yield* Semaphore.withPermit(fetchWindow, request(Subject.fetch(hex), payload, fetchTimeoutMillis))
      const answer = Answer.parse(reply.data)
      if (answer !== undefined && answer !== "ok") return yield* answer
      const page = Page.decode(reply.data, { ed25519, nonce })
      if (Result.isFailure(page)) return yield* Effect.fail<Problem.Problem>(page.failure)
      return page.success
    }),
    check: Effect.suspend(() => {
      if (session === undefined) return Effect.asVoid(Latch.release(checked))
      const [connection, gone] = [session, silent]
      return Effect.promise(() => connection.flush().catch(() => undefined)).pipe(
        Effect.timeoutOrElse({
          duration: checkTimeoutMillis,
          orElse: () => Effect.asVoid(Deferred.succeed(gone, unanswered))
        })
      )
    }),
    get live() {
      const queue = Effect.runSync(Queue.sliding<Delivered, Cause.Done>(liveCapacity))
      listeners.add(queue)
      return Stream.fromQueue(queue).pipe(Stream.ensuring(Effect.sync(() => listeners.delete(queue))))
    }
  }
})

/** Why a connection ended that did not answer a check. */
const unanswered = new Error("no answer in time")

const notUnderstood = () => unreachable("the home server's answer is not in this protocol")

const refusalIn = (data: Uint8Array): BrokerRefused | BrokerUnavailable => {
  const answer = Answer.parse(data)
  return answer === undefined || answer === "ok" ? notUnderstood() : answer
}

const unreachable = (detail: string, cause?: unknown) => new BrokerUnavailable({ reason: "unreachable", detail, cause })

/** Whether the home's name does not exist: `fetch` and Node nest that in several causes. */
const isNameUnknown = (error: unknown): boolean => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ("code" in at && at.code === "ENOTFOUND") return true
  }
  return false
}

const nextUrl = ({ urls }: NatsBrokerOptions, turn: number): Effect.Effect<string, BrokerUnavailable> => {
  const listed = Effect.isEffect(urls)
    ? Effect.mapError(urls, (cause) => {
        const reason = isNameUnknown(cause) ? "unknown_name" : "unreachable"
        return new BrokerUnavailable({ reason, detail: `its address could not be determined: ${cause.message}`, cause })
      })
    : Effect.succeed(urls)
  return Effect.flatMap(listed, (all) => {
    const url = all[turn % all.length]
    return url === undefined ? Effect.fail(unreachable("the home server names no broker")) : Effect.succeed(url)
  })
}

const transportOf = (transport: Transport, url: string): Pick<Transport, "schemes" | "connect"> => {
  const { other } = transport
  if (other === undefined) return transport
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase()
  return scheme === other.schemes.plain || scheme === other.schemes.encrypted ? other : transport
}

/** Dials; if interrupted, the connection is closed when the dial completes. */
const dial = (connect: Dial.Connect, target: Target.Target, auth: Login.Login, hex: string) =>
  Effect.callback<NatsConnection, BrokerUnavailable>((resume) => {
    let wanted = true
    Dial.dial(connect, target, { authenticator: auth.authenticator, inboxPrefix: Subject.replyPrefix(hex) }).then(
      (connection) => (wanted ? resume(Effect.succeed(connection)) : connection.close()),
      (error: BrokerUnavailable) => resume(Effect.fail(error))
    )
    return Effect.sync(() => void (wanted = false))
  })

/** Subscribes to the account's deliveries and waits until the broker has confirmed it, or the connection is lost. */
const listen = async (connection: NatsConnection, hex: string, deliver: (message: Msg) => void): Promise<void> => {
  connection.subscribe(Subject.delivery(hex), {
    callback: (error, message) => {
      // A throw in here would close the connection.
      if (error !== null) void connection.close()
      else deliver(message)
    }
  })
  // nats.js never settles a flush whose connection is lost before the broker has answered.
  await Promise.race([
    connection.flush(),
    connection.closed().then((cause) => {
      throw cause ?? new Error("the connection was lost")
    })
  ])
}

/** Succeeds while connected, waits for the first connection, and fails with the reason during an outage. */
const online = (state: SubscriptionRef.SubscriptionRef<ConnectionState>): Effect.Effect<void, BrokerUnavailable> =>
  SubscriptionRef.changes(state).pipe(
    Stream.filter((current) => current._tag !== "Connecting"),
    Stream.runHead,
    Effect.flatMap((found) => {
      const current = found._tag === "Some" ? found.value : undefined
      if (current?._tag === "Online") return Effect.void
      return Effect.fail(
        current?._tag === "Offline"
          ? current.error
          : new BrokerUnavailable({ reason: "closed", detail: "the connection was closed" })
      )
    }),
    Effect.timeoutOrElse({
      duration: sendTimeoutMillis,
      orElse: () => Effect.fail(new BrokerUnavailable({ reason: "timeout", detail: "not connected in time" }))
    })
  )

const pause = (transport: Transport, millis: number): Effect.Effect<void> => {
  const { onWake } = transport
  const asleep = Effect.sleep(millis)
  return onWake === undefined
    ? asleep
    : Effect.race(
        asleep,
        Effect.callback<void>((resume) => {
          const stop = onWake(() => resume(Effect.void))
          return Effect.sync(stop)
        })
      )
}
