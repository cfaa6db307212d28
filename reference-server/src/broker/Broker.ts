/**
 * The composition of chat-server's broker side: answers logins, stores sends, reads pages, closes connections.
 *
 * Four roles, each with the permissions of its task, and a connection for each task of the gateway: users' requests
 * (sends, fetches) never share one with the stream's answers, so a flood cannot delay those. A lost connection is
 * dialled again, and its part is not served meanwhile. Several chat-servers share the work through queue groups.
 */
import { createHmac } from "node:crypto"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Metrics from "../metrics/Metrics.ts"
import { callbackLog } from "../process/CallbackLog.ts"
import { every } from "../process/Every.ts"
import { ActiveKeys } from "../storage/ActiveKeys.ts"
import { Database } from "../storage/Database.ts"
import * as ActiveCheck from "./ActiveCheck.ts"
import type { BrokerConfig } from "./BrokerConfig.ts"
import { BrokerControl } from "./BrokerControl.ts"
import * as RoleConnection from "./connections/RoleConnection.ts"
import * as Sessions from "./connections/Sessions.ts"
import * as FloodGuard from "./limits/FloodGuard.ts"
import * as Quotas from "./limits/Quotas.ts"
import * as StreamPosition from "./limits/StreamPosition.ts"
import * as TrimTimes from "./limits/TrimTimes.ts"
import * as Callout from "./login/Callout.ts"
import * as Keys from "./login/Keys.ts"
import * as Login from "./login/Login.ts"
import * as Acceptances from "./responders/Acceptances.ts"
import * as BlockResponder from "./responders/BlockResponder.ts"
import * as Blocks from "./responders/Blocks.ts"
import * as FetchResponder from "./responders/FetchResponder.ts"
import * as SendResponder from "./responders/SendResponder.ts"
import * as TrimResponder from "./responders/TrimResponder.ts"
import * as InboxStream from "./stream/InboxStream.ts"
import * as Partitions from "./stream/Partitions.ts"
import * as StoreProbe from "./stream/StoreProbe.ts"
import * as StreamWatch from "./stream/StreamWatch.ts"

/** Interval at which charges that were taken back and the stream's position are written down without a send. */
const flushMillis = 1_000
const pruneMillis = 300_000
/** Longer than nats.conf's `authorization.timeout`: a login under way at a revocation is complete by then. */
const secondRoundMillis = 2_500
/** How long after SYS is connected the connections are compared with the registry. */
const firstSweepMillis = 100

/** Connects in the background; does not wait for the broker and does not fail without it. */
export const layer = (
  config: BrokerConfig,
  keys: Keys.BrokerKeys,
  serverName: string
): Layer.Layer<BrokerControl, never, ActiveKeys | Database> =>
  Layer.effect(BrokerControl, make(config, keys, serverName))

const make = Effect.fnUntraced(function* (config: BrokerConfig, keys: Keys.BrokerKeys, serverName: string) {
  const activeKeys = yield* ActiveKeys
  const database = yield* Database
  const checks = yield* ActiveCheck.make
  const log = yield* callbackLog
  const fork = yield* FiberSet.makeRuntime()
  const { limits } = config

  const { caFile, natsUrls: urls } = config
  const role = (name: "callout" | "registrar" | "gateway" | "sys", task = "", inboxPrefix?: string, key = keys[name]) =>
    RoleConnection.make({ urls, role: name + task, key, caFile, inboxPrefix })
  const sys = role("sys", "", "_INBOX_sys")
  const sendIntake = role("gateway", " sends")
  const fetchIntake = role("gateway", " fetches")
  const calloutConnection = role("callout")

  /** A secret that every instance with the same keys folder has. */
  const derived = (label: string) =>
    createHmac("sha256", keys.gateway.key.export({ format: "der", type: "pkcs8" }))
      .update(label)
      .digest()
  const positions = Array.from({ length: config.partitions }, (_, i) => StreamPosition.make(database, i))
  const quotas = Quotas.make(database, { limits, pepper: derived("kez-chat quota pairs"), positions })
  const blocks = Blocks.make(database, derived("kez-chat blocks"))
  // Registered before all connections, and so run after they are closed.
  yield* Effect.addFinalizer(() =>
    Effect.catchCause(quotas.flush, (cause) => Effect.logWarning("quota counts not written", cause))
  )
  yield* every(flushMillis, "quota counts not written", quotas.flush)

  const { sessionSeconds } = config
  const sessions = yield* Sessions.make({ sys, sessionSeconds, perAccount: limits.connectionsPerAccount, activeKeys })
  // Those of accounts that another chat-server ended; where it did, the broker is asked for all the others.
  yield* activeKeys.onEnded((hex) => void fork(Effect.ignore(sessions.closeRemembered(hex))))
  const guard = FloodGuard.make({
    burst: limits.refusalBurst,
    perSecond: limits.refusalsPerSecond,
    shutOutMillis: limits.shutOutSeconds * 1_000,
    onFlood: (hex) => {
      log("warn", "an account floods; its connections are closed", { account: hex })
      fork(
        Effect.catchTag(sessions.close(hex), "BrokerDown", ({ detail }) =>
          sys.current() === undefined
            ? Effect.void
            : Effect.annotateLogs(Effect.logWarning("connections of a flooding account not closed"), { reason: detail })
        )
      )
    }
  })
  yield* every(pruneMillis, "flood budgets not pruned", Effect.sync(guard.prune))

  const context = {
    loginHosts: config.loginHosts,
    isActive: activeKeys.has,
    mayFetch: activeKeys.mayFetch,
    isShutOut: guard.isShutOut,
    sessionSeconds: Math.min(sessionSeconds, 3_600)
  }
  const callout = yield* Callout.make({
    keys,
    context,
    checkActive: checks.fetch,
    onAccepted: (hex, server, id) => {
      sessions.loggedIn(hex, { server, id })
      guard.loggedIn(hex)
    },
    onRefused: (refusal) => {
      Metrics.observeLoginRefused(refusal)
      log("info", "login refused", { refusal })
    }
  })

  const maxBytes = Partitions.shareOf(config.inboxBytes, config.partitions)
  const partitions = yield* Effect.forEach(
    positions,
    Effect.fnUntraced(function* (position, i) {
      const own = Keys.ofPartition(keys, i)
      const task = i === 0 ? "" : ` of stream ${i}`
      const registrar = role("registrar", task, "_INBOX_reg", own.registrar)
      const store = role("gateway", ` store${task}`, "_INBOX_ing", own.gateway)
      const streamOptions = { ...limits, replicas: config.replicas, maxBytes, partitions: config.partitions }
      const stream = yield* StreamWatch.make(streamOptions, position, registrar)
      const probe = yield* StoreProbe.make({
        // As for sends: until the stream is found to be what it was, nothing is stored.
        gateway: () => (stream.known() === undefined ? undefined : store.current()),
        registrar,
        noteLast: stream.noteLast
      })
      return { registrar, store, stream, probe } satisfies Partitions.Partition
    })
  )
  const at = (partition: number) => partitions[partition] as Partitions.Partition
  const partitionOf = Partitions.finder(partitions)
  const sends = yield* SendResponder.make({
    partitions: config.partitions,
    // A refusal at once costs its sender no quota, unlike a send that waits for the stream in vain.
    isReady: (partition) => {
      const { probe, stream } = at(partition)
      return stream.known() !== undefined && (probe.failure() ?? "full") === "full"
    },
    activeKeys,
    quotas,
    blocks,
    hasRoom: (partition, bytes) => (at(partition).stream.known()?.bytes ?? 0) + bytes <= maxBytes,
    noteLast: (partition, seq, millis) => {
      at(partition).stream.noteLast(seq)
      Metrics.observeSend(millis)
      at(partition).probe.noteStored()
    },
    guard,
    acceptances: Acceptances.make(serverName, keys.acceptance),
    deduplicationKey: derived("kez-chat deduplication"),
    waiting: {
      perAccount: limits.sendsWaitingPerAccount,
      bytesPerAccount: limits.sendBytesWaitingPerAccount,
      bytes: limits.sendBytesWaiting
    },
    maxInFlight: limits.sendsInFlight,
    maxBytesInFlight: limits.sendBytesInFlight
  })
  const fetches = yield* FetchResponder.make({
    checkActive: checks.fetch,
    isMoved: activeKeys.isMoved,
    streams: partitions.map(({ stream }) => stream),
    replicated: config.replicas > 1,
    guard,
    // Requests are small, so their number and the bytes of all accounts matter.
    waiting: {
      perAccount: limits.fetchesWaitingPerAccount,
      bytesPerAccount: limits.sendBytesWaitingPerAccount,
      bytes: limits.sendBytesWaiting
    },
    maxInFlight: limits.fetchesInFlight,
    maxInFlightPerAccount: limits.fetchesInFlightPerAccount,
    readBurstBytes: limits.readBurstBytes,
    readBytesPerSecond: limits.readBytesPerSecond
  })
  const times = TrimTimes.make(database)
  const trims = yield* TrimResponder.make({ checkActive: checks.active, quotas, times, guard, partition: partitionOf })
  const blocking = yield* BlockResponder.make({ checkActive: checks.active, blocks, guard })

  // Closed in reverse: first nobody new gets in and nothing more is taken.
  yield* sys.keepOpen(() => Effect.asVoid(Effect.forkScoped(Effect.delay(sessions.sweep, firstSweepMillis))))
  /** That the first stream is one of as many as are set; nothing is made or stored in the others before. */
  const isAsSet = yield* Deferred.make<void>()
  for (const [i, { registrar, store, stream }] of partitions.entries()) {
    yield* registrar.keepOpen((connection) =>
      i === 0
        ? Effect.asVoid(Effect.andThen(stream.start(connection), Deferred.succeed(isAsSet, undefined)))
        : Effect.andThen(Deferred.await(isAsSet), stream.start(connection))
    )
    yield* store.keepOpen((connection) => Effect.andThen(sends.attach(i, connection), fetches.attach(i, connection)))
  }
  yield* sendIntake.keepOpen(sends.listen)
  yield* fetchIntake.keepOpen((connection) =>
    Effect.all([fetches.listen(connection), trims.listen(connection), blocking.listen(connection)], { discard: true })
  )
  yield* calloutConnection.keepOpen(callout.listen)

  /** Repeats an effect for what was under way when an account ended, unless it may log in. */
  const again = <E extends Error>(hex: string, effect: Effect.Effect<void, E>) =>
    Effect.sync(() =>
      fork(
        activeKeys.refresh.pipe(
          Effect.andThen(Effect.suspend(() => (activeKeys.mayFetch(hex) ? Effect.void : effect))),
          Effect.tapCause((cause) => Effect.logWarning("removal of an ended account not repeated", cause)),
          Effect.delay(secondRoundMillis)
        )
      )
    )
  const purge = (hex: string) =>
    Effect.flatMap(partitionOf(hex).registrar.get, (connection) => InboxStream.purge(connection, hex))

  return BrokerControl.of({
    kick: Effect.fn("Broker.kick")(function* (hex) {
      yield* sessions.close(hex)
      yield* again(hex, sessions.close(hex))
    }),
    purge: Effect.fn("Broker.purge")(function* (hex) {
      yield* purge(hex)
      yield* quotas.forget(hex)
      yield* blocks.forget(hex)
      // A send that had passed the registry before may have been stored a moment after.
      yield* again(hex, purge(hex))
    }),
    status: Effect.sync(() => {
      const isUp = (connection: RoleConnection.RoleConnection) => connection.current() !== undefined
      const connections = {
        callout: isUp(calloutConnection),
        registrar: partitions.every(({ registrar }) => isUp(registrar)),
        gateway: [...partitions.map(({ store }) => store), sendIntake, fetchIntake].every(isUp),
        sys: isUp(sys)
      }
      const streams = partitions.map(({ stream }) => stream.known())
      return {
        ready: Object.values(connections).every(Boolean) && streams.every((known) => known !== undefined),
        connections,
        streams,
        storeFailure: partitions.map(({ probe }) => probe.failure()).find((failure) => failure !== undefined),
        logins: callout.counters,
        sends: sends.counters,
        fetches: fetches.counters,
        floods: guard.floods(),
        trims: trims.counters,
        ...sessions.counts(),
        inFlight: sends.inFlight()
      }
    }),
    answer: (request) =>
      Effect.map(
        Effect.ignore(activeKeys.refresh),
        () => Login.answer({ ...context, issuer: keys.issuer }, request, Date.now()).jwt
      )
  })
})
