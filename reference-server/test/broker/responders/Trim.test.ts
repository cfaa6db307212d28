import { Block, Page, Trim } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import type { NatsConnection } from "@nats-io/nats-core"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import * as InboxStream from "../../../src/broker/stream/InboxStream.ts"
import { kezId, makeAccount } from "../../kits/Account.ts"
import { observe } from "../../kits/Observer.ts"
import { headerBlock, openRaw } from "../../kits/RawClient.ts"
import { loginRaw, sendRaw } from "../../kits/RawUser.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"
import { trimAttacks } from "../../kits/TrimAttacks.ts"

const okay = '{"ok":1}'

describe("one server", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker()
  })
  afterAll(() => broker.stop())
  trimAttacks("trim and block over tcp", "tcp", () => broker)
  trimAttacks("trim and block over websocket", "websocket", () => broker)

  it("KEZ-NAT-123 does nothing for a key that handed its handle over, although its connection is still open", async () => {
    const [old, other, successor] = [await loginRaw(broker, "tcp"), await loginRaw(broker, "tcp"), makeAccount()]
    expect(await sendRaw(other.client, old.hex, "before")).toBe(okay)
    broker.handOver(old.hex, successor.hex)
    const ask = async (subject: string, request: Uint8Array) =>
      (await old.client.request(`kez.${subject}.${old.hex}`, request)).payload.toString()
    const nonce = randomBytes(16)
    expect(await sendRaw(old.client, other.hex, "after")).toBe('{"e":"retry"}')
    expect(await sendRaw(old.client, old.hex, "after")).toBe('{"e":"retry"}')
    expect(await ask("trim", Trim.encodeRequest({ box: "inbox", nonce }))).toBe('{"e":"bad"}')
    expect(await ask("block", Block.encodeRequest({ op: "add", who: other.hex, nonce }))).toBe('{"e":"bad"}')
    expect(await ask("fetch", Page.encodeRequest({ after: 0, nonce }))).toContain("before")
    expect(await sendRaw(other.client, old.hex, "after")).toBe('{"e":"moved"}')
    for (const { client } of [old, other]) client.close()
  })
})

describe("a purge for one account", () => {
  it.effect("KEZ-NAT-058 is never sent with an empty, wide or foreign filter, nor without a number", () => {
    const sent: Array<unknown> = []
    const connection = {
      request: (subject: string, payload: string) => {
        sent.push([subject, JSON.parse(payload)])
        return Promise.resolve({ json: () => ({ success: true }) })
      }
    } as unknown as NatsConnection
    const key = "ab".repeat(32)
    const wrong: ReadonlyArray<readonly [unknown, unknown, unknown]> = [
      ["inbox", "", 1],
      ["inbox", "*", 1],
      ["inbox", ">", 1],
      ["inbox", key.toUpperCase(), 1],
      ["inbox", `${key}.x`, 1],
      ["inbox", undefined, 1],
      ["", key, 1],
      ["*", key, 1],
      ["dlv", key, 1],
      [undefined, key, 1],
      ["inbox", key, 0],
      ["inbox", key, -1],
      ["inbox", key, 1.5],
      ["inbox", key, Number.NaN],
      ["inbox", key, undefined],
      ["inbox", key, "1"],
      ["inbox", key, Number.MAX_SAFE_INTEGER + 1]
    ]
    return Effect.gen(function* () {
      for (const [box, hex, upTo] of wrong) {
        const exit = yield* Effect.exit(InboxStream.trim(connection, box as "inbox", hex as string, upTo as number))
        expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBeInstanceOf(RangeError)
      }
      expect(sent).toEqual([])
      yield* InboxStream.trim(connection, "self", key, 7)
      expect(sent).toEqual([["$JS.API.STREAM.PURGE.KEZ_INBOX", { filter: `kez.self.${key}`, seq: 8 }]])
    })
  })
})

describe("a nats.conf of a version without trim and block", () => {
  it("goes on serving mail, and trim and block find nobody there", async () => {
    const conf = (text: string) =>
      text
        .replace(', "kez.trim.*", "kez.block.*"', "")
        .split("\n")
        .filter((line) => !/kez\.(trim|block)\.\*/.test(line))
        .join("\n")
    const broker = await startTestBroker({ conf })
    try {
      const account = makeAccount()
      broker.register(account.hex)
      const client = await openRaw({ kind: "tcp", port: broker.nodes[0]!.tcpPort })
      expect(await client.login(account)).toBeUndefined()
      const request = Trim.encodeRequest({ box: "inbox", nonce: randomBytes(16) })
      expect((await client.request(`kez.trim.${account.hex}`, request)).header).toMatch(/^NATS\/1.0 503/)
      for (let i = 0; i < 3; i++) {
        const sent = await client.request(`kez.inbox.${account.hex}`, "x", headerBlock(`Kez-Id: ${kezId()}`))
        expect(sent.payload.toString()).toBe(okay)
      }
      const page = Page.encodeRequest({ after: 0, nonce: randomBytes(16) })
      expect((await client.request(`kez.fetch.${account.hex}`, page)).payload[0]).toBe(1)
      expect((await broker.status()).ready).toBe(true)
      client.close()
    } finally {
      await broker.stop()
    }
  })
})

describe("a stream that holds all it may", () => {
  it("KEZ-NAT-063 answers blocked senders as it answers others", async () => {
    const broker = await startTestBroker({
      inboxBytes: 1024 ** 2,
      limits: { selfBytes: 1024 ** 3, selfBytesPerDay: 1024 ** 3 }
    })
    try {
      const login = async () => {
        const account = makeAccount()
        broker.register(account.hex)
        const client = await openRaw({ kind: "tcp", port: broker.nodes[0]!.tcpPort })
        expect(await client.login(account)).toBeUndefined()
        return { client, hex: account.hex }
      }
      const [person, sender, other] = [await login(), await login(), await login()]
      const send = async ({ client }: typeof person, to: string) =>
        (
          await client.request(`kez.inbox.${to}`, new Uint8Array(30_000), headerBlock(`Kez-Id: ${kezId()}`))
        ).payload.toString()
      const nonce = randomBytes(16)
      const blocking = Block.encodeRequest({ op: "add", who: sender.hex, nonce })
      expect(Block.isDone((await person.client.request(`kez.block.${person.hex}`, blocking)).payload, nonce)).toBe(true)
      while ((await send(other, other.hex)) === okay);
      await until("the home has noticed", async () => {
        const { bytes } = (await broker.status()).streams[0]!
        return bytes + 30_000 > 1024 ** 2
      })
      expect(await send(other, person.hex)).toBe('{"e":"full"}')
      expect(await send(sender, person.hex)).toBe('{"e":"full"}')
      for (const { client } of [person, sender, other]) client.close()
    } finally {
      await broker.stop()
    }
  })
})

describe("trim, block and quotas", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ limits: { inboxBytes: 800_000 } })
  })
  afterAll(() => broker.stop())

  const login = async () => {
    const account = makeAccount()
    broker.register(account.hex)
    const client = await openRaw({ kind: "tcp", port: broker.nodes[0]!.tcpPort })
    expect(await client.login(account)).toBeUndefined()
    const send = async (hex: string, bytes: number) =>
      (
        await client.request(`kez.inbox.${hex}`, new Uint8Array(bytes), headerBlock(`Kez-Id: ${kezId()}`))
      ).payload.toString()
    return { client, hex: account.hex, send }
  }
  type User = Awaited<ReturnType<typeof login>>
  const trim = async ({ client, hex }: User, upTo?: number, epoch?: string) => {
    const nonce = randomBytes(16)
    const remove = upTo === undefined || epoch === undefined ? {} : { remove: { upTo, epoch } }
    const { payload } = await client.request(`kez.trim.${hex}`, Trim.encodeRequest({ box: "inbox", nonce, ...remove }))
    return Trim.decodeAnswer(payload, nonce) ?? payload.toString()
  }
  const block = async ({ client, hex }: User, op: Block.Request["op"], who: string) => {
    const nonce = randomBytes(16)
    const { payload } = await client.request(`kez.block.${hex}`, Block.encodeRequest({ op, who, nonce }))
    return Block.isDone(payload, nonce) ? "done" : payload.toString()
  }
  const lastSeq = async () => {
    const observer = await observe(broker)
    const { last_seq } = await observer.snapshotFor("00")
    await observer.close()
    return last_seq
  }

  it("KEZ-LIM-014 makes room again in a full inbox, and lifts nobody's own share", async () => {
    const person = await login()
    const friends: Array<User> = []
    let answer = okay
    while (answer === okay) {
      const friend = await login()
      friends.push(friend)
      expect(await person.send(friend.hex, 600)).toBe(okay)
      for (let i = 0; i < 2 && answer === okay; i++) answer = await friend.send(person.hex, 50_000)
    }
    expect(answer).toBe('{"e":"full"}')
    const report = (await trim(person)) as Trim.Report
    expect(report.used).toBeGreaterThan(600_000)
    const trimmed = (await trim(person, await lastSeq(), report.epoch)) as Trim.Report
    expect(trimmed).toEqual({ epoch: report.epoch, used: 0, limit: 800_000, strangers: { used: 0, limit: 100_000 } })
    expect(await friends.at(-1)!.send(person.hex, 50_000)).toBe(okay)
    expect(await friends[0]!.send(person.hex, 50_000)).toContain('"slow"')
  })

  it("KEZ-NAT-060 shares the minute, and block lists, with other instances and over a restart", async () => {
    const [person, sender] = [await login(), await login()]
    const report = (await trim(person)) as Trim.Report
    expect(await block(person, "add", sender.hex)).toBe("done")
    expect(await trim(person, await lastSeq(), report.epoch)).toMatchObject({ used: 0 })
    await broker.stopResponders()
    await broker.startResponders()
    await broker.ready()
    expect(await trim(person, await lastSeq(), report.epoch)).toContain('"slow"')
    expect(await sender.send(person.hex, 600)).toBe(okay)
    expect(await trim(person)).toMatchObject({ used: 0 })
    const another = await broker.startAnother()
    for (let i = 0; i < 8; i++) expect(await sender.send(person.hex, 600)).toBe(okay)
    expect(await trim(person)).toMatchObject({ used: 0 })
    await another.stop()
  })

  it("KEZ-NAT-064 keeps block lists as keyed hashes, and forgets that of an account that is gone", async () => {
    const [person, sender] = [await login(), await login()]
    expect(await block(person, "add", sender.hex)).toBe("done")
    await broker.purge(person.hex)
    expect(await sender.send(person.hex, 600)).toBe(okay)
    expect(await trim(person)).toMatchObject({ used: 600 })
  })
})
