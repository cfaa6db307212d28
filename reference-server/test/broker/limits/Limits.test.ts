import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Page } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { type Account, kezId, makeAccount } from "../../kits/Account.ts"
import { observe, type Observer } from "../../kits/Observer.ts"
import { headerBlock, openRaw, type Port } from "../../kits/RawClient.ts"
import { loginRaw, portOf, type RawUser, sendRaw } from "../../kits/RawUser.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

const okay = '{"ok":1}'
const refusal = (code: string) => JSON.stringify({ e: code })

const send = (from: RawUser, to: string, payload?: string | Uint8Array, id?: string): Promise<string> =>
  sendRaw(from.client, to, payload, id)

describe.each(["tcp", "websocket"] as const)("what a send and a connection may be over %s", (kind: Port) => {
  let broker: TestBroker
  let observer: Observer
  const login = (account?: Account) => loginRaw(broker, kind, account)
  beforeAll(async () => {
    broker = await startTestBroker()
    observer = await observe(broker)
  })
  afterAll(async () => {
    await observer.close()
    await broker.stop()
  })

  it("KEZ-NAT-023 refuses frames that are empty or too large, and takes the largest", async () => {
    const user = await login()
    expect(await send(user, user.hex, "")).toBe(refusal("size"))
    expect(await send(user, user.hex, new Uint8Array(65_537))).toBe(refusal("size"))
    expect(await send(user, user.hex, new Uint8Array(66_000))).toBe(refusal("size"))
    expect(await send(user, user.hex, new Uint8Array(65_536))).toBe(okay)
    expect(await send(user, user.hex, new Uint8Array(1))).toBe(okay)
    user.client.close()
  })

  it("refuses what is no recipient, and stores nothing for it", async () => {
    const user = await login()
    const other = makeAccount()
    const before = await observer.snapshot()
    for (const junk of [
      "*",
      ">",
      "x",
      user.hex.toUpperCase(),
      user.hex.slice(1),
      `${user.hex}0`,
      "kez.inbox",
      "%00",
      "é"
    ]) {
      const block = headerBlock(`Kez-Id: ${kezId()}`)
      const subject = `kez.inbox.${junk}`
      if (junk === ">" || junk.includes(".")) {
        user.client.publish(subject, "x", { header: block })
        await user.client.fence()
      } else {
        expect([junk, (await user.client.request(subject, "x", block)).payload.toString()]).toEqual([
          junk,
          refusal("bad")
        ])
      }
    }
    expect(await send(user, other.hex)).toBe(refusal("unknown"))
    expect(await observer.snapshot()).toEqual(before)
    user.client.close()
  })

  it("refuses a missing, malformed or double Kez-Id", async () => {
    const user = await login()
    const id = kezId()
    const blocks = [
      undefined,
      headerBlock("Other: x"),
      headerBlock("Kez-Id:"),
      headerBlock(`Kez-Id: ${id.slice(1)}`),
      headerBlock(`Kez-Id: ${id}A`),
      headerBlock(`Kez-Id: ${id.slice(1)}=`),
      headerBlock(`Kez-Id: ${id.slice(1)}.`),
      headerBlock(`kez-id: ${id}`),
      headerBlock(`Kez-Id: ${id}`, `Kez-Id: ${kezId()}`)
    ]
    for (const block of blocks) {
      const answer = await user.client.request(`kez.inbox.${user.hex}`, "x", block)
      expect([block, answer.payload.toString()]).toEqual([block, refusal("bad")])
    }
    expect(await observer.stored(user.hex)).toEqual([])
    user.client.close()
  })

  it("KEZ-NAT-012 serves a revoked key no more, even before its connection is closed", async () => {
    const [user, other] = [await login(), await login()]
    broker.unregister(user.hex)
    expect(await send(user, other.hex)).toBe(refusal("bad"))
    const request = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
    expect((await user.client.request(`kez.fetch.${user.hex}`, request)).payload.toString()).toBe(refusal("bad"))
    expect(await send(other, user.hex)).toBe(refusal("unknown"))
    user.client.close()
    other.client.close()
  })

  it("stores nothing of a send that asks for no answer", async () => {
    const user = await login()
    user.client.publish(`kez.inbox.${user.hex}`, "x", { header: headerBlock(`Kez-Id: ${kezId()}`) })
    await user.client.fence()
    expect(await send(user, user.hex, "after")).toBe(okay)
    expect((await observer.stored(user.hex)).map(({ payload }) => payload.toString())).toEqual(["after"])
    user.client.close()
  })

  it("KEZ-NAT-051 ends a connection with a message larger than a frame and its headers", async () => {
    const user = await login()
    user.client.publish(`kez.inbox.${user.hex}`, Buffer.alloc(66_560), { header: headerBlock(`Kez-Id: ${kezId()}`) })
    await user.client.closed
    expect(user.client.errors.join()).toMatch(/Maximum Payload/)
  })

  it("KEZ-NAT-043 ends a connection with a control line over the limit", async () => {
    const user = await login()
    user.client.write(`PUB kez.inbox.${"a".repeat(2000)} 1\r\nx\r\n`)
    await user.client.closed
    expect(user.client.errors.join()).toMatch(/Maximum Control Line/i)
    const early = await openRaw({ kind, port: portOf(broker, kind) })
    early.write(`CONNECT {"name":"${"a".repeat(5000)}"}\r\n`)
    await early.closed
  })

  it("KEZ-NAT-043 gives a connection so many subscriptions and no more", async () => {
    const user = await login()
    for (let i = 0; i < 40 && !user.client.isClosed(); i++) await user.client.subscribe(`_INBOX_${user.hex}.s${i}`)
    expect(user.client.errors.join()).toMatch(/maximum subscriptions exceeded/i)
    user.client.close()
  })

  it("KEZ-NAT-032 KEZ-NAT-046 answers a fetch request that is no such request with bad", async () => {
    const user = await login()
    const requests = [
      "",
      "null",
      "[]",
      "{}",
      "{",
      '{"after":0}',
      '{"after":-1,"n":"AAAAAAAAAAAAAAAAAAAAAA"}',
      '{"after":1.5,"n":"AAAAAAAAAAAAAAAAAAAAAA"}',
      '{"after":"0","n":"AAAAAAAAAAAAAAAAAAAAAA"}',
      '{"after":0,"n":"AAAAAAAAAAAAAAAAAAAAA"}',
      '{"after":0,"n":"AAAAAAAAAAAAAAAAAAAAAA","epoch":"x"}',
      '{"after":0,"after":1,"n":"AAAAAAAAAAAAAAAAAAAAAA"}',
      `{"after":0,"n":"AAAAAAAAAAAAAAAAAAAAAA","x":"${"x".repeat(600)}"}`,
      Buffer.alloc(1000, 0xff)
    ]
    for (const request of requests) {
      const answer = await user.client.request(`kez.fetch.${user.hex}`, request)
      expect([String(request), answer.payload.toString()]).toEqual([String(request), refusal("bad")])
    }
    const beyond = `{"after":9007199254740991,"n":"AAAAAAAAAAAAAAAAAAAAAA","pk":"${"0".repeat(64)}"}`
    expect((await user.client.request(`kez.fetch.${user.hex}`, beyond)).payload[0]).toBe(1)
    user.client.close()
  })

  it("KEZ-NAT-033 reads few pages of one account at a time, and a slow reader costs nobody else anything", async () => {
    const reader = await login()
    for (let i = 0; i < 40; i++) expect(await send(reader, reader.hex, new Uint8Array(65_000))).toBe(okay)
    const request = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
    const burst = await Promise.all(
      Array.from({ length: 20 }, () => reader.client.request(`kez.fetch.${reader.hex}`, request))
    )
    const answers = burst.map(({ payload }) => (payload[0] === 1 ? "page" : payload.toString()))
    expect(new Set(answers)).toEqual(new Set(["page", refusal("slow")]))
    expect(answers.filter((answer) => answer === "page").length).toBeLessThan(20)
    if (kind === "tcp") {
      await reader.client.subscribe(`_INBOX_${reader.hex}.slow`)
      reader.client.pause()
      const other = await login()
      const varz = async () =>
        (await (await fetch(`http://127.0.0.1:${broker.nodes[0]!.monitoringPort}/varz`)).json()) as {
          slow_consumers: number
        }
      await until("the slow reader was dropped", async () => {
        reader.client.publish(`kez.fetch.${reader.hex}`, request, { reply: `_INBOX_${reader.hex}.slow` })
        expect(await send(other, other.hex)).toBe(okay)
        return (await varz()).slow_consumers > 0
      })
      other.client.close()
    }
    reader.client.close()
  })
})

describe("quotas", () => {
  let broker: TestBroker
  const limits = { inboxBytes: 800_000, selfBytes: 40_000, sendBytesPerDay: 400_000, selfBytesPerDay: 15_000 }
  const login = (account?: Account) => loginRaw(broker, "tcp", account)
  beforeAll(async () => {
    broker = await startTestBroker({ limits })
  })
  afterAll(() => broker.stop())

  const sendMany = async (from: RawUser, to: string, count: number, bytes: number): Promise<Array<string>> => {
    const answers: Array<string> = []
    for (let i = 0; i < count; i++) answers.push(await send(from, to, new Uint8Array(bytes)))
    return answers
  }
  const slow = () => {
    const midnight = new Date((Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000)
    return JSON.stringify({ e: "slow", at: midnight.toISOString().replace(".000", "") })
  }
  /** Two accounts, the first of which has written to the second. */
  const friends = async (): Promise<[RawUser, RawUser]> => {
    const [person, friend] = [await login(), await login()]
    expect(await send(person, friend.hex)).toBe(okay)
    return [person, friend]
  }

  it("KEZ-LIM-010 takes little from a stranger, and more once the addressee has written back", async () => {
    const [stranger, person] = [await login(), await login()]
    expect(await sendMany(stranger, person.hex, 3, 8_000)).toEqual([okay, okay, slow()])
    expect(await send(person, stranger.hex)).toBe(okay)
    expect(await sendMany(stranger, person.hex, 3, 33_000)).toEqual([okay, okay, okay])
    expect(await send(stranger, person.hex, new Uint8Array(33_000))).toBe(slow())
  })

  it("KEZ-LIM-010 lets 25 strangers use up their share of the day; a friend still gets through", async () => {
    const [person, friend] = await friends()
    const answers: Array<string> = []
    for (let i = 0; i < 25; i++) answers.push(...(await sendMany(await login(), person.hex, 2, 8_000)))
    expect(answers.filter((answer) => answer === okay)).toHaveLength(8)
    expect(answers.slice(8)).toEqual(Array.from({ length: 42 }, slow))
    expect(await send(friend, person.hex, new Uint8Array(60_000))).toBe(okay)
  })

  it("KEZ-LIM-011 bounds one known sender; another still gets through", async () => {
    const [person, friend] = await friends()
    const other = await login()
    expect(await send(person, other.hex)).toBe(okay)
    expect(await sendMany(friend, person.hex, 3, 48_000)).toEqual([okay, okay, slow()])
    expect(await send(other, person.hex, new Uint8Array(48_000))).toBe(okay)
  })

  it("KEZ-NAT-029 refuses mail for an inbox without room and keeps what is in it; own copies go on", async () => {
    const person = await login()
    const answers: Array<string> = []
    for (let i = 0; i < 14; i++) {
      const sender = await login()
      expect(await send(person, sender.hex)).toBe(okay)
      answers.push(...(await sendMany(sender, person.hex, 2, 50_000)))
    }
    const stored = answers.filter((answer) => answer === okay).length
    expect(answers.at(-1)).toBe(refusal("full"))
    const observer = await observe(broker)
    expect(await observer.stored(person.hex)).toHaveLength(stored)
    await observer.close()
    expect(stored * 50_000).toBeLessThan(limits.inboxBytes)
    expect(stored * 50_000).toBeGreaterThan(limits.inboxBytes * 0.8)
    expect(await send(person, person.hex, new Uint8Array(9_000))).toBe(okay)
    const sender = await login()
    expect(await send(person, sender.hex)).toBe(okay)
  })

  it("takes so many bytes a day from one sender", async () => {
    const sender = await login()
    const answers: Array<string> = []
    for (let i = 0; i < 7; i++) answers.push(await send(sender, (await login()).hex, new Uint8Array(60_000)))
    expect(answers).toEqual([okay, okay, okay, okay, okay, okay, slow()])
  })

  it("counts own copies apart, by day and in all", async () => {
    const user = await login()
    expect(await sendMany(user, user.hex, 3, 7_000)).toEqual([okay, okay, slow()])
    expect(await send(await login(), user.hex, new Uint8Array(9_000))).toBe(okay)
  })

  it("charges nothing for a repetition and nothing for what was refused", async () => {
    const [sender, person] = [await login(), await login()]
    const id = kezId()
    for (let i = 0; i < 8; i++) expect(await send(sender, person.hex, new Uint8Array(8_000), id)).toBe(okay)
    expect(await send(sender, person.hex, new Uint8Array(65_537))).toBe(refusal("size"))
    expect(await sendMany(sender, person.hex, 2, 8_000)).toEqual([okay, slow()])
  })

  it("remembers its counts when chat-server is stopped and started", async () => {
    const [sender, person] = [await login(), await login()]
    expect(await sendMany(sender, person.hex, 1, 9_000)).toEqual([okay])
    await broker.stopResponders()
    await broker.startResponders()
    await broker.ready()
    expect(await sendMany(sender, person.hex, 2, 7_000)).toEqual([okay, slow()])
  })

  it("gives a purged account its room back and empties its inbox", async () => {
    const [person, friend] = await friends()
    expect(await sendMany(friend, person.hex, 2, 50_000)).toEqual([okay, okay])
    for (let i = 0; i < 4; i++) await sendMany(await login(), person.hex, 2, 8_000)
    expect(await send(await login(), person.hex, new Uint8Array(9_000))).toBe(slow())
    const observer = await observe(broker)
    expect(await observer.stored(person.hex)).toHaveLength(10)
    await broker.purge(person.hex)
    expect(await observer.stored(person.hex)).toEqual([])
    await observer.close()
    expect(await send(await login(), person.hex, new Uint8Array(9_000))).toBe(okay)
  })
})

describe("a full stream", () => {
  it("KEZ-NAT-029 answers full at the most frames of one inbox, and serves the others", async () => {
    const broker = await startTestBroker({ limits: { maxFrames: 3 } })
    try {
      const [user, other] = [await loginRaw(broker, "tcp"), await loginRaw(broker, "tcp")]
      const answers: Array<string> = []
      for (let i = 0; i < 5; i++) answers.push(await send(user, user.hex))
      expect(answers).toEqual([okay, okay, okay, refusal("full"), refusal("full")])
      expect(await send(user, other.hex)).toBe(okay)
      expect(await send(other, other.hex)).toBe(okay)
    } finally {
      await broker.stop()
    }
  })

  it("answers full when the whole stream holds all it may, and loses nothing", async () => {
    const broker = await startTestBroker({
      inboxBytes: 1024 ** 2,
      limits: { selfBytes: 1024 ** 3, selfBytesPerDay: 1024 ** 3 }
    })
    try {
      const user = await loginRaw(broker, "tcp")
      let stored = 0
      let answer = okay
      while (answer === okay) {
        answer = await send(user, user.hex, new Uint8Array(60_000))
        if (answer === okay) stored += 1
      }
      expect(answer).toBe(refusal("full"))
      const observer = await observe(broker)
      expect(await observer.stored(user.hex)).toHaveLength(stored)
      await observer.close()
    } finally {
      await broker.stop()
    }
  })
})
