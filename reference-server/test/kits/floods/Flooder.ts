/**
 * A hostile client in a process of its own: floods with one kind of traffic as fast as it is told to, and logs in again
 * whenever its connections are closed, until it is told to stop.
 */
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { Page } from "@kez-chat/sdk/protocol"
import { type Account, fromSecret } from "../Account.ts"
import { headerBlock, openRaw, type Port, type RawClient } from "../RawClient.ts"
import type { Kind } from "./Kinds.ts"

export interface Orders {
  readonly kind: Kind
  readonly transport: Port
  readonly ports: ReadonlyArray<number>
  readonly secrets: ReadonlyArray<string>
  readonly connectionsPerAccount: number
  /** Requests each connection makes a second; without it, as many as the broker takes. */
  readonly perSecond?: number
  /** To whom the sends go. */
  readonly victim: string
}

export interface Outcome {
  readonly requests: number
  readonly logins: number
  readonly refusedLogins: number
}

const batchSize = 250
const backlogBytes = 1024 ** 2
const id = () => randomBytes(16).toString("base64url")

const publish = (subject: string, reply: string, header: string, payload: Uint8Array): Buffer => {
  const head = Buffer.from(header, "latin1")
  const line = `HPUB ${subject} ${reply}${reply === "" ? "" : " "}${head.length} ${head.length + payload.length}\r\n`
  return Buffer.concat([Buffer.from(line), head, payload, Buffer.from("\r\n")])
}

/** What one batch writes, and how many requests it makes. */
const makeBatch = (orders: Orders, account: Account): (() => { bytes: Buffer; requests: number }) => {
  const inbox = `_INBOX_${account.hex}.flood`
  const to = `kez.inbox.${orders.victim}`
  const many = (count: number, make: (i: number) => Buffer) => ({
    bytes: Buffer.concat(Array.from({ length: count }, (_, i) => make(i))),
    requests: count
  })
  const small = (header: () => string, reply = inbox) =>
    many(batchSize, () => publish(to, reply, header(), Buffer.from("x")))
  const withId = () => headerBlock(`Kez-Id: ${id()}`)
  switch (orders.kind) {
    case "tiny sends":
      return () => small(withId)
    case "sends without a reply":
      return () => small(withId, "")
    case "malformed sends": {
      const batch = small(() => "NATS/1.0\r\n: \r\nKez-Id\r\n\r\n")
      return () => batch
    }
    case "long headers": {
      const header = headerBlock(...Array.from({ length: 9_000 }, (_, i) => `${i.toString(36)}:`))
      const batch = many(4, () => publish(to, inbox, header, Buffer.from("x")))
      return () => batch
    }
    case "full frames": {
      const frame = randomBytes(65_536)
      return () => many(4, () => publish(to, inbox, withId(), frame))
    }
    case "oversize messages": {
      const batch = many(1, () => publish(to, inbox, withId(), randomBytes(1_000_000)))
      return () => batch
    }
    case "fetches":
    case "pages unread": {
      const request = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
      const one = Buffer.from(`PUB kez.fetch.${account.hex} ${inbox} ${request.length}\r\n`)
      const count = orders.kind === "fetches" ? batchSize : 2
      const batch = many(count, () => Buffer.concat([one, request, Buffer.from("\r\n")]))
      return () => batch
    }
    case "subscriptions": {
      let sid = 100
      return () =>
        many(batchSize, () => {
          sid += 1
          return Buffer.from(`SUB _INBOX_${account.hex}.s${sid} ${sid}\r\nUNSUB ${sid}\r\n`)
        })
    }
    case "denied subjects": {
      const batch = many(batchSize, (i) => Buffer.from(`PUB kez.dlv.${orders.victim}${i} 1\r\nx\r\n`))
      return () => batch
    }
    case "logins":
      return () => ({ bytes: Buffer.alloc(0), requests: 0 })
  }
}

const outcome = { requests: 0, logins: 0, refusedLogins: 0 }

const floodOnce = async (client: RawClient, orders: Orders, account: Account): Promise<void> => {
  if (orders.kind === "logins") return client.close()
  if (orders.kind === "pages unread" && orders.transport === "tcp") client.pause()
  const batch = makeBatch(orders, account)
  const began = performance.now()
  let made = 0
  while (!client.isClosed()) {
    client.messages.length = 0
    client.errors.length = 0
    const allowed = orders.perSecond === undefined || made < ((performance.now() - began) / 1000) * orders.perSecond
    if (!allowed || client.backlog() > backlogBytes) {
      await sleep(1)
      continue
    }
    const { bytes, requests } = batch()
    client.write(bytes)
    made += requests
    outcome.requests += requests
    await sleep(0)
  }
}

const flood = async (orders: Orders, secret: string, port: number): Promise<never> => {
  const account = fromSecret(secret)
  for (;;) {
    try {
      const client = await openRaw({ kind: orders.transport, port })
      if ((await client.login(account)) === undefined) {
        outcome.logins += 1
        await floodOnce(client, orders, account)
      } else {
        outcome.refusedLogins += 1
        client.close()
      }
    } catch {
      // Closed in the middle of the login.
    }
    await sleep(orders.kind === "logins" ? 0 : 20)
  }
}

process.on("message", (message: Orders | "stop") => {
  if (message === "stop") {
    process.send?.(outcome satisfies Outcome, undefined, undefined, () => process.exit(0))
    return
  }
  for (const secret of message.secrets) {
    for (let i = 0; i < message.connectionsPerAccount; i++) {
      void flood(message, secret, message.ports[i % message.ports.length] as number)
    }
  }
})
process.on("disconnect", () => process.exit(0))
