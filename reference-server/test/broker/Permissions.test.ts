import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Port, type RawClient } from "../kits/RawClient.ts"
import { loginRaw } from "../kits/RawUser.ts"
import { startTestBroker, type TestBroker } from "../kits/TestBroker.ts"

describe.each(["tcp", "websocket"] as const)("what a user may do over %s", (kind: Port) => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ partitions: kind === "tcp" ? 1 : 4 })
  })
  afterAll(() => broker.stop())

  const login = () => loginRaw(broker, kind)
  /** How many permission violations the broker reported. */
  const refusals = async (client: RawClient): Promise<number> => {
    await client.fence()
    return client.errors.length
  }

  const subjects = (own: string, other: string): ReadonlyArray<string> => [
    `kez.dlv.${other}`,
    "kez.dlv.*",
    "kez.dlv.>",
    `kez.inbox.${own}`,
    `kez.inbox.${other}`,
    "kez.inbox.*",
    `kez.self.${own}`,
    "kez.self.*",
    "kez.send.*",
    `kez.send.${own}`,
    "kez.fetch.*",
    `kez.fetch.${own}`,
    `kez.fetch.${other}`,
    "kez.trim.*",
    `kez.trim.${own}`,
    `kez.trim.${other}`,
    "kez.block.*",
    `kez.block.${own}`,
    `kez.block.${other}`,
    "kez.*.*",
    `kez.*.${own}`,
    "kez.>",
    ">",
    "*",
    "*.>",
    "*.*.*",
    "$JS.>",
    "$JS.API.>",
    "$JS.ACK.>",
    "$JS.EVENT.>",
    "$SYS.>",
    "$SYS.REQ.USER.AUTH",
    "$SYS.ACCOUNT.>",
    "_R_.>",
    "_R_.*",
    "_R_.*.*",
    "_GR_.>",
    `_INBOX_${other}.>`,
    `_INBOX_${other}.x`,
    "_INBOX_*.>",
    "_INBOX.>",
    "_INBOX_ing.>",
    "_INBOX_reg.>",
    "_INBOX_sys.>",
    `${own}`,
    `kez.dlv.${own}.x`,
    `kez.dlv.${own}.>`
  ]

  it("KEZ-NAT-017 subscribes to nothing but its own deliveries and replies, with and without a queue group", async () => {
    const { account: other, client: victim } = await login()
    const { client, account } = await login()
    const denied = subjects(account.hex, other.hex)
    let expected = 0
    for (const subject of denied) {
      for (const queue of [undefined, "workers", "kez-send", "kez-callout", "kez-fetch", "kez-trim", "kez-block"]) {
        await client.subscribe(subject, queue)
        expected += 1
        expect([subject, queue, await refusals(client)]).toEqual([subject, queue, expected])
        expect(client.errors.at(-1)).toMatch(/Permissions Violation for Subscription/)
      }
    }
    // None of the refused subscriptions hears anything all the same.
    await victim.subscribe(`kez.dlv.${other.hex}`)
    const sent = await client.request(
      `kez.inbox.${other.hex}`,
      "hello",
      "NATS/1.0\r\nKez-Id: BBBBBBBBBBBBBBBBBBBBBB\r\n\r\n"
    )
    expect(sent.payload.toString()).toBe('{"ok":1}')
    await victim.fence()
    await client.fence()
    expect(victim.messages).toHaveLength(1)
    expect(client.messages).toEqual([])
    client.close()
    victim.close()
  })

  it("KEZ-NAT-017 subscribes to its own deliveries and replies", async () => {
    const { client, account } = await login()
    await client.subscribe(`kez.dlv.${account.hex}`)
    await client.subscribe(`_INBOX_${account.hex}.anything.*`)
    expect(await refusals(client)).toBe(0)
    client.close()
  })

  it("KEZ-NAT-017 KEZ-NAT-018 publishes to inboxes and its own fetch, trim and block subjects, to nothing else", async () => {
    const { account: other, client: victim } = await login()
    await victim.subscribe(`kez.dlv.${other.hex}`)
    await victim.subscribe(`_INBOX_${other.hex}.>`)
    const { client, account } = await login()
    const denied = [
      `kez.send.${other.hex}`,
      `kez.send.${account.hex}`,
      `kez.dlv.${other.hex}`,
      `kez.dlv.${account.hex}`,
      `kez.self.${account.hex}`,
      `kez.self.${other.hex}`,
      `kez.fetch.${other.hex}`,
      `kez.fetch.${account.hex}.x`,
      "kez.fetch",
      `kez.trim.${other.hex}`,
      `kez.trim.${account.hex}.x`,
      "kez.trim",
      `kez.block.${other.hex}`,
      `kez.block.${account.hex}.x`,
      "kez.block",
      `kez.inbox.${other.hex}.x`,
      "kez.inbox",
      `kez.other.${other.hex}`,
      `_INBOX_${other.hex}.x`,
      `_INBOX_${account.hex}.x`,
      "_INBOX.x",
      "_R_.x",
      "_R_.x.y",
      "$JS.API.INFO",
      "$JS.API.STREAM.LIST",
      "$JS.API.STREAM.NAMES",
      "$JS.API.STREAM.CREATE.EVIL",
      "$JS.API.STREAM.UPDATE.KEZ_INBOX",
      "$JS.API.STREAM.DELETE.KEZ_INBOX",
      "$JS.API.STREAM.PURGE.KEZ_INBOX",
      "$JS.API.STREAM.INFO.KEZ_INBOX",
      "$JS.API.STREAM.MSG.GET.KEZ_INBOX",
      "$JS.API.STREAM.MSG.DELETE.KEZ_INBOX",
      "$JS.API.STREAM.SNAPSHOT.KEZ_INBOX",
      "$JS.API.STREAM.RESTORE.KEZ_INBOX",
      "$JS.API.STREAM.LEADER.STEPDOWN.KEZ_INBOX",
      "$JS.API.STREAM.PEER.REMOVE.KEZ_INBOX",
      "$JS.API.DIRECT.GET.KEZ_INBOX",
      `$JS.API.DIRECT.GET.KEZ_INBOX.kez.inbox.${other.hex}`,
      "$JS.API.CONSUMER.CREATE.KEZ_INBOX",
      "$JS.API.CONSUMER.DURABLE.CREATE.KEZ_INBOX.x",
      "$JS.API.CONSUMER.MSG.NEXT.KEZ_INBOX.x",
      "$JS.API.CONSUMER.DELETE.KEZ_INBOX.x",
      "$JS.API.META.LEADER.STEPDOWN",
      "$JS.API.ACCOUNT.PURGE.KEZ",
      "$JS.ACK.KEZ_INBOX.x.1.1.1.1.0",
      "$JS.FC.KEZ_INBOX.x.y",
      "$SYS.REQ.SERVER.PING",
      "$SYS.REQ.SERVER.PING.CONNZ",
      "$SYS.REQ.ACCOUNT.CHAT.CONNZ",
      "$SYS.REQ.USER.INFO",
      "$SYS.REQ.USER.AUTH",
      `$SYS.REQ.SERVER.${String(client.info.server_id)}.KICK`,
      `$SYS.REQ.SERVER.${String(client.info.server_id)}.LDM`,
      "$SYS.REQ.CLAIMS.UPDATE",
      "anything"
    ]
    let expected = 0
    for (const subject of denied) {
      for (const reply of [undefined, `_INBOX_${account.hex}.r`]) {
        client.publish(subject, '{"cid":1}', reply === undefined ? {} : { reply })
        expected += 1
        expect([subject, await refusals(client)]).toEqual([subject, expected])
        expect(client.errors.at(-1)).toMatch(/Permissions Violation for Publish/)
      }
    }
    await victim.fence()
    expect(victim.messages).toEqual([])
    expect(victim.isClosed()).toBe(false)
    expect((await broker.status()).streams.map((stream) => stream?.messages)).toEqual(Array(broker.partitions).fill(0))
    client.close()
    victim.close()
  })

  it("learns nothing about itself or others from requests that the server answers to everybody", async () => {
    const { client, account } = await login()
    client.publish("$SYS.REQ.USER.INFO", "", { reply: `_INBOX_${account.hex}.info` })
    client.publish("$SYS.REQ.ACCOUNT.PING.CONNZ", "", { reply: `_INBOX_${account.hex}.info` })
    client.publish("$SYS.REQ.ACCOUNT.PING.STATZ", "", { reply: `_INBOX_${account.hex}.info` })
    await client.fence()
    expect(client.errors).toHaveLength(3)
    expect(client.messages).toEqual([])
    client.close()
  })
})
