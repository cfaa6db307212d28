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
import { AddressClass } from "@kez-chat/sdk/protocol"
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { PublicKeys } from "./login/Keys.ts"
import {
  accountLines,
  type AccountsOptions,
  authorizationLines,
  defaultInboxBytes,
  defaultMaxConnections,
  list,
  q,
  storeSlack,
  systemUser
} from "./NatsAccounts.ts"

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
export interface IncludesOptions extends AccountsOptions {
  /** The owner's users, by name or public nkey: they log in as before, all others are asked of the callout. */
  readonly ownUsers: ReadonlyArray<string>
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

/** Largest message, a fetch page included. */
export const maxPayload = 1_048_576
/**
 * Unread bytes at which the broker closes a connection. Generous for chat-server's sake, whose connection takes the
 * sends of all users: at three quarters of it the broker slows the senders down instead. A user's unread bytes are
 * bounded by the rate at which chat-server lets an account read.
 */
export const maxPending = 64 * 1024 ** 2
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

const tls = (files: { certFile: string; keyFile: string; caFile?: string } | undefined): string =>
  files === undefined
    ? ""
    : `tls { cert_file: ${q(files.certFile)}, key_file: ${q(files.keyFile)}${
        files.caFile === undefined ? "" : `, ca_file: ${q(files.caFile)}, verify: true`
      } }`

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
