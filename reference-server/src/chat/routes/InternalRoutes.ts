/**
 * The internal listener: metrics, broker logins over HTTP, a trigger for admin commands, and their API. Never public; whatever
 * acts or concerns people also requires the bearer secret.
 */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Redacted from "effect/Redacted"
import type { BrokerConfig } from "../../broker/BrokerConfig.ts"
import { BrokerControl } from "../../broker/BrokerControl.ts"
import { shareOf } from "../../broker/stream/Partitions.ts"
import { ChatConfig } from "../ChatConfig.ts"
import * as AdminRoutes from "../admin/AdminRoutes.ts"
import { isSecret, unauthorized } from "../admin/AdminRoutes.ts"
import { Database } from "../../storage/Database.ts"
import { databaseSamples } from "../../metrics/DatabaseSamples.ts"
import * as Metrics from "../../metrics/Metrics.ts"
import { byLabel, sample } from "../../metrics/Metrics.ts"
import * as ProblemResponse from "../../http/ProblemResponse.ts"
import { readBytes } from "../../http/RequestBody.ts"
import type { Route } from "../../http/RouteTable.ts"
import { Manifests } from "../../storage/Manifests.ts"
import { Registry } from "../../storage/Registry.ts"
import { Removals } from "../Removals.ts"
import { SigServerWatch } from "../SigServerWatch.ts"
import { health } from "./ServerRoutes.ts"

export const routes: ReadonlyArray<Route> = [
  { method: "GET", path: "/metrics" },
  { method: "GET", path: "/v1/healthz" },
  { method: "POST", path: "/internal/nats/auth" },
  { method: "POST", path: "/internal/removals" },
  ...AdminRoutes.routes
]

/** An authorization request holds a login of at most 1 KiB; NATS's own limit of a line bounds it too. */
const authBytes = 16_384

/** Admits a request that presents the secret. */
const guard = (secret: Redacted.Redacted<string>) =>
  Effect.flatMap(HttpServerRequest, (request) =>
    isSecret(secret, /^Bearer (.*)$/.exec(request.headers["authorization"] ?? "")?.[1] ?? "")
      ? Effect.succeed(request)
      : Effect.fail(unauthorized)
  )

const orProblem = Effect.catch((problem: Problem.Problem) => Effect.succeed(ProblemResponse.toResponse(problem)))

/** `broker` says how much room there is for all inboxes. */
export const layer = (secret: Redacted.Redacted<string>, broker: Pick<BrokerConfig, "inboxBytes" | "partitions">) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const config = yield* ChatConfig
      const control = yield* BrokerControl
      const registry = yield* Registry
      const manifests = yield* Manifests
      const removals = yield* Removals
      const database = yield* Database
      const sigServer = yield* SigServerWatch
      const context = yield* Effect.context<ChatConfig | Database | BrokerControl | SigServerWatch>()
      const authorised = guard(secret)
      const fixed = Effect.sync(() => [
        ...room(broker, config),
        sample("kez_sig_server_working", "Whether the sig-server works", sigServer.state() === "ok" ? 1 : 0)
      ])
      // Left out while the database does not answer.
      const stored = storedSamples(registry, manifests).pipe(Effect.catch(() => Effect.succeed([])))

      yield* router.add(
        "GET",
        "/metrics",
        Metrics.render(
          Effect.map(
            Effect.all([Effect.map(control.status, brokerSamples), stored, databaseSamples(database), fixed]),
            (samples) => samples.flat()
          ),
          Metrics.sendLines
        )
      )
      yield* router.add("GET", "/v1/healthz", Effect.provideContext(health, context))
      yield* router.add(
        "POST",
        "/internal/nats/auth",
        Effect.gen(function* () {
          const request = yield* authorised
          const { requestTimeoutMillis: timeoutMillis } = config.timing
          const bytes = yield* readBytes(request, { maxBytes: authBytes, timeoutMillis })
          const answer = yield* control.answer(Buffer.from(bytes).toString("latin1").trim())
          if (answer === undefined) {
            const detail = "not an authorization request of nats-server"
            return yield* new Problem.Problem({ code: "request_malformed", detail })
          }
          return HttpServerResponse.text(answer, { contentType: "application/jwt" })
        }).pipe(orProblem)
      )
      yield* router.add(
        "POST",
        "/internal/removals",
        authorised.pipe(
          Effect.andThen(removals.run),
          Effect.map((outcome) => HttpServerResponse.jsonUnsafe(outcome)),
          orProblem
        )
      )
    })
  )

/** The stores' limits, so that an alert can compare what they hold with them. */
const room = (
  { inboxBytes, partitions }: Pick<BrokerConfig, "inboxBytes" | "partitions">,
  { manifestStoreBytes }: ChatConfig["Service"]
): ReadonlyArray<Metrics.Sample> => [
  byStream(
    "kez_stream_limit_bytes",
    "Bytes that may be stored for all accounts",
    Array.from({ length: partitions }, () => shareOf(inboxBytes, partitions))
  ),
  sample("kez_manifest_limit_bytes", "Bytes of manifests that may be stored", manifestStoreBytes)
]

/** Of each stream; without a label where there is one. */
const byStream = (name: string, help: string, values: ReadonlyArray<number>): Metrics.Sample =>
  values.length === 1
    ? sample(name, help, values[0] as number)
    : byLabel(name, help, "stream", Object.fromEntries(values.entries()))

type Broker = Effect.Success<BrokerControl["Service"]["status"]>

const brokerSamples = (broker: Broker): ReadonlyArray<Metrics.Sample> => {
  const { frames, ...fetches } = broker.fetches
  return [
    sample("kez_broker_ready", "Whether all broker connections are up and the stream exists", broker.ready ? 1 : 0),
    sample(
      "kez_broker_storing",
      "Whether the broker stores messages, as far as known",
      broker.storeFailure === undefined ? 1 : 0
    ),
    sample("kez_broker_in_flight", "Sends that wait for their turn or for the stream", broker.inFlight),
    sample(
      "kez_broker_user_connections",
      "Connections of users at the broker, counted every ten seconds",
      broker.userConnections
    ),
    sample(
      "kez_broker_connected_users",
      "Accounts with a connection at the broker, counted every thirty seconds",
      broker.connectedUsers
    ),
    sample("kez_broker_floods_total", "Accounts shut out for a flood", broker.floods),
    byLabel("kez_broker_logins_total", "Broker logins, by outcome", "outcome", broker.logins),
    byLabel("kez_broker_sends_total", "Sends, by outcome", "outcome", broker.sends),
    byLabel("kez_broker_fetches_total", "Fetches, by outcome", "outcome", fetches),
    sample("kez_broker_fetched_messages_total", "Messages on fetched pages", frames),
    byLabel("kez_broker_trims_total", "Requests to trim, by outcome", "outcome", broker.trims),
    byStream(
      "kez_stream_messages",
      "Messages stored for all accounts",
      broker.streams.map((stream) => stream?.messages ?? 0)
    ),
    byStream(
      "kez_stream_bytes",
      "Bytes stored for all accounts",
      broker.streams.map((stream) => stream?.bytes ?? 0)
    )
  ]
}

const storedSamples = (registry: Registry["Service"], manifests: Manifests["Service"]) =>
  Effect.map(
    Effect.all([registry.counts, registry.movedKeys, registry.pendingRemovals, manifests.totals]),
    ([counts, moved, pending, totals]) => [
      byLabel("kez_accounts", "Accounts, by state", "state", counts),
      sample("kez_moved_keys", "Keys that handed their handle over to another key", moved),
      sample("kez_removals_pending", "Ended accounts that the broker does not know of yet", pending),
      sample("kez_manifests", "Manifests stored, at most four an account", totals.manifests),
      sample("kez_manifest_bytes", "Bytes of manifests stored", totals.bytes)
    ]
  )
