import { Effect, Fiber, Option, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { type LocalStore, StoreError } from "@kez-chat/sdk/services"
import { chain, ghost, newId } from "../kit/Ghost.ts"
import { eventually, join, keyOf, makeWorld, newDevice, textsOf, twoFriends, type World } from "../kit/People.ts"

/** Bob, who accepts a ghost's messages. */
const bobAndGhost = Effect.fnUntraced(function* (world: World) {
  const bob = yield* join(world, "bob")
  const casper = yield* ghost(200)
  const to = keyOf(bob.account.primary)
  world.broker.store(to, yield* casper.frame({ to, text: "may I?" }))
  yield* bob.program.event("Request")
  yield* bob.chat.accept(casper.primary)
  return { bob, casper, to }
})

describe("cursor", () => {
  it.live("a page for another request is passed over and asked for again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.faults.foreignPages = 2
      world.broker.faults.dropLive = () => true
      yield* alice.chat.send("bob", "hello")
      yield* alice.chat.flush
      yield* Effect.ignore(bob.chat.sync)
      yield* bob.program.event("Message")
      assert.deepStrictEqual(textsOf(yield* bob.chat.history("alice")), ["hello"])
    })
  )

  it.live("another epoch starts at 0, and what was seen is not shown again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* alice.chat.flush
      yield* bob.chat.sync
      world.broker.newEpoch(true)
      yield* alice.chat.send("bob", "two")
      yield* alice.chat.flush
      yield* bob.chat.sync
      yield* bob.program.hasShown(["one", "two"])
      assert.deepStrictEqual(textsOf(yield* bob.chat.history("alice")), ["one", "two"])
    })
  )

  it.live("a stream made anew while connected is noticed by its first live frame", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      for (const text of ["one", "two", "three"]) yield* alice.chat.send("bob", text)
      yield* alice.chat.flush
      yield* bob.program.event("Message", ({ message }) => message.text === "three")
      world.broker.newEpoch()
      yield* alice.chat.send("bob", "four")
      yield* bob.program.event("Message", ({ message }) => message.text === "four")
      yield* bob.program.hasShown(["one", "two", "three", "four"])
    })
  )

  it.live("a cursor beyond the end of the stream starts at 0", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* alice.chat.send("bob", "one")
      yield* alice.chat.flush
      yield* bob.chat.sync
      yield* bob.program.close
      const raw = JSON.stringify({
        epoch: Buffer.alloc(16, 1).toString("base64url"),
        base: 900,
        inbox: 900,
        self: 900,
        ahead: []
      })
      yield* bob.device.store.commit([{ op: "put", key: "position", value: new TextEncoder().encode(raw) }])
      yield* alice.chat.send("bob", "two")
      yield* alice.chat.flush
      const again = yield* world.start(bob.device)
      yield* again.chat.sync
      assert.deepStrictEqual(textsOf(yield* again.chat.history("alice")), ["one", "two"])
    })
  )

  it.live("an expired predecessor is no reason to wait", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      world.broker.setOnline(false, keyOf(bob.account.primary))
      for (const text of ["one", "two", "three"]) yield* alice.chat.send("bob", text)
      yield* alice.chat.flush
      const stored = world.broker.stored(keyOf(bob.account.primary))
      world.broker.expire(stored.at(-2)!.seq)
      world.broker.setOnline(true, keyOf(bob.account.primary))
      const { message } = yield* bob.program.event("Message")
      assert.strictEqual(message.text, "three")
      assert.strictEqual(message.gap, 2)
    })
  )

  it.live("live frames may be dropped, doubled and swapped", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      let n = 0
      world.broker.faults.dropLive = () => n++ % 3 === 0
      world.broker.faults.duplicateLive = true
      world.broker.faults.reorderLive = true
      const sent = Array.from({ length: 60 }, (_, index) => `m${index}`)
      for (const text of sent) yield* alice.chat.send("bob", text)
      yield* alice.chat.flush
      yield* bob.chat.sync
      assert.deepStrictEqual(textsOf(yield* bob.chat.history("alice", { limit: 100 })), sent)
      yield* bob.program.hasShown(sent)
    })
  )

  it.live("a restart after live messages refetches no more than lies ahead of the base", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      for (let index = 0; index < 200; index++) yield* alice.chat.send("bob", `m${index}`)
      yield* alice.chat.flush
      yield* bob.program.event("Message", ({ message }) => message.text === "m199")
      const position = JSON.parse(
        Buffer.from((yield* bob.device.store.scan({ prefix: "position" }))[0]!.value).toString()
      )
      const own = world.broker.stored(keyOf(bob.account.primary)).filter(({ seq }) => seq > position.base)
      assert.isAtMost(own.length, 256)
    })
  )

  it.live("a long backlog arrives in pages, whole and in order", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.program.close
      world.broker.faults.pageSize = 7
      const sent = Array.from({ length: 100 }, (_, index) => `m${index}`)
      yield* Effect.forEach(sent, (text) => alice.chat.send("bob", text))
      yield* alice.chat.flush
      const again = yield* world.start(bob.device)
      yield* again.chat.sync
      assert.deepStrictEqual(textsOf(yield* again.chat.history("alice", { limit: 200 })), sent)
    })
  )
})

describe("frames", () => {
  it.live("poison is recorded and passed, and what follows arrives", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const good = yield* casper.frame({ to, text: "good" })
      const broken = good.slice()
      broken[40]! ^= 1
      world.broker.store(to, Uint8Array.of(9))
      world.broker.store(to, broken)
      world.broker.store(to, yield* casper.seal(new TextEncoder().encode("{}"), to))
      world.broker.store(to, good)
      yield* bob.program.event("Message", ({ message }) => message.text === "good")
      const dropped = bob.program.events.flatMap((event) => (event._tag === "Dropped" ? [event.code] : []))
      assert.deepStrictEqual(dropped, ["frame_malformed", "frame_unreadable", "envelope_malformed"])
      assert.strictEqual((yield* bob.device.store.scan({ prefix: "dropped/" })).length, 3)
      yield* bob.program.close
      const again = yield* world.start(bob.device)
      yield* again.chat.sync
      assert.deepStrictEqual(again.events, [])
    })
  )

  it.live("a message re-sealed to a third person is dropped", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const other = yield* ghost(201)
      const signed = yield* casper.write({ to: other.key, text: "for another" })
      world.broker.store(to, yield* casper.seal(signed.encoded, to))
      yield* bob.program.event("Dropped", ({ code }) => code === "message_misdirected")
      assert.deepStrictEqual(textsOf(yield* bob.chat.history(casper.primary)), ["may I?"])
    })
  )

  it.live("the same id from two senders is two messages; the same envelope twice is one", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const other = yield* ghost(202)
      const id = newId()
      const first = yield* casper.write({ to, id, text: "from casper" })
      world.broker.store(to, yield* casper.seal(first.encoded, to))
      world.broker.store(to, yield* casper.seal(first.encoded, to))
      world.broker.store(to, yield* other.frame({ to, id, text: "from another" }))
      yield* bob.program.event("Request", ({ message }) => message.text === "from another")
      assert.deepStrictEqual(textsOf(yield* bob.chat.history(casper.primary)), ["may I?", "from casper"])
    })
  )

  it.live("the same (from, id) with another envelope is shown as equivocation, and the first one stays", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const id = newId()
      world.broker.store(to, yield* casper.frame({ to, id, text: "yes" }))
      world.broker.store(to, yield* casper.frame({ to, id, text: "no" }))
      const { message } = yield* bob.program.event("State", ({ message }) => message.equivocation === true)
      assert.strictEqual(message.text, "yes")
      assert.deepStrictEqual(textsOf(yield* bob.chat.history(casper.primary)), ["may I?", "yes"])
    })
  )

  it.live(
    "two envelopes in one place of a sender's count are a fork; a hole is a gap; a new device may start anywhere",
    () =>
      Effect.gen(function* () {
        const world = makeWorld()
        const { bob, casper, to } = yield* bobAndGhost(world)
        world.broker.store(to, yield* casper.frame({ to, seq: 4, text: "after a hole" }))
        world.broker.store(to, yield* casper.frame({ to, seq: 4, text: "again four" }))
        world.broker.store(to, yield* casper.frame({ to, seq: 2, text: "late" }))
        world.broker.store(to, yield* casper.frame({ to, seq: 5, device: newId(), text: "another device" }))
        yield* bob.program.event("Message", ({ message }) => message.text === "another device")
        const [, hole, fork, late, device] = yield* bob.chat.history(casper.primary)
        assert.deepInclude(hole, { text: "after a hole", gap: 3 })
        assert.deepInclude(fork, { text: "again four", fork: true })
        assert.notProperty(late, "gap")
        assert.notProperty(late, "fork")
        assert.deepInclude(device, { text: "another device", gap: 5 })
      })
  )

  it.live("a time far from the arrival is suspicious", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const day = 24 * 60 * 60_000
      world.broker.store(to, yield* casper.frame({ to, text: "old", createdAt: Date.now() - 31 * day }))
      world.broker.store(to, yield* casper.frame({ to, text: "early", createdAt: Date.now() + 11 * 60_000 }))
      world.broker.store(to, yield* casper.frame({ to, text: "fine", createdAt: Date.now() + 9 * 60_000 }))
      yield* bob.program.event("Message", ({ message }) => message.text === "fine")
      const [, old, early, fine] = yield* bob.chat.history(casper.primary)
      assert.isTrue(old!.suspicious)
      assert.isTrue(early!.suspicious)
      assert.isUndefined(fine!.suspicious)
    })
  )

  it.live("a body of an unknown type is kept whole and shows its fallback; addresses are never shown", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { bob, casper, to } = yield* bobAndGhost(world)
      const poll = { type: "text" as const, text: "x", fallback: "a poll", chain }
      world.broker.store(
        to,
        yield* casper.frame({ to, body: { type: "address_request", nonce: new Uint8Array(16), chain } })
      )
      world.broker.store(to, yield* casper.frame({ to, body: poll }))
      yield* bob.program.event("Message")
      const messages = yield* bob.chat.history(casper.primary)
      assert.deepStrictEqual(
        messages.map(({ type }) => type),
        ["text", "text"]
      )
      assert.strictEqual(messages[1]!.body["fallback"], "a poll")
      assert.isUndefined(messages[1]!.gap, "an address request takes its place in the count")
    })
  )
})

describe("several devices of one account", () => {
  it.live("show what was sent on the other, and notes to self", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const tablet = newDevice()
      const second = yield* world.start(tablet)
      const restored = yield* second.chat.restore({ words: alice.words })
      assert.strictEqual(restored.handle, "alice@home.test")
      assert.notStrictEqual(restored.device, alice.account.device)
      yield* alice.chat.send("bob", "from the first")
      const { contact, message } = yield* second.event("Message", ({ message }) => message.text === "from the first")
      assert.deepInclude(message, { direction: "out", state: "stored", peer: bob.account.primary })
      assert.strictEqual(contact.state, "accepted")
      yield* second.event("Contact", ({ contact }) => contact.handle === "bob@home.test")
      yield* second.chat.send("bob", "from the second")
      yield* alice.program.event("Message", ({ message }) => message.text === "from the second")
      yield* bob.program.event("Message", ({ message }) => message.text === "from the second")
      yield* alice.chat.send("alice", "remember the milk")
      const note = yield* second.event("Message", ({ message }) => message.text === "remember the milk")
      assert.strictEqual(note.message.direction, "out")
      assert.deepStrictEqual(textsOf(yield* second.chat.history("alice")), ["remember the milk"])
      assert.deepStrictEqual(textsOf(yield* bob.chat.history("alice")), ["from the first", "from the second"])
      // No message of one's own, on whatever device, counts as a gap or fork.
      for (const kept of yield* bob.chat.history("alice"))
        assert.isTrue(kept.gap === undefined && kept.fork === undefined)
    })
  )

  it.live("bring history and contacts back from the words, without asking anybody to be accepted again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.chat.send("alice", "one")
      yield* alice.program.event("Message")
      yield* alice.chat.send("bob", "two")
      yield* bob.program.event("Message", ({ message }) => message.direction === "in")
      yield* alice.chat.flush
      yield* alice.program.close
      const fresh = yield* world.start(newDevice())
      yield* fresh.chat.restore({ words: alice.words })
      yield* fresh.chat.sync
      yield* eventually(() =>
        fresh.events.some((event) => event._tag === "Contact" && event.contact.handle === "bob@home.test")
      )
      assert.deepStrictEqual(textsOf(yield* fresh.chat.history("bob")), ["one", "two"])
      const contact = yield* fresh.chat.contact("bob")
      assert.strictEqual(contact.state, "accepted")
      yield* fresh.chat.send("bob", "three")
      yield* bob.program.event("Message", ({ message }) => message.text === "three")
    })
  )

  it.live("a store that lost its memory does not count from 0 again", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const before = yield* alice.device.store.scan({ prefix: "" })
      for (const text of ["one", "two"]) yield* alice.chat.send("bob", text)
      yield* alice.chat.flush
      yield* alice.program.close
      const old = newDevice()
      yield* old.store.commit(before.map(({ key, value }) => ({ op: "put" as const, key, value })))
      const again = yield* world.start({ ...old, vault: alice.device.vault })
      yield* again.chat.sync
      yield* again.chat.send("bob", "three")
      const { message } = yield* bob.program.event("Message", ({ message }) => message.text === "three")
      assert.isUndefined(message.fork)
      assert.isUndefined(message.gap)
      assert.deepStrictEqual(textsOf(yield* again.chat.history("bob")), ["one", "two", "three"])
    })
  )
})

describe("a store that is full", () => {
  it.live("is told once, also to who listens later, and takes what waited when there is room", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      yield* bob.program.close
      let isFull = false
      const { store } = bob.device
      const small: LocalStore["Service"] = {
        get: (key) => store.get(key),
        scan: (range) => store.scan(range),
        commit: (writes) =>
          Effect.suspend((): ReturnType<typeof store.commit> =>
            isFull ? Effect.fail(new StoreError({ reason: "full", detail: "no space is left" })) : store.commit(writes)
          ),
        sync: store.sync
      }
      const again = yield* world.start({ ...bob.device, store: small })
      yield* again.chat.sync
      isFull = true
      for (const text of ["one", "two"]) yield* alice.chat.send("bob", text)
      yield* alice.chat.flush
      const failing = { _tag: "StoreFailing", reason: "full", detail: "no space is left" } as const
      assert.deepStrictEqual(yield* again.event("StoreFailing"), failing)
      // The second failure in a row is no news.
      assert.deepInclude(yield* Effect.flip(again.chat.sync), { _tag: "StoreError", reason: "full" })
      assert.deepStrictEqual(yield* Stream.runHead(again.chat.events), Option.some(failing))
      isFull = false
      yield* again.event("StoreRecovered")
      yield* again.hasShown(["one", "two"])
      const tags = again.events.map(({ _tag }) => _tag).filter((tag) => tag.startsWith("Store"))
      assert.deepStrictEqual(tags, ["StoreFailing", "StoreRecovered"])
      const late = yield* Effect.forkChild(Stream.runHead(again.chat.events), { startImmediately: true })
      yield* alice.chat.send("bob", "three")
      const first = Option.getOrThrow(yield* Fiber.join(late))
      assert.notStrictEqual(first._tag, "StoreFailing")
    })
  )
})
