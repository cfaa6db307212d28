/** Lists and closes users' connections through the broker's system account. */
import type { NatsConnection } from "@nats-io/nats-core"
import * as Effect from "effect/Effect"
import { isObject } from "../JsonObject.ts"
import { attempt, BrokerDown, request } from "./BrokerDown.ts"

export interface UserConnection {
  /** The broker's server id, `N...`. */
  readonly server: string
  /** The number that this server gave the connection. */
  readonly id: number
}

export interface Listed {
  /** The name in the JWT that the callout gave: the account's key, 64 hex characters. */
  readonly hex: string
  readonly connection: UserConnection
  /** When it was opened, in milliseconds since the epoch. */
  readonly since: number
}

const requestMillis = 2_000
/** Longest pause between answers when all servers of a cluster are asked, in milliseconds. */
const gatherMillis = 300
const pageSize = 1024

/** Unique among all connections. */
export const nameOf = ({ id, server }: UserConnection): string => `${server} ${id}`

/** Closes connections. A connection that is gone is no error. */
export const closeAll = (
  sys: NatsConnection,
  connections: ReadonlyArray<UserConnection>
): Effect.Effect<void, BrokerDown> =>
  Effect.forEach(connections, (connection) => kick(sys, connection), { concurrency: "unbounded", discard: true })

const kick = (sys: NatsConnection, { id, server }: UserConnection) =>
  request(sys, `$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid: id }), requestMillis).pipe(
    Effect.asVoid,
    Effect.catch((error) => (sys.isClosed() ? Effect.fail(error) : Effect.void))
  )

/** The answers of all servers of the cluster about the connections of users. */
const ask = Effect.fnUntraced(function* (sys: NatsConnection, question: object) {
  const found = yield* attempt(async () => {
    const answers = await sys.requestMany("$SYS.REQ.ACCOUNT.CHAT.CONNZ", JSON.stringify(question), {
      strategy: "stall",
      stall: gatherMillis,
      maxWait: requestMillis
    })
    const read: Array<unknown> = []
    for await (const answer of answers) read.push(answer.json())
    return read
  })
  // Silence does not mean that nobody is connected, so it is a failure to be retried.
  return found.length > 0 ? found : yield* new BrokerDown({ detail: "the broker did not list its connections" })
})

/** How many connections all users together have. */
export const count = (sys: NatsConnection): Effect.Effect<number, BrokerDown> =>
  Effect.map(ask(sys, { limit: 1, offset: 0 }), (answers) =>
    answers.reduce<number>((sum, answer) => sum + totalOf(answer), 0)
  )

/** The connections of all users, or of the account `hex`, on every server of the cluster. */
export const list = Effect.fn("UserConnections.list")(function* (sys: NatsConnection, hex?: string) {
  const found = new Map<string, Listed>()
  for (let offset = 0; ; offset += pageSize) {
    const question = { auth: true, limit: pageSize, offset, ...(hex === undefined ? {} : { user: hex }) }
    let full = false
    for (const answer of yield* ask(sys, question)) {
      const page = connectionsOf(answer)
      full ||= page.length === pageSize
      for (const entry of page) found.set(nameOf(entry.connection), entry)
    }
    if (!full) return [...found.values()].filter((entry) => hex === undefined || entry.hex === hex)
  }
})

const totalOf = (answer: unknown): number => {
  const data = isObject(answer) ? answer.data : undefined
  return isObject(data) && typeof data.total === "number" ? data.total : 0
}

const connectionsOf = (answer: unknown): Array<Listed> => {
  const data = isObject(answer) ? answer.data : undefined
  const server = isObject(data) ? data.server_id : undefined
  const connections = isObject(data) ? data.connections : undefined
  if (typeof server !== "string" || !Array.isArray(connections)) return []
  return connections.flatMap((entry: unknown) =>
    isObject(entry) && typeof entry.authorized_user === "string" && typeof entry.cid === "number"
      ? [
          {
            hex: entry.authorized_user,
            connection: { server, id: entry.cid },
            since: typeof entry.start === "string" ? Date.parse(entry.start) || 0 : 0
          }
        ]
      : []
  )
}
