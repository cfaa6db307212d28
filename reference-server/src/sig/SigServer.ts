/** The composition of sig-server: the store, the public listener, and an internal one for metrics and health. */
import { SigServerApi } from "@kez-chat/sdk/api"
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { Database } from "../storage/Database.ts"
import { openDatabase } from "../storage/OpenDatabase.ts"
import { sigchainSchema } from "../storage/Schemas.ts"
import { databaseSamples, diskRoom } from "../metrics/DatabaseSamples.ts"
import { listen } from "../http/Listener.ts"
import * as Metrics from "../metrics/Metrics.ts"
import * as RoomWatch from "../metrics/RoomWatch.ts"
import * as StartupMemory from "../process/StartupMemory.ts"
import { perMinute } from "../http/RateLimit.ts"
import { docsRoutes, routesOf } from "../http/pages/DocsRoutes.ts"
import { routeTable } from "../http/RouteTable.ts"
import { Chains } from "../storage/Chains.ts"
import * as Routes from "./SigRoutes.ts"
import { SigConfig } from "./SigConfig.ts"

const limits = ({ rates }: SigConfig["Service"]) => {
  const reads = perMinute("reads", rates.readsPerMinute)
  const appends = perMinute("appends", rates.appendsPerMinute)
  return (method: string, route: string) => (route === "/v1/healthz" ? undefined : method === "POST" ? appends : reads)
}

/** Serves until interrupted. */
export const serve = Effect.fnUntraced(
  function* (config: SigConfig["Service"]) {
    const chains = yield* Chains
    const { host, internalHost, internalPort, port, trustedProxies } = config.listeners
    const api = HttpApiBuilder.layer(SigServerApi).pipe(Layer.provide(Routes.layer))
    const app = yield* HttpRouter.toHttpEffect(Layer.merge(api, docsRoutes(SigServerApi)))
    const listening = yield* listen(app, {
      name: "public",
      host,
      port,
      timing: config.timing,
      routes: routeTable(routesOf(SigServerApi)),
      trustedProxies,
      limit: limits(config)
    })
    const database = yield* Database
    const totals = chains.totals.pipe(
      Effect.map(({ bytes, chains: n, events }) => [
        Metrics.sample("kez_chains", "Chains stored", n),
        Metrics.sample("kez_chain_events", "Events stored", events),
        Metrics.sample("kez_chain_bytes", "Bytes of events stored", bytes),
        Metrics.sample("kez_chain_limit_bytes", "Bytes of events that may be stored", config.storeBytes)
      ]),
      Effect.catch(() => Effect.succeed([]))
    )
    const metrics = Metrics.render(
      Effect.map(Effect.all([totals, databaseSamples(database)]), (samples) => samples.flat())
    )
    const internalApp = yield* HttpRouter.toHttpEffect(
      Layer.merge(HttpRouter.add("GET", "/metrics", metrics), HttpRouter.add("GET", "/v1/healthz", Routes.health))
    )
    const internal = yield* listen(internalApp, {
      name: "internal",
      host: internalHost,
      port: internalPort,
      timing: config.timing,
      routes: routeTable([
        { method: "GET", path: "/metrics" },
        { method: "GET", path: "/v1/healthz" }
      ]),
      trustedProxies: [],
      limit: () => undefined
    })
    yield* RoomWatch.watch(
      Effect.map(Effect.all([chains.totals, diskRoom(database)]), ([{ bytes }, disk]) => [
        { name: "sigchains", used: bytes, limit: config.storeBytes, flag: "--chain-store-bytes" },
        ...disk
      ])
    )
    yield* StartupMemory.release
    yield* Effect.logInfo("listening").pipe(Effect.annotateLogs({ url: listening.url, internal: internal.url }))
    return yield* Effect.never
  },
  Effect.scoped,
  (effect, config) =>
    Effect.provide(
      effect,
      Layer.merge(NodeHttpServer.layerHttpServices, Chains.layer(config.storeBytes)).pipe(
        Layer.provideMerge(openDatabase({ ...config.database, schema: sigchainSchema })),
        Layer.provideMerge(NodeCrypto.layer),
        Layer.provideMerge(Layer.succeed(SigConfig, config))
      )
    )
)
