/** The `server` group: description of this home, WebFinger, health. */
import { ChatServerApi, Wire } from "@kez-chat/sdk/api"
import { PrimaryKey, Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { BrokerControl, type BrokerStatus } from "../../broker/BrokerControl.ts"
import { sentences } from "../../broker/stream/StoreProbe.ts"
import { ChatConfig } from "../ChatConfig.ts"
import { Database, databaseFailing } from "../../storage/Database.ts"
import { version } from "../../metrics/Metrics.ts"
import { publishedLimits } from "../PublishedLimits.ts"
import { sigchainUrl, wellKnown } from "../Records.ts"
import { sentences as sigServerSentences, SigServerWatch } from "../SigServerWatch.ts"
import { Registry } from "../../storage/Registry.ts"
import { homeHeader } from "../doctor/PublicChecks.ts"
import { localPart } from "./HandleRoutes.ts"

type Health = typeof Wire.Health.Type

/** Relations of the links in a WebFinger answer. */
export const relations = { record: "urn:kez:record", sigchain: "urn:kez:sigchain" }

const malformed = (detail: string) => new Problem.Problem({ code: "request_malformed", detail })

/** Base URL for clients: https on the server's name; for a local stack the host that the client used. */
const publicUrl = (serverName: string, request: HttpServerRequest): string => {
  const host = request.headers["host"]
  return serverName === "localhost" && host !== undefined && /^[a-z0-9.:[\]-]{1,255}$/i.test(host)
    ? `http://${host}`
    : `https://${serverName}`
}

/** State of the broker, and why users cannot send or receive, if so. */
const brokerHealth = ({ ready, storeFailure }: BrokerStatus): Pick<Health, "broker" | "reason"> =>
  !ready
    ? { broker: "unreachable", reason: "the broker cannot be reached, or has no inbox stream yet" }
    : storeFailure === undefined
      ? { broker: "connected" }
      : { broker: "failing", reason: sentences[storeFailure] }

/** Health as users see it: whether they can do what they need. */
export const health = Effect.gen(function* () {
  const { serverName } = yield* ChatConfig
  const status = yield* (yield* BrokerControl).status
  const database = (yield* Database).isWorking()
  const sigServer = (yield* SigServerWatch).state()
  const { broker, reason } = brokerHealth(status)
  const reasons = [
    reason ?? [],
    database ? [] : databaseFailing,
    sigServer === "ok" ? [] : sigServerSentences[sigServer]
  ].flat()
  const state: Health = {
    status: reasons.length === 0 ? "ok" : "degraded",
    server: serverName,
    version,
    broker,
    database: database ? "ok" : "failing",
    sig_server: sigServer,
    ...(reasons.length === 0 ? {} : { reason: reasons.join("; ") })
  }
  return HttpServerResponse.jsonUnsafe(state, { status: state.status === "ok" ? 200 : 503 })
})

/** `home` names the keys folder, for doctor. */
export const layer = (
  brokerLimits: Readonly<Record<string, number>>,
  home: string,
  acceptanceKeys: ReadonlyArray<Uint8Array>
) =>
  HttpApiBuilder.group(
    ChatServerApi,
    "server",
    Effect.fnUntraced(function* (handlers) {
      const config = yield* ChatConfig
      const registry = yield* Registry
      const context = yield* Effect.context<ChatConfig | Database | BrokerControl | SigServerWatch>()
      const { serverName } = config
      const described = JSON.stringify(
        wellKnown(config, { ...publishedLimits(config), ...brokerLimits }, acceptanceKeys)
      )

      return handlers
        .handle("wellKnown", () =>
          Effect.succeed(HttpServerResponse.text(described, { contentType: "application/json" }))
        )
        .handle(
          "webfinger",
          Effect.fnUntraced(function* ({ query, request }) {
            if (!/^acct:[^@]+@[^@]+$/.test(query.resource)) {
              return yield* malformed("resource must be an acct: URI")
            }
            const local = yield* localPart(query.resource.slice(5), serverName).pipe(
              Effect.mapError((problem) => (problem.code === "handle_malformed" ? malformed(problem.detail) : problem))
            )
            const account = yield* registry.byHandle(local)
            const primary = PrimaryKey.ofHex(account.primaryHex)
            const handle = `${local}@${serverName}`
            const links = [
              {
                rel: relations.record,
                type: "application/json",
                href: `${publicUrl(serverName, request)}/v1/u/${handle}`
              },
              { rel: relations.sigchain, type: "application/jsonl", href: sigchainUrl(config, account.primaryHex) }
            ]
            const asked = query.rel === undefined ? undefined : [query.rel].flat()
            return {
              subject: `acct:${handle}`,
              aliases: [primary],
              properties: { "urn:kez:primary": primary },
              links: asked === undefined ? links : links.filter(({ rel }) => asked.includes(rel))
            }
          })
        )
        .handle("healthz", () =>
          Effect.map(Effect.provideContext(health, context), HttpServerResponse.setHeader(homeHeader, home))
        )
    })
  )
