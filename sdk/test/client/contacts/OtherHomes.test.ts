/** People of other homes: asked at their own server and nowhere else, pinned and checked as everyone, not written to. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Endpoint } from "@kez-chat/sdk/protocol"
import { noHomes } from "@kez-chat/sdk/services"
import { makeMemoryHome } from "../../doubles/MemoryHome.ts"
import { append, impostor, rotate } from "../kit/Liar.ts"
import { codeOf, join, makeWorld } from "../kit/People.ts"

/** Alice at home.test, and Bob at b.test. */
const neighbours = Effect.gen(function* () {
  const b = makeMemoryHome("b.test")
  const world = makeWorld({ others: [b] })
  const alice = yield* join(world, "alice")
  const bob = yield* impostor({ home: b }, "bob", 150)
  bob.takesOver()
  world.home.calls.clear()
  return { world, b, alice, bob }
})

describe("somebody of another home", () => {
  it.live("KEZ-REG-100 is looked up and added at the server of their handle, and nowhere else", () =>
    Effect.gen(function* () {
      const { alice, bob, world } = yield* neighbours
      assert.deepStrictEqual(yield* alice.chat.lookUp("@bob@b.test"), { handle: "bob@b.test", primary: bob.primary })
      const contact = yield* alice.chat.addContact("bob@b.test")
      assert.deepInclude(contact, { handle: "bob@b.test", home: "b.test", primary: bob.primary, state: "accepted" })
      assert.deepStrictEqual(contact.head, bob.head)
      assert.deepStrictEqual([...new Set(world.askedHomes)], ["b.test"])
      assert.deepStrictEqual([...world.home.calls.keys()], [])
      const { events, pinned } = yield* alice.chat.verification("bob@b.test")
      assert.lengthOf(events, 1)
      assert.match(pinned.safetyNumber, /^[0-9 ]+$/)
      assert.isTrue((yield* alice.chat.confirmKey("bob@b.test", bob.primary)).verified)
      assert.deepInclude(yield* alice.chat.lookUp("bob@b.test"), { primary: bob.primary })
      // The same name alone is somebody of this home.
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.contact("bob"))), "ContactUnknown")
    })
  )

  it.live("KEZ-SIG-116 cannot be written to, shared with or browsed, which is said", () =>
    Effect.gen(function* () {
      const { alice } = yield* neighbours
      yield* alice.chat.addContact("bob@b.test")
      const refused = yield* Effect.flip(alice.chat.send("bob@b.test", "hi"))
      assert.strictEqual(codeOf(refused), "federation_unsupported")
      assert.include(refused.message, "bob@b.test is at b.test")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.browse("bob@b.test"))), "federation_unsupported")
    })
  )

  it.live("is checked again there: another key stops, the old one heals, a fork and a rotation are told", () =>
    Effect.gen(function* () {
      const { alice, b, bob } = yield* neighbours
      yield* alice.chat.addContact("bob@b.test")
      const thief = yield* impostor({ home: b }, "bob", 151)
      const back = thief.takesOver()
      assert.deepInclude(yield* alice.chat.refreshContact("bob@b.test"), { state: "changed" })
      back()
      assert.deepInclude(yield* alice.chat.refreshContact("bob@b.test"), { state: "accepted" })
      const successor = yield* impostor({ home: b }, "robert", 152)
      yield* rotate({ home: b }, bob.identity, successor.identity)
      successor.takesOver()
      const rotated = yield* alice.chat.refreshContact("bob@b.test")
      assert.deepStrictEqual(rotated.offered, { primary: successor.primary, origin: "handed_over" })
      const accepted = yield* alice.chat.acceptKey("bob@b.test", successor.primary)
      assert.deepInclude(accepted, { handle: "robert@b.test", home: "b.test", primary: successor.primary })
      const payload = Endpoint.nats(successor.primary, "nats://elsewhere.test:4222")
      yield* append({ home: b }, successor.identity, { op: "add_endpoint", payload }, 0)
      const forked = yield* alice.chat.refreshContact("robert@b.test")
      assert.strictEqual(forked.cause?.chain, "forked")
    })
  )

  it.live("who has a handle here too keeps the one that can be written to", () =>
    Effect.gen(function* () {
      const { alice, world } = yield* neighbours
      const here = yield* impostor(world, "bobby", 150)
      here.takesOver()
      yield* alice.chat.addContact("bobby")
      const added = yield* alice.chat.addContact("bob@b.test")
      assert.strictEqual(added.handle, "bobby@home.test")
      assert.notProperty(added, "home")
      assert.lengthOf(yield* alice.chat.contacts, 1)
    })
  )
})

describe("another home", () => {
  it.live("KEZ-REG-105 cannot attach somebody else's key, or another's handle, to a name of its own", () =>
    Effect.gen(function* () {
      const { alice, b, world } = yield* neighbours
      const record = b.records.get("bob")!
      b.records.set("carol", { ...record, handle: "carol@b.test" })
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("carol@b.test"))), "record_invalid")
      const local = yield* join(world, "dave")
      b.records.set("dave", world.home.records.get("dave")!)
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("dave@b.test"))), "record_invalid")
      assert.deepStrictEqual(yield* alice.chat.contacts, [])
      assert.strictEqual((yield* alice.chat.addContact("dave")).primary, local.account.primary)
    })
  )

  it.live("that is down changes nothing, and says so", () =>
    Effect.gen(function* () {
      const { alice, b, bob } = yield* neighbours
      yield* alice.chat.addContact("bob@b.test")
      b.unreachable.add("wellKnown")
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.refreshContact("bob@b.test"))), "ServerUnreachable")
      assert.strictEqual((yield* alice.chat.verification("bob@b.test")).pinned.primary, bob.primary)
      assert.deepInclude(yield* alice.chat.contact("bob@b.test"), { state: "accepted" })
      assert.strictEqual(codeOf(yield* Effect.flip(alice.chat.addContact("eve@else.test"))), "ServerUnreachable")
    })
  )

  it.live("is not asked by a client that may not", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      yield* alice.program.close
      const { chat } = yield* world.start(alice.device, {}, undefined, Layer.merge(world.home.layer, noHomes))
      const refused = yield* Effect.flip(chat.addContact("bob@b.test"))
      assert.strictEqual(codeOf(refused), "federation_unsupported")
      assert.include(refused.message, "b.test")
    })
  )
})
