import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Account, kezId, makeAccount } from "../../kits/Account.ts"
import { headerBlock, openRaw, type Port, type RawClient } from "../../kits/RawClient.ts"
import { loginRaw, portOf } from "../../kits/RawUser.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

describe("the connections of an account", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ limits: { shutOutSeconds: 2 } })
  })
  afterAll(() => broker.stop())

  const connect = async (account: Account, kind: Port = "tcp"): Promise<RawClient> =>
    (await loginRaw(broker, kind, account)).client
  const openOf = (clients: ReadonlyArray<RawClient>) => clients.map((client) => !client.isClosed())

  it("KEZ-NAT-052 are at most eight, whatever the port; a further one closes the oldest", async () => {
    const [account, other] = [makeAccount(), makeAccount()]
    const bystander = await connect(other)
    const clients: Array<RawClient> = []
    for (let i = 0; i < 8; i++) clients.push(await connect(account, i % 2 === 0 ? "tcp" : "websocket"))
    // Long enough for the count that the eighth login caused: nothing is closed by it.
    await clients[7]!.request(`kez.inbox.${account.hex}`, "x", headerBlock(`Kez-Id: ${kezId()}`))
    for (let i = 0; i < 3; i++) {
      clients.push(await connect(account))
      await clients[i]!.closed
      expect(openOf(clients)).toEqual(clients.map((_, n) => n > i))
    }
    expect(bystander.isClosed()).toBe(false)
    for (const client of [...clients, bystander]) client.close()
  })

  it("KEZ-NAT-052 are counted across two chat-servers", async () => {
    const second = await broker.startAnother()
    const account = makeAccount()
    const clients: Array<RawClient> = []
    for (let i = 0; i < 20; i++) clients.push(await connect(account))
    await until("the oldest are closed", () => openOf(clients).filter(Boolean).length <= 8)
    expect(openOf(clients)).toEqual(clients.map((_, n) => n >= 12))
    for (const client of clients) client.close()
    await second.stop()
  })

  it("KEZ-NAT-052 are counted when chat-server has forgotten them", async () => {
    const account = makeAccount()
    const before: Array<RawClient> = []
    for (let i = 0; i < 8; i++) before.push(await connect(account))
    await broker.stopResponders()
    await broker.startResponders()
    await broker.ready()
    const after: Array<RawClient> = []
    for (let i = 0; i < 5; i++) after.push(await connect(account))
    await until("the oldest are closed", () => openOf(before).filter(Boolean).length <= 3)
    expect(openOf(after)).toEqual(after.map(() => true))
    for (const client of [...before, ...after]) client.close()
  })

  it.each(["tcp", "websocket"] as const)(
    "KEZ-NAT-050 are closed over %s when the account floods, on every port, and its logins refused for a while",
    async (kind) => {
      const [account, other] = [makeAccount(), makeAccount()]
      const bystander = await connect(other)
      const [first, second] = [await connect(account, kind), await connect(account)]
      for (let i = 0; i < 3_000 && !first.isClosed(); i++) {
        first.publish(`kez.inbox.${other.hex}`, "x", {
          reply: `_INBOX_${account.hex}.x`,
          header: headerBlock("No: id")
        })
      }
      await Promise.all([first.closed, second.closed])
      const refused = await openRaw({ kind: "tcp", port: portOf(broker, "tcp") })
      expect(await refused.login(account)).toMatch(/Authorization Violation/)
      const sent = await bystander.request(`kez.inbox.${other.hex}`, "x", headerBlock(`Kez-Id: ${kezId()}`))
      expect(sent.payload.toString()).toBe('{"ok":1}')
      let again: RawClient | undefined
      await until("the account is let in again", async () => {
        again = await openRaw({ kind, port: portOf(broker, kind) })
        return (await again.login(account)) === undefined
      })
      for (const client of [again!, bystander]) client.close()
    }
  )

  it("KEZ-NAT-050 stay open however much the account sends, as long as it waits for answers", async () => {
    const account = makeAccount()
    const client = await connect(account)
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(
        Array.from({ length: 64 }, () =>
          client.request(`kez.inbox.${account.hex}`, "x", headerBlock(`Kez-Id: ${kezId()}`))
        )
      )
      expect(new Set(answers.map(({ payload }) => payload.toString()))).toEqual(new Set(['{"ok":1}']))
    }
    expect(client.isClosed()).toBe(false)
    client.close()
  })

  it("KEZ-NAT-050 cannot be closed by a stranger who fails to log in under the account's key", async () => {
    const account = makeAccount()
    const client = await connect(account)
    for (let i = 0; i < 300; i++) {
      const stranger = await openRaw({ kind: "tcp", port: portOf(broker, "tcp") })
      const sig = Buffer.from(makeAccount().sign("127.0.0.1", stranger.nonce)).toString("base64url")
      expect(await stranger.connect({ nkey: account.nkey, sig })).toMatch(/Authorization Violation/)
      stranger.close()
    }
    expect(client.isClosed()).toBe(false)
    const again = await connect(account)
    for (const open of [client, again]) open.close()
  })
})
