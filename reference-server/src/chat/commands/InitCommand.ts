/**
 * `kez-chat-server init`: the broker's keys and its nats.conf. What it was given is kept in the file that it writes, so
 * that a later run changes only what it names.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import * as Keys from "../../broker/login/Keys.ts"
import * as NatsAccounts from "../../broker/NatsAccounts.ts"
import * as NatsConf from "../../broker/NatsConf.ts"
import { maxPartitions } from "../../broker/stream/Partitions.ts"
import { itemsOf, kept, text } from "../../process/Flags.ts"
import { isPostgresUrl } from "../../storage/PostgresUrl.ts"
import * as KeptFlags from "../../process/KeptFlags.ts"
import { Misconfigured } from "./Misconfigured.ts"
import { listed, nextSteps } from "./NextSteps.ts"
import { issuerFlag, keysDirFlag, registryFlags } from "./ServeCommand.ts"

/** The sig-server's database on this machine, for what concerns the whole home. */
export const sigDbFlag = text(
  ["sig-db", "KEZ_SIG_DB"],
  "kez-sigchains.db",
  "The sig-server's SQLite file or postgres:// URL, or `none` where it is on another machine"
)

export const natsConfFlag = text("nats-conf", "nats.conf", "nats-server's configuration, as init writes it")

/** Flags that say where things are. */
const places = {
  keysDir: keysDirFlag,
  issuerPath: issuerFlag,
  natsConf: natsConfFlag,
  natsIncludes: text(
    "nats-includes",
    "",
    "For a nats-server of your own: the folder for accounts.conf and authorization.conf, instead of a nats.conf"
  ),
  db: registryFlags.db,
  sigDb: sigDbFlag
}

const settings = {
  jetstreamDir: kept.text("jetstream-dir", "jetstream", "Where nats-server keeps messages"),
  natsHost: kept.text("nats-host", "127.0.0.1", "Address nats-server binds for clients"),
  natsPort: kept.count("nats-port", 4222, "Port of nats-server", 1, 65_535),
  wsHost: kept.text("ws-host", "", "Address nats-server binds for WebSockets (default: that of --nats-host)"),
  wsPort: kept.count("ws-port", 8443, "Port of nats-server for WebSockets", 1, 65_535),
  monitoringHost: kept.text("monitoring-host", "127.0.0.1", "Loopback or private address of nats-server's monitoring"),
  monitoringPort: kept.count("monitoring-port", 8222, "Port of nats-server's monitoring; 0 for none", 0, 65_535),
  pidFile: kept.text(["pid-file", "NATS_PID_FILE"], "", "Where nats-server writes its process id"),
  allowedOrigins: kept.list("allowed-origins", "", "Origins of pages that may connect, like https://chat.example"),
  storeBytes: kept.count(
    "store-bytes",
    NatsAccounts.defaultInboxBytes,
    "Bytes of all inboxes together; as for serve",
    1_048_576
  ),
  natsMaxConnections: kept.count(
    "nats-max-connections",
    NatsAccounts.defaultMaxConnections,
    "Connections of nats-server, and of all users of its cluster together",
    10
  ),
  syncInterval: kept.text(
    "sync-interval",
    "",
    "When stored messages are synced to disk: always, or at an interval like 10s (default: always with one replica, NATS's own with more)"
  ),
  serverName: kept.text("nats-server-name", "kez-1", "Name of this nats-server, unique in a cluster"),
  replicas: kept.count(
    ["replicas", "NATS_REPLICAS"],
    1,
    "Servers of the cluster that store each message; as for serve",
    1,
    5
  ),
  streamPartitions: kept.count(
    "stream-partitions",
    1,
    "Streams that inboxes are spread over, by the first bits of their keys; as for serve, and fixed from the first message on",
    1,
    maxPartitions
  ),
  clusterName: kept.text(["cluster-name", "NATS_CLUSTER_NAME"], "", "Name of the NATS cluster this server belongs to"),
  clusterHost: kept.text(
    ["cluster-host", "NATS_CLUSTER_HOST"],
    "127.0.0.1",
    "Address nats-server binds for its cluster"
  ),
  clusterPort: kept.count(
    ["cluster-port", "NATS_CLUSTER_PORT"],
    6222,
    "Port of nats-server for its cluster",
    1,
    65_535
  ),
  clusterRoutes: kept.list(["cluster-routes", "NATS_CLUSTER_ROUTES"], "", "The other members, like nats://kez-2:6222"),
  clusterCert: kept.text(["cluster-tls-cert", "NATS_CLUSTER_TLS_CERT"], "", "PEM certificate of this member"),
  clusterKey: kept.text(["cluster-tls-key", "NATS_CLUSTER_TLS_KEY"], "", "PEM key of this member"),
  clusterCa: kept.text(["cluster-tls-ca", "NATS_CLUSTER_TLS_CA"], "", "PEM of the authority of all members"),
  tlsCert: kept.text(["tls-cert", "NATS_TLS_CERT"], "", "PEM certificate of nats-server"),
  tlsKey: kept.text(["tls-key", "NATS_TLS_KEY"], "", "PEM key of nats-server"),
  wsTlsCert: kept.text(
    ["ws-tls-cert", "NATS_WS_TLS_CERT"],
    "",
    "PEM certificate for WebSockets (default: that of --tls-cert)"
  ),
  wsTlsKey: kept.text(["ws-tls-key", "NATS_WS_TLS_KEY"], "", "PEM key for WebSockets"),
  behindProxy: kept.on(
    "behind-proxy",
    "WebSockets come without TLS, from a proxy that ends it; so does TCP without --tls-cert, from a private network. Only these may reach nats-server"
  ),
  ownUsers: kept.list(
    "own-users",
    "",
    "With --nats-includes: your users, by name or public nkey, which log in as before"
  ),
  systemAccount: kept.text("system-account", "", "With --nats-includes: your system account (default: a new one, SYS)")
}

/** Flags whose values are paths; kept in full, since a later run may start in another folder. */
const paths = [
  "jetstreamDir",
  "pidFile",
  "tlsCert",
  "tlsKey",
  "wsTlsCert",
  "wsTlsKey",
  "clusterCert",
  "clusterKey",
  "clusterCa"
] as const

const absolute = (options: Options): Options => ({
  ...options,
  ...Object.fromEntries(paths.map((name) => [name, options[name] === "" ? "" : resolve(options[name])]))
})

type Options = KeptFlags.Values<typeof settings>

/**
 * Replaces a file in one step, so that a reader never sees half of it. All may read it, since nats-server runs as another
 * user and nothing in it is secret.
 */
const replace = (path: string, content: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, content)
  chmodSync(temporary, 0o644)
  renameSync(temporary, path)
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ""
    throw error
  }
}

const tlsOf = (certFile: string, keyFile: string) => (certFile === "" ? {} : { tls: { certFile, keyFile } })

const clusterOf = (options: Options) => ({
  name: options.clusterName,
  host: options.clusterHost,
  port: options.clusterPort,
  routes: itemsOf(options.clusterRoutes),
  ...(options.clusterCert === ""
    ? {}
    : { tls: { certFile: options.clusterCert, keyFile: options.clusterKey, caFile: options.clusterCa } })
})

const listenersOf = (options: Options): Pick<NatsConf.NatsConfOptions, "tcp" | "websocket"> => {
  const { behindProxy, natsHost, wsHost } = options
  const tcp = tlsOf(options.tlsCert, options.tlsKey)
  const ownTls = options.wsTlsCert === "" ? (behindProxy ? {} : tcp) : tlsOf(options.wsTlsCert, options.wsTlsKey)
  return {
    tcp: { host: natsHost, port: options.natsPort, behindProxy, ...tcp },
    websocket: {
      host: wsHost === "" ? natsHost : wsHost,
      port: options.wsPort,
      behindProxy,
      ...ownTls,
      allowedOrigins: itemsOf(options.allowedOrigins)
    }
  }
}

/** A sentence about flags that need each other; undefined when they agree. */
const contradiction = (options: Options): string | undefined => {
  if ((options.tlsCert === "") !== (options.tlsKey === "")) return "--tls-cert and --tls-key need each other"
  if ((options.wsTlsCert === "") !== (options.wsTlsKey === "")) return "--ws-tls-cert and --ws-tls-key need each other"
  const files = [options.clusterCert, options.clusterKey, options.clusterCa].filter((file) => file !== "").length
  if (files % 3 !== 0) return "--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca need each other"
  return options.clusterName === "" && (files > 0 || options.clusterRoutes !== "")
    ? "a cluster needs a --cluster-name"
    : undefined
}

/** A sentence about a change that would hide the mail that is stored; undefined when there is none. */
const otherPartitions = (earlier: Options, now: Options, before: string, path: string): string | undefined =>
  before === "" || earlier.streamPartitions === now.streamPartitions
    ? undefined
    : `mail would be looked for where it is not: ${path} was made with --stream-partitions ${earlier.streamPartitions}, which cannot change; before any mail is stored, remove that file and nats-server's folder`

const confOf = (options: Options, keys: Keys.PublicKeys) =>
  NatsConf.generate({
    keys,
    serverName: options.serverName,
    ...listenersOf(options),
    ...(options.monitoringPort === 0
      ? {}
      : { monitoring: { host: options.monitoringHost, port: options.monitoringPort } }),
    ...(options.pidFile === "" ? {} : { pidFile: options.pidFile }),
    storeDir: options.jetstreamDir,
    inboxBytes: options.storeBytes,
    maxConnections: options.natsMaxConnections,
    replicas: options.replicas,
    ...(options.syncInterval === "" ? {} : { syncInterval: options.syncInterval }),
    ...(options.clusterName === "" ? {} : { cluster: clusterOf(options) })
  })

const includesOf = (options: Options, keys: Keys.PublicKeys) =>
  NatsConf.includes({
    keys,
    inboxBytes: options.storeBytes,
    replicas: options.replicas,
    maxConnections: options.natsMaxConnections,
    ownUsers: itemsOf(options.ownUsers),
    ...(options.systemAccount === "" ? {} : { systemAccount: options.systemAccount })
  })

/** A URL may hold a password, which is not printed. */
const fileOf = (db: string): string | undefined => (isPostgresUrl(db) || db === "none" ? undefined : resolve(db))

export const init = Command.make(
  "init",
  {
    ...places,
    ...KeptFlags.flagsOf(settings),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Prints one JSON object"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function* (given) {
    const isOwn = given.natsIncludes !== ""
    const path = isOwn ? join(resolve(given.natsIncludes), "accounts.conf") : resolve(given.natsConf)
    const failed = (doing: string) => (cause: unknown) =>
      new Misconfigured({ message: `cannot ${doing} ${path}: ${(cause as Error).message}` })
    const before = yield* Effect.try({ try: () => read(path), catch: failed("read") })
    const strange = KeptFlags.unknownIn(settings, before)
    if (strange !== undefined) return yield* new Misconfigured({ message: `${path} ${strange}` })
    const options = absolute(KeptFlags.settle(settings, given, before))
    const fault =
      contradiction(options) ?? otherPartitions(KeptFlags.settle(settings, {}, before), options, before, path)
    if (fault !== undefined) return yield* new Misconfigured({ message: fault })
    const keys = Keys.publicKeys(
      yield* Keys.create(given.keysDir, given.issuerPath === "" ? undefined : given.issuerPath),
      options.streamPartitions
    )
    const note = KeptFlags.note(settings, options)
    if (isOwn) {
      const { accounts, authorization } = includesOf(options, keys)
      yield* Effect.try({
        try: () => {
          replace(path, note + accounts)
          replace(join(dirname(path), "authorization.conf"), authorization)
        },
        catch: failed("write")
      })
    } else {
      const conf = yield* Effect.fromResult(confOf(options, keys))
      yield* Effect.try({ try: () => replace(path, note + conf), catch: failed("write") })
    }
    const steps = nextSteps({
      keysDir: resolve(given.keysDir),
      natsConf: path,
      isOwnNats: isOwn,
      db: fileOf(given.db),
      sigDb: fileOf(given.sigDb),
      hasTls: options.tlsCert !== "",
      ...options
    })
    yield* Console.log(
      given.json
        ? JSON.stringify({ keys: resolve(given.keysDir), natsConf: path, next: steps })
        : `${path} and the keys in ${resolve(given.keysDir)} are ready. Next:\n\n${listed(steps)}`
    )
  })
).pipe(
  Command.withDescription(
    "Makes missing keys and writes nats.conf. Existing keys and earlier settings are kept; running it again is safe."
  )
)
