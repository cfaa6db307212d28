/** What a contact is trusted with, against homes, sig-servers and contacts that lie, and answers that come late. */
import { Effect, Fiber, Layer, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { SealedMessage } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Endpoint, PrimaryKey, Sigchain } from "@kez-chat/sdk/protocol"
import { SigchainStore } from "@kez-chat/sdk/services"
import { ghost, newId } from "../kit/Ghost.ts"
import { codeOf, identityOf, join, makeWorld, twoFriends, type World } from "../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))

type Ghost = Effect.Success<ReturnType<typeof ghost>>

/** Puts a handle into the registry, signed by the ghost itself, as a home can arrange for any name. */
const name = (world: World, who: Ghost, handle: string) =>
  Effect.gen(function* () {
    const server = world.home.server
    const registration = yield* who.identity.signRegistration({ handle, server, createdAt: Date.now() })
    world.home.records.set(handle, {
      handle: `${handle}@${server}`,
      primary: who.primary,
      registered_at: "2026-01-01T00:00:00Z",
      sigchain_url: "http://sig.test/",
      endpoints: [],
      registration
    })
  })

/** A stranger with a name and an inbox. */
const stranger = (world: World, handle: string, fill: number) =>
  Effect.gen(function* () {
    const who = yield* ghost(fill)
    yield* name(world, who, handle)
    const payload = Endpoint.nats(who.primary, "nats://home.test:4222")
    const operation = { op: "add_endpoint" as const, payload }
    const event = yield* who.identity.signSigchainEvent({ after: undefined, operation, createdAt: Date.now() })
    world.home.chains.set(who.primary, [event])
    return { ...who, head: { seq: 0, hash: yield* who.hash(event) } }
  })

const hidden: Sigchain.Head = { seq: 5, hash: `sha256:${"9".repeat(64)}` }

/** Has the ghost write with a certain head of its chain. */
const write = (world: World, who: Ghost, recipient: string, text: string, chain: Sigchain.Head) =>
  Effect.gen(function* () {
    const to = keyOf(recipient)
    const frame = yield* who.frame({ to, body: { type: "text", text, chain } })
    world.broker.store(to, frame)
  })

describe("a stranger with a warning", () => {
  const warned = (world: World) =>
    Effect.gen(function* () {
      const alice = yield* join(world, "alice")
      const mallory = yield* stranger(world, "mallory", 110)
      yield* write(world, mallory, alice.account.primary, "hi", hidden)
      yield* alice.program.event("Contact", ({ contact }) => contact.warning !== undefined)
      assert.strictEqual((yield* alice.chat.contact("mallory")).state, "requested")
      return { alice, mallory }
    })

  it.live("is stopped, not trusted, when added by name", () =>
    Effect.gen(function* () {
      const { alice } = yield* warned(makeWorld())
      assert.strictEqual((yield* alice.chat.addContact("mallory")).state, "changed")
      assert.strictEqual((yield* Effect.flip(alice.chat.send("mallory", "hello")))._tag, "SendBlocked")
    })
  )

  it.live("is stopped when another device of the account wrote to them", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, mallory } = yield* warned(world)
      const me = yield* identityOf(alice.words)
      const body = { type: "text" as const, text: "from my other device", chain: hidden }
      const draft = { to: mallory.key, id: newId(), device: newId(), seq: 0, createdAt: Date.now(), body }
      yield* Effect.gen(function* () {
        const { encoded } = yield* SealedMessage.encrypt(me, draft)
        world.broker.store(me.key, yield* SealedMessage.sealFrame(encoded, me.key), "self")
      }).pipe(Effect.provide(NodeCrypto.layer))
      yield* alice.program.event("Message")
      assert.strictEqual((yield* alice.chat.contact("mallory")).state, "changed")
    })
  )

  it.live("stays a request when the user keeps the key", () =>
    Effect.gen(function* () {
      const { alice } = yield* warned(makeWorld())
      assert.deepInclude(yield* alice.chat.keepKey("mallory"), { state: "requested", kept: true })
    })
  )

  it.live("stays blocked when the user keeps the key", () =>
    Effect.gen(function* () {
      const { alice } = yield* warned(makeWorld())
      yield* alice.chat.block("mallory")
      assert.strictEqual((yield* alice.chat.keepKey("mallory")).state, "blocked")
      assert.strictEqual((yield* alice.chat.unblock("mallory")).state, "requested")
    })
  )

  it.live("cannot be verified before they are accepted", () =>
    Effect.gen(function* () {
      const { alice, mallory } = yield* warned(makeWorld())
      const refused = yield* Effect.flip(alice.chat.confirmKey("mallory", mallory.primary))
      assert.deepInclude(refused, { _tag: "KeyRefused", reason: "not_accepted" })
    })
  )
})

describe("a stranger to whom the home gives this account's own name", () => {
  it.live("stays nameless", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const thief = yield* stranger(world, "alice", 118)
      yield* write(world, thief, alice.account.primary, "a note to yourself", thief.head)
      const { contact } = yield* alice.program.event("Request")
      assert.strictEqual(contact.handle, thief.primary)
    })
  )
})

describe("accepting a changed key", () => {
  it.live("never takes a name that is pinned to somebody else", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const chris = yield* stranger(world, "chris", 111)
      yield* alice.chat.addContact("chris")
      const next = yield* ghost(112)
      const rotation = { after: chris.head, successor: next.identity, createdAt: Date.now() }
      const event = yield* chris.identity.signRotation(rotation)
      world.home.chains.set(chris.primary, [...world.home.chains.get(chris.primary)!, event])
      const { offered } = yield* alice.chat.refreshContact("chris")
      assert.deepStrictEqual(offered, { primary: next.primary, origin: "handed_over" })
      // Asked for the key, the home now says that it is bob's: chris's new key would go by bob's name.
      yield* name(world, next, "bob")
      const refused = yield* Effect.flip(alice.chat.acceptKey("chris", next.primary))
      assert.strictEqual(codeOf(refused), "record_invalid")
      assert.strictEqual((yield* alice.chat.contact("bob")).primary, bob.account.primary)
    })
  )

  it.live("keeps a blocked contact blocked", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      yield* stranger(world, "chris", 113)
      yield* alice.chat.addContact("chris")
      yield* alice.chat.block("chris")
      const next = yield* stranger(world, "chris", 114)
      assert.strictEqual((yield* alice.chat.refreshContact("chris")).offered?.primary, next.primary)
      const accepted = yield* alice.chat.acceptKey("chris", next.primary)
      assert.deepInclude(accepted, { primary: next.primary, state: "blocked" })
      assert.strictEqual((yield* alice.chat.unblock("chris")).state, "accepted")
    })
  )
})

describe("a copy of another program with this device's id", () => {
  it.live("cannot bring the count to its end", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const me = yield* identityOf(alice.words)
      const { device } = alice.account
      const to = keyOf(bob.account.primary)
      const seq = Number.MAX_SAFE_INTEGER
      const body = { type: "text" as const, text: "the last number", chain: hidden }
      const draft = { to, id: newId(), device, seq, createdAt: Date.now(), body }
      yield* Effect.gen(function* () {
        const { encoded } = yield* SealedMessage.encrypt(me, draft)
        world.broker.store(me.key, yield* SealedMessage.sealFrame(encoded, me.key), "self")
      }).pipe(Effect.provide(NodeCrypto.layer))
      yield* alice.program.event("Message")
      yield* alice.chat.send("bob", "still counting")
      const { message } = yield* bob.program.event("Message")
      assert.strictEqual(message.text, "still counting")
    })
  )
})

describe("two messages that name one place of the chain differently", () => {
  it.live("stop sending, whatever the sig-server shows", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* stranger(world, "bob", 116)
      yield* alice.chat.addContact("bob")
      world.home.unreachable.add("fetch")
      yield* write(world, bob, alice.account.primary, "one", hidden)
      yield* write(world, bob, alice.account.primary, "two", { ...hidden, hash: `sha256:${"8".repeat(64)}` })
      const { contact } = yield* alice.program.event("KeyChanged")
      assert.include(contact.warning, hidden.hash)
      assert.strictEqual(contact.state, "changed")
    })
  )
})

describe("a message that names a newer head", () => {
  it.live("raises no alarm by a chain that was asked for before it", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const bob = yield* stranger(world, "bob", 115)
      yield* alice.chat.addContact("bob")
      yield* alice.program.close
      // The sig-server's answer is on its way for as long as the gate is closed.
      let arrived = () => {}
      const answered = new Promise<void>((resolve) => (arrived = resolve))
      let asked = () => {}
      const began = new Promise<void>((resolve) => (asked = resolve))
      const slow = Layer.effect(
        SigchainStore,
        Effect.map(SigchainStore, (inner) =>
          SigchainStore.of({
            ...inner,
            fetch: (primary, since) =>
              Effect.tap(inner.fetch(primary, since), () => {
                asked()
                return Effect.promise(() => answered)
              })
          })
        )
      ).pipe(Layer.provide(world.home.layer))
      const { chat, event } = yield* world.start(alice.device, {}, undefined, Layer.merge(world.home.layer, slow))
      const checking = yield* Effect.forkScoped(chat.refreshContact("bob"), { startImmediately: true })
      yield* Effect.promise(() => began)
      const payload = Endpoint.nats(bob.primary, "nats://moved.test:4222")
      const operation = { op: "add_endpoint" as const, payload }
      const next = yield* bob.identity.signSigchainEvent({ after: bob.head, operation, createdAt: Date.now() })
      world.home.chains.set(bob.primary, [...world.home.chains.get(bob.primary)!, next])
      const head = { seq: 1, hash: yield* bob.hash(next) }
      yield* write(world, bob, alice.account.primary, "I moved", head)
      yield* event("Message")
      arrived()
      yield* Fiber.join(checking)
      yield* event("Contact", ({ contact }) => contact.head?.seq === 1)
      assert.deepInclude(yield* chat.contact("bob"), { state: "accepted", head })
    })
  )
})

describe("what this account wrote on another device", () => {
  it.live("has no gaps: receipts take numbers there and leave no copy (KEZ-SEQ-025)", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const me = yield* identityOf(alice.words)
      const body = { type: "text" as const, text: "after two receipts", chain: hidden }
      const draft = {
        to: keyOf(bob.account.primary),
        id: newId(),
        device: newId(),
        seq: 2,
        createdAt: Date.now(),
        body
      }
      yield* Effect.gen(function* () {
        const { encoded } = yield* SealedMessage.encrypt(me, draft)
        world.broker.store(me.key, yield* SealedMessage.sealFrame(encoded, me.key), "self")
      }).pipe(Effect.provide(NodeCrypto.layer))
      const { message } = yield* alice.program.event("Message", ({ message }) => message.text === "after two receipts")
      assert.strictEqual(message.direction, "out")
      assert.notProperty(message, "gap")
    })
  )
})
