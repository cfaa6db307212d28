/**
 * The broker side of chat-server: answers logins, stores what is sent, reads pages, closes connections.
 *
 * Four roles, each with the permissions of its task, and a connection for each task of the gateway: what users send in
 * (sends, fetches) never shares one with the stream's answers, so a flood cannot hold those up. All connections are dialled
 * again for ever; while one is down its part is not served, and without the callout nobody gets in. Several chat-servers
 * share the work through queue groups.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { createHmac } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Database } from "../storage/Database.ts"
import * as Metrics from "../metrics/Metrics.ts"
import { Registry } from "../storage/Registry.ts"
import * as BlockResponder from "./responders/BlockResponder.ts"
import * as Blocks from "./responders/Blocks.ts"
import type { BrokerConfig } from "./BrokerConfig.ts"
import { BrokerControl, BrokerDown } from "./BrokerControl.ts"
import * as Callout from "./login/Callout.ts"
import * as Connections from "./connections/UserConnections.ts"
import * as FetchResponder from "./responders/FetchResponder.ts"
import * as FloodGuard from "./limits/FloodGuard.ts"
import * as InboxStream from "./stream/InboxStream.ts"
import type { BrokerKeys } from "./login/Keys.ts"
import * as Link from "./connections/RoleConnection.ts"
import * as Login from "./login/Login.ts"
import * as Quotas from "./limits/Quotas.ts"
import * as SendResponder from "./responders/SendResponder.ts"
import * as StoreProbe from "./stream/StoreProbe.ts"
import * as StreamWatch from "./stream/StreamWatch.ts"
import * as TrimResponder from "./responders/TrimResponder.ts"

/** How often quota counts are written down, in milliseconds; a crash forgets at most so much of them. */
const flushMillis = 1_000
/** How often connections are compared with the registry, in milliseconds: the net under revocations. */
const sweepMillis = 300_000
/** How often the stream is asked for its size and epoch, in milliseconds. */
const refreshMillis = 10_000
/** How often to see whether the store has to be probed, in milliseconds. */
const probeMillis = 1_000
/** After so long the broker lists a connection whose login was let in, in milliseconds. */
const registeredMillis = 200
/** nats.conf's `authorization.timeout` and some more: a login under way at a revocation is through by then. */
const secondRoundMillis = 2_500

/** Tables of the broker side in the registry's database. */
export const migrations = [...Quotas.migrations, ...Blocks.migrations]

/** Connects in the background; does not wait for the broker and does not fail without it. */
export const layer = (config: BrokerConfig, keys: BrokerKeys): Layer.Layer<BrokerControl, never, Registry | Database> =>
  Layer.effect(
    BrokerControl,
    Effect.gen(function* () {
      const registry = yield* Registry
      const { sqlite } = yield* Database
      const runFork = Effect.runForkWith(yield* Effect.context<never>())
      const log: Link.LinkOptions["log"] = (level, message, fields) => {
        const line = level === "warn" ? Effect.logWarning(message) : Effect.logInfo(message)
        runFork(Effect.annotateLogs(line, fields))
      }
      const isActive = (hex: string) => Effect.runSync(registry.isActive(hex))
      /** Does something for an account that has ended once more, if it is still so. */
      const again = (hex: string, f: () => Promise<void>) =>
        void setTimeout(() => {
          // A throw in a timer would end the process.
          new Promise<void>((resolve) => resolve(isActive(hex) ? undefined : f())).catch((error: unknown) => {
            log("warn", "an ended account not looked at again", { reason: (error as Error).message })
          })
        }, secondRoundMillis).unref()

      const { limits } = config
      /** A secret that every instance with the same keys folder has. */
      const derived = (label: string) =>
        createHmac("sha256", keys.gateway.key.export({ format: "der", type: "pkcs8" }))
          .update(label)
          .digest()
      const quotas = Quotas.make(sqlite, limits, derived("kez-chat quota pairs"))
      const blocks = Blocks.make(sqlite, derived("kez-chat blocks"))
      const connections = Connections.make((config.sessionSeconds + 60) * 1000)
      const closeAccount = async (hex: string) => {
        const connection = sys.connection()
        if (connection !== undefined) await connections.closeAll(connection, hex)
      }
      const guard = FloodGuard.make({
        burst: limits.refusalBurst,
        perSecond: limits.refusalsPerSecond,
        shutOutMillis: limits.shutOutSeconds * 1000,
        onFlood: (hex) => {
          log("warn", "an account floods; its connections are closed", { account: hex })
          closeAccount(hex).catch((error: unknown) => {
            log("warn", "connections of a flooding account not closed", { reason: (error as Error).message })
          })
        }
      })
      /** Accounts whose connections are about to be counted. */
      const counting = new Set<string>()
      const loggedIn = (hex: string, server: string, id: number): void => {
        const remembered = connections.remember(hex, { server, id })
        guard.loggedIn(hex)
        // Half the limit, since another chat-server may have let in as many; the sweep finds what this does not.
        if (remembered <= limits.connectionsPerAccount / 2 || counting.has(hex)) return
        counting.add(hex)
        setTimeout(() => {
          counting.delete(hex)
          const connection = sys.connection()
          if (connection === undefined) return
          connections.closeOldest(connection, hex, limits.connectionsPerAccount).catch((error: unknown) => {
            if (sys.connection() !== connection) return
            log("warn", "connections of an account not counted", { reason: (error as Error).message })
          })
        }, registeredMillis).unref()
      }
      const context = {
        loginHosts: config.loginHosts,
        isActive,
        isShutOut: guard.isShutOut,
        sessionSeconds: Math.min(config.sessionSeconds, 3600)
      }
      const callout = Callout.make({
        keys,
        context,
        onAccepted: loggedIn,
        onRefused: (refusal) => {
          Metrics.observeLoginRefused(refusal)
          log("info", "login refused", { refusal })
        },
        log
      })
      const watch = StreamWatch.make(
        {
          replicas: config.replicas,
          maxBytes: config.inboxBytes,
          retentionDays: limits.retentionDays,
          maxFrames: limits.maxFrames
        },
        quotas,
        () => registrar.connection(),
        log
      )
      const probe = StoreProbe.make({
        // As for sends: until the stream is found to be what it was, nothing is stored.
        gateway: () => (watch.state() === undefined ? undefined : store.connection()),
        registrar: () => registrar.connection(),
        noteLast: watch.noteLast,
        log
      })
      const sends = SendResponder.make({
        // What is refused at once takes nothing from its sender's quotas, unlike what waits in vain for the stream.
        isReady: () => watch.state() !== undefined && (probe.failure() ?? "full") === "full",
        isActive,
        quotas,
        isBlocked: blocks.has,
        hasRoom: (bytes) => (watch.state()?.bytes ?? 0) + bytes <= config.inboxBytes,
        noteLast: (seq, millis) => {
          watch.noteLast(seq)
          Metrics.observeSend(millis)
          probe.noteStored()
        },
        guard,
        deduplicationKey: derived("kez-chat deduplication"),
        waiting: {
          perAccount: limits.sendsWaitingPerAccount,
          bytesPerAccount: limits.sendBytesWaitingPerAccount,
          bytes: limits.sendBytesWaiting
        },
        maxInFlight: limits.sendsInFlight,
        maxBytesInFlight: limits.sendBytesInFlight,
        log
      })
      const fetches = FetchResponder.make({
        isActive,
        streamState: watch.current,
        noteLast: watch.noteLast,
        replicated: config.replicas > 1,
        guard,
        // A request is small, so its number and the bytes of all are what counts.
        waiting: {
          perAccount: limits.fetchesWaitingPerAccount,
          bytesPerAccount: limits.sendBytesWaitingPerAccount,
          bytes: limits.sendBytesWaiting
        },
        maxInFlight: limits.fetchesInFlight,
        maxInFlightPerAccount: limits.fetchesInFlightPerAccount,
        readBurstBytes: limits.readBurstBytes,
        readBytesPerSecond: limits.readBytesPerSecond,
        log
      })

      const trims = TrimResponder.make({
        isActive,
        quotas,
        guard,
        registrar: () => registrar.connection(),
        store: () => store.connection(),
        streamState: () => watch.current(0),
        log
      })
      const blocking = BlockResponder.make({ isActive, blocks, guard, log })

      const link = (
        role: "callout" | "registrar" | "gateway" | "sys",
        rest: Pick<Link.LinkOptions, "onUp" | "onDown" | "inboxPrefix">,
        task = ""
      ) =>
        Effect.acquireRelease(
          Effect.sync(() =>
            Link.open({
              urls: config.natsUrls,
              role: role + task,
              key: keys[role],
              log,
              ...(config.caFile === undefined ? {} : { caFile: config.caFile }),
              ...rest
            })
          ),
          (opened) => Effect.promise(() => opened.close())
        )
      const sweep = () => {
        const connection = sys.connection()
        connections.prune()
        guard.prune()
        if (connection === undefined) return
        connections.closeExcess(connection, isActive, limits.connectionsPerAccount).catch((error: unknown) => {
          if (sys.connection() !== connection) return
          log("warn", "connections not compared with the registry", { reason: (error as Error).message })
        })
      }
      let users = 0
      const countUsers = () => {
        const connection = sys.connection()
        if (connection === undefined) return
        // The last number stays where the broker does not say.
        connections.count(connection).then(
          (counted) => (users = counted),
          () => undefined
        )
      }
      const flush = () => {
        try {
          quotas.flush()
        } catch (error) {
          log("warn", "quota counts not written", { reason: (error as Error).message })
        }
      }

      // Released in reverse: first nobody new gets in and nothing more is taken, last the counts are written.
      yield* Effect.acquireRelease(
        Effect.sync(() => [
          setInterval(flush, flushMillis),
          setInterval(() => void watch.refresh(), refreshMillis),
          setInterval(() => void probe.check(), probeMillis),
          setInterval(countUsers, refreshMillis),
          setInterval(sweep, sweepMillis)
        ]),
        (timers) =>
          Effect.sync(() => {
            for (const timer of timers) clearInterval(timer)
            flush()
          })
      )
      const sys = yield* link("sys", { inboxPrefix: "_INBOX_sys", onUp: () => void setTimeout(sweep, 100) })
      const registrar = yield* link("registrar", {
        inboxPrefix: "_INBOX_reg",
        onUp: watch.start,
        onDown: watch.stop
      })
      const store = yield* link(
        "gateway",
        {
          inboxPrefix: "_INBOX_ing",
          onUp: (connection) => {
            sends.attach(connection)
            fetches.attach(connection)
          },
          onDown: () => {
            sends.detach()
            fetches.detach()
          }
        },
        " store"
      )
      const sendIntake = yield* link("gateway", { onUp: sends.listen }, " sends")
      const fetchIntake = yield* link(
        "gateway",
        {
          onUp: (connection) => {
            fetches.listen(connection)
            trims.listen(connection)
            blocking.listen(connection)
          }
        },
        " fetches"
      )
      const calloutLink = yield* link("callout", { onUp: callout.attach })

      return BrokerControl.of({
        kick: (hex) =>
          withConnection(sys.connection, async (connection) => {
            await connections.closeAll(connection, hex)
            again(hex, async () => {
              const current = sys.connection()
              if (current !== undefined) await connections.closeAll(current, hex)
            })
          }),
        purge: (hex) =>
          withConnection(registrar.connection, async (connection) => {
            await InboxStream.purge(connection, hex)
            quotas.forget(hex)
            blocks.forget(hex)
            // A send that had passed the registry before may have been stored a moment after.
            again(hex, async () => {
              const current = registrar.connection()
              if (current !== undefined) await InboxStream.purge(current, hex)
            })
          }),
        status: Effect.sync(() => {
          const up = {
            callout: calloutLink.connection() !== undefined,
            registrar: registrar.connection() !== undefined,
            gateway: [store, sendIntake, fetchIntake].every((part) => part.connection() !== undefined),
            sys: sys.connection() !== undefined
          }
          const stream = watch.state()
          return {
            ready: Object.values(up).every(Boolean) && stream !== undefined,
            connections: up,
            stream,
            storeFailure: probe.failure(),
            logins: callout.counters,
            sends: sends.counters,
            fetches: fetches.counters,
            floods: guard.floods(),
            trims: trims.counters,
            users,
            inFlight: sends.inFlight()
          }
        }),
        answer: (request) =>
          Effect.sync(() => Login.answer({ ...context, issuer: keys.issuer }, request, Date.now()).jwt)
      })
    })
  )

const withConnection = (
  current: Link.Link["connection"],
  f: (connection: NatsConnection) => Promise<void>
): Effect.Effect<void, BrokerDown> =>
  Effect.tryPromise({
    try: async () => {
      const connection = current()
      if (connection === undefined) throw new Error("not connected")
      await f(connection)
    },
    catch: (cause) => new BrokerDown({ detail: (cause as Error).message, cause })
  })
