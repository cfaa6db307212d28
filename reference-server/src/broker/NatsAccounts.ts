/**
 * The accounts of nats.conf, their users and what each may do (NatsConf.ts), as lines of its `accounts` and
 * `authorization` blocks.
 */
import { Limits, Subject } from "@kez-chat/sdk/protocol"
import type { PublicKeys } from "./login/Keys.ts"

export interface AccountsOptions {
  readonly keys: PublicKeys
  /** Size of all inbox streams together on each replica, in bytes. */
  readonly inboxBytes?: number
  /** Number of servers that store each frame. */
  readonly replicas?: number
  /** Connections of all users together in the whole cluster. */
  readonly maxConnections?: number
  /** The owner's system account, which then needs the user of {@link systemUser}; by default the home brings one. */
  readonly systemAccount?: string
}

/** Default size of the inbox stream on each replica, in bytes. */
export const defaultInboxBytes = 4 * 1024 ** 3
/** Default for `maxConnections`. */
export const defaultMaxConnections = 20_000
/**
 * Largest message of an end user: a frame and its headers. A request that the broker adds its own headers to may be
 * larger.
 */
export const userMaxPayload = Limits.frameBytes + 1024
/** JetStream's own files next to the messages: indexes, state, a block being compacted. */
export const storeSlack = 512 * 1024 ** 2

/** A quoted string of NATS's configuration language; JSON's escapes are among its own. */
export const q = (text: string): string => JSON.stringify(text)
export const list = (texts: ReadonlyArray<string>): string => `[${texts.map(q).join(", ")}]`

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

/** The user of the system account that closes connections and lists those of users, and may do nothing else. */
export const systemUser = (keys: PublicKeys): string =>
  `{ nkey: ${keys.sys}, permissions: { publish: ["$SYS.REQ.SERVER.*.KICK", "$SYS.REQ.ACCOUNT.CHAT.CONNZ"], subscribe: ["_INBOX_sys.>"] } }`

export const accountLines = (options: AccountsOptions): ReadonlyArray<string> => {
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

/** Snapshots are read and written in chunks, each of which is acknowledged. One is only written where no stream is. */
const backupLines = (nkey: string | undefined): ReadonlyArray<string> =>
  nkey === undefined
    ? []
    : [
        `      { nkey: ${nkey}, permissions: {`,
        `        publish: ["$JS.API.STREAM.INFO.${stream}", "$JS.API.STREAM.SNAPSHOT.${stream}", "$JS.SNAPSHOT.ACK.${stream}.>"`,
        `          "$JS.API.STREAM.RESTORE.${stream}", "$JS.SNAPSHOT.RESTORE.${stream}.*"]`,
        '        subscribe: ["_INBOX_bak.>"]',
        "      } }"
      ]

export const authorizationLines = (keys: PublicKeys, ownUsers: ReadonlyArray<string>): ReadonlyArray<string> => {
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
