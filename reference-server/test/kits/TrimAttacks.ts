/** What `kez.trim` and `kez.block` do and cannot be made to do, as a suite for one port of one broker. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Block, Trim } from "@kez-chat/sdk/protocol"
import { randomBytes } from "node:crypto"
import { kezId } from "./Account.ts"
import { observe, type Observer } from "./Observer.ts"
import { type Port, type RawClient } from "./RawClient.ts"
import { loginRaw, sendRaw } from "./RawUser.ts"
import { type TestBroker, until } from "./TestBroker.ts"

const okay = '{"ok":1}'
const bad = '{"e":"bad"}'

/** Registers the suite; `broker` is asked for when the tests run. */
export const trimAttacks = (name: string, kind: Port, broker: () => TestBroker): void => {
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
    const ask = async (
      { client, hex }: { client: RawClient; hex: string },
      box: Trim.Box,
      remove?: Trim.Request["remove"]
    ): Promise<Trim.Report | string> => {
      const nonce = randomBytes(16)
      const request = Trim.encodeRequest({ box, nonce, ...(remove === undefined ? {} : { remove }) })
      const { payload } = await client.request(`kez.trim.${hex}`, request)
      return Trim.decodeAnswer(payload, nonce) ?? payload.toString()
    }
    const epoch = async (user: { client: RawClient; hex: string }): Promise<string> => {
      const report = await ask(user, "inbox")
      if (typeof report === "string") throw new Error(report)
      return report.epoch
    }
    const block = async (user: { client: RawClient; hex: string }, op: Block.Request["op"], who: string) => {
      const nonce = randomBytes(16)
      const { payload } = await user.client.request(`kez.block.${user.hex}`, Block.encodeRequest({ op, who, nonce }))
      return Block.isDone(payload, nonce) ? "done" : payload.toString()
    }
    const texts = async (hex: string) => (await observer.stored(hex)).map(({ payload }) => payload.toString())

    it("KEZ-NAT-059 says how full an inbox is, and removes nothing when it is only asked", async () => {
      const [person, friend] = [await login(), await login()]
      expect(await ask(person, "inbox")).toMatchObject({ used: 0, limit: 33_554_432, strangers: { used: 0 } })
      expect(await sendRaw(friend.client, person.hex, new Uint8Array(2_000))).toBe(okay)
      expect(await sendRaw(person.client, person.hex, new Uint8Array(3_000))).toBe(okay)
      const inbox = await ask(person, "inbox")
      expect(inbox).toMatchObject({ used: 2_000, strangers: { used: 2_000, limit: 4_194_304 } })
      expect(Math.abs((inbox as Trim.Report).oldestMillis! - Date.now())).toBeLessThan(60_000)
      expect(await ask(person, "self")).toMatchObject({ used: 3_000 })
      expect(await observer.stored(person.hex)).toHaveLength(2)
      person.client.close()
      friend.client.close()
    })

    it("KEZ-NAT-058 removes an account's frames of one box up to a number, and nobody else's", async () => {
      const [person, friend, other] = [await login(), await login(), await login()]
      for (const text of ["one", "two", "three"]) {
        expect(await sendRaw(friend.client, person.hex, text)).toBe(okay)
        expect(await sendRaw(friend.client, other.hex, text)).toBe(okay)
        expect(await sendRaw(person.client, person.hex, `own ${text}`)).toBe(okay)
      }
      const frames = await observer.stored(person.hex)
      const two = frames.find(({ payload }) => payload.toString() === "two")!
      const report = await ask(person, "inbox", { upTo: two.seq, epoch: await epoch(person) })
      expect(report).toMatchObject({ epoch: await epoch(person) })
      expect(await texts(person.hex)).toEqual(["own one", "own two", "three", "own three"])
      expect(await texts(other.hex)).toEqual(["one", "two", "three"])
      for (const { client } of [person, friend, other]) client.close()
    })

    it("KEZ-NAT-058 keeps numbers and the recognition of repetitions; the next live frame shows no gap", async () => {
      const [person, friend] = [await login(), await login()]
      const id = kezId()
      expect(await sendRaw(friend.client, person.hex, "one", id)).toBe(okay)
      const { seq } = (await observer.stored(person.hex))[0]!
      expect(await ask(person, "inbox", { upTo: seq, epoch: await epoch(person) })).toMatchObject({
        used: 0,
        strangers: { used: 512 }
      })
      expect(await observer.stored(person.hex)).toEqual([])
      expect(await sendRaw(friend.client, person.hex, "one", id)).toBe(okay)
      expect(await observer.stored(person.hex)).toEqual([])
      expect(await sendRaw(friend.client, person.hex, "two")).toBe(okay)
      expect((await observer.stored(person.hex))[0]!.seq).toBeGreaterThan(seq)
      await until("both were heard", () => person.client.messages.length === 2)
      expect(person.client.messages[1]!.header).toContain("Nats-Last-Sequence: 0")
      person.client.close()
      friend.client.close()
    })

    it("KEZ-NAT-057 answers a false epoch or number with bad, and nothing is removed", async () => {
      const [person, friend] = [await login(), await login()]
      expect(await sendRaw(friend.client, person.hex, "kept")).toBe(okay)
      const real = await epoch(person)
      const snapshot = await observer.snapshotFor(person.hex)
      const upTo = snapshot.last_seq
      const n = randomBytes(16).toString("base64url")
      const lies: ReadonlyArray<unknown> = [
        { box: "inbox", upTo, epoch: randomBytes(16).toString("base64url"), n },
        { box: "inbox", upTo: upTo + 1_000_000, epoch: real, n },
        { box: "inbox", upTo: 0, epoch: real, n },
        { box: "inbox", upTo: -1, epoch: real, n },
        { box: "inbox", upTo: 1.5, epoch: real, n },
        { box: "inbox", upTo: `${upTo}`, epoch: real, n },
        { box: "inbox", upTo, n },
        { box: "inbox", upTo, epoch: real },
        { box: "*", upTo, epoch: real, n },
        { box: ">", upTo, epoch: real, n },
        { box: "", upTo, epoch: real, n },
        { box: "inbox.x", upTo, epoch: real, n },
        { upTo, epoch: real, n },
        [],
        null
      ]
      for (const lie of lies) {
        // Asking too often is another answer: each account may ask twenty times at once.
        const { payload } = await person.client.request(`kez.trim.${person.hex}`, JSON.stringify(lie))
        expect([lie, payload.toString()]).toEqual([lie, bad])
      }
      const huge = `{"box":"inbox","upTo":9007199254740993,"epoch":"${real}","n":"${n}"}`
      expect((await person.client.request(`kez.trim.${person.hex}`, huge)).payload.toString()).toBe(bad)
      expect(await observer.snapshotFor(person.hex)).toEqual(snapshot)
      expect(await ask(person, "inbox", { upTo, epoch: real })).toMatchObject({ epoch: real })
      person.client.close()
      friend.client.close()
    })

    it("KEZ-NAT-060 removes once a minute for an account, and says from when again; others are not kept waiting", async () => {
      const [person, other] = [await login(), await login()]
      const real = await epoch(person)
      expect(await sendRaw(person.client, person.hex, "own")).toBe(okay)
      expect(await sendRaw(other.client, person.hex, "mail")).toBe(okay)
      const upTo = (await observer.stored(person.hex)).at(-1)!.seq
      expect(await ask(person, "inbox", { upTo, epoch: real })).toMatchObject({ used: 0 })
      const again = await ask(person, "self", { upTo, epoch: real })
      expect(JSON.parse(again as string)).toMatchObject({ e: "slow" })
      const wait = Date.parse((JSON.parse(again as string) as { at: string }).at) - Date.now()
      expect(wait).toBeGreaterThan(30_000)
      expect(wait).toBeLessThanOrEqual(61_000)
      expect(await texts(person.hex)).toEqual(["own"])
      expect(await ask(other, "inbox", { upTo, epoch: real })).toMatchObject({ used: 0 })
      for (const { client } of [person, other]) client.close()
    })

    it("KEZ-NAT-060 bounds how often an account may ask", async () => {
      const person = await login()
      const answers = await Promise.all(Array.from({ length: 60 }, () => ask(person, "inbox")))
      const refused = answers.filter((answer) => typeof answer === "string")
      expect(refused.length).toBeGreaterThan(20)
      for (const answer of refused) expect(JSON.parse(answer as string)).toMatchObject({ e: "slow" })
      person.client.close()
    })

    it("KEZ-NAT-017 KEZ-NAT-058 lets nobody trim or block for another, nor steer an answer into doing it", async () => {
      const [attacker, victim, friend] = [await login(), await login(), await login()]
      expect(await sendRaw(friend.client, victim.hex, "for the victim")).toBe(okay)
      await until("the victim heard it", () => victim.client.messages.length === 1)
      victim.client.messages.length = 0
      await victim.client.subscribe(`_INBOX_${victim.hex}.>`)
      const real = await epoch(attacker)
      const upTo = (await observer.stored(victim.hex))[0]!.seq
      const before = await observer.snapshot()
      const trim = Trim.encodeRequest({ box: "inbox", nonce: randomBytes(16), remove: { upTo, epoch: real } })
      const blocking = Block.encodeRequest({ op: "add", who: friend.hex, nonce: randomBytes(16) })
      const foreign = ["trim", "block"].flatMap((what) => [
        `kez.${what}.${victim.hex}`,
        `kez.${what}.*`,
        `kez.${what}.>`,
        `kez.${what}`,
        `kez.${what}.${attacker.hex}.x`,
        `kez.${what}.${victim.hex.toUpperCase()}`
      ])
      for (const [at, subject] of foreign.entries()) {
        attacker.client.publish(subject, subject.includes("trim") ? trim : blocking, {
          reply: `_INBOX_${attacker.hex}.r`
        })
        await attacker.client.fence()
        expect([subject, attacker.client.errors.length]).toEqual([subject, at + 1])
      }
      const steered = [
        "$JS.API.STREAM.PURGE.KEZ_INBOX",
        "$JS.API.STREAM.DELETE.KEZ_INBOX",
        "$JS.API.STREAM.MSG.DELETE.KEZ_INBOX",
        `kez.trim.${victim.hex}`,
        `kez.block.${victim.hex}`,
        `kez.inbox.${victim.hex}`,
        `kez.dlv.${victim.hex}`,
        `_INBOX_${victim.hex}.steered`,
        "_INBOX_ing.steered",
        "_INBOX_reg.steered"
      ]
      for (const reply of steered) {
        attacker.client.publish(`kez.trim.${attacker.hex}`, trim, { reply })
        attacker.client.publish(`kez.block.${attacker.hex}`, blocking, { reply })
        await attacker.client.fence()
      }
      await until("the attacker is still served", async () => (await block(attacker, "add", friend.hex)) === "done")
      expect(await observer.snapshot()).toEqual(before)
      expect(await texts(victim.hex)).toEqual(["for the victim"])
      expect(await sendRaw(friend.client, victim.hex, "and more")).toBe(okay)
      expect(await texts(victim.hex)).toEqual(["for the victim", "and more"])
      for (const message of victim.client.messages) {
        if (message.subject.startsWith("_INBOX_")) {
          expect(Trim.decodeAnswer(message.payload, randomBytes(16))).toBeUndefined()
        }
      }
      for (const { client } of [attacker, victim, friend]) client.close()
    })

    it("KEZ-NAT-019 KEZ-NAT-062 KEZ-NAT-063 stores nothing of a blocked sender, who cannot tell", async () => {
      const [person, sender, other] = [await login(), await login(), await login()]
      expect(await block(person, "add", sender.hex)).toBe("done")
      expect(await block(person, "add", sender.hex)).toBe("done")
      const id = kezId()
      const answers = [
        await sendRaw(sender.client, person.hex, "unseen", id),
        await sendRaw(sender.client, person.hex, "unseen", id),
        await sendRaw(sender.client, person.hex, new Uint8Array(65_537)),
        await sendRaw(sender.client, person.hex, new Uint8Array(30_000)),
        await sendRaw(sender.client, person.hex, new Uint8Array(5_000))
      ]
      const shown = [
        await sendRaw(sender.client, other.hex, "seen", id),
        await sendRaw(sender.client, other.hex, "seen", id),
        await sendRaw(sender.client, other.hex, new Uint8Array(65_537)),
        await sendRaw(sender.client, other.hex, new Uint8Array(30_000)),
        await sendRaw(sender.client, other.hex, new Uint8Array(5_000))
      ]
      expect(answers).toEqual(shown)
      expect(answers.at(-1)).toContain('"slow"')
      expect(await observer.stored(person.hex)).toEqual([])
      expect(await observer.stored(other.hex)).toHaveLength(2)
      expect(await ask(person, "inbox")).toMatchObject({ used: 0, strangers: { used: 0 } })
      // The sender's own list and everybody else are untouched, and removal ends it.
      expect(await sendRaw(person.client, sender.hex, "the other way")).toBe(okay)
      expect(await sendRaw(other.client, person.hex, "from another")).toBe(okay)
      expect(await block(person, "remove", sender.hex)).toBe("done")
      expect(await block(person, "remove", sender.hex)).toBe("done")
      expect(await sendRaw(sender.client, person.hex, "again")).toBe(okay)
      expect(await texts(person.hex)).toEqual(["from another", "again"])
      for (const { client } of [person, sender, other]) client.close()
    })

    it("KEZ-NAT-062 refuses what is no block request", async () => {
      const [person, other] = [await login(), await login()]
      const n = randomBytes(16).toString("base64url")
      for (const junk of [
        "",
        "[]",
        `{"op":"add","who":"${other.hex}"}`,
        `{"op":"clear","who":"${other.hex}","n":"${n}"}`,
        `{"op":"add","who":"*","n":"${n}"}`,
        `{"op":"add","who":"${other.hex.toUpperCase()}","n":"${n}"}`,
        `{"op":"add","who":"${person.hex}","n":"${n}"}`,
        `{"op":"add","op":"remove","who":"${other.hex}","n":"${n}"}`
      ]) {
        const { payload } = await person.client.request(`kez.block.${person.hex}`, junk)
        expect([junk, payload.toString()]).toEqual([junk, bad])
      }
      person.client.close()
      other.client.close()
    })

    it("leaves every replica current and serving", async () => {
      await until("replicas are current", () => observer.healthy())
      const { client, hex } = await login()
      expect(await sendRaw(client, hex)).toBe(okay)
      client.close()
    })
  })
}
