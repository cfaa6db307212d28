/** Attacks on what is stored, as a suite: steered answers and hostile headers, for one port of one broker. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Page } from "@kez-chat/sdk/protocol"
import { createHash, randomBytes } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { kezId } from "./Account.ts"
import { observe, type Observer, type Snapshot } from "./Observer.ts"
import { headerBlock, type Port } from "./RawClient.ts"
import { loginRaw, sendRaw } from "./RawUser.ts"
import { type TestBroker, until } from "./TestBroker.ts"
import { partitionOf } from "../../src/broker/stream/Partitions.ts"

const okay = '{"ok":1}'

/** What nobody but an account that sends changes. In a stream that is idle chat-server stores a frame and removes it. */
const unchanged = ({ config, consumer_count, messages }: Snapshot, added: number) => ({
  config,
  consumer_count,
  messages: messages + added
})

/** Registers the suite; `broker` is asked for when the tests run. */
export const storageAttacks = (name: string, kind: Port, broker: () => TestBroker): void => {
  describe(name, () => {
    let observer: Observer
    beforeAll(async () => {
      observer = await observe(broker())
    })
    afterAll(() => observer.close())

    const login = async () => {
      const user = await loginRaw(broker(), kind)
      await user.client.subscribe(`kez.dlv.${user.hex}`)
      return user
    }
    const fetchRequest = () => Page.encodeRequest({ after: 0, nonce: randomBytes(16) })

    it("KEZ-NAT-018 changes and reveals nothing by steering answers of sends and fetches", async () => {
      const [attacker, victim, friend] = [await login(), await login(), await login()]
      expect(await sendRaw(friend.client, victim.hex, "for the victim")).toBe(okay)
      await until("the victim heard it", () => victim.client.messages.length === 1)
      victim.client.messages.length = 0
      const steered = [
        "$JS.API.STREAM.DELETE.KEZ_INBOX",
        "$JS.API.STREAM.PURGE.KEZ_INBOX",
        "$JS.API.STREAM.UPDATE.KEZ_INBOX",
        "$JS.API.STREAM.CREATE.EVIL",
        "$JS.API.STREAM.MSG.DELETE.KEZ_INBOX",
        "$JS.API.CONSUMER.CREATE.KEZ_INBOX",
        "$JS.API.STREAM.LEADER.STEPDOWN.KEZ_INBOX",
        "$JS.API.ACCOUNT.PURGE.KEZ",
        "$SYS.REQ.USER.AUTH",
        "$SYS.REQ.SERVER.PING",
        `$SYS.REQ.SERVER.${String(attacker.client.info.server_id)}.KICK`,
        `kez.inbox.${victim.hex}`,
        `kez.self.${victim.hex}`,
        `kez.send.${victim.hex}`,
        `kez.fetch.${victim.hex}`,
        `kez.dlv.${victim.hex}`,
        `_INBOX_${victim.hex}.steered`,
        "_INBOX_ing.steered",
        "_INBOX_reg.steered",
        "_INBOX_sys.steered",
        "_R_.steered"
      ]
      await victim.client.subscribe(`_INBOX_${victim.hex}.>`)
      const before = await observer.snapshot()
      const fetches = (await broker().status()).fetches.pages
      for (const reply of steered) {
        attacker.client.publish(`kez.fetch.${attacker.hex}`, fetchRequest(), { reply })
        // A send that is refused: its answer is steered as well, and stores nothing.
        attacker.client.publish(`kez.inbox.${victim.hex}`, "x", { reply })
        await attacker.client.fence()
      }
      expect(attacker.client.isClosed()).toBe(false)
      await until("all fetches were handled", async () => (await broker().status()).fetches.pages > fetches)
      expect(await sendRaw(attacker.client, attacker.hex, "still served")).toBe(okay)
      // One own copy was stored since; the rest is as it was.
      const own = partitionOf(attacker.hex, before.length)
      const wanted = before.map((stream, i) => unchanged(stream, i === own ? 1 : 0))
      const now = async () => (await observer.snapshot()).map((stream) => unchanged(stream, 0))
      await until("a frame of chat-server's own is gone", async () => isDeepStrictEqual(await now(), wanted)).catch(
        () => undefined
      )
      expect(await now()).toEqual(wanted)
      // What reached the victim bears none of the stream's headers, so no client takes it.
      await victim.client.fence()
      for (const message of victim.client.messages) {
        expect(message.header).not.toMatch(/Nats-Stream|Nats-Subject|Nats-Sequence/i)
      }
      expect((await observer.stored(victim.hex)).map(({ payload }) => payload.toString())).toEqual(["for the victim"])
      for (const { client } of [attacker, victim, friend]) client.close()
    })

    const hostile: ReadonlyArray<[string, string]> = [
      ["Nats-Expected-Last-Msg-Id", "zz"],
      ["Nats-Expected-Last-Sequence", "0"],
      ["Nats-Expected-Last-Subject-Sequence", "0"],
      ["Nats-Expected-Last-Subject-Sequence-Subject", "kez.inbox.*"],
      ["Nats-Expected-Stream", "OTHER"],
      ["Nats-Msg-Id", "mine"],
      ["Nats-Rollup", "all"],
      ["Nats-Rollup", "sub"],
      ["Nats-TTL", "1s"],
      ["Nats-Marker-Reason", "MaxAge"],
      ["Nats-Stream", "KEZ_INBOX"],
      ["Nats-Subject", "kez.inbox.forged"],
      ["Nats-Sequence", "999999999"],
      ["Nats-Last-Sequence", "999999999"],
      ["Nats-Time-Stamp", "1970-01-01T00:00:00Z"],
      ["Nats-Num-Pending", "5"],
      ["Nats-Trace-Only", "true"],
      ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
      ["Nats-Schedule", "@every 1s"],
      ["Nats-Schedule-Target", "kez.inbox.x"],
      ["Nats-Schedule-TTL", "1h"],
      ["Nats-Incr", "+1"],
      ["Nats-Batch-Id", "uuid"],
      ["Nats-Batch-Sequence", "1"],
      ["Nats-Batch-Commit", "1"],
      ["Nats-Required-Api-Level", "99"],
      ["Nats-Stream-Source", "KEZ_INBOX 1 > >"],
      ["Nats-Server-Xkey", "XAAA"],
      ["Nats-Response-Type", "scheduled"],
      ["Status", "503"],
      ["Kez-Other", "\u00ff\u00fe"]
    ]

    it.each(hostile)("KEZ-NAT-020 stores nothing of the header %s: %s", async (header, value) => {
      const [attacker, victim] = [await login(), await login()]
      const block = headerBlock(`Kez-Id: ${kezId()}`, `${header}: ${value}`)
      const answer = await attacker.client.request(`kez.inbox.${victim.hex}`, header, block)
      expect(answer.payload.toString()).toBe(okay)
      await until("the victim hears it", () => victim.client.messages.length === 1)
      const stored = await observer.stored(victim.hex)
      expect(stored.map(({ payload }) => payload.toString())).toEqual([header])
      expect(stored[0]!.headers.map(([name]) => name)).toEqual(["Nats-Msg-Id"])
      expect(stored[0]!.headers[0]![1]).not.toContain("mine")
      const delivered = victim.client.messages[0]!.header
      expect(delivered).toContain(`Nats-Subject: kez.inbox.${victim.hex}`)
      expect(delivered.match(/Nats-Sequence:/g)).toHaveLength(1)
      expect(delivered).not.toContain("999999999")
      attacker.client.close()
      victim.client.close()
    })

    it("KEZ-NAT-017 has no message traced to where the sender may not publish, nor anything stored by a trace", async () => {
      const [attacker, victim] = [await login(), await login()]
      const trace = (to: string) => headerBlock(`Kez-Id: ${kezId()}`, `Nats-Trace-Dest: ${to}`)
      const forbidden = [
        "trace.here",
        `kez.dlv.${victim.hex}`,
        `_INBOX_${victim.hex}.x`,
        "$JS.API.STREAM.DELETE.KEZ_INBOX"
      ]
      for (const to of forbidden) {
        attacker.client.publish(`kez.inbox.${victim.hex}`, "x", {
          header: trace(to),
          reply: `_INBOX_${attacker.hex}.t`
        })
      }
      await attacker.client.fence()
      expect(attacker.client.errors).toHaveLength(forbidden.length)
      const answer = await attacker.client.request(
        `kez.inbox.${victim.hex}`,
        "traced",
        trace(`kez.inbox.${victim.hex}`)
      )
      expect(answer.payload.toString()).toBe(okay)
      expect(await sendRaw(attacker.client, victim.hex, "after")).toBe(okay)
      const stored = await observer.stored(victim.hex)
      expect(stored.map(({ payload }) => payload.toString())).toEqual(["traced", "after"])
      attacker.client.close()
      victim.client.close()
    })

    it("KEZ-NAT-024 KEZ-NAT-025 takes the sender from the broker alone", async () => {
      const [attacker, victim] = [await login(), await login()]
      const forged = JSON.stringify({ acc: "CHAT", user: victim.hex, rtt: 1 })
      const spellings = ["Nats-Request-Info", "nats-request-info", "NATS-REQUEST-INFO", "Nats-Request-Info "]
      for (const spelling of spellings) {
        // As the victim's own copy it would land on kez.self, outside the limits of the inbox.
        const block = headerBlock(`Kez-Id: ${kezId()}`, `${spelling}: ${forged}`)
        await attacker.client.request(`kez.inbox.${victim.hex}`, "x", block)
      }
      const lines = Array.from({ length: 3 }, () => `Nats-Request-Info: ${forged}`)
      await attacker.client.request(
        `kez.inbox.${victim.hex}`,
        "x",
        headerBlock(...lines, `Kez-Id: ${kezId()}`, ...lines)
      )
      const stored = await observer.stored(victim.hex)
      expect(new Set(stored.map(({ subject }) => subject))).toEqual(new Set([`kez.inbox.${victim.hex}`]))
      expect(await sendRaw(victim.client, victim.hex, "own copy")).toBe(okay)
      expect((await observer.stored(victim.hex)).at(-1)!.subject).toBe(`kez.self.${victim.hex}`)
      attacker.client.close()
      victim.client.close()
    })

    it("KEZ-NAT-020 takes status lines and malformed header blocks for what they are", async () => {
      const [attacker, victim] = [await login(), await login()]
      const id = () => `Kez-Id: ${kezId()}`
      const blocks = [
        `NATS/1.0 503\r\n${id()}\r\n\r\n`,
        `NATS/1.0 100 Idle Heartbeat\r\n${id()}\r\n\r\n`,
        `NATS/1.0 404 No Messages\r\n\r\n`,
        `NATS/1.0\r\n${id()}\r\nNats-Msg-Id: a\r\n b\r\n\r\n`,
        `NATS/1.0\r\n\r\n${id()}\r\n\r\n`,
        `NATS/9.9\r\n${id()}\r\n\r\n`,
        `${id()}\r\n\r\n`,
        `NATS/1.0\r\n: novalue\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\n${"A".repeat(5000)}: x\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\n${id()}\r\n${id()}\r\n\r\n`,
        `NATS/1.0\r\nKez-Id: ${kezId()}\nNats-Rollup: all\r\n\r\n`,
        "\r\n\r\n",
        "NATS/1.0"
      ]
      for (const block of blocks) {
        const { client } = await login()
        client.publish(`kez.inbox.${victim.hex}`, "x", { header: block, reply: `_INBOX_${attacker.hex}.none` })
        await client.fence()
        client.close()
      }
      expect(await sendRaw(attacker.client, victim.hex, "after")).toBe(okay)
      const stored = await observer.stored(victim.hex)
      expect(stored.at(-1)!.payload.toString()).toBe("after")
      for (const { headers } of stored) expect(headers.map(([name]) => name)).toEqual(["Nats-Msg-Id"])
      attacker.client.close()
      victim.client.close()
    })

    it("KEZ-NAT-021 KEZ-NAT-022 stores a repeated send once, and a Kez-Id means nothing to another inbox", async () => {
      const [sender, one, two] = [await login(), await login(), await login()]
      const id = kezId()
      const block = headerBlock(`Kez-Id: ${id}`)
      for (let i = 0; i < 3; i++) {
        const answer = await sender.client.request(`kez.inbox.${one.hex}`, "same", block)
        expect(answer.payload.toString()).toBe(okay)
      }
      const other = await sender.client.request(`kez.inbox.${two.hex}`, "other", block)
      expect(other.payload.toString()).toBe(okay)
      expect(await observer.stored(one.hex)).toHaveLength(1)
      expect(await observer.stored(two.hex)).toHaveLength(1)
      await until("both heard theirs", () => one.client.messages.length === 1 && two.client.messages.length === 1)
      for (const { client } of [sender, one, two]) client.close()
    })

    it("KEZ-NAT-048 lets nobody suppress a frame by its Kez-Id, nor tell from what is stored who sent it", async () => {
      const [attacker, sender, victim] = [await login(), await login(), await login()]
      const id = kezId()
      const block = headerBlock(`Kez-Id: ${id}`)
      for (const payload of ["spoiled", "spoiled again"]) {
        const spoiled = await attacker.client.request(`kez.inbox.${victim.hex}`, payload, block)
        expect(spoiled.payload.toString()).toBe(okay)
      }
      const sent = await sender.client.request(`kez.inbox.${victim.hex}`, "the message", block)
      expect(sent.payload.toString()).toBe(okay)
      const stored = await observer.stored(victim.hex)
      expect(stored.map(({ payload }) => payload.toString())).toEqual(["spoiled", "the message"])
      const ids = stored.map(({ headers }) => headers[0]![1])
      expect(new Set(ids).size).toBe(2)
      for (const stored of ids) {
        expect(stored).toMatch(/^[A-Za-z0-9_-]{22}$/)
        for (const known of [id, attacker.hex, sender.hex, victim.hex]) {
          expect(stored).not.toContain(known.slice(0, 8))
          // Not a hash that somebody without the server's key could make from what they know.
          for (const input of [sender.hex + victim.hex + id, victim.hex + id, sender.hex + id]) {
            expect(createHash("sha256").update(input).digest("base64url")).not.toContain(stored)
          }
        }
      }
      await until("both frames arrived", () => victim.client.messages.length === 2)
      for (const message of victim.client.messages) {
        expect(message.header).not.toContain(id)
        expect(message.header).not.toContain(sender.hex.slice(0, 8))
      }
      for (const { client } of [attacker, sender, victim]) client.close()
    })

    it("KEZ-NAT-023 never answers a send with a number", async () => {
      const [sender, recipient] = [await login(), await login()]
      const answers = new Set<string>()
      for (let i = 0; i < 5; i++) answers.add(await sendRaw(sender.client, recipient.hex))
      expect([...answers]).toEqual([okay])
      sender.client.close()
      recipient.client.close()
    })

    it("leaves every replica current and serving", async () => {
      await until("replicas are current", () => observer.healthy())
      const { client, hex } = await login()
      expect(await sendRaw(client, hex)).toBe(okay)
      client.close()
    })
  })
}
