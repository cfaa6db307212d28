/** A contact's key changes: homes that lie and then tell the truth, users who compare numbers, accept and keep. */
import { Effect, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { SafetyNumber } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Endpoint, PrimaryKey } from "@kez-chat/sdk/protocol"
import { append, impostor, rotate } from "../kit/Liar.ts"
import { identityOf, makeWorld, newDevice, twoFriends } from "../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const numberOf = (a: string, b: string) =>
  Effect.map(SafetyNumber.of(keyOf(a), keyOf(b)), ({ digits }) => digits).pipe(Effect.provide(NodeCrypto.layer))

/** Alice knows bob, has verified him, and the home now names mallory's key for his handle. */
const attacked = Effect.gen(function* () {
  const world = makeWorld()
  const { alice, bob } = yield* twoFriends(world)
  yield* alice.chat.confirmKey("bob", bob.account.primary)
  const mallory = yield* impostor(world, "bob", 120)
  const truth = mallory.takesOver()
  yield* alice.chat.refreshContact("bob")
  return { world, alice, bob, mallory, truth }
})

describe("a home that names another key", () => {
  it.live("has the offered key's number shown, named so, beside the pinned one (KEZ-SEQ-042)", () =>
    Effect.gen(function* () {
      const { alice, bob, mallory } = yield* attacked
      const { contact, offered, pinned } = yield* alice.chat.verification("bob")
      assert.deepInclude(contact, { state: "changed", primary: bob.account.primary, verified: false })
      assert.deepInclude(offered, { primary: mallory.primary, origin: "unexplained" })
      assert.strictEqual(offered?.safetyNumber, yield* numberOf(alice.account.primary, mallory.primary))
      assert.strictEqual(pinned.primary, bob.account.primary)
      // What bob reads out is the pinned key's number: whoever compares the offered one sees that they differ.
      const bobs = (yield* bob.chat.verification("alice")).pinned.safetyNumber
      assert.strictEqual(pinned.safetyNumber, bobs)
      assert.notStrictEqual(offered?.safetyNumber, bobs)
    })
  )

  it.live("has nothing confirmed, whichever key is named (KEZ-SEQ-044)", () =>
    Effect.gen(function* () {
      const { alice, bob, mallory } = yield* attacked
      for (const primary of [bob.account.primary, mallory.primary]) {
        const refused = yield* Effect.flip(alice.chat.confirmKey("bob", primary))
        assert.deepInclude(refused, { _tag: "KeyRefused", reason: "not_accepted" })
      }
      assert.isFalse((yield* alice.chat.contact("bob")).verified)
      yield* alice.chat.acceptKey("bob", mallory.primary)
      assert.isFalse((yield* alice.chat.contact("bob")).verified)
      // What was compared before is another key's number.
      const stale = yield* Effect.flip(alice.chat.confirmKey("bob", bob.account.primary))
      assert.deepInclude(stale, { _tag: "KeyRefused", reason: "not_accepted" })
    })
  )

  it.live("cannot swap the offered key between comparison and acceptance (KEZ-SEQ-043)", () =>
    Effect.gen(function* () {
      const { alice, bob, mallory, truth, world } = yield* attacked
      const third = yield* impostor(world, "bob", 121)
      // Not even where nothing here has noticed yet: the home is asked once more.
      third.takesOver()
      const swapped = yield* Effect.flip(alice.chat.acceptKey("bob", mallory.primary))
      assert.deepInclude(swapped, { _tag: "KeyRefused", reason: "not_offered" })
      assert.deepInclude((yield* alice.chat.contact("bob")).offered, { primary: third.primary })
      truth()
      assert.strictEqual((yield* Effect.flip(alice.chat.acceptKey("bob", third.primary)))._tag, "KeyRefused")
      assert.deepInclude(yield* alice.chat.contact("bob"), { primary: bob.account.primary, state: "accepted" })
      assert.strictEqual((yield* Effect.flip(alice.chat.acceptKey("bob", bob.account.primary)))._tag, "KeyRefused")
    })
  )

  it.live(
    "is forgiven when it names the pinned key again: what waited goes out, and the mark is back (KEZ-SEQ-050)",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { alice, bob } = yield* twoFriends(world)
        yield* alice.chat.confirmKey("bob", bob.account.primary)
        world.broker.setOnline(false)
        yield* alice.chat.send("bob", "before the lie")
        const truth = (yield* impostor(world, "bob", 120)).takesOver()
        assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "changed")
        world.broker.setOnline(true)
        yield* alice.chat.sync
        yield* alice.chat.flush
        assert.strictEqual(world.broker.stored(keyOf(bob.account.primary)).length, 0)
        truth()
        const healed = yield* alice.chat.refreshContact("bob")
        assert.deepInclude(healed, { state: "accepted", primary: bob.account.primary, verified: true })
        assert.notProperty(healed, "warning")
        assert.include((yield* alice.program.event("KeyHealed")).detail, "names the key that you hold")
        yield* bob.program.event("Message", ({ message }) => message.text === "before the lie")
      })
  )

  it.live("has the offered key's mail shown as a request without the name (KEZ-SEQ-045)", () =>
    Effect.gen(function* () {
      const { alice, bob, mallory, world } = yield* attacked
      const to = keyOf(alice.account.primary)
      const body = { type: "text" as const, text: "I am bob, accept my key", chain: mallory.head }
      world.broker.store(to, yield* mallory.frame({ to, body }))
      const { contact } = yield* alice.program.event("Request")
      assert.strictEqual(contact.handle, mallory.primary)
      assert.strictEqual((yield* alice.chat.contact("bob")).primary, bob.account.primary)
      assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
      // Accepted as the stranger it is, it does not become bob either.
      yield* alice.chat.accept(mallory.primary)
      yield* alice.chat.refreshContact(mallory.primary)
      assert.deepInclude(yield* alice.chat.contact(mallory.primary), { handle: mallory.primary, state: "accepted" })
      assert.strictEqual((yield* alice.chat.contact("bob")).primary, bob.account.primary)
      // Accepted as bob's new key it is bob, with what it wrote before.
      yield* alice.chat.acceptKey("bob", mallory.primary)
      assert.strictEqual((yield* alice.chat.history("bob")).at(-1)?.text, "I am bob, accept my key")
      assert.strictEqual((yield* alice.chat.contact("bob")).primary, mallory.primary)
      assert.strictEqual((yield* alice.chat.contacts).length, 1)
    })
  )

  it.live("takes a name away from a stranger when it is pinned to another key", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.removeContact("bob")
      const mallory = yield* impostor(world, "bob", 122)
      const truth = mallory.takesOver()
      const to = keyOf(alice.account.primary)
      world.broker.store(to, yield* mallory.frame({ to, text: "hello" }))
      yield* alice.program.event(
        "Contact",
        ({ contact }) => contact.handle === "bob@home.test" && contact.primary === mallory.primary
      )
      truth()
      assert.strictEqual((yield* alice.chat.addContact("bob")).primary, bob.account.primary)
      assert.strictEqual((yield* alice.chat.contact(mallory.primary)).handle, mallory.primary)
    })
  )

  it.live("cannot hide both numbers by hiding the chain", () =>
    Effect.gen(function* () {
      const { alice, bob, mallory, world } = yield* attacked
      world.home.chains.delete(bob.account.primary)
      assert.strictEqual((yield* alice.chat.verification("bob")).offered?.primary, mallory.primary)
      world.home.unreachable.add("fetch")
      assert.strictEqual((yield* alice.chat.verification("bob")).pinned.primary, bob.account.primary)
    })
  )
})

describe("keeping the pinned key", () => {
  it.live(
    "lets messages go to it and to no other; those that the home takes for nobody wait (KEZ-SEQ-047, KEZ-SEQ-048)",
    () =>
      Effect.gen(function* () {
        const { alice, bob, mallory, world } = yield* attacked
        const kept = yield* alice.chat.keepKey("bob")
        assert.deepInclude(kept, { state: "accepted", kept: true, primary: bob.account.primary, verified: true })
        assert.deepInclude(kept.offered, { primary: mallory.primary })
        yield* alice.chat.send("bob", "only for bob")
        yield* bob.program.event("Message", ({ message }) => message.text === "only for bob")
        // The home goes on and forgets bob's key: what is for him waits.
        world.broker.setRegistered(keyOf(bob.account.primary), false)
        const waiting = yield* alice.chat.send("bob", "wait for him")
        yield* alice.chat.flush
        const state = Effect.map(alice.chat.history("bob"), (all) => all.find(({ id }) => id === waiting.id)?.state)
        assert.strictEqual(yield* state, "queued")
        assert.strictEqual(world.broker.stored(mallory.key).length, 0)
        assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "accepted")
        world.broker.setRegistered(keyOf(bob.account.primary), true)
        yield* alice.chat.keepKey("bob")
        yield* bob.program.event("Message", ({ message }) => message.text === "wait for him")
        assert.strictEqual(world.broker.stored(mallory.key).length, 0)
      })
  )

  it.live("ends when the home names it again: the next change stops as the first did", () =>
    Effect.gen(function* () {
      const { alice, mallory, truth } = yield* attacked
      yield* alice.chat.keepKey("bob")
      truth()
      const healed = yield* alice.chat.refreshContact("bob")
      assert.notProperty(healed, "kept")
      yield* alice.program.event("KeyHealed")
      mallory.takesOver()
      assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "changed")
    })
  )

  it.live("does not cover two histories of the key that are seen later", () =>
    Effect.gen(function* () {
      const { alice, bob, world } = yield* attacked
      yield* alice.chat.keepKey("bob")
      const identity = yield* identityOf(bob.words)
      const payload = Endpoint.nats(identity.primary, "nats://forked.test:4222")
      yield* append(world, identity, { op: "add_endpoint", payload }, 1)
      assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "changed")
      assert.deepInclude(yield* alice.chat.keepKey("bob"), { state: "accepted", kept: true, verified: false })
      assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "accepted")
      yield* alice.chat.confirmKey("bob", identity.primary)
    })
  )

  it.live("changes nothing where nothing changed", () =>
    Effect.gen(function* () {
      const { alice } = yield* twoFriends(makeWorld())
      assert.deepStrictEqual(yield* alice.chat.keepKey("bob"), yield* alice.chat.contact("bob"))
    })
  )
})

describe("a key that hands over", () => {
  it.live("is told from one that only the home names, and never heals (KEZ-SEQ-046, KEZ-SEQ-051)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(bob.words)
      const next = yield* impostor(world, "robert", 123)
      next.takesOver()
      const before = world.home.chains.get(identity.primary)!
      yield* rotate(world, identity, next.identity)
      const changed = yield* alice.chat.refreshContact("bob")
      assert.deepInclude(changed.offered, { primary: next.primary, origin: "handed_over" })
      const { offered } = yield* alice.chat.verification("bob")
      assert.strictEqual(offered?.safetyNumber, yield* numberOf(alice.account.primary, next.primary))
      // The rotation was seen: neither a chain without it nor a home that names the old key undoes that.
      world.home.chains.set(identity.primary, before)
      assert.strictEqual((yield* alice.chat.refreshContact("bob")).state, "changed")
      // A third key that the home names is not what was handed over to.
      const mallory = yield* impostor(world, "bob", 124)
      const truth = mallory.takesOver()
      assert.deepInclude((yield* alice.chat.refreshContact("bob")).offered, { origin: "unexplained" })
      truth()
      yield* alice.chat.refreshContact("bob")
      const accepted = yield* alice.chat.acceptKey("bob", next.primary)
      assert.deepInclude(accepted, { primary: next.primary, handle: "robert@home.test", state: "accepted" })
    })
  )

  it.live("to a key that is no chat account's has no number and cannot be accepted", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const row = { ...(yield* rowOf(alice.device, bob.account.primary)) }
      const npub = "nostr:npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"
      yield* putRow(alice.device, {
        ...row,
        state: "changed",
        chain: { state: "rotated", to: npub, detail: "rotated" }
      })
      yield* alice.program.close
      const { chat } = yield* world.start(alice.device, { offline: true })
      const { offered } = yield* chat.verification("bob")
      assert.deepStrictEqual(offered, { primary: npub, origin: "handed_over" })
      assert.strictEqual((yield* Effect.flip(chat.acceptKey("bob", npub)))._tag, "Problem")
    })
  )
})

/** A contact as it lies in the store. */
const rowOf = (device: ReturnType<typeof newDevice>, primary: string) =>
  Effect.map(
    device.store.scan({ prefix: `contact/${primary.slice("ed25519:".length)}` }),
    ([entry]) => JSON.parse(new TextDecoder().decode(entry!.value)) as Record<string, unknown>
  )
const putRow = (device: ReturnType<typeof newDevice>, row: Readonly<Record<string, unknown>>) => {
  const primary = row["primary"] as string
  const value = new TextEncoder().encode(JSON.stringify(row))
  return device.store.commit([{ op: "put", key: `contact/${primary.slice("ed25519:".length)}`, value }])
}

describe("contacts that an earlier version kept", () => {
  it.live("stay stopped and never heal by themselves, since nothing says why they stopped (KEZ-SEQ-053)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const mallory = yield* impostor(world, "bob", 125)
      yield* alice.program.close
      const row = yield* rowOf(alice.device, bob.account.primary)
      const old = { ...row, state: "changed", warning: "bob stands for another key", changedTo: mallory.primary }
      yield* putRow(alice.device, { ...old, verified: true })
      const { chat } = yield* world.start(alice.device)
      const contact = yield* chat.contact("bob")
      assert.deepInclude(contact, { state: "changed", verified: false, warning: "bob stands for another key" })
      assert.deepStrictEqual(contact.offered, { primary: mallory.primary, origin: "unexplained" })
      assert.strictEqual((yield* Effect.flip(chat.send("bob", "hi")))._tag, "SendBlocked")
      // The home names the pinned key: that may be all there was, or not.
      assert.strictEqual((yield* chat.refreshContact("bob")).state, "changed")
      assert.strictEqual((yield* Effect.flip(chat.acceptKey("bob", mallory.primary)))._tag, "KeyRefused")
      assert.deepInclude(yield* chat.keepKey("bob"), { state: "accepted", primary: bob.account.primary })
    })
  )

  it.live("lose the name that a stranger had been given", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const mallory = yield* impostor(world, "bob", 126)
      yield* alice.program.close
      const row = yield* rowOf(alice.device, bob.account.primary)
      yield* putRow(alice.device, { ...row, primary: mallory.primary, state: "requested" })
      const { chat } = yield* world.start(alice.device, { offline: true })
      assert.strictEqual((yield* chat.contact(mallory.primary)).handle, mallory.primary)
      assert.strictEqual((yield* chat.contact("bob")).primary, bob.account.primary)
    })
  )

  it.live("that were blocked come back as they are now", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.program.close
      const row = yield* rowOf(alice.device, bob.account.primary)
      yield* putRow(alice.device, { ...row, state: "blocked", before: "changed", warning: "stopped" })
      const { chat } = yield* world.start(alice.device)
      assert.strictEqual((yield* chat.contact("bob")).state, "blocked")
      assert.strictEqual((yield* chat.unblock("bob")).state, "changed")
      // Blocked without anything against the key, one stays without.
      yield* chat.keepKey("bob")
      yield* chat.block("bob")
      assert.deepInclude(yield* chat.unblock("bob"), { state: "accepted", kept: true })
    })
  )
})

describe("whatever the home answers", () => {
  it.live("nothing is sent to another key than the pinned one", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const identity = yield* identityOf(bob.words)
      const impostors = [yield* impostor(world, "bob", 130), yield* impostor(world, "bob", 131)]
      const honest = world.home.records.get("bob")!
      const chain = world.home.chains.get(identity.primary)!
      const answers: ReadonlyArray<() => void> = [
        () => world.home.records.set("bob", honest),
        () => void impostors[0]!.takesOver(),
        () => void impostors[1]!.takesOver(),
        () => world.home.records.delete("bob"),
        () => world.home.chains.set(identity.primary, chain),
        () => world.home.chains.set(identity.primary, chain.slice(0, 1)),
        () => world.home.chains.delete(identity.primary),
        () => world.home.unreachable.add("lookup"),
        () => world.home.unreachable.clear()
      ]
      // A walk that passes every answer after every other one.
      for (let round = 0; round < 81; round++) {
        answers[round % 9]!()
        answers[Math.floor(round / 9)]!()
        yield* Effect.ignore(alice.chat.refreshContact("bob"))
        if (round % 4 === 0) yield* Effect.ignore(alice.chat.keepKey("bob"))
        if (round % 5 === 0) yield* Effect.ignore(alice.chat.addContact("bob"))
        yield* Effect.ignore(alice.chat.send("bob", `round ${round}`))
        const { offered, primary, state, verified } = yield* alice.chat.contact("bob")
        assert.strictEqual(primary, bob.account.primary)
        assert.isFalse(verified)
        assert.isTrue(state === "accepted" || state === "changed")
        assert.notStrictEqual(offered?.primary, primary)
      }
      yield* alice.chat.flush
      for (const { key } of impostors) assert.strictEqual(world.broker.stored(key).length, 0)
      assert.isAbove(world.broker.stored(keyOf(bob.account.primary)).length, 0)
    })
  )
})
