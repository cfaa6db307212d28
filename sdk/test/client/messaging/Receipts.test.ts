import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { chain, ghost, newId } from "../kit/Ghost.ts"
import { join, keyOf, makeWorld, newDevice, storedFrames, twoFriends } from "../kit/People.ts"

/** Waits until a person has taken in everything, and sent every receipt that may go out now. */
const settled = (person: {
  readonly chat: { readonly sync: Effect.Effect<void, unknown>; readonly flush: Effect.Effect<void, unknown> }
}) => Effect.andThen(person.chat.sync, person.chat.flush)

describe("receipts", () => {
  it.live("tell what was delivered, and what was read only where the reader lets them", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const one = yield* alice.chat.send("bob", "one")
      yield* alice.program.event("State", ({ message }) => message.id === one.id && message.state === "delivered")
      yield* bob.chat.markRead("alice")
      yield* bob.chat.updateSettings({ readReceipts: true })
      const two = yield* alice.chat.send("bob", "two")
      yield* bob.program.event("Message", ({ message }) => message.text === "two")
      yield* bob.chat.markRead("alice")
      yield* alice.program.event("State", ({ message }) => message.id === two.id && message.state === "read")
      const states = (yield* alice.chat.history("bob")).map(({ state }) => state)
      assert.deepStrictEqual(states, ["delivered", "read"])
    })
  )

  it.live("are not copied to oneself and not answered", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* alice.program.event("State", ({ message }) => message.state === "delivered")
      yield* settled(bob)
      yield* settled(alice)
      assert.lengthOf(storedFrames(world, bob.account.primary, "inbox"), 1)
      assert.lengthOf(storedFrames(world, bob.account.primary, "self"), 0)
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 1)
      assert.lengthOf(storedFrames(world, alice.account.primary, "self"), 1)
    })
  )

  it.live("come together: at most one in two seconds for a peer, of at most 128 ids", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.program.close
      const texts = Array.from({ length: 150 }, (_, index) => `m${index}`)
      yield* Effect.forEach(texts, (text) => alice.chat.send("bob", text), { concurrency: "unbounded" })
      yield* alice.chat.flush
      const before = Date.now()
      const again = yield* world.start(bob.device)
      yield* again.chat.sync
      yield* alice.program.event("State", ({ message }) => message.text === "m149" && message.state === "delivered")
      assert.isAtLeast(Date.now() - before, 1_900)
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 2)
    })
  )

  it.live("are never sent for a request, but for what it held once it is accepted, nor to somebody blocked", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      yield* alice.chat.send("bob", "may I?")
      yield* bob.program.event("Request")
      yield* bob.chat.updateSettings({ readReceipts: true })
      yield* bob.chat.markRead("alice")
      yield* settled(bob)
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 0)
      yield* bob.chat.accept("alice")
      yield* alice.program.event("State", ({ message }) => message.text === "may I?" && message.state === "read")
      yield* bob.chat.block("alice")
      yield* alice.chat.send("bob", "blocked")
      yield* alice.chat.flush
      yield* settled(bob)
      assert.lengthOf(storedFrames(world, alice.account.primary, "inbox"), 1)
    })
  )

  it.live("survive a crash between taking a message in and telling it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.program.close
      const one = yield* alice.chat.send("bob", "one")
      yield* alice.chat.flush
      // Bob takes it in and loses the broker before he can tell.
      const offline = { ...bob.device }
      const second = yield* world.start(offline)
      yield* second.chat.sync
      yield* second.close
      const third = yield* world.start(bob.device)
      yield* third.chat.sync
      yield* alice.program.event("State", ({ message }) => message.id === one.id && message.state === "delivered")
    })
  )

  it.live("count only for messages that were written to the receipt's author", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.program.close
      const one = yield* alice.chat.send("bob", "one")
      yield* alice.chat.flush
      const mallory = yield* ghost(120)
      const to = keyOf(alice.account.primary)
      const receipt = { type: "receipt" as const, status: "read" as const, ids: [one.id, newId()], chain }
      world.broker.store(to, yield* mallory.frame({ to, body: receipt }))
      yield* alice.chat.sync
      assert.strictEqual((yield* alice.chat.history("bob"))[0]!.state, "stored")
      // Nor does a receipt make its author known here.
      assert.strictEqual((yield* alice.chat.contacts).length, 1)
    })
  )

  it.live("never move a state back", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const casper = yield* ghost(121)
      const to = keyOf(alice.account.primary)
      world.broker.store(to, yield* casper.frame({ to, text: "hi" }))
      yield* alice.program.event("Request")
      yield* alice.chat.accept(casper.primary)
      const sent = yield* alice.chat.send(casper.primary, "one")
      for (const status of ["read", "delivered"] as const) {
        world.broker.store(
          to,
          yield* casper.frame({ to, body: { type: "receipt", status, ids: [sent.id, sent.id], chain } })
        )
      }
      yield* settled(alice)
      assert.strictEqual((yield* alice.chat.history(casper.primary))[1]!.state, "read")
    })
  )

  it.live("reach every device of the sender", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const second = yield* world.start(newDevice())
      yield* second.chat.restore({ words: alice.words })
      const sent = yield* alice.chat.send("bob", "to all")
      yield* second.event("State", ({ message }) => message.id === sent.id && message.state === "delivered")
      assert.isDefined(bob)
    })
  )
})
