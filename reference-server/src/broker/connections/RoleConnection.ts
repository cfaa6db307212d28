/**
 * One of chat-server's own connections to the broker, logged in with a static nkey and dialled again until its scope
 * closes.
 *
 * It redials by itself instead of leaving that to nats.js, so that everything a connection needs (subscriptions, the
 * stream) is set up in one place, for the first connection and for every later one.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { sign } from "node:crypto"
import type { ServerKey } from "../login/Keys.ts"
import { attempt, BrokerDown } from "./BrokerDown.ts"

export interface RoleConnectionOptions {
  readonly urls: ReadonlyArray<string>
  /** For the log: `callout`, `gateway sends`, ... */
  readonly role: string
  readonly key: ServerKey
  readonly inboxPrefix: string | undefined
  /** PEM of the authority that signed the broker's certificate, unless a public one did. */
  readonly caFile: string | undefined
}

/** Sets a new connection up, in a scope that closes when it is lost. A failure makes it dial again. */
export type SetUp = (connection: NatsConnection) => Effect.Effect<void, Error, Scope.Scope>

export interface RoleConnection {
  /** Present while connected and set up. */
  readonly current: () => NatsConnection | undefined
  /** {@link current}, or `BrokerDown`. */
  readonly get: Effect.Effect<NatsConnection, BrokerDown>
  /** Connects in the background, and again whenever the connection is lost, until the scope closes. */
  keepOpen(setUp: SetUp): Effect.Effect<void, never, Scope.Scope>
}

const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(Schedule.jittered)
/** Of the failures in a row, the first is logged and then each tenth. */
const logEvery = 10

export const make = (options: RoleConnectionOptions): RoleConnection => {
  const { role, urls } = options
  let current: NatsConnection | undefined
  let dials = 0
  let failures = 0

  const unreachable = (url: string, reason: string) =>
    Effect.annotateLogs(Effect.logWarning("broker unreachable"), { role, url, reason })

  /** One connection from its dialling to its loss; fails when it could not be set up. */
  const session = (setUp: SetUp) =>
    Effect.suspend(() => {
      const url = urls[dials++ % urls.length] as string
      const connected = Effect.gen(function* () {
        const connection = yield* Effect.acquireRelease(dial(options, url), close)
        yield* setUp(connection)
        // Whoever hears that we are connected may ask at once.
        yield* flush(connection)
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            current = connection
            // Its loss will be the first, and is logged below.
            failures = 1
          }),
          () => Effect.sync(() => (current = undefined))
        )
        yield* Effect.annotateLogs(Effect.logInfo("broker connected"), { role, url })
        return yield* Effect.promise(() => connection.closed())
      })
      return Effect.scoped(connected).pipe(
        Effect.tap((end) => unreachable(url, end instanceof Error ? end.message : "connection closed")),
        // A defect in the set-up must not end the redialling.
        Effect.catchDefect((defect) => Effect.fail(new BrokerDown({ detail: String(defect), cause: defect }))),
        Effect.tapCause((cause) =>
          Cause.hasInterruptsOnly(cause) || failures++ % logEvery !== 0
            ? Effect.void
            : unreachable(url, reasonOf(Cause.squash(cause)))
        )
      )
    })

  return {
    current: () => current,
    get: Effect.suspend(() =>
      current === undefined ? Effect.fail(new BrokerDown({ detail: "not connected" })) : Effect.succeed(current)
    ),
    keepOpen: (setUp) =>
      session(setUp).pipe(
        Effect.retry(backoff),
        Effect.repeat(Schedule.jittered(Schedule.spaced("100 millis"))),
        Effect.forkScoped,
        Effect.asVoid
      )
  }
}

/** Waits until the broker has taken what was sent. nats.js never settles a flush whose connection is lost meanwhile. */
const flush = (connection: NatsConnection): Effect.Effect<void, BrokerDown> =>
  Effect.raceFirst(
    attempt(() => connection.flush()),
    Effect.flatMap(
      Effect.promise(() => connection.closed()),
      (cause) => Effect.fail(new BrokerDown({ detail: cause instanceof Error ? cause.message : "connection closed" }))
    )
  )

/** The error of nats.js, without our own prefix. */
const reasonOf = (error: unknown): string =>
  error instanceof BrokerDown ? error.detail : error instanceof Error ? error.message : String(error)

export const close = (connection: NatsConnection): Effect.Effect<void> =>
  Effect.ignore(attempt(() => connection.close()))

/** One connection, which is not dialled again. */
export const dial = (
  options: Omit<RoleConnectionOptions, "urls">,
  url: string
): Effect.Effect<NatsConnection, BrokerDown> =>
  attempt(() =>
    connect({
      servers: [url],
      reconnect: false,
      ignoreClusterUpdates: true,
      name: `kez-chat-server ${options.role}`,
      timeout: 5_000,
      pingInterval: 10_000,
      maxPingOut: 2,
      noAsyncTraces: true,
      ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
      ...(options.caFile === undefined ? {} : { tls: { caFile: options.caFile } }),
      authenticator: (nonce) => ({
        nkey: options.key.publicNkey,
        sig: nonce === undefined ? "" : sign(null, Buffer.from(nonce), options.key.key).toString("base64url")
      })
    })
  )
