/**
 * Which connections a key has on the broker, and closing them (SYS).
 *
 * Logins answered here are remembered, so that a revocation closes them at once. Those of other instances, or from
 * before a restart, are found by asking the broker.
 */
import type { NatsConnection } from "@nats-io/nats-core"
import { isObject } from "../login/Jwt.ts"

export interface Connection {
  /** The broker's server id, `N...`. */
  readonly server: string
  /** Its number of the connection. */
  readonly id: number
}

export interface Connections {
  /** Notes a login that was let in; gives how many of this key are remembered, some of which may have ended since. */
  remember(hex: string, connection: Connection): number
  /** Closes the oldest connections of a key beyond the `most` newest, by the broker's own list; gives their number. */
  closeOldest(sys: NatsConnection, hex: string, most: number): Promise<number>
  /** Drops what has expired; to be called now and then. */
  prune(): void
  /** Closes everything that this key has open now, by memory and by the broker's own list. */
  closeAll(sys: NatsConnection, hex: string): Promise<void>
  /** How many connections all users together have. */
  count(sys: NatsConnection): Promise<number>
  /** Closes connections whose key is not active any more, and of each key all but the `most` newest; gives their number. */
  closeExcess(sys: NatsConnection, isActive: (hex: string) => boolean, most: number): Promise<number>
}

const requestTimeout = 2_000
/** How long servers of a cluster have to answer a question that goes to all of them, in milliseconds. */
const gatherMillis = 300
const pageSize = 1024

export const make = (sessionMillis: number): Connections => {
  const known = new Map<string, Map<string, { readonly connection: Connection; readonly until: number }>>()
  return {
    remember: (hex, connection) => {
      let own = known.get(hex)
      if (own === undefined) known.set(hex, (own = new Map()))
      own.set(nameOf(connection), { connection, until: Date.now() + sessionMillis })
      return own.size
    },
    closeOldest: async (sys, hex, most) => {
      const listed = await list(sys, hex)
      const open = new Set(listed.map(({ connection }) => nameOf(connection)))
      for (const name of known.get(hex)?.keys() ?? []) if (!open.has(name)) known.get(hex)?.delete(name)
      const oldest = beyond(listed, most)
      await Promise.all(oldest.map(({ connection }) => kick(sys, connection)))
      return oldest.length
    },
    prune: () => {
      const now = Date.now()
      for (const [hex, own] of known) {
        for (const [id, { until }] of own) if (until < now) own.delete(id)
        if (own.size === 0) known.delete(hex)
      }
    },
    closeAll: async (sys, hex) => {
      const remembered = [...(known.get(hex)?.values() ?? [])].map(({ connection }) => connection)
      known.delete(hex)
      await Promise.all(remembered.map((connection) => kick(sys, connection)))
      const listed = await list(sys, hex)
      await Promise.all(listed.map(({ connection }) => kick(sys, connection)))
    },
    count: async (sys) => {
      const answers = await ask(sys, { limit: 1, offset: 0 })
      return answers.reduce<number>((sum, answer) => sum + totalOf(answer), 0)
    },
    closeExcess: async (sys, isActive, most) => {
      const ofKey = new Map<string, Array<Listed>>()
      for (const entry of await list(sys, undefined)) {
        const own = ofKey.get(entry.hex)
        if (own === undefined) ofKey.set(entry.hex, [entry])
        else own.push(entry)
      }
      const excess = [...ofKey].flatMap(([hex, own]) => (isActive(hex) ? beyond(own, most) : own))
      await Promise.all(excess.map(({ connection }) => kick(sys, connection)))
      return excess.length
    }
  }
}

const nameOf = ({ id, server }: Connection): string => `${server} ${id}`

/** All but the `most` newest. */
const beyond = (listed: ReadonlyArray<Listed>, most: number): ReadonlyArray<Listed> =>
  listed.length <= most
    ? []
    : listed.toSorted((a, b) => b.since - a.since || b.connection.id - a.connection.id).slice(most)

/** Closing a connection that is gone already is no error. */
const kick = async (sys: NatsConnection, { server, id }: Connection): Promise<void> => {
  await sys
    .request(`$SYS.REQ.SERVER.${server}.KICK`, JSON.stringify({ cid: id }), { timeout: requestTimeout })
    .catch((error: unknown) => {
      if (sys.isClosed()) throw error
    })
}

interface Listed {
  /** The name in the JWT that the callout gave: the key. */
  readonly hex: string
  readonly connection: Connection
  /** When it was opened, in milliseconds since the epoch. */
  readonly since: number
}

/** What every server of the cluster says about the connections of users. */
const ask = async (sys: NatsConnection, question: object): Promise<ReadonlyArray<unknown>> => {
  const answers = await sys.requestMany("$SYS.REQ.ACCOUNT.CHAT.CONNZ", JSON.stringify(question), {
    strategy: "stall",
    stall: gatherMillis,
    maxWait: requestTimeout
  })
  const found: Array<unknown> = []
  for await (const answer of answers) found.push(answer.json())
  // Silence is not "nobody is connected": who asked has to ask again.
  if (found.length === 0) throw new Error("the broker did not say who is connected")
  return found
}

const totalOf = (answer: unknown): number => {
  const data = isObject(answer) ? answer.data : undefined
  return isObject(data) && typeof data.total === "number" ? data.total : 0
}

/** The connections of all users or of one, from every server of the cluster. */
const list = async (sys: NatsConnection, hex: string | undefined): Promise<ReadonlyArray<Listed>> => {
  const found = new Map<string, Listed>()
  for (let offset = 0; ; offset += pageSize) {
    const question = { auth: true, limit: pageSize, offset, ...(hex === undefined ? {} : { user: hex }) }
    let full = false
    for (const answer of await ask(sys, question)) {
      const page = connectionsOf(answer)
      full ||= page.length === pageSize
      for (const entry of page) found.set(nameOf(entry.connection), entry)
    }
    if (!full) return [...found.values()].filter((entry) => hex === undefined || entry.hex === hex)
  }
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
