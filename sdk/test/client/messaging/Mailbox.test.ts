/** The usage of the inbox at the home server, and trimming it. */
import { Clock, Effect, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import * as Rows from "../../../src/client/internal/rows/index.ts"
import { type Device, eventually, type join, makeWorld, newDevice, storedFrames, twoFriends } from "../kit/People.ts"

type Person = Effect.Success<ReturnType<typeof join>>

const sendMany = Effect.fnUntraced(function* (from: Person, to: string, count: number) {
  for (let i = 0; i < count; i++) yield* from.chat.send(to, `message ${i}`)
  yield* from.chat.flush
})

describe("the inbox at the home", () => {
  it.live("KEZ-NAT-059 says how full it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const empty = yield* alice.chat.inbox
      assert.deepStrictEqual(empty.mail, { used: 0, limit: 33_554_432, strangers: { used: 0, limit: 4_194_304 } })
      yield* sendMany(bob, "alice", 3)
      const { mail, sent } = yield* alice.chat.inbox
      assert.isAbove(mail.used, 1_500)
      assert.isAtMost(Math.abs(mail.oldest! - Date.now()), 60_000)
      assert.strictEqual(sent.used, 0)
      assert.isAbove((yield* bob.chat.inbox).sent.used, 1_500)
      world.broker.setOnline(false)
      assert.strictEqual((yield* Effect.flip(alice.chat.inbox))._tag, "BrokerUnavailable")
    })
  )

  it.live("KEZ-SEQ-070 removes what this device holds and no more; what is here stays", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* sendMany(bob, "alice", 3)
      yield* alice.chat.sync
      // What comes now this device does not take in.
      yield* alice.program.close
      yield* sendMany(bob, "alice", 1)
      const last = storedFrames(world, alice.account.primary, "inbox").at(-1)!
      world.broker.faults.dropLive = () => true
      const again = yield* world.start(alice.device)
      const fetched = world.broker.faults.foreignPages
      world.broker.faults.foreignPages = 1_000
      const usage = yield* again.chat.trim()
      world.broker.faults.foreignPages = fetched
      assert.isAbove(usage.mail.used, 0)
      assert.deepStrictEqual(storedFrames(world, alice.account.primary, "inbox"), [last])
      assert.lengthOf(yield* again.chat.history("bob"), 3)
      yield* again.chat.sync
      assert.lengthOf(yield* again.chat.history("bob"), 4)
    })
  )

  it.live("KEZ-SEQ-070 removes nothing under another epoch", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* sendMany(bob, "alice", 2)
      yield* alice.chat.sync
      world.broker.faults.foreignPages = 1_000
      world.broker.newEpoch(true)
      const refused = yield* Effect.flip(alice.chat.trim())
      assert.deepInclude(refused, { _tag: "BrokerRefused", code: "bad" })
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 2)
    })
  )

  it.live("says from when on it can be asked again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* sendMany(bob, "alice", 1)
      yield* alice.chat.sync
      assert.strictEqual((yield* alice.chat.trim()).mail.used, 0)
      const refused = yield* Effect.flip(alice.chat.trim())
      assert.deepInclude(refused, { _tag: "BrokerRefused", code: "slow", retryable: true })
      assert.isAbove((refused as { readonly untilMillis: number }).untilMillis, Date.now())
    })
  )

  it.live("KEZ-DM-033 notes the block list anew when the copies of what was sent are removed", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.block("bob")
      yield* alice.chat.send("alice", "a note")
      yield* alice.chat.flush
      yield* alice.chat.sync
      yield* alice.chat.trim("sent")
      // By itself, within the moment that a pass takes.
      yield* eventually(() => storedFrames(world, alice.account.primary, "self").length > 0)
      const device = newDevice()
      const restored = yield* world.start(device)
      yield* restored.chat.restore({ words: alice.words })
      yield* restored.chat.sync
      assert.strictEqual((yield* restored.chat.contact(bob.account.primary)).state, "blocked")
      assert.deepStrictEqual(yield* restored.chat.history("alice"), [])
    })
  )

  it.live("warns from 80 % on", () =>
    Effect.gen(function* () {
      const world = makeWorld({ inboxBytes: 10_000 })
      const { alice, bob } = yield* twoFriends(world)
      yield* sendMany(bob, "alice", 5)
      yield* alice.program.close
      yield* sendMany(bob, "alice", 3)
      assert.isAbove((yield* bob.chat.inbox).sent.used, 8_000)
      const again = yield* world.start(alice.device)
      const { box, usage } = yield* again.event("InboxFilling")
      assert.strictEqual(box, "mail")
      assert.isAbove(usage.mail.used, 8_000)
      assert.isUndefined(alice.program.events.find(({ _tag }) => _tag === "InboxFilling"))
    })
  )
})

/** Moves the first announcements that a device knows of back in time. */
const age = Effect.fnUntraced(function* (device: Device, millis: number) {
  for (const entry of yield* device.store.scan({ prefix: Rows.prefix.devices })) {
    const row = Result.getOrThrow(Rows.Device.decode(entry.key, entry.value))
    if (row.firstAt === undefined) continue
    const aged = Rows.Device.encode({ ...row, firstAt: row.firstAt - millis })
    yield* device.store.commit([{ op: "put", key: entry.key, value: aged }])
  }
})
const week = 7 * 24 * 60 * 60 * 1_000

describe("automatic trim", () => {
  it.live("KEZ-SEQ-071 is off at first", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      assert.isFalse((yield* alice.chat.settings).autoTrim)
      yield* sendMany(bob, "alice", 2)
      yield* alice.chat.sync
      yield* alice.program.close
      const again = yield* world.start(alice.device)
      yield* again.chat.flush
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: Rows.prefix.devices }), [])
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 2)
    })
  )

  it.live(
    "KEZ-SEQ-071 KEZ-DM-034 waits until every device that was heard of has announced that it holds the mail",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        // A phone, which writes and announces nothing.
        const phone = newDevice()
        const old = yield* world.start(phone)
        yield* old.chat.restore({ words: alice.words })
        yield* old.chat.addContact("bob")
        yield* old.chat.send("bob", "from the phone")
        yield* old.chat.flush
        yield* old.close
        yield* alice.chat.updateSettings({ autoTrim: true })
        yield* sendMany(bob, "alice", 2)
        yield* alice.chat.sync
        const restart = Effect.gen(function* () {
          const program = yield* world.start(alice.device)
          yield* program.chat.sync
          yield* program.chat.flush
          const announced = () =>
            Effect.map(alice.device.store.scan({ prefix: Rows.prefix.devices }), (rows) =>
              rows.some((entry) => Result.getOrThrow(Rows.Device.decode(entry.key, entry.value)).firstAt !== undefined)
            )
          while (!(yield* announced())) yield* Effect.sleep(5)
          yield* program.chat.flush
          yield* program.chat.sync
          yield* program.close
        })
        yield* alice.program.close
        yield* restart
        yield* age(alice.device, week + 1_000)
        // The phone has not announced: nothing is removed.
        const before = storedFrames(world, alice.account.primary, "inbox").length
        yield* restart
        assert.isAtLeast(storedFrames(world, alice.account.primary, "inbox").length, before)
        const updated = yield* world.start(phone)
        yield* updated.chat.sync
        const held = storedFrames(world, alice.account.primary, "inbox").at(-1)!.seq
        // It has heard the other's announcement, and makes its own at the next start.
        yield* updated.close
        const again = yield* world.start(phone)
        while ((yield* phone.store.scan({ prefix: Rows.prefix.devices })).length < 2) yield* Effect.sleep(5)
        yield* again.chat.flush
        yield* again.close
        yield* restart
        const last = yield* world.start(alice.device)
        while (storedFrames(world, alice.account.primary, "inbox").some(({ seq }) => seq <= held))
          yield* Effect.sleep(5)
        assert.lengthOf(yield* last.chat.history("bob"), 3)
      })
  )
})

describe("a message that the home does not take yet", () => {
  it.live("KEZ-NAT-056 says why, and until when, and is not sent again before", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const until = (yield* Clock.currentTimeMillis) + 1_500
      world.broker.faults.refuse.push("slow")
      world.broker.faults.refusedUntil = until
      const sent = yield* alice.chat.send("bob", "too much for today")
      const { message } = yield* alice.program.event("State", ({ message }) => message.waiting !== undefined)
      assert.deepStrictEqual([message.id, message.state], [sent.id, "queued"])
      assert.deepStrictEqual(message.waiting, { reason: "slow", until })
      const later = yield* alice.program.event("State", ({ message }) => message.state === "stored")
      assert.isUndefined(later.message.waiting)
      assert.isAtLeast(yield* Clock.currentTimeMillis, until)
    })
  )
})
