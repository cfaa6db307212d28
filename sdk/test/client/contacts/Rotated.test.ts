/** What contacts see of somebody who rotated. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PrimaryKey } from "@kez-chat/sdk/protocol"
import { makeWorld, newDevice, newWords, textsOf, twoFriends } from "../kit/People.ts"
import { acceptKey, identityOf, rotated } from "../kit/Rotating.ts"

describe("contacts of somebody who rotated", () => {
  it.live("KEZ-DM-120 KEZ-SEQ-120 KEZ-REG-127 who were away all the time see it handed over, and lose nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { alice, bob } = yield* twoFriends(world, { bob: device })
      yield* bob.program.close
      yield* alice.chat.send("bob", "with the old key")
      yield* alice.chat.flush
      const words = newWords()
      const { primary } = yield* identityOf(words)
      yield* rotated(alice.chat, words)
      yield* alice.chat.send("bob", "with the new key")
      yield* alice.chat.flush
      const offline = yield* world.start(device, { offline: true })
      yield* offline.chat.send("alice", "written while away")
      yield* offline.close

      const back = yield* world.start(device)
      const { contact } = yield* back.event("KeyChanged", ({ contact }) => contact.offered?.origin === "handed_over")
      assert.strictEqual(contact.offered?.primary, primary)
      yield* back.chat.sync
      assert.deepStrictEqual(textsOf(yield* back.chat.history("alice")), ["written while away", "with the old key"])
      assert.strictEqual((yield* back.chat.contact(primary)).state, "requested")
      yield* back.chat.acceptKey("alice", primary)
      yield* back.chat.flush
      yield* alice.chat.sync
      assert.deepStrictEqual(textsOf(yield* back.chat.history("alice")), [
        "with the old key",
        "with the new key",
        "written while away"
      ])
      assert.include(textsOf(yield* alice.chat.history("bob")), "written while away")
      assert.deepStrictEqual(
        (yield* back.chat.contacts).map(({ handle, state }) => [handle, state]),
        [["alice@home.test", "accepted"]]
      )
    })
  )

  it.live("KEZ-SEQ-046 KEZ-DM-120 KEZ-SEQ-121 follow two rotations at once, and lose nothing of either key", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const device = newDevice()
      const { alice, bob } = yield* twoFriends(world, { bob: device })
      yield* bob.program.close
      const [second, third] = [newWords(), newWords()]
      const { primary } = yield* identityOf(third)
      yield* rotated(alice.chat, second)
      yield* alice.chat.send("bob", "with the second key")
      yield* alice.chat.flush
      yield* rotated(alice.chat, third)
      const offline = yield* world.start(device, { offline: true })
      yield* offline.chat.send("alice", "written while away")
      yield* offline.close
      const back = yield* world.start(device)
      yield* back
        .event("Message", ({ message }) => message.text === "with the second key")
        .pipe(Effect.timeoutOption(0))
      yield* back.chat.sync
      const seen = yield* back.chat.refreshContact("alice")
      assert.deepStrictEqual(seen.offered, { primary, origin: "handed_over" })
      yield* back.chat.acceptKey("alice", primary)
      yield* back.chat.flush
      yield* alice.chat.sync
      assert.include(textsOf(yield* alice.chat.history("bob")), "written while away")
      assert.deepStrictEqual(textsOf(yield* back.chat.history("alice")), ["with the second key", "written while away"])
      assert.deepStrictEqual(
        (yield* back.chat.contacts).map(({ handle, state }) => [handle, state]),
        [["alice@home.test", "accepted"]]
      )
    })
  )

  it.live("KEZ-SEQ-122 block the key after the next one of whom they blocked", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.block("alice")
      const words = newWords()
      yield* rotated(alice.chat, newWords())
      yield* rotated(alice.chat, words)
      const { primary } = yield* identityOf(words)
      yield* alice.chat.send("bob", "it is me with a third key")
      yield* alice.chat.flush
      yield* bob.chat.sync
      yield* bob.program.event("Contact", ({ contact }) => contact.primary === primary && contact.state === "blocked")
    })
  )

  it.live("KEZ-SEQ-121 show what the old key still writes as a retired key's", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const copy = newDevice()
      const twin = yield* world.start(copy)
      yield* twin.chat.restore({ words: alice.words })
      yield* bob.chat.send("alice", "hello")
      yield* twin.chat.sync
      yield* twin.chat.accept("bob")
      yield* twin.close
      const words = newWords()
      yield* rotated(alice.chat, words)
      const { primary } = yield* identityOf(words)
      yield* acceptKey(bob.chat, "alice", primary)
      // A home that still takes mail of the old key, or lies about it.
      world.home.moved.delete(alice.account.primary)
      const thief = yield* world.start(copy)
      yield* thief.chat.send("bob", "it is still me")
      yield* thief.chat.flush
      yield* bob.program.event("Message", ({ message }) => message.text === "it is still me")
      const last = (yield* bob.chat.history("alice")).at(-1)!
      assert.deepInclude(last, { text: "it is still me", retired: true })
      assert.strictEqual((yield* bob.chat.contact("alice")).state, "accepted")
    })
  )

  it.live("KEZ-SEQ-122 block the new key of whom they blocked, without being asked", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.block("alice")
      yield* bob.chat.flush
      const words = newWords()
      yield* rotated(alice.chat, words)
      const { primary, key } = yield* identityOf(words)
      yield* alice.chat.send("bob", "it is me with a new key")
      yield* alice.chat.flush
      yield* bob.chat.sync
      yield* bob.program.event("Contact", ({ contact }) => contact.primary === primary && contact.state === "blocked")
      assert.isFalse(bob.program.events.some(({ _tag }) => _tag === "Request"))
      yield* bob.chat.flush
      const me = PrimaryKey.parseEd25519(bob.account.primary)
      assert.isTrue(world.broker.hasBlocked(yield* Effect.fromResult(me), key))
      const old = yield* Effect.fromResult(PrimaryKey.parseEd25519(alice.account.primary))
      assert.isTrue(world.broker.hasBlocked(yield* Effect.fromResult(me), old))
      yield* bob.chat.unblock("alice")
      yield* bob.chat.flush
      assert.isFalse(world.broker.hasBlocked(yield* Effect.fromResult(me), key))
    })
  )
})
