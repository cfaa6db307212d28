/** The composition of chat-server: registry, broker side, public and internal listener. */
import { ChatServerApi } from "@kez-chat/sdk/api"
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { MaxBodySize } from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { type BrokerConfig, published } from "../broker/BrokerConfig.ts"
import * as Broker from "../broker/Broker.ts"
import { BrokerControl } from "../broker/BrokerControl.ts"
import { shareOf } from "../broker/stream/Partitions.ts"
import { diskRoom } from "../metrics/DatabaseSamples.ts"
import * as RoomWatch from "../metrics/RoomWatch.ts"
import * as StartupMemory from "../process/StartupMemory.ts"
import { type BrokerKeys, homeId } from "../broker/login/Keys.ts"
import { ChatConfig } from "./ChatConfig.ts"
import { bodyBytes as adminBodyBytes } from "./admin/AdminApi.ts"
import * as AdminRoutes from "./admin/AdminRoutes.ts"
import * as HandleRoutes from "./routes/HandleRoutes.ts"
import * as InternalRoutes from "./routes/InternalRoutes.ts"
import * as ManifestRoutes from "./routes/ManifestRoutes.ts"
import * as ReportRoutes from "./routes/ReportRoutes.ts"
import * as ServerRoutes from "./routes/ServerRoutes.ts"
import { ActiveKeys } from "../storage/ActiveKeys.ts"
import { Database, DatabaseError, type DatabaseSettings } from "../storage/Database.ts"
import { openDatabase } from "../storage/OpenDatabase.ts"
import { databaseName } from "../storage/PostgresUrl.ts"
import { registrySchema } from "../storage/Schemas.ts"
import { listen } from "../http/Listener.ts"
import { docsRoutes, routesOf } from "../http/pages/DocsRoutes.ts"
import { type PreparedAnswer, preparedAnswer } from "../http/PreparedAnswer.ts"
import { perHour, perMinute } from "../http/RateLimit.ts"
import { routeTable } from "../http/RouteTable.ts"
import * as Manifests from "../storage/Manifests.ts"
import { landing } from "../http/pages/Page.ts"
import type { PageFiles } from "../http/pages/PageFiles.ts"
import { recordText } from "./Records.ts"
import * as Registry from "../storage/Registry.ts"
import { Reports } from "../storage/Reports.ts"
import { Removals } from "./Removals.ts"
import { SigServerWatch } from "./SigServerWatch.ts"

/** The registry; for admin commands one that exists and is up to date. */
export const registryLayer = (serverName: string, database: DatabaseSettings, existing: boolean) =>
  Layer.merge(Registry.Registry.layer(serverName), Reports.layer(serverName)).pipe(
    Layer.provideMerge(openDatabase({ ...database, schema: registrySchema, existing })),
    Layer.provideMerge(NodeCrypto.layer)
  )

const isDeletion = (method: string, route: string): boolean =>
  method === "DELETE" || (method === "POST" && route === "/v1/delete")

const limits = ({ rates }: ChatConfig["Service"], pageRoutes: ReadonlySet<string>) => {
  const reads = perMinute("reads", rates.readsPerMinute)
  const registrations = perHour("registrations", rates.registrationsPerHour)
  const manifestReads = perMinute("manifest_reads", rates.manifestReadsPerMinute)
  const manifestWrites = perHour("manifest_writes", rates.manifestWritesPerHour)
  const reports = perHour("reports", rates.registrationsPerHour)
  // A first visit loads dozens of files, which must not use up the lookups of its address.
  const page = perMinute("page", rates.readsPerMinute)
  // In a bucket of its own, so that other requests from the same address cannot prevent a deletion.
  const deletions = perMinute("deletions", rates.readsPerMinute)
  // Nor a handover, by which an owner gets ahead of a thief.
  const transfers = perMinute("transfers", rates.readsPerMinute)
  return (method: string, route: string) => {
    if (route === "/v1/healthz") return undefined
    if (pageRoutes.has(route)) return page
    if (isDeletion(method, route)) return deletions
    if (route === "/v1/transfer") return transfers
    if (route === "/v1/report") return reports
    if (route.startsWith("/v1/manifests/")) return method === "PUT" ? manifestWrites : manifestReads
    return method === "POST" ? registrations : reads
  }
}

const lookupPath = /^\/v1\/u\/([a-z0-9][a-z0-9_-]{2,31})$/

/** The stores, and how full they are. */
const rooms = Effect.fnUntraced(function* ({ inboxBytes, partitions }: BrokerConfig) {
  const [{ streams }, { bytes }, disk] = yield* Effect.all([
    (yield* BrokerControl).status,
    (yield* Manifests.Manifests).totals,
    diskRoom(yield* Database)
  ])
  const { manifestStoreBytes } = yield* ChatConfig
  const mail = streams.map((stream, i) => ({
    name: partitions === 1 ? "mail" : `mail in stream ${i}`,
    used: stream?.bytes ?? 0,
    limit: shareOf(inboxBytes, partitions),
    flag: "--store-bytes"
  }))
  return [
    ...mail,
    { name: "manifests", used: bytes, limit: manifestStoreBytes, flag: "--manifest-store-bytes" },
    ...disk
  ]
})

/** Serves until interrupted; without a page, `/` is a landing page. */
export const serve = Effect.fnUntraced(
  function* (config: ChatConfig["Service"], broker: BrokerConfig, keys: BrokerKeys, page?: PageFiles) {
    const registry = yield* Registry.Registry
    const activeKeys = yield* ActiveKeys
    const { commitsOfOthers } = yield* Database
    const own = yield* registry.registeredAt
    if (own !== undefined && own !== config.serverName) {
      const detail = `its handles were registered at ${own}, this server is ${config.serverName}; set --server-name ${own}`
      return yield* new DatabaseError({ reason: "foreign", path: databaseName(config.database.db), detail })
    }
    const { host, internalHost, internalPort, port, trustedProxies } = config.listeners

    const api = HttpApiBuilder.layer(ChatServerApi).pipe(
      Layer.provide([
        HandleRoutes.layer(broker.limits.retentionDays),
        ManifestRoutes.layer,
        ReportRoutes.layer,
        ServerRoutes.layer(published(broker.limits), homeId(keys), keys.acceptance.published)
      ])
    )
    const root = page === undefined ? HttpRouter.add("GET", "/", landing(config.serverName)) : Layer.empty
    const publicApp = yield* HttpRouter.toHttpEffect(Layer.mergeAll(api, root, docsRoutes(ChatServerApi)))
    const pageRoutes = page?.routes ?? [{ method: "GET", path: "/" }]
    const render = recordText(config)
    const isCurrent = ({ primaryHex }: Registry.ActiveAccount) =>
      commitsOfOthers !== undefined || activeKeys.has(primaryHex)
    /** Kept as long as the registry remembers the account. */
    const answers = new WeakMap<Registry.ActiveAccount, PreparedAnswer>()
    const answer = (account: Registry.ActiveAccount): PreparedAnswer => {
      const found = answers.get(account) ?? preparedAnswer(render(account))
      answers.set(account, found)
      return found
    }
    const listening = yield* listen(publicApp, {
      name: "public",
      host,
      port,
      timing: config.timing,
      routes: routeTable([...pageRoutes, ...routesOf(ChatServerApi)]),
      trustedProxies,
      limit: limits(config, new Set(pageRoutes.map(({ path }) => path))),
      ...(page === undefined ? {} : { file: page.file }),
      // The hot route: answered without a fiber. Everything but a plain hit takes the general way.
      prepared: (path) => {
        const local = lookupPath.exec(path)?.[1]
        const account = local === undefined ? undefined : registry.recent(local)
        return account !== undefined && isCurrent(account) ? answer(account) : undefined
      }
    })

    const internalApp = yield* HttpRouter.toHttpEffect(
      Layer.merge(InternalRoutes.layer(keys.internalSecret, broker), AdminRoutes.layer(keys.internalSecret))
    )
    const internal = yield* listen(Effect.provideService(internalApp, MaxBodySize, ByteSize.bytes(adminBodyBytes)), {
      name: "internal",
      host: internalHost,
      port: internalPort,
      timing: config.timing,
      routes: routeTable(InternalRoutes.routes),
      trustedProxies: [],
      limit: () => undefined
    })
    yield* RoomWatch.watch(rooms(broker))
    yield* StartupMemory.release
    yield* Effect.logInfo("listening").pipe(
      Effect.annotateLogs({ url: listening.url, internal: internal.url, server: config.serverName })
    )
    return yield* Effect.never
  },
  Effect.scoped,
  (effect, config, broker, keys, _page?: PageFiles) =>
    Effect.provide(
      effect,
      Layer.mergeAll(
        NodeHttpServer.layerHttpServices,
        Removals.layer,
        SigServerWatch.layer,
        Manifests.Manifests.layer(config.manifestStoreBytes)
      ).pipe(
        Layer.provideMerge(Broker.layer(broker, keys, config.serverName)),
        Layer.provideMerge(ActiveKeys.layer),
        Layer.provideMerge(registryLayer(config.serverName, config.database, false)),
        Layer.provideMerge(Layer.succeed(ChatConfig, config))
      )
    )
)
