/** What checking a contact again finds: another key for the handle, and every way in which a chain can change. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Identity } from "@kez-chat/sdk/crypto"
import { PrimaryKey, type Sigchain } from "@kez-chat/sdk/protocol"
import { ghost, ghostOf } from "../kit/Ghost.ts"
import { append, impostor, rotate } from "../kit/Liar.ts"
import { codeOf, identityOf, makeWorld, seedOf, twoFriends, type World } from "../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const texts = (messages: ReadonlyArray<{ readonly text: string }>) => messages.map(({ text }) => text)

/** Appends events that no other chain has, as `url` distinguishes; returns the new head. */
const extend = Effect.fnUntraced(function* (
  world: World,
  identity: Identity.Identity,
  events: number,
  url = "nats://extended:4222"
) {
  const inbox = `kez.inbox.${identity.key.hex}`
  const heads = yield* Effect.forEach(Array.from({ length: events }).keys(), (n) =>
    append(world, identity, { op: "add_endpoint", payload: { protocol: "nats", url: `${url}/${n}`, inbox } })
  )
  return heads.at(-1)!
})

describe("a changed key", () => {
  it.live("stops sending until the user accepts it, and history stays together", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "to the first key")
      yield* alice.chat.flush
      yield* alice.chat.confirmKey("bob", bob.account.primary)
      const thief = yield* impostor(world, "bob", 100)
      thief.takesOver()
      const contact = yield* alice.chat.refreshContact("bob")
      assert.deepInclude(contact, {
        state: "changed",
        offered: { primary: thief.primary, origin: "unexplained" },
        verified: false
      })
      assert.include(contact.warning, bob.account.primary)
      assert.deepStrictEqual(contact.cause, { name: "offered" })
      yield* alice.program.event("KeyChanged")
      const stopped = yield* Effect.flip(alice.chat.send("bob", "stop"))
      assert.deepInclude(stopped, { _tag: "SendBlocked", reason: "changed" })
      assert.strictEqual((yield* alice.chat.addContact("bob")).state, "changed")

      const accepted = yield* alice.chat.acceptKey("bob", thief.primary)
      assert.deepInclude(accepted, {
        state: "accepted",
        primary: thief.primary,
        handle: "bob@home.test",
        verified: false
      })
      yield* alice.chat.send("bob", "to the second key")
      assert.deepStrictEqual(texts(yield* alice.chat.history("bob")), ["to the first key", "to the second key"])
      assert.strictEqual((yield* alice.chat.contacts).length, 1)
    })
  )

  it.live("holds back what was queued, and lets nothing sealed for the old key go out (KEZ-DM-025)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.setOnline(false)
      const queued = yield* alice.chat.send("bob", "secret")
      const thief = yield* impostor(world, "bob", 101)
      thief.takesOver()
      yield* alice.chat.refreshContact("bob")
      world.broker.setOnline(true)
      yield* alice.chat.sync
      yield* alice.chat.flush
      assert.strictEqual(world.broker.stored(keyOf(bob.account.primary)).length, 0)
      yield* alice.chat.acceptKey("bob", thief.primary)
      const { message } = yield* alice.program.event("State", ({ message }) => message.id === queued.id)
      assert.strictEqual(message.state, "failed")
      assert.include(message.failure, "key changed")
    })
  )

  it.live("is seen when the new key writes, which does not get the contact's name (KEZ-SEQ-045)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const thief = yield* impostor(world, "bob", 102)
      thief.takesOver()
      const to = keyOf(alice.account.primary)
      world.broker.store(to, yield* thief.frame({ to, text: "it is me, bob" }))
      const { contact } = yield* alice.program.event("Request")
      assert.deepInclude(contact, { handle: thief.primary, primary: thief.primary, state: "requested" })
      assert.strictEqual((yield* alice.chat.contact("bob")).state, "changed")
    })
  )

  it.live("includes a handle that was deleted", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.deleteAccount
      const contact = yield* alice.chat.refreshContact("bob")
      assert.strictEqual(contact.state, "changed")
      assert.include(contact.warning, "deleted")
      assert.deepStrictEqual(contact.cause, { name: "gone" })
    })
  )
})

describe("a contact's sigchain", () => {
  it.live("may grow; a rollback, a fork and a rotation stop sending; an outage does not", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(bob.words)
      const short = world.home.chains.get(identity.primary)!
      const head = yield* extend(world, identity, 2)
      assert.deepStrictEqual((yield* alice.chat.refreshContact("bob")).head, head)
      const long = world.home.chains.get(identity.primary)!

      world.home.chains.delete(identity.primary)
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.refreshContact("bob"))), "unavailable")
      assert.strictEqual((yield* alice.chat.contact("bob")).state, "accepted")

      world.home.chains.set(identity.primary, short)
      const rolledBack = yield* alice.chat.refreshContact("bob")
      assert.strictEqual(rolledBack.state, "changed")
      assert.include(rolledBack.warning, head.hash)
      assert.deepStrictEqual(rolledBack.cause, { chain: "behind" })
      // A rollback is over when the chain goes on from what was known of it.
      world.home.chains.set(identity.primary, long)
      assert.deepInclude(yield* alice.chat.refreshContact("bob"), { state: "accepted", head })
      const healed = yield* alice.program.event("KeyHealed")
      assert.include(healed.detail, "sigchain")

      world.home.chains.set(identity.primary, short)
      yield* extend(world, identity, 2, "nats://forked:4222")
      const forked = yield* alice.chat.refreshContact("bob")
      assert.strictEqual(forked.state, "changed")
      assert.include(forked.warning, head.hash)
      assert.deepStrictEqual(forked.cause, { chain: "forked" })
      const forkedChain = world.home.chains.get(identity.primary)!
      // Two histories are never over: the one that was known first does not make up for the other.
      world.home.chains.set(identity.primary, long)
      assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "changed")
      world.home.chains.set(identity.primary, forkedChain)
      assert.deepInclude(yield* alice.chat.keepKey("bob"), { state: "accepted", kept: true })

      const successor = yield* ghost(103)
      yield* rotate(world, identity, successor.identity)
      const rotated = yield* alice.chat.refreshContact("bob")
      assert.deepInclude(rotated, {
        state: "changed",
        offered: { primary: successor.primary, origin: "handed_over" }
      })
    })
  )

  it.live("is fetched when a message names a newer head, and must show it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(bob.words)
      const honest = world.home.chains.get(identity.primary)!
      const head = yield* extend(world, identity, 1)
      const longer = world.home.chains.get(identity.primary)!
      const to = keyOf(alice.account.primary)
      const device = yield* ghostOf(seedOf(bob.words))
      const claim = Effect.fnUntraced(function* (chain: Sigchain.Head, text: string) {
        world.broker.store(to, yield* device.frame({ to, body: { type: "text", text, chain } }))
      })
      yield* claim(head, "with a newer head")
      yield* alice.program.event("Contact", ({ contact }) => contact.head?.seq === head.seq)
      assert.strictEqual((yield* alice.chat.contact("bob")).state, "accepted")
      // The sig-server hides the end of the chain, but the contact's own message names it.
      const hidden = { seq: head.seq + 1, hash: `sha256:${"9".repeat(64)}` }
      yield* claim(hidden, "with a head that is hidden")
      const { contact } = yield* alice.program.event("KeyChanged")
      assert.include(contact.warning, hidden.hash)
      assert.isAbove(longer.length, honest.length)
    })
  )
})
