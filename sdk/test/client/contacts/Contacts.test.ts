import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Result } from "effect"
import { PrimaryKey } from "@kez-chat/sdk/protocol"
import { SigchainStore } from "@kez-chat/sdk/services"
import { impostor } from "../kit/Liar.ts"
import { codeOf, join, makeWorld, twoFriends } from "../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const texts = (messages: ReadonlyArray<{ readonly text: string }>) => messages.map(({ text }) => text)

describe("adding a contact", () => {
  it.live("keeps one key for a handle, whatever a home answers to two questions at once", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      const truth = world.home.records.get("carol")!
      const thief = yield* impostor(world, "carol", 100)
      thief.takesOver()
      const lie = world.home.records.get("carol")!
      let asked = 0
      world.home.records.get = (handle) =>
        handle === "carol" ? (asked++ === 0 ? lie : truth) : Map.prototype.get.call(world.home.records, handle)
      // Both have their answer before either of them goes on.
      const both = yield* Deferred.make<void>()
      const slow = Layer.effect(
        SigchainStore,
        Effect.map(SigchainStore, (inner) =>
          SigchainStore.of({
            ...inner,
            fetch: (primary, since) =>
              Effect.gen(function* () {
                if (asked >= 2) yield* Deferred.succeed(both, undefined)
                if (primary === thief.primary || primary === carol.account.primary) yield* Deferred.await(both)
                return yield* inner.fetch(primary, since)
              })
          })
        )
      ).pipe(Layer.provideMerge(world.home.layer))
      yield* alice.program.close
      const { chat } = yield* world.start(alice.device, {}, undefined, slow)
      const add = chat.addContact("carol")
      const added = yield* Effect.all([add, add], { concurrency: "unbounded" })
      const named = (yield* chat.contacts).filter(({ handle }) => handle === "carol@home.test")
      assert.lengthOf(named, 1)
      assert.include([carol.account.primary, thief.primary], named[0]!.primary)
      assert.deepStrictEqual([...new Set(added.map(({ primary }) => primary))], [named[0]!.primary])
    })
  )

  it.live("finds them however they are named, and keeps the verified key", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      for (const who of ["bob", "@bob", " Bob ", "bob@home.test", "@bob@home.test", bob.account.primary]) {
        assert.strictEqual((yield* alice.chat.contact(who)).primary, bob.account.primary)
      }
      const contact = yield* alice.chat.contact("bob")
      assert.deepInclude(contact, { handle: "bob@home.test", state: "accepted", verified: false })
      assert.strictEqual(contact.head!.seq, 1)
      assert.deepStrictEqual(yield* alice.chat.addContact("bob"), yield* alice.chat.contact("bob"))
    })
  )

  it.live("can be looked up before they are added, which keeps nothing", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      const { primary } = bob.account
      assert.deepStrictEqual(yield* alice.chat.lookUp("@bob"), { handle: "bob@home.test", primary })
      assert.deepStrictEqual(yield* alice.chat.contacts, [])
      const contact = yield* alice.chat.addContact("bob")
      assert.deepStrictEqual(yield* alice.chat.lookUp("bob"), { handle: "bob@home.test", primary, contact })
      assert.deepInclude(yield* alice.chat.lookUp("alice"), { primary: alice.account.primary })
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.lookUp("nobody"))), "handle_not_found")
    })
  )

  it.live("says who cannot be added, and why", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("nobody"))), "handle_not_found")
      // KEZ-REG-043
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("admin"))), "handle_not_found")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("no such handle"))), "handle_malformed")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.send("carol", "hi"))), "ContactUnknown")
      world.home.unreachable.add("lookup")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("carol"))), "ServerUnreachable")
    })
  )

  it.live("refuses a record that labels somebody else's key", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice } = yield* twoFriends(world)
      const record = world.home.records.get("bob")!
      world.home.records.set("carol", { ...record, handle: "carol@home.test" })
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("carol"))), "record_invalid")
    })
  )

  it.live("of somebody without an inbox works, and sending says why it cannot", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      world.home.chains.delete(bob.account.primary)
      yield* alice.chat.addContact("bob")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.send("bob", "hi"))), "contact_unreachable")
    })
  )
})

describe("requests", () => {
  it.live("come from strangers, named by the home; accepting lets both write", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      yield* alice.chat.send("bob", "may I?")
      const { contact, message } = yield* bob.program.event("Request")
      assert.deepInclude(contact, { handle: "alice@home.test", state: "requested" })
      assert.strictEqual(message.text, "may I?")
      assert.deepInclude(yield* Effect.flip(bob.chat.send("alice", "yes")), {
        _tag: "SendBlocked",
        reason: "requested"
      })
      assert.strictEqual((yield* bob.chat.accept("alice")).state, "accepted")
      yield* bob.chat.send("alice", "yes")
      yield* alice.program.event("Message", ({ message }) => message.text === "yes")
      yield* alice.chat.send("bob", "good")
      yield* bob.program.event("Message", ({ message }) => message.text === "good")
      assert.deepStrictEqual(texts(yield* bob.chat.history("alice")), ["may I?", "yes", "good"])
    })
  )

  it.live("arrive nameless while the home is out of reach, and get their name later", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      world.home.unreachable.add("byPrimary")
      yield* alice.chat.send("bob", "who am I?")
      const { contact } = yield* bob.program.event("Request")
      assert.strictEqual(contact.handle, alice.account.primary)
      assert.strictEqual((yield* bob.chat.contact(alice.account.primary)).state, "requested")
      world.home.unreachable.clear()
      yield* bob.program.event("Contact", ({ contact }) => contact.handle === "alice@home.test")
    })
  )

  it.live("are dropped unseen where only contacts may write (KEZ-PRF-167)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob } = yield* twoFriends(world)
      const carol = yield* join(world, "carol")
      yield* bob.chat.updateSettings({ inbox: "contacts" })
      yield* carol.chat.addContact("bob")
      yield* carol.chat.send("bob", "let me in")
      yield* carol.chat.flush
      yield* bob.chat.sync
      assert.deepStrictEqual(bob.program.shown(), [])
      assert.deepStrictEqual(
        (yield* bob.chat.contacts).map(({ handle }) => handle),
        ["alice@home.test"]
      )
    })
  )
})

describe("blocking", () => {
  it.live("shows nothing of theirs, sends nothing to them, and can be taken back", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      assert.strictEqual((yield* bob.chat.block("alice")).state, "blocked")
      yield* alice.chat.send("bob", "while blocked")
      yield* alice.chat.flush
      yield* bob.chat.sync
      assert.deepStrictEqual(bob.program.shown(), [])
      assert.deepInclude(yield* Effect.flip(bob.chat.send("alice", "no")), { _tag: "SendBlocked", reason: "blocked" })
      assert.strictEqual((yield* bob.chat.unblock("alice")).state, "accepted")
      // Until the home has heard of it, it keeps none of her frames.
      yield* bob.chat.flush
      yield* alice.chat.send("bob", "after")
      yield* bob.program.event("Message", ({ message }) => message.text === "after")
      world.broker.newEpoch(true)
      yield* bob.chat.sync
      assert.deepStrictEqual(texts(yield* bob.chat.history("alice")), ["after"])
    })
  )

  it.live("fails what was still queued", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.setOnline(false)
      yield* alice.chat.send("bob", "on second thoughts")
      yield* alice.chat.block("bob")
      world.broker.setOnline(true)
      yield* alice.chat.sync
      yield* alice.chat.flush
      const [message] = yield* alice.chat.history("bob")
      assert.strictEqual(message!.state, "failed")
      assert.strictEqual(world.broker.stored(keyOf(bob.account.primary)).length, 0)
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "out/" }), [])
      assert.deepStrictEqual(yield* alice.device.store.scan({ prefix: "frame/" }), [])
    })
  )
})

describe("removing", () => {
  it.live("forgets the contact, the messages only when asked, and never the count", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* alice.chat.flush
      yield* alice.chat.removeContact("bob")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.history("bob"))), "ContactUnknown")
      yield* alice.chat.addContact("bob")
      assert.deepStrictEqual(texts(yield* alice.chat.history("bob")), ["one"])
      yield* alice.chat.removeContact("bob", true)
      yield* alice.chat.addContact("bob")
      assert.deepStrictEqual(yield* alice.chat.history("bob"), [])
      yield* alice.chat.send("bob", "two")
      const { message } = yield* bob.program.event("Message", ({ message }) => message.text === "two")
      assert.isUndefined(message.fork)
      assert.isUndefined(message.gap)
    })
  )
})

describe("verification", () => {
  it.live("shows both sides the same number, and remembers that it was compared", () =>
    Effect.gen(function* () {
      const { alice, bob } = yield* twoFriends(makeWorld())
      const mine = yield* alice.chat.verification("bob")
      const theirs = yield* bob.chat.verification("alice")
      assert.strictEqual(mine.pinned.safetyNumber, theirs.pinned.safetyNumber)
      assert.strictEqual(mine.pinned.qr, theirs.pinned.qr)
      assert.match(mine.pinned.qr, /^kez:sn1:/)
      assert.isUndefined(mine.offered)
      assert.strictEqual(mine.events.length, 2)
      const before = Date.now()
      const { verified, verifiedAt } = yield* alice.chat.confirmKey("bob", bob.account.primary)
      assert.isTrue(verified)
      assert.isAtLeast(verifiedAt ?? 0, before)
      assert.strictEqual((yield* alice.chat.contact("bob")).verifiedAt, verifiedAt)
      yield* alice.program.event("Contact", ({ contact }) => contact.verified)
      assert.notProperty(yield* alice.chat.unconfirmKey("bob"), "verifiedAt")
    })
  )
})

describe("contacts", () => {
  it.live("are listed changed and accepted first, then requests, then blocked", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob } = yield* twoFriends(world)
      for (const name of ["carol", "dave", "erin"]) {
        const person = yield* join(world, name)
        yield* person.chat.addContact("bob")
        yield* person.chat.send("bob", "hi")
        yield* bob.program.event("Request", ({ contact }) => contact.handle === `${name}@home.test`)
      }
      yield* bob.chat.block("carol")
      yield* bob.chat.accept("erin")
      const listed = (yield* bob.chat.contacts).map(({ handle, state }) => `${handle.split("@")[0]} ${state}`)
      assert.deepStrictEqual(listed, ["alice accepted", "erin accepted", "dave requested", "carol blocked"])
      assert.isAbove((yield* bob.chat.history("dave")).length, 0)
    })
  )
})
