/** What one account's connections may do to the rest (spec: broker, Fair shares). */
import { group } from "../Check.ts"
import { NotChecked } from "../Outcome.ts"
import { type BrokerVisit, demand, kindOf } from "./BrokerVisit.ts"
import type { Connection } from "./Connection.ts"
import { isOk, kezId, refusalOf, sealed, type User } from "./User.ts"

const maxConnections = 8
/** More bytes than any subject has. */
const longLine = 100_000
/** More subscriptions than a bound of connections would allow. */
const manySubscriptions = 5_000
/** More than an account that does not wait for answers gets through with, in requests and bytes. */
const floodRequests = 30_000
const floodAtOnce = 500
/** More than lies between server and client, and how long a server may wait until it is read, in milliseconds. */
const unreadBytes = 24_000_000
const unreadMillis = 20_000
/** Sends of one account at once, more than a server stores at a time, and how often they are tried. */
const waiting = 150
const waitingRounds = 2

/** Logs an account in several times; the connections, oldest first. */
const logins = async (visit: BrokerVisit, count: number): Promise<ReadonlyArray<User>> => {
  const account = await visit.home.newAccount()
  const users: Array<User> = []
  for (let i = 0; i < count; i++) users.push(await visit.login(account, visit.urls[i % visit.urls.length]))
  return users
}

/** An account is served: its connections, and the rest of the server, have not suffered. */
const isServed = async (visit: BrokerVisit): Promise<void> => {
  const [alice, bob] = await visit.friends()
  isOk(await alice.send(bob.hex), "a send of another account")
}

/** Sends without Kez-Id, until the server has closed the connection or has had enough of them. */
const flood = async ({ client, hex }: User): Promise<void> => {
  for (let sent = 0; sent < floodRequests && !client.isClosed; sent += floodAtOnce) {
    for (let i = 0; i < floodAtOnce; i++) client.publish(`kez.inbox.${hex}`, "kezct", { reply: `_INBOX_${hex}.kezct` })
    await client.fence()
  }
}

export const connections = group<BrokerVisit>("broker/connections", [
  {
    id: "eight",
    requirements: ["KEZ-NAT-052"],
    why: "an account has eight connections over all ports, and a further one closes the oldest",
    run: async (visit) => {
      const users = await logins(visit, maxConnections + 1)
      await users[0]!.client.closed("the oldest of nine connections is not closed")
      for (const [i, { client }] of users.entries())
        if (i > 0) {
          await client.fence()
          demand(!client.isClosed, `connection ${i + 1} of nine is closed, and the first should be alone`)
          client.close()
        }
    }
  },
  {
    id: "flood",
    requirements: ["KEZ-NAT-050"],
    why: "an account that goes on making requests that are refused is closed on every port, and others are served",
    run: async (visit) => {
      const users = await logins(visit, visit.urls.length)
      await flood(users[0]!)
      for (const { client } of users) await client.closed("a connection of an account that floods stays open")
      await isServed(visit)
    }
  },
  {
    id: "turns",
    requirements: ["KEZ-NAT-049"],
    why: "who sends one frame does not wait until somebody else's many are stored",
    run: async (visit) => {
      const [busy, bob] = [await visit.user("collector"), await visit.user("bob")]
      for (let round = 0; round < waitingRounds; round++) {
        let answered = 0
        const sends = Array.from({ length: waiting }, async () => {
          const answer = await busy.send(busy.hex, sealed(20_000))
          answered += 1
          return answer
        })
        await busy.client.fence()
        // Without an answer yet, the next send comes behind all of them.
        const first = answered
        const answer = await bob.send(bob.hex)
        const overtaken = answered < waiting
        for (const one of await Promise.all(sends))
          demand(one === '{"ok":1}' || refusalOf(one)?.code === "retry", "a send among many is refused", one)
        isOk(answer, "a send beside many of another account")
        if (overtaken) return
        demand(first > waiting / 2, `a send waits until all ${waiting} of another account are stored`)
      }
      throw new NotChecked("not-applicable", "the server stores faster than a check can ask")
    }
  },
  {
    id: "control-line",
    requirements: ["KEZ-NAT-043"],
    why: "a line without end is not kept in memory",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const { client, hex } = await visit.login((await visit.user("carol")).account, url)
        client.write(`SUB _INBOX_${hex}.${"k".repeat(longLine)} kezct\r\n`)
        await client.closed(`a control line of ${longLine} bytes is taken`)
      })
  },
  {
    id: "subscriptions",
    requirements: ["KEZ-NAT-043"],
    why: "subscriptions take memory, so that a connection has so many and no more",
    run: (visit) =>
      visit.onEveryPort(async (url) => {
        const { client, hex } = await visit.login((await visit.user("carol")).account, url)
        for (let i = 0; i < manySubscriptions && client.errors.length === 0 && !client.isClosed; i += 50) {
          for (let n = i; n < i + 50; n++) client.write(`SUB _INBOX_${hex}.kezct.${n} k${n}\r\n`)
          await client.fence()
        }
        demand(client.errors.length > 0 || client.isClosed, `${manySubscriptions} subscriptions are taken`)
        client.close()
      })
  },
  {
    id: "slow-reader",
    requirements: ["KEZ-NAT-043"],
    why: "what a client does not read is not kept for it without bound",
    run: async (visit) => {
      const url = visit.urls.find((one) => kindOf(one) === "tcp")
      if (url === undefined) throw new NotChecked("not-applicable", "a WebSocket cannot stop reading")
      const reader = await visit.login(await visit.home.newAccount(), url)
      for (let i = 0; i < 16; i += 4)
        for (const answer of await Promise.all([0, 1, 2, 3].map(() => reader.send(reader.hex, sealed(60_000)))))
          isOk(answer, "an own copy")
      const { bytes } = await reader.fetch(0)
      demand(
        await isGivenUp(reader.client, reader.hex, Math.ceil(unreadBytes / bytes)),
        `a connection that has not read ${unreadBytes} bytes for ${unreadMillis / 1_000} s stays open`
      )
    }
  }
])

/** Asks for pages without reading them; whether the server ends the connection. */
const isGivenUp = async (client: Connection, hex: string, pages: number): Promise<boolean> => {
  const request = JSON.stringify({ after: 0, n: kezId() })
  await client.subscribe(`_INBOX_${hex}.unread`)
  client.pause(true)
  for (let i = 0; i < pages; i++) {
    client.publish(`kez.fetch.${hex}`, request, { reply: `_INBOX_${hex}.unread` })
    await sleep(20)
  }
  // Who does not read learns only by writing that nobody is there.
  for (const until = Date.now() + unreadMillis; Date.now() < until && !client.isClosed; await sleep(100))
    client.write("PING\r\n")
  return client.isClosed
}

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
