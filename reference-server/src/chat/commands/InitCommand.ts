/** `kez-chat-server init`: the broker's keys and its nats.conf. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import * as Keys from "../../broker/login/Keys.ts"
import * as NatsConf from "../../broker/NatsConf.ts"
import { count, list, text, type Values } from "../../process/Flags.ts"
import { Misconfigured } from "./Misconfigured.ts"
import { keysDirFlag } from "./ServeCommand.ts"

const flags = {
  keysDir: keysDirFlag,
  natsConf: text("nats-conf", "nats.conf", "Where to write nats-server's configuration"),
  jetstreamDir: text("jetstream-dir", "jetstream", "Where nats-server keeps messages"),
  natsHost: text("nats-host", "127.0.0.1", "Address nats-server binds for clients"),
  natsPort: count("nats-port", 4222, "Port of nats-server", 1, 65_535),
  wsPort: count("ws-port", 8443, "Port of nats-server for WebSockets", 1, 65_535),
  monitoringPort: count(
    "monitoring-port",
    8222,
    "Port of nats-server's monitoring, on loopback; 0 for none",
    0,
    65_535
  ),
  allowedOrigins: list("allowed-origins", "", "Origins of pages that may connect, like https://chat.example"),
  storeBytes: count(
    "store-bytes",
    NatsConf.defaultInboxBytes,
    "Bytes of all inboxes together; as for serve",
    1_048_576
  ),
  syncInterval: text(
    "sync-interval",
    "",
    "When stored messages are synced to disk: always, or at an interval like 10s (default: always with one replica, NATS's own with more)"
  ),
  serverName: text("nats-server-name", "kez-1", "Name of this nats-server, unique in a cluster"),
  replicas: count(
    ["replicas", "NATS_REPLICAS"],
    1,
    "Servers of the cluster that store each message; as for serve",
    1,
    5
  ),
  clusterName: text(["cluster-name", "NATS_CLUSTER_NAME"], "", "Name of the NATS cluster this server belongs to"),
  clusterHost: text(["cluster-host", "NATS_CLUSTER_HOST"], "127.0.0.1", "Address nats-server binds for its cluster"),
  clusterPort: count(["cluster-port", "NATS_CLUSTER_PORT"], 6222, "Port of nats-server for its cluster", 1, 65_535),
  clusterRoutes: list(["cluster-routes", "NATS_CLUSTER_ROUTES"], "", "The other members, like nats://kez-2:6222"),
  clusterCert: text(["cluster-tls-cert", "NATS_CLUSTER_TLS_CERT"], "", "PEM certificate of this member"),
  clusterKey: text(["cluster-tls-key", "NATS_CLUSTER_TLS_KEY"], "", "PEM key of this member"),
  clusterCa: text(["cluster-tls-ca", "NATS_CLUSTER_TLS_CA"], "", "PEM of the authority of all members"),
  tlsCert: text(["tls-cert", "NATS_TLS_CERT"], "", "PEM certificate of nats-server"),
  tlsKey: text(["tls-key", "NATS_TLS_KEY"], "", "PEM key of nats-server"),
  behindProxy: Flag.Boolean("behind-proxy").pipe(
    Flag.withDescription("TLS ends in a proxy before nats-server, which only that proxy can reach"),
    Flag.withDefault(false)
  )
}

/** Replaces a file in one step, so that a reader never sees half of it. */
const replace = (path: string, content: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, content, { mode: 0o600 })
  renameSync(temporary, path)
}

type Options = Values<typeof flags>

const clusterOf = (options: Options) => ({
  name: options.clusterName,
  host: options.clusterHost,
  port: options.clusterPort,
  routes: options.clusterRoutes,
  ...(options.clusterCert === ""
    ? {}
    : {
        tls: {
          certFile: resolve(options.clusterCert),
          keyFile: resolve(options.clusterKey),
          caFile: resolve(options.clusterCa)
        }
      })
})

/** A sentence about flags that need each other; undefined when they agree. */
const contradiction = (options: Options): string | undefined => {
  if ((options.tlsCert === "") !== (options.tlsKey === "")) return "--tls-cert and --tls-key need each other"
  const files = [options.clusterCert, options.clusterKey, options.clusterCa].filter((file) => file !== "").length
  if (files % 3 !== 0) return "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca need each other"
  return options.clusterName === "" && (files > 0 || options.clusterRoutes.length > 0)
    ? "a cluster needs a --cluster-name"
    : undefined
}

export const init = Command.make(
  "init",
  flags,
  Effect.fnUntraced(function* (options) {
    const fault = contradiction(options)
    if (fault !== undefined) return yield* new Misconfigured({ message: fault })
    const keys = yield* Keys.create(options.keysDir)
    const secured = {
      ...(options.tlsCert === ""
        ? {}
        : { tls: { certFile: resolve(options.tlsCert), keyFile: resolve(options.tlsKey) } }),
      behindProxy: options.behindProxy
    }
    const conf = yield* Effect.fromResult(
      NatsConf.generate({
        keys: Keys.publicKeys(keys),
        serverName: options.serverName,
        tcp: { host: options.natsHost, port: options.natsPort, ...secured },
        websocket: { host: options.natsHost, port: options.wsPort, ...secured, allowedOrigins: options.allowedOrigins },
        ...(options.monitoringPort === 0 ? {} : { monitoring: { host: "127.0.0.1", port: options.monitoringPort } }),
        storeDir: resolve(options.jetstreamDir),
        inboxBytes: options.storeBytes,
        replicas: options.replicas,
        ...(options.syncInterval === "" ? {} : { syncInterval: options.syncInterval }),
        ...(options.clusterName === "" ? {} : { cluster: clusterOf(options) })
      })
    )
    const path = resolve(options.natsConf)
    yield* Effect.try({
      try: () => replace(path, conf),
      catch: (cause) => new Misconfigured({ message: `cannot write ${path}: ${(cause as Error).message}` })
    })
    yield* Effect.logInfo("keys and nats.conf are ready").pipe(
      Effect.annotateLogs({ keys: resolve(options.keysDir), natsConf: path })
    )
  })
).pipe(
  Command.withDescription("Makes missing keys and writes nats.conf. Existing keys are kept; running it again is safe.")
)
