/** Whom a user blocks: at the home, on the account's other devices, and after a restore. */
import { Effect, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { type Body, PrimaryKey } from "@kez-chat/sdk/protocol"
import { ghost, ghostOf } from "../kit/Ghost.ts"
import { impostor } from "../kit/Liar.ts"
import { eventually, join, makeWorld, newDevice, seedOf, twoFriends, type World } from "../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const chain = { seq: 0, hash: `sha256:${"1".repeat(64)}` }
type Person = Effect.Success<ReturnType<typeof join>>

const isBlocked = (world: World, owner: Person, who: Person) =>
  world.broker.hasBlocked(keyOf(owner.account.primary), keyOf(who.account.primary))
const stateOf = (chat: Person["chat"], who: Person) =>
  Effect.map(chat.contacts, (all) => all.find(({ primary }) => primary === who.account.primary)?.state)

/** Another device of a person, which has taken in all there is. */
const another = (world: World, person: Person) =>
  Effect.gen(function* () {
    const device = newDevice()
    const program = yield* world.start(device)
    yield* program.chat.restore({ words: person.words })
    yield* program.chat.sync
    return { device, program, chat: program.chat }
  })

describe("blocking", () => {
  it.live("lets nothing go out that a key change stopped meanwhile, on whichever device it ends", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const other = yield* another(world, alice)
      yield* other.chat.addContact("bob")
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      yield* other.program.event("Contact", ({ contact }) => contact.state === "blocked")
      const back = (yield* impostor(world, "bob", 100)).takesOver()
      yield* other.chat.refreshContact("bob")
      yield* alice.chat.unblock("bob")
      yield* alice.chat.flush
      yield* other.program.event("Contact", ({ contact }) => contact.state === "changed")
      assert.include(yield* Effect.flip(other.chat.send("bob", "stopped")), { _tag: "SendBlocked", reason: "changed" })
      // And what ended while it was blocked stops nothing afterwards.
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      yield* other.chat.sync
      back()
      yield* other.chat.refreshContact("bob")
      yield* alice.chat.unblock("bob")
      yield* alice.chat.flush
      yield* other.chat.sync
      assert.strictEqual(yield* stateOf(other.chat, bob), "accepted")
    })
  )

  it.live("KEZ-NAT-065 is told to the home when the user does it, and so is the end of it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      assert.isTrue(isBlocked(world, alice, bob))
      yield* bob.chat.send("alice", "unseen")
      yield* bob.chat.flush
      assert.strictEqual((yield* bob.chat.history("alice"))[0]!.state, "stored")
      const mail = world.broker.stored(keyOf(alice.account.primary)).filter(({ subject }) => subject === "inbox")
      assert.deepStrictEqual(mail, [])
      yield* alice.chat.unblock("bob")
      yield* alice.chat.flush
      assert.isFalse(isBlocked(world, alice, bob))
      yield* bob.chat.send("alice", "seen")
      yield* alice.program.hasShown(["seen"])
    })
  )

  it.live("KEZ-NAT-065 is told again until the home has confirmed it, over restarts and outages", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.faults.loseRequests = 1
      yield* alice.chat.block("bob")
      yield* eventually(() => isBlocked(world, alice, bob))
      world.broker.setOnline(false)
      yield* alice.chat.unblock("bob")
      yield* alice.program.close
      world.broker.setOnline(true)
      assert.isTrue(isBlocked(world, alice, bob))
      yield* world.start(alice.device)
      yield* eventually(() => !isBlocked(world, alice, bob))
    })
  )

  it.live("KEZ-NAT-065 holds here whatever the home does", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      world.broker.forgetBlocks()
      yield* bob.chat.send("alice", "let through by the home")
      yield* bob.chat.flush
      yield* alice.chat.sync
      assert.deepStrictEqual(alice.program.shown(), [])
      assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
    })
  )

  it.live("KEZ-NAT-066 is told to the home again when its stream was made anew", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.block("bob")
      yield* alice.chat.send("alice", "a note")
      yield* alice.chat.flush
      yield* alice.chat.sync
      // Told once more where the stream's epoch was not known at first.
      yield* alice.chat.flush
      const requests = world.broker.blockRequests()
      yield* alice.chat.flush
      assert.strictEqual(world.broker.blockRequests(), requests)
      world.broker.forgetBlocks()
      world.broker.newEpoch(true)
      yield* alice.chat.sync
      // By itself, within the moment that a pass takes.
      yield* eventually(() => isBlocked(world, alice, bob))
    })
  )

  it.live("KEZ-DM-031 reaches the account's other devices, in both directions", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const phone = yield* another(world, alice)
      yield* alice.chat.block("bob")
      yield* phone.program.event(
        "Contact",
        ({ contact }) => contact.primary === bob.account.primary && contact.state === "blocked"
      )
      yield* phone.chat.unblock(bob.account.primary)
      yield* eventually(() => !isBlocked(world, alice, bob))
      yield* alice.program.event("Contact", ({ contact }) => contact.state === "blocked")
      while ((yield* stateOf(alice.chat, bob)) !== "accepted") yield* Effect.sleep(5)
      // It settles: neither device goes on telling the other.
      yield* alice.chat.flush
      yield* phone.chat.flush
      const before = world.broker.stored(keyOf(alice.account.primary)).length
      yield* alice.chat.sync
      yield* phone.chat.sync
      yield* alice.chat.flush
      yield* phone.chat.flush
      assert.strictEqual(world.broker.stored(keyOf(alice.account.primary)).length, before)
    })
  )

  it.live("KEZ-DM-031 comes back with the words, also for somebody who was never written to", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* alice.chat.block("bob")
      yield* alice.chat.addContact("carol")
      yield* alice.chat.block("carol")
      yield* alice.chat.unblock("carol")
      yield* alice.chat.block("carol")
      yield* alice.chat.flush
      const restored = yield* another(world, alice)
      assert.strictEqual(yield* stateOf(restored.chat, bob), "blocked")
      assert.strictEqual(yield* stateOf(restored.chat, carol), "blocked")
      world.broker.forgetBlocks()
      yield* bob.chat.send("alice", "unseen")
      yield* bob.chat.flush
      yield* restored.chat.sync
      assert.deepStrictEqual(restored.program.shown(), [])
    })
  )

  it.live("KEZ-DM-030 KEZ-DM-032 is noted where nobody sees it, and nobody else can write such notes", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const me = keyOf(alice.account.primary)
      const list = (who: string, blocked: boolean, rev: number): Body.Known => ({
        type: "block_list",
        entries: [{ who, blocked, rev }],
        chain
      })
      const stranger = yield* ghost(61)
      world.broker.store(me, yield* stranger.frame({ to: me, body: list(bob.account.primary, true, 9) }))
      world.broker.store(me, yield* stranger.frame({ to: me, body: list(stranger.primary, false, 9) }))
      const position: Body.Known = { type: "device_position", epoch: "AAECAwQFBgcICQoLDA0ODw", upTo: 9, chain }
      world.broker.store(me, yield* stranger.frame({ to: me, body: position }))
      yield* alice.chat.block("bob")
      yield* alice.chat.unblock("bob")
      yield* alice.chat.flush
      yield* alice.chat.sync
      assert.deepStrictEqual(
        (yield* alice.chat.contacts).map(({ primary, state }) => [primary, state]),
        [[bob.account.primary, "accepted"]]
      )
      assert.deepStrictEqual(yield* alice.chat.history("alice"), [])
      assert.deepStrictEqual(alice.program.shown(), [])
    })
  )

  it.live("KEZ-DM-031 follows the highest number, and of two with one number the one that blocks", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const me = keyOf(alice.account.primary)
      const other = yield* ghostOf(seedOf(alice.words))
      const heard = (blocked: boolean, rev: number) =>
        Effect.gen(function* () {
          const entries = [{ who: bob.account.primary, blocked, rev }]
          const body: Body.Known = { type: "block_list", entries, chain }
          world.broker.store(me, yield* other.frame({ to: me, body }), "self")
          yield* alice.chat.sync
          return yield* stateOf(alice.chat, bob)
        })
      assert.strictEqual(yield* heard(true, 3), "blocked")
      assert.strictEqual(yield* heard(false, 2), "blocked")
      assert.strictEqual(yield* heard(false, 3), "blocked")
      assert.strictEqual(yield* heard(false, 4), "accepted")
      assert.strictEqual(yield* heard(true, 4), "blocked")
      assert.strictEqual(yield* heard(false, 5), "accepted")
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      assert.strictEqual(yield* heard(false, 5), "blocked")
      assert.strictEqual(yield* heard(false, 7), "accepted")
      yield* alice.chat.flush
      assert.isFalse(isBlocked(world, alice, bob))
    })
  )

  it.live("forgets the block of a contact that is removed", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.block("bob")
      yield* alice.chat.flush
      yield* alice.chat.removeContact("bob")
      yield* alice.chat.flush
      assert.isFalse(isBlocked(world, alice, bob))
    })
  )
})
