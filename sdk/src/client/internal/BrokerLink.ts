/** The account's connection to its broker as the use cases see it: its state, and ways to wait for it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  Broker,
  type BrokerConnection,
  type BrokerLogin,
  BrokerUnavailable,
  type ConnectionState
} from "../../services/Broker.ts"

export class BrokerLink extends Context.Service<
  BrokerLink,
  {
    /** The connection state, beginning with the present one. */
    readonly states: Stream.Stream<ConnectionState>
    readonly now: Effect.Effect<ConnectionState>
    /** Connects, and follows the connection's state until the scope closes. */
    connect(login: BrokerLogin): Effect.Effect<BrokerConnection, never, Scope.Scope>
    /** The connection, once it is online. */
    readonly online: Effect.Effect<BrokerConnection>
    /** Runs `effect`; fails as soon as the broker is out of reach. While it connects, `effect` goes on. */
    orOffline<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | BrokerUnavailable, R>
  }
>()("@kez-chat/sdk/BrokerLink") {}

const closed = new BrokerUnavailable({
  reason: "closed",
  detail: "not connected: there is no account, or the client runs offline"
})

const make = Effect.gen(function* () {
  const broker = yield* Broker
  const state = yield* SubscriptionRef.make<ConnectionState>({
    _tag: "Closed",
    since: yield* Clock.currentTimeMillis
  })
  let connection: BrokerConnection | undefined

  const when = <A>(pick: (state: ConnectionState) => A | undefined): Effect.Effect<A> =>
    SubscriptionRef.changes(state).pipe(
      Stream.map(pick),
      Stream.filter((picked): picked is A & {} => picked !== undefined),
      Stream.runHead,
      Effect.flatMap((found) => (Option.isSome(found) ? Effect.succeed(found.value as A) : Effect.never))
    )

  const whenOnline = when((now) => (now._tag === "Online" ? connection : undefined))

  return BrokerLink.of({
    states: SubscriptionRef.changes(state),
    now: SubscriptionRef.get(state),
    connect: Effect.fnUntraced(function* (login) {
      const made = yield* broker.connect(login)
      connection = made
      yield* SubscriptionRef.set(state, { _tag: "Connecting", since: yield* Clock.currentTimeMillis })
      yield* Effect.forkScoped(Stream.runForEach(made.state, (next) => SubscriptionRef.set(state, next)))
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(Clock.currentTimeMillis, (since) => {
          connection = undefined
          return SubscriptionRef.set(state, { _tag: "Closed", since })
        })
      )
      return made
    }),
    // Read before every send, so the common case creates no stream.
    online: Effect.suspend(() => {
      const now = SubscriptionRef.getUnsafe(state)
      return now._tag === "Online" && connection !== undefined ? Effect.succeed(connection) : whenOnline
    }),
    orOffline: (effect) =>
      Effect.raceFirst(
        effect,
        Effect.flatMap(
          when((now) => (now._tag === "Offline" ? now.error : now._tag === "Closed" ? closed : undefined)),
          (error) => Effect.fail(error)
        )
      )
  })
})

export const layer = Layer.effect(BrokerLink, make)
