/** The account's connection to its broker as the use cases see it: its state, and ways to wait for it. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { PrimaryKey } from "../../protocol/index.ts"
import { Problem } from "../../protocol/Problem.ts"
import {
  Broker,
  type BrokerConnection,
  type BrokerLogin,
  BrokerUnavailable,
  type ConnectionState
} from "../../services/Broker.ts"
import { Directory } from "../../services/Directory.ts"

const closed = new BrokerUnavailable({
  reason: "closed",
  detail: "not connected: there is no account, or the client runs offline"
})

const suspended = new BrokerUnavailable({
  reason: "suspended",
  detail: "the operator of your home server has suspended this account"
})

const make = Effect.gen(function* () {
  const broker = yield* Broker
  const directory = yield* Directory
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

  /** The state, and after a refused login what the home server says about it, since the broker does not say why. */
  const explained = (login: BrokerLogin) => (next: ConnectionState) =>
    next._tag !== "Offline" || next.error.reason !== "unauthorized"
      ? Stream.succeed(next)
      : Stream.concat(
          Stream.succeed(next),
          Stream.fromEffect(Effect.flip(directory.byPrimary(PrimaryKey.format(login.account)))).pipe(
            Stream.filter((error) => error instanceof Problem && error.code === "account_suspended"),
            Stream.map((): ConnectionState => ({ ...next, error: suspended })),
            // It has a name there, so this is not why.
            Stream.catch(() => Stream.empty)
          )
        )

  const whenOnline = when((now) => (now._tag === "Online" ? connection : undefined))

  return {
    /** The connection state, beginning with the present one. */
    states: SubscriptionRef.changes(state),
    now: SubscriptionRef.get(state),
    /** Connects, and follows the connection's state until the scope closes. */
    connect: Effect.fnUntraced(function* (login: BrokerLogin) {
      const made = yield* broker.connect(login)
      connection = made
      yield* SubscriptionRef.set(state, { _tag: "Connecting", since: yield* Clock.currentTimeMillis })
      yield* Effect.forkScoped(
        Stream.runForEach(Stream.switchMap(made.state, explained(login)), (next) => SubscriptionRef.set(state, next))
      )
      yield* Effect.addFinalizer(() =>
        Effect.flatMap(Clock.currentTimeMillis, (since) => {
          connection = undefined
          return SubscriptionRef.set(state, { _tag: "Closed", since })
        })
      )
      return made
    }),
    /** The connection, once it is online. */
    online: Effect.suspend(() => {
      // Read before every send, so the common case creates no stream.
      const now = SubscriptionRef.getUnsafe(state)
      return now._tag === "Online" && connection !== undefined ? Effect.succeed(connection) : whenOnline
    }),
    /** `check` of the connection; nothing without one. */
    check: Effect.suspend(() => connection?.check ?? Effect.void),
    /** Runs `effect`; fails as soon as the broker is out of reach. While it connects, `effect` goes on. */
    orOffline: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.raceFirst(
        effect,
        Effect.flatMap(
          when((now) => (now._tag === "Offline" ? now.error : now._tag === "Closed" ? closed : undefined)),
          (error) => Effect.fail(error)
        )
      )
  }
})

export class BrokerLink extends Context.Service<BrokerLink>()("@kez-chat/sdk/BrokerLink", { make }) {}

export const layer = Layer.effect(BrokerLink, make)
