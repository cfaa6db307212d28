import { Effect, Option } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { codeOf, join, keyOf, makeWorld, textsOf, twoFriends } from "../kit/People.ts"

describe("sending", () => {
  it.live("works offline: it waits in the store, across a restart, and goes out once", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.setOnline(false)
      for (const text of ["one", "two"]) assert.strictEqual((yield* alice.chat.send("bob", text)).state, "queued")
      assert.strictEqual((yield* Effect.flip(alice.chat.flush))._tag, "BrokerUnavailable")
      yield* alice.program.close
      const again = yield* world.start(alice.device)
      world.broker.setOnline(true)
      yield* bob.program.hasShown(["one", "two"])
      yield* again.chat.flush
      yield* again.event("State", ({ message }) => message.text === "two" && message.state === "stored")
      assert.strictEqual(world.broker.stored(keyOf(bob.account.primary)).length, 2)
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "out/" }), [])
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "frame/" }), [])
    })
  )

  it.live("resends identical bytes under the same id when an answer was lost", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.faults.loseAcks = 3
      yield* alice.chat.send("bob", "once")
      yield* alice.chat.flush
      yield* bob.program.hasShown(["once"])
      assert.strictEqual(world.broker.stored(keyOf(bob.account.primary)).length, 1)
      assert.strictEqual((yield* alice.chat.history("bob"))[0]!.failure, undefined)
    })
  )

  it.live("backs off when refused for now, and fails for good with the reason otherwise", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.faults.refuse.push("slow", "full", "retry", "slow")
      yield* alice.chat.send("bob", "patience")
      yield* bob.program.hasShown(["patience"])
      world.broker.setRegistered(keyOf(bob.account.primary), false)
      const lost = yield* alice.chat.send("bob", "gone")
      const { message } = yield* alice.program.event("State", ({ message }) => message.id === lost.id)
      assert.strictEqual(message.state, "failed")
      assert.include(message.failure, "not registered")
      while ((yield* alice.device.store.scan({ prefix: "out/" })).length > 0) yield* Effect.sleep(10)
    })
  )

  it.live("is not waited for by flush where the inbox is full", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      world.broker.faults.refuse.push(...Array.from({ length: 1_000 }, () => "full" as const))
      yield* alice.chat.send("bob", "one too many")
      yield* alice.chat.flush
      assert.strictEqual((yield* alice.chat.history("bob"))[0]!.state, "queued")
    })
  )

  it.live("to one peer does not wait for another, and keeps each one's order", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* alice.chat.addContact("carol")
      yield* carol.chat.addContact("alice")
      world.broker.faults.refuse.push("full", "full", "full")
      const numbers = Array.from({ length: 40 }, (_, index) => `m${index}`)
      yield* Effect.forEach(numbers, (text) =>
        Effect.all([alice.chat.send("bob", text), alice.chat.send("carol", text)], { concurrency: 2 })
      )
      yield* bob.program.hasShown(numbers)
      yield* carol.program.hasShown(numbers)
    })
  )

  it.live("keeps the order with a store that takes longer to read a large frame than a small one", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.program.close
      const { store } = alice.device
      const get: typeof store.get = (name) =>
        Effect.tap(store.get(name), (found) =>
          Option.isSome(found) && found.value.length > 4_096 ? Effect.sleep(20) : Effect.void
        )
      const again = yield* world.start({ ...alice.device, store: { ...store, get } })
      world.broker.setOnline(false)
      const texts = [
        "first",
        ...Array.from({ length: 6 }, (_, index) => `${index}`.repeat(index % 2 === 0 ? 4_000 : 1))
      ]
      for (const text of texts) yield* again.chat.send("bob", text)
      world.broker.setOnline(true)
      yield* bob.program.hasShown(texts)
      for (const message of yield* bob.chat.history("alice")) assert.isUndefined(message.gap)
    })
  )

  it.live("many at once keeps the order of the calls, and counts without a hole", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const numbers = Array.from({ length: 120 }, (_, index) => `m${index}`)
      yield* Effect.forEach(numbers, (text) => alice.chat.send("bob", text), { concurrency: "unbounded" })
      yield* bob.program.hasShown(numbers)
      for (const message of yield* bob.chat.history("alice", { limit: 200 })) {
        assert.isTrue(message.gap === undefined && message.fork === undefined)
      }
    })
  )

  it.live("refuses what is too long or empty, keeping nothing and no place in the count", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const code = (text: string) => Effect.map(Effect.flip(alice.chat.send("bob", text)), codeOf)
      assert.strictEqual(yield* code("x".repeat(41_000)), "message_too_large")
      assert.strictEqual(yield* code(""), "message_malformed")
      assert.strictEqual(yield* code("\ud800"), "json_string")
      assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
      yield* alice.chat.send("bob", "x".repeat(40_000))
      yield* bob.program.event("Message", ({ message }) => message.text.length === 40_000 && message.gap === undefined)
    })
  )

  it.live("pages back through history", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      for (let index = 0; index < 12; index++) yield* alice.chat.send("bob", `m${index}`)
      const newest = yield* alice.chat.history("bob", { limit: 5 })
      assert.deepStrictEqual(textsOf(newest), ["m7", "m8", "m9", "m10", "m11"])
      const before = yield* alice.chat.history("bob", { limit: 5, before: newest[0]!.order })
      assert.deepStrictEqual(textsOf(before), ["m2", "m3", "m4", "m5", "m6"])
      assert.deepStrictEqual(textsOf(yield* alice.chat.history("bob", { before: before[0]!.order })), ["m0", "m1"])
    })
  )
})
