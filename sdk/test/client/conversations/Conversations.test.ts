import { Effect } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { ghost } from "../kit/Ghost.ts"
import { join, keyOf, makeWorld, newDevice, twoFriends } from "../kit/People.ts"
import { counted, hexOf, primaryOf, stored } from "../kit/StoredMessages.ts"

describe("the list of conversations", () => {
  it.live("has each contact's last message, unread count and draft, newest first", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* bob.chat.addContact("carol")
      for (const text of ["one", "two"]) yield* alice.chat.send("bob", text)
      yield* bob.program.hasShown(["one", "two"])
      yield* bob.chat.setDraft("carol", "dear")
      const [first, second, ...rest] = yield* bob.chat.conversations
      assert.deepInclude(first, { peer: alice.account.primary, unread: 2 })
      assert.strictEqual(first?.lastAt, first?.last?.arrivedAt)
      assert.strictEqual(first?.contact?.handle, alice.account.handle)
      assert.strictEqual(first?.last?.text, "two")
      assert.deepInclude(second, { peer: carol.account.primary, unread: 0, draft: "dear" })
      assert.notProperty(second, "last")
      assert.deepStrictEqual(rest, [])
    })
  )

  it.live("counts what arrived since it was read, or written in", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const unread = Effect.map(bob.chat.conversations, ([first]) => first?.unread)
      yield* alice.chat.send("bob", "one")
      yield* bob.program.hasShown(["one"])
      assert.strictEqual(yield* unread, 1)
      yield* bob.chat.markRead("alice")
      yield* bob.program.event("Read", ({ peer }) => peer === alice.account.primary)
      assert.strictEqual(yield* unread, 0)
      yield* bob.chat.markRead("alice")
      assert.lengthOf(
        bob.program.events.filter(({ _tag }) => _tag === "Read"),
        1
      )
      yield* alice.chat.send("bob", "two")
      yield* bob.program.hasShown(["one", "two"])
      assert.strictEqual(yield* unread, 1)
      yield* bob.chat.send("alice", "three")
      assert.strictEqual(yield* unread, 0)
    })
  )

  it.live("after a restore counts only what arrived after the last own message", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "seen")
      yield* alice.chat.flush
      yield* bob.chat.sync
      yield* bob.chat.send("alice", "answered")
      yield* bob.chat.flush
      yield* alice.chat.send("bob", "new")
      yield* alice.chat.flush
      yield* bob.program.close
      const { chat } = yield* world.start(newDevice())
      yield* chat.restore({ words: bob.words })
      yield* chat.sync
      const [first] = yield* chat.conversations
      assert.strictEqual(first?.last?.text, "new")
      assert.strictEqual(first?.unread, 1)
    })
  )

  it.live("lists requests and blocked contacts, and notes to self once there are any", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const bob = yield* join(world, "bob")
      assert.deepStrictEqual(yield* bob.chat.conversations, [])
      const casper = yield* ghost(200)
      const to = keyOf(bob.account.primary)
      world.broker.store(to, yield* casper.frame({ to, text: "may I?" }))
      yield* bob.program.event("Request")
      const [request] = yield* bob.chat.conversations
      assert.deepInclude(request, { peer: casper.primary, unread: 1 })
      assert.strictEqual(request?.contact?.state, "requested")
      yield* bob.chat.block(casper.primary)
      yield* bob.chat.send("bob", "milk")
      const [notes, blocked] = yield* bob.chat.conversations
      assert.deepInclude(notes, { peer: bob.account.primary, unread: 0 })
      assert.notProperty(notes, "contact")
      assert.strictEqual(notes?.last?.text, "milk")
      assert.strictEqual(blocked?.contact?.state, "blocked")
    })
  )

  it.live("reads one message of each conversation, however long it is", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const peers = Array.from({ length: 20 }, (_, index) => hexOf(index + 1))
      const messages = Array.from({ length: 10_000 }, (_, index) => ({ peer: peers[index % 20]!, text: `m${index}` }))
      const { device } = yield* stored(world, messages)
      const { device: watched, read } = counted(device)
      const { chat } = yield* world.start(watched, { offline: true })
      yield* chat.contacts
      read.entries = 0
      const list = yield* chat.conversations
      assert.deepStrictEqual(
        list.map(({ last, peer }) => [peer, last?.text]),
        peers.map((hex, index) => [primaryOf(hex), `m${9_980 + index}`]).toReversed()
      )
      assert.isAtMost(read.entries, 60)
    })
  )
})
