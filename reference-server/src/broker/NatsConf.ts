/**
 * nats.conf for a home server's broker (spec KEZ-NAT, operator rules): four accounts, so that no user ever lives where
 * JetStream does.
 *
 * - SYS: may close connections, nothing else.
 * - AUTH: the callout that answers logins.
 * - KEZ: the inbox stream, and the responders of chat-server, which alone reach it. Where inboxes are spread over several
 *   streams, the others are in accounts KEZ_1, KEZ_2, ... (stream/Partitions.ts).
 * - CHAT: users, without JetStream. What they send to `kez.inbox.*` is a request to KEZ's send responder,
 *   `kez.fetch.*`, `kez.trim.*` and `kez.block.*` are requests to the responders of these names, and `kez.dlv.*` comes
 *   from the stream.
 *
 * The file holds public keys only. For a nats-server with accounts of its owner, {@link includes} makes the parts that go
 * into the owner's configuration.
 */
import { AddressClass, Limits, Subject } from "@kez-chat/sdk/protocol"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { PublicKeys } from "./login/Keys.ts"

export interface Listener {
  readonly host: string
  readonly port: number
  /** PEM files. Without them the listener speaks plaintext, allowed only on loopback or with `behindProxy`. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** TLS ends in a reverse proxy, and only that proxy can reach this listener. */
  readonly behindProxy?: boolean
}

export interface NatsConfOptions {
  readonly keys: PublicKeys
  /** Unique in a cluster. */
  readonly serverName: string
  readonly tcp: Listener
  readonly websocket: Listener & {
    /**
     * Origins (`https://chat.example`) of pages that may connect. Clients other than browsers send none and may
     * connect.
     */
    readonly allowedOrigins: ReadonlyArray<string>
  }
  /** HTTP monitoring; it shows who is connected, so it is on loopback or a private network. */
  readonly monitoring?: { readonly host: string; readonly port: number }
  readonly storeDir: string
  /** Size of all inbox streams together on each replica, in bytes. */
  readonly inboxBytes?: number
  /** Number of servers that store each frame; more than one needs `cluster`. */
  readonly replicas?: number
  /**
   * When stored frames are synced to disk: before each acknowledgement (`always`), or at an interval (`"10s"`). It
   * decides what an acknowledgement means (docs/broker.md). Default: `always` with one replica, NATS's own with more.
   */
  readonly syncInterval?: string
  readonly cluster?: {
    readonly name: string
    readonly host: string
    readonly port: number
    /** `nats://host:port` of the other members' cluster listeners. */
    readonly routes: ReadonlyArray<string>
    /** PEM files with which servers authenticate each other (mutual TLS). Optional on loopback only. */
    readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string }
  }
  /** Connections of this server, and of all users together in the whole cluster: NATS counts those of an account there. */
  readonly maxConnections?: number
  readonly pidFile?: string
}

/** What the home's accounts are made of, beside an owner's accounts on the same nats-server. */
export interface IncludesOptions {
  readonly keys: PublicKeys
  readonly inboxBytes?: number
  readonly replicas?: number
  readonly maxConnections?: number
  /** The owner's users, by name or public nkey: they log in as before, all others are asked of the callout. */
  readonly ownUsers: ReadonlyArray<string>
  /** The owner's system account, which then needs the user of {@link systemUser}; by default the home brings one. */
  readonly systemAccount?: string
}

/** Parts of a nats-server configuration. */
export interface Includes {
  /** For the owner's `accounts` block. */
  readonly accounts: string
  /** For the owner's `authorization` block. */
  readonly authorization: string
}

/** The options contradict each other or would expose users. */
export class NatsConfError extends Data.TaggedError("NatsConfError")<{
  readonly option: string
  readonly detail: string
}> {
  override get message(): string {
    return `${this.option}: ${this.detail}`
  }
}

/** Default size of the inbox stream on each replica, in bytes. */
export const defaultInboxBytes = 4 * 1024 ** 3
/** Default for `maxConnections`. */
export const defaultMaxConnections = 20_000
/** Largest message, a fetch page included. */
export const maxPayload = 1_048_576
/**
 * Largest message of an end user: a frame and its headers. A request that the broker adds its own headers to may be
 * larger.
 */
export const userMaxPayload = Limits.frameBytes + 1024
/**
 * Unread bytes at which the broker closes a connection. Generous for chat-server's sake, whose connection takes the
 * sends of all users: at three quarters of it the broker slows the senders down instead. A user's unread bytes are
 * bounded by the rate at which chat-server lets an account read.
 */
export const maxPending = 64 * 1024 ** 2
/** JetStream's own files next to the messages: indexes, state, a block being compacted. */
const storeSlack = 512 * 1024 ** 2

/** The text of nats.conf. */
export const generate = (options: NatsConfOptions): Result.Result<string, NatsConfError> => {
  const problem = check(options)
  return problem === undefined ? Result.succeed(render(options)) : Result.fail(problem)
}

const check = (options: NatsConfOptions): NatsConfError | undefined => {
  const fail = (option: string, detail: string) => new NatsConfError({ option, detail })
  for (const [name, listener] of [
    ["tcp", options.tcp],
    ["websocket", options.websocket]
  ] as const) {
    if (listener.tls === undefined && listener.behindProxy !== true && !AddressClass.isLoopback(listener.host)) {
      return fail(
        name,
        `plaintext on ${listener.host} would show logins to the network; give TLS files or bind to 127.0.0.1`
      )
    }
  }
  if (options.monitoring !== undefined && !isInside(options.monitoring.host)) {
    return fail(
      "monitoring",
      `on ${options.monitoring.host} it would show strangers who is connected; bind it to 127.0.0.1 or a private address`
    )
  }
  for (const origin of options.websocket.allowedOrigins) {
    if (!isOrigin(origin))
      return fail("websocket.allowedOrigins", `${origin} is not an origin like https://chat.example`)
  }
  if (options.syncInterval !== undefined && !/^(always|[1-9][0-9]{0,4}(ms|s|m))$/.test(options.syncInterval)) {
    return fail("syncInterval", `${options.syncInterval} is neither always nor a time like 10s`)
  }
  const replicas = options.replicas ?? 1
  if (![1, 3, 5].includes(replicas)) return fail("replicas", `must be 1, 3 or 5, not ${replicas}`)
  if (replicas > 1 && options.cluster === undefined) return fail("replicas", `${replicas} replicas need a cluster`)
  if (replicas > 1 && (options.cluster?.routes.length ?? 0) < replicas - 1) {
    return fail("cluster.routes", `${replicas} replicas need routes to ${replicas - 1} other servers`)
  }
  if (
    options.cluster !== undefined &&
    options.cluster.tls === undefined &&
    !AddressClass.isLoopback(options.cluster.host)
  ) {
    return fail("cluster", "servers must prove themselves to each other; give the cluster TLS files")
  }
  const bytes = options.inboxBytes ?? defaultInboxBytes
  if (!Number.isSafeInteger(bytes) || bytes < 1024 ** 2) return fail("inboxBytes", "must be at least 1 MiB")
  return undefined
}

const isInside = (host: string): boolean => ["loopback", "private"].includes(AddressClass.ofHost(host) ?? "")

const isOrigin = (text: string): boolean => {
  try {
    return new URL(text).origin === text
  } catch {
    return false
  }
}

/** A quoted string of NATS's configuration language; JSON's escapes are among its own. */
const q = (text: string): string => JSON.stringify(text)
const list = (texts: ReadonlyArray<string>): string => `[${texts.map(q).join(", ")}]`

const tls = (files: { certFile: string; keyFile: string; caFile?: string } | undefined): string =>
  files === undefined
    ? ""
    : `tls { cert_file: ${q(files.certFile)}, key_file: ${q(files.keyFile)}${
        files.caFile === undefined ? "" : `, ca_file: ${q(files.caFile)}, verify: true`
      } }`

const stream = Subject.streamName
/** Wildcards for the subjects of all accounts. */
const all = {
  inbox: Subject.inbox("*"),
  self: Subject.self("*"),
  delivery: Subject.delivery("*"),
  send: Subject.send("*"),
  fetch: Subject.fetch("*"),
  trim: Subject.trim("*"),
  block: Subject.block("*")
}
/** Requests of users to chat-server's responders. */
const requests = [all.send, all.fetch, all.trim, all.block]

const render = (options: NatsConfOptions): string => {
  const { keys, tcp, websocket, cluster, monitoring } = options
  const replicas = options.replicas ?? 1
  const inboxBytes = options.inboxBytes ?? defaultInboxBytes
  const connections = options.maxConnections ?? defaultMaxConnections
  const sync = options.syncInterval ?? (replicas === 1 ? "always" : undefined)
  const lines = [
    "# Written by `kez-chat-server init`; changes are lost at its next run.",
    `server_name: ${q(options.serverName)}`,
    `host: ${q(tcp.host)}`,
    `port: ${tcp.port}`,
    tls(tcp.tls),
    monitoring === undefined ? "" : `http: ${q(`${monitoring.host}:${monitoring.port}`)}`,
    options.pidFile === undefined ? "" : `pid_file: ${q(options.pidFile)}`,
    "# For a log file (-l or log_file): a line for each refused login must not fill the disk.",
    "logfile_size_limit: 10485760",
    "logfile_max_num: 4",
    `max_payload: ${maxPayload}`,
    "max_control_line: 1024",
    `max_connections: ${connections}`,
    "# Per connection. A user needs two; limits in a user's JWT do not apply under a callout.",
    "max_subscriptions: 32",
    `max_pending: ${maxPending}`,
    'write_deadline: "5s"',
    'ping_interval: "30s"',
    "ping_max: 2",
    "jetstream {",
    `  store_dir: ${q(options.storeDir)}`,
    "  max_memory_store: 0",
    `  max_file_store: ${inboxBytes + storeSlack}`,
    sync === undefined ? "" : `  sync_interval: ${sync === "always" ? "always" : q(sync)}`,
    "}",
    "websocket {",
    `  host: ${q(websocket.host)}`,
    `  port: ${websocket.port}`,
    websocket.tls === undefined ? "  no_tls: true" : `  ${tls(websocket.tls)}`,
    "  same_origin: false",
    // An empty list would allow every origin.
    `  allowed_origins: ${list(websocket.allowedOrigins.length === 0 ? ["https://invalid.invalid"] : websocket.allowedOrigins)}`,
    '  handshake_timeout: "2s"',
    "}",
    ...(cluster === undefined
      ? []
      : [
          "cluster {",
          `  name: ${q(cluster.name)}`,
          `  listen: ${q(`${cluster.host}:${cluster.port}`)}`,
          `  routes: ${list(cluster.routes)}`,
          `  ${tls(cluster.tls)}`,
          "}"
        ]),
    "accounts {",
    ...accountLines(options),
    "}",
    "system_account: SYS",
    "authorization {",
    ...authorizationLines(keys, []),
    "}"
  ]
  return textOf(lines)
}

const textOf = (lines: ReadonlyArray<string>): string => `${lines.filter((line) => line.trim() !== "").join("\n")}\n`

/** The parts of a configuration that its owner writes otherwise. */
export const includes = (options: IncludesOptions): Includes => {
  const { keys, ownUsers, systemAccount } = options
  const note = "# Written by `kez-chat-server init --nats-includes`; changes are lost at its next run."
  const system = [
    `# The account ${systemAccount} needs this user, by which kez-chat closes connections of revoked accounts:`,
    `#   ${systemUser(keys)}`
  ]
  return {
    accounts: textOf([note, ...(systemAccount === undefined ? [] : system), ...accountLines(options)]),
    authorization: textOf([note, ...authorizationLines(keys, ownUsers)])
  }
}

/** The user of the system account that closes connections and lists those of users, and may do nothing else. */
const systemUser = (keys: PublicKeys): string =>
  `{ nkey: ${keys.sys}, permissions: { publish: ["$SYS.REQ.SERVER.*.KICK", "$SYS.REQ.ACCOUNT.CHAT.CONNZ"], subscribe: ["_INBOX_sys.>"] } }`

const accountLines = (
  options: Pick<IncludesOptions, "keys" | "inboxBytes" | "replicas" | "maxConnections" | "systemAccount">
): ReadonlyArray<string> => {
  const { keys } = options
  const replicas = options.replicas ?? 1
  const inboxBytes = options.inboxBytes ?? defaultInboxBytes
  const connections = options.maxConnections ?? defaultMaxConnections
  const others = keys.partitions ?? []
  const streams = others.length + 1
  const maxFile = Math.floor(((inboxBytes + storeSlack / 2) * replicas) / streams)
  const jetStream = `jetstream: { max_mem: 0, max_file: ${maxFile}, max_streams: 4, max_consumers: 16 }`
  return [
    ...(options.systemAccount === undefined ? ["  SYS {", `    users: [ ${systemUser(keys)} ]`, "  }"] : []),
    "  AUTH {",
    `    users: [ { nkey: ${keys.callout}, permissions: {`,
    '      publish: { deny: [">"] }',
    '      subscribe: ["$SYS.REQ.USER.AUTH"]',
    '      allow_responses: { max: 1, expires: "5s" }',
    "    } } ]",
    "  }",
    "  KEZ {",
    `    ${jetStream}`,
    "    users: [",
    ...registrarLines(keys.registrar),
    `      { nkey: ${keys.gateway}, permissions: {`,
    "        publish: [",
    gatewayPublishes,
    "        ]",
    `        subscribe: ${list([...requests, "_INBOX_ing.>"])}`,
    '        allow_responses: { max: 1, expires: "10s" }',
    "      } }",
    ...backupLines(keys.backup),
    "    ]",
    "    exports: [",
    "      # response_threshold: how long the broker waits for an answer; its default is two minutes.",
    ...requests.map((subject) => `      { service: ${q(subject)}, accounts: [CHAT], response_threshold: "15s" }`),
    `      { stream: ${q(all.delivery)}, accounts: [CHAT] }`,
    "    ]",
    "  }",
    ...others.flatMap((own, i) => partitionLines(`KEZ_${i + 1}`, own, jetStream)),
    "  CHAT {",
    "    # max_connections: of the whole cluster, unlike the server's own above.",
    `    limits: { max_connections: ${connections}, max_subscriptions: ${connections * 5}, max_payload: ${userMaxPayload}, max_leafnodes: 0 }`,
    "    imports: [",
    "      # share: the send responder learns which key sends, for quotas; nothing of it is stored.",
    `      { service: { account: KEZ, subject: ${q(all.send)} }, to: ${q(all.inbox)}, share: true }`,
    `      { service: { account: KEZ, subject: ${q(all.fetch)} } }`,
    `      { service: { account: KEZ, subject: ${q(all.trim)} } }`,
    `      { service: { account: KEZ, subject: ${q(all.block)} } }`,
    ...["KEZ", ...others.map((_, i) => `KEZ_${i + 1}`)].map(
      (account) => `      { stream: { account: ${account}, subject: ${q(all.delivery)} } }`
    ),
    "    ]",
    "  }"
  ]
}

const registrarLines = (nkey: string): ReadonlyArray<string> => [
  `      { nkey: ${nkey}, permissions: {`,
  "        publish: [",
  `          "$JS.API.STREAM.CREATE.${stream}", "$JS.API.STREAM.UPDATE.${stream}"`,
  `          "$JS.API.STREAM.INFO.${stream}", "$JS.API.STREAM.PURGE.${stream}"`,
  "        ]",
  '        subscribe: ["_INBOX_reg.>"]',
  "      } }"
]

const gatewayPublishes = `          ${q(all.inbox)}, ${q(all.self)}, "$JS.API.DIRECT.GET.${stream}", "$JS.API.STREAM.MSG.GET.${stream}"`

/** The account of a stream after the first: it holds that, and answers no user. */
const partitionLines = (
  account: string,
  keys: NonNullable<PublicKeys["partitions"]>[number],
  jetStream: string
): ReadonlyArray<string> => [
  `  ${account} {`,
  `    ${jetStream}`,
  "    users: [",
  ...registrarLines(keys.registrar),
  `      { nkey: ${keys.gateway}, permissions: {`,
  "        publish: [",
  gatewayPublishes,
  "        ]",
  '        subscribe: ["_INBOX_ing.>"]',
  "      } }",
  ...backupLines(keys.backup),
  "    ]",
  `    exports: [ { stream: ${q(all.delivery)}, accounts: [CHAT] } ]`,
  "  }"
]

/** Snapshots are read in chunks, each of which is acknowledged. */
const backupLines = (nkey: string | undefined): ReadonlyArray<string> =>
  nkey === undefined
    ? []
    : [
        `      { nkey: ${nkey}, permissions: {`,
        `        publish: ["$JS.API.STREAM.INFO.${stream}", "$JS.API.STREAM.SNAPSHOT.${stream}", "$JS.SNAPSHOT.ACK.${stream}.>"]`,
        '        subscribe: ["_INBOX_bak.>"]',
        "      } }"
      ]

const authorizationLines = (keys: PublicKeys, ownUsers: ReadonlyArray<string>): ReadonlyArray<string> => {
  const others = (keys.partitions ?? []).flatMap(({ backup, gateway, registrar }) => [registrar, gateway, backup])
  const own = [keys.callout, keys.registrar, keys.gateway, keys.sys, keys.backup, ...others].filter(
    (nkey) => nkey !== undefined
  )
  return [
    "  timeout: 2",
    "  auth_callout {",
    `    issuer: ${keys.issuer}`,
    "    account: AUTH",
    "    # These log in by the users above; everybody else is asked of the callout.",
    `    auth_users: [${[...own, ...ownUsers.map(q)].join(", ")}]`,
    `    xkey: ${keys.xkey}`,
    "  }"
  ]
}
