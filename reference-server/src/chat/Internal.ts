/**
 * The internal listener: metrics, the login question over HTTP, and a nudge for admin commands. Never public; what
 * acts or answers about people also wants the bearer secret.
 */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { BrokerControl } from "../broker/BrokerControl.ts"
import { ChatConfig } from "../ChatConfig.ts"
import { Database } from "../Database.ts"
import * as Metrics from "../http/Metrics.ts"
import * as ProblemResponse from "../http/ProblemResponse.ts"
import { readBytes } from "../http/RequestBody.ts"
import type { Route } from "../http/RouteTable.ts"
import { Manifests, type Totals } from "../Manifests.ts"
import { Registry } from "../Registry.ts"
import { Removals } from "../Removals.ts"
import { health } from "./Server.ts"

export const routes: ReadonlyArray<Route> = [
  { method: "GET", path: "/metrics" },
  { method: "GET", path: "/v1/healthz" },
  { method: "POST", path: "/internal/nats/auth" },
  { method: "POST", path: "/internal/removals" }
]

/** An authorization request holds a login of at most 1 KiB; NATS's own limit of a line bounds it too. */
const authBytes = 16_384

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Lets a request through that presents the secret; compared in constant time. */
const guard = (secret: Redacted.Redacted<string>) => {
  const expected = digest(`Bearer ${Redacted.value(secret)}`)
  return Effect.flatMap(HttpServerRequest, (request) =>
    timingSafeEqual(digest(request.headers["authorization"] ?? ""), expected)
      ? Effect.succeed(request)
      : Effect.fail(
          new Problem.Problem({
            code: "unauthorized",
            detail: "present the secret in keys-dir/internal.secret as a bearer token"
          })
        )
  )
}

const orProblem = Effect.catch((problem: Problem.Problem) => Effect.succeed(ProblemResponse.toResponse(problem)))

export const layer = (secret: Redacted.Redacted<string>) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const config = yield* ChatConfig
      const control = yield* BrokerControl
      const registry = yield* Registry
      const manifests = yield* Manifests
      const removals = yield* Removals
      const context = yield* Effect.context<ChatConfig | Database | BrokerControl>()
      const authorised = guard(secret)

      yield* router.add(
        "GET",
        "/metrics",
        Effect.gen(function* () {
          const broker = yield* control.status
          const text = yield* Metrics.render(() => gauges(registry.counts(), manifests.totals(), broker))
          return HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
        })
      )
      yield* router.add("GET", "/v1/healthz", Effect.provideContext(health, context))
      yield* router.add(
        "POST",
        "/internal/nats/auth",
        Effect.gen(function* () {
          const request = yield* authorised
          const bytes = yield* readBytes(request, {
            maxBytes: authBytes,
            timeoutMillis: config.timing.requestTimeoutMillis
          })
          const answer = yield* control.answer(Buffer.from(bytes).toString("latin1").trim())
          if (answer === undefined) {
            return yield* new Problem.Problem({
              code: "request_malformed",
              detail: "not an authorization request of nats-server"
            })
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

type Broker = Effect.Success<BrokerControl["Service"]["status"]>

const gauges = (
  accounts: Readonly<Record<string, number>>,
  manifests: Totals,
  broker: Broker
): Readonly<Record<string, readonly [number, string]>> => {
  const found: Record<string, readonly [number, string]> = {
    kez_broker_ready: [broker.ready ? 1 : 0, "Whether the broker's connections and its stream are there"],
    kez_broker_storing: [
      broker.storeFailure === undefined ? 1 : 0,
      "Whether the broker stores messages, as far as it is known"
    ],
    kez_broker_in_flight: [broker.inFlight, "Sends that wait for their turn or for the stream's acknowledgement"],
    kez_broker_floods: [broker.floods, "Accounts shut out for a flood, since the start"],
    kez_stream_messages: [broker.stream?.messages ?? 0, "Messages stored for all accounts"],
    kez_stream_bytes: [broker.stream?.bytes ?? 0, "Bytes stored for all accounts"],
    kez_manifests: [manifests.manifests, "Manifests stored, at most four an account"],
    kez_manifest_bytes: [manifests.bytes, "Bytes of manifests stored"]
  }
  for (const [state, n] of Object.entries(accounts)) found[`kez_accounts_${state}`] = [n, `Accounts in state ${state}`]
  for (const [part, counters] of Object.entries({
    logins: broker.logins,
    sends: broker.sends,
    fetches: broker.fetches,
    trims: broker.trims
  })) {
    for (const [name, value] of Object.entries(counters)) {
      if (typeof value === "number")
        found[`kez_broker_${part}_${name}`] = [value, `Broker ${part} by outcome, since the start`]
    }
  }
  return found
}
