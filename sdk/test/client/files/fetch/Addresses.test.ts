/** Asking for addresses, answering with them, and what others may try with these two bodies. */
import { Clock, Effect, Redacted, Result, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { SealedMessage, WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { type Body, Bytes, type KeyAdmission, PrimaryKey, Ticket } from "@kez-chat/sdk/protocol"
import { type Addresses, type BlobTransport, BlobTransportError } from "@kez-chat/sdk/services"
import { contentOf, fileOf, follow, offerTo, serving } from "../../kit/Files.ts"
import { ghost } from "../../kit/Ghost.ts"
import { eventually, join, makeWorld, newDevice, newWords, twoFriends, type World } from "../../kit/People.ts"
import * as PeerAddresses from "../../../../src/client/files/fetch/PeerAddresses.ts"

const keyOf = (primary: string) => Result.getOrThrow(PrimaryKey.parseEd25519(primary))
const chain = { seq: 0, hash: `sha256:${"1".repeat(64)}` }

type Ghost = Effect.Success<ReturnType<typeof ghost>>

const nonceOf = (fill: number): Uint8Array => new Uint8Array(16).fill(fill)
const request = (fill: number): Body.Known => ({ type: "address_request", nonce: nonceOf(fill), chain })

/** What was sent to a ghost, opened. */
const inboxOf = (world: World, { identity, key }: Ghost) =>
  Effect.forEach(
    world.broker.stored(key).filter(({ subject }) => subject === "inbox"),
    ({ frame }) => SealedMessage.openFrame(identity, frame)
  ).pipe(
    Effect.map((all) => all.map(({ body }) => body)),
    Effect.provide(NodeCrypto.layer),
    Effect.orDie
  )

const answersTo = (world: World, asker: Ghost) =>
  Effect.map(inboxOf(world, asker), (bodies) => bodies.filter((body) => body.type === "address"))

/** Waits for so many answers. */
const answered = (world: World, asker: Ghost, count: number) =>
  Effect.gen(function* () {
    let answers = yield* answersTo(world, asker)
    while (answers.length < count) {
      yield* Effect.sleep(5)
      answers = yield* answersTo(world, asker)
    }
    return answers
  })

/** Puts a body of a ghost into somebody's inbox. */
const say = (world: World, from: Ghost, to: KeyAdmission.AdmittedKey, body: Body.Known, createdAt = Date.now()) =>
  Effect.map(from.frame({ to, body, createdAt }), (frame) => world.broker.store(to, frame))

/** A ghost whom somebody has accepted after a first message. */
const friendOf = (world: World, person: Effect.Success<ReturnType<typeof join>>, fill: number) =>
  Effect.gen(function* () {
    const friend = yield* ghost(fill)
    const to = keyOf(person.account.primary)
    world.broker.store(to, yield* friend.frame({ to, text: `it is me, ${fill}` }))
    yield* person.program.event("Request", ({ contact }) => contact.primary === friend.primary)
    yield* person.chat.accept(friend.primary)
    yield* person.program.event(
      "Contact",
      ({ contact }) => contact.primary === friend.primary && contact.state === "accepted"
    )
    return friend
  })

describe("answering", () => {
  it.live("KEZ-DM-023 tells accepted contacts where the device is, and nobody else anything", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const stranger = yield* ghost(31)
      const requested = yield* ghost(32)
      const blocked = yield* friendOf(world, alice, 33)
      const friend = yield* friendOf(world, alice, 34)
      world.broker.store(me, yield* requested.frame({ to: me, text: "hello" }))
      yield* alice.program.event("Request", ({ contact }) => contact.primary === requested.primary)
      yield* alice.chat.block(blocked.primary)
      yield* serving(alice)
      for (const one of [stranger, requested, blocked]) yield* say(world, one, me, request(1))
      yield* say(world, friend, me, request(2))
      const [answer] = yield* answered(world, friend, 1)
      assert.deepStrictEqual(answer?.type === "address" && answer.nonce, nonceOf(2))
      assert.match(answer?.type === "address" ? answer.addrs.join() : "", /^127\.0\.0\.1:\d+$/)
      const ahead = answer?.type === "address" ? answer.expiresAt - Date.now() : 0
      assert.isAbove(ahead, 3 * 60_000)
      assert.isBelow(ahead, 5 * 60_000)
      yield* alice.chat.sync
      yield* alice.chat.flush
      for (const one of [stranger, requested, blocked]) assert.deepStrictEqual(yield* inboxOf(world, one), [])
    })
  )

  it.live("KEZ-DM-024 leaves no message, no own copy, no receipt and no new contact", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const friend = yield* friendOf(world, alice, 35)
      const stranger = yield* ghost(36)
      yield* serving(alice)
      const shown = alice.program.events.length
      yield* say(world, stranger, me, request(1))
      yield* say(world, friend, me, request(2))
      const unasked = { type: "address" as const, nonce: nonceOf(9), addrs: ["127.0.0.1:1"], chain }
      yield* say(world, friend, me, { ...unasked, expiresAt: Date.now() + 60_000 })
      yield* answered(world, friend, 1)
      yield* alice.chat.sync
      yield* alice.chat.flush
      assert.deepStrictEqual(alice.program.events.slice(shown), [])
      assert.strictEqual((yield* alice.chat.history(friend.primary)).length, 1)
      assert.deepStrictEqual(
        (yield* alice.chat.contacts).map(({ primary }) => primary),
        [friend.primary]
      )
      assert.deepStrictEqual(
        world.broker.stored(me).filter(({ subject }) => subject === "self"),
        []
      )
      assert.deepStrictEqual(
        (yield* inboxOf(world, friend)).map(({ type }) => type),
        ["address"]
      )
    })
  )

  it.live("begins with the newest request of each contact that came within a day", () =>
    Effect.gen(function* () {
      let ago = 0
      const world = makeWorld({ now: () => Date.now() - ago })
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const late = yield* friendOf(world, alice, 37)
      const friend = yield* friendOf(world, alice, 38)
      yield* alice.program.close
      ago = 25 * 60 * 60 * 1000
      yield* say(world, late, me, request(1))
      ago = 23 * 60 * 60 * 1000
      for (const fill of [2, 3, 4]) yield* say(world, friend, me, request(fill))
      ago = 0
      const again = yield* world.start(alice.device)
      yield* again.chat.sync
      yield* serving(again)
      const answers = yield* answered(world, friend, 1)
      yield* again.chat.flush
      assert.deepStrictEqual(
        answers.map((answer) => answer.type === "address" && answer.nonce),
        [nonceOf(4)]
      )
      assert.deepStrictEqual(yield* answersTo(world, friend), answers)
      assert.deepStrictEqual(yield* answersTo(world, late), [])
      // What was answered is not answered again at the next start.
      yield* again.close
      const third = yield* world.start(alice.device)
      yield* serving(third)
      yield* third.chat.sync
      yield* third.chat.flush
      assert.strictEqual((yield* answersTo(world, friend)).length, 1)
    })
  )

  it.live("is bounded for a contact who asks and asks, and does not make others wait", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* join(world, "alice")
      const me = keyOf(alice.account.primary)
      const eager = yield* friendOf(world, alice, 39)
      const friend = yield* friendOf(world, alice, 40)
      yield* serving(alice)
      for (let fill = 0; fill < 60; fill++) {
        yield* say(world, eager, me, request(fill))
        yield* alice.chat.sync
      }
      yield* say(world, friend, me, request(200))
      yield* answered(world, friend, 1)
      yield* alice.chat.flush
      const answers = yield* answersTo(world, eager)
      assert.isAtLeast(answers.length, 1)
      assert.isAtMost(answers.length, 9)
    })
  )

  it.live("is bounded also where this device's clock is set back", () =>
    Effect.gen(function* () {
      let back = 0
      const clock = yield* Clock.Clock
      const shifted: Clock.Clock = Object.assign(Object.create(clock), {
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - back),
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - back
      })
      yield* Effect.gen(function* () {
        const world = makeWorld()
        const alice = yield* join(world, "alice")
        const me = keyOf(alice.account.primary)
        const eager = yield* friendOf(world, alice, 41)
        yield* serving(alice)
        yield* say(world, eager, me, request(1))
        yield* answered(world, eager, 1)
        back = 60 * 60 * 1000
        for (let fill = 0; fill < 60; fill++) {
          yield* say(world, eager, me, request(fill))
          yield* alice.chat.sync
        }
        yield* alice.chat.flush
        assert.isAtMost((yield* answersTo(world, eager)).length, 10)
      }).pipe(Effect.provideService(Clock.Clock, shifted))
    })
  )
})

/** Bob, whose transport only notes whom he dials and where, and a ghost who offers him a file. */
const offered = (world: World, fill: number, own: Addresses = { direct: ["127.0.0.1:9"] }) =>
  Effect.gen(function* () {
    const dials: Array<Addresses> = []
    const transport: BlobTransport["Service"] = {
      open: () =>
        Effect.succeed({
          addresses: Effect.succeed(own),
          serve: () => Effect.void,
          fetch: ({ addresses }) =>
            Stream.suspend(() => {
              dials.push(addresses)
              return Stream.fail(new BlobTransportError({ reason: "unreachable", detail: "nobody is there" }))
            })
        })
    }
    const device = { ...newDevice(), transport }
    const program = yield* world.start(device)
    const account = yield* program.chat.create({ handle: `bob-${fill}`, words: newWords() })
    const bob = { device, words: newWords(), program, account, chat: program.chat }
    const owner = yield* friendOf(world, bob, fill)
    const to = keyOf(account.primary)
    const hash = new Uint8Array(32).fill(fill)
    const wrapped = yield* Effect.provide(
      WrappedKey.wrap(Redacted.make(new Uint8Array(32)), { blobHash: hash, owner: owner.key }, to),
      NodeCrypto.layer
    )
    const body: Body.Known = {
      type: "file_share",
      filename: "bait.pdf",
      media_type: "application/pdf",
      size: 10,
      blob_hash: `blake3:${Bytes.toHex(hash)}`,
      ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash }),
      wrapped_content_key: wrapped,
      self_wrapped_content_key: wrapped,
      chain
    }
    yield* say(world, owner, to, body)
    const { message } = yield* program.event("Message", ({ message }) => message.type === "file_share")
    const fetching = yield* follow(bob, message.id)
    /** The nonce that Bob asked with last. */
    const asked = (count = 1) =>
      Effect.gen(function* () {
        while (true) {
          const bodies = (yield* inboxOf(world, owner)).filter(({ type }) => type === "address_request")
          const last = bodies.at(-1)
          if (bodies.length >= count && last?.type === "address_request") return last.nonce
          yield* Effect.sleep(5)
        }
      })
    /** `clock`: how far the author's clock is ahead, in milliseconds. */
    const answer = (nonce: Uint8Array, rest: Partial<Body.Address>, by = owner, clock = 0) =>
      say(
        world,
        by,
        to,
        {
          type: "address",
          nonce,
          addrs: ["127.0.0.1:4242"],
          expiresAt: Date.now() + clock + 60_000,
          chain,
          ...rest
        },
        Date.now() + clock
      )
    return { bob, owner, dials, fetching, asked, answer, to }
  })

describe("asking", () => {
  it.live("KEZ-DM-024 believes only what it asked for, of whom it asked, and while it holds", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, bob, dials } = yield* offered(world, 51)
      const other = yield* friendOf(world, bob, 52)
      const nonce = yield* asked()
      yield* answer(nonceOf(1), {})
      yield* answer(nonce, {}, other)
      yield* answer(nonce, { expiresAt: Date.now() - 2_000 })
      yield* bob.chat.sync
      assert.deepStrictEqual(dials, [])
      yield* answer(nonce, {})
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: ["127.0.0.1:4242"] }])
      // It could not be reached there, so it is asked again; the first answer counts once.
      const second = yield* asked(2)
      assert.notDeepEqual(second, nonce)
      yield* answer(nonce, { addrs: ["127.0.0.1:4243"] })
      yield* bob.chat.sync
      assert.strictEqual(dials.length, 1)
    })
  )

  it.live.each([-25, -1, 1, 25])("KEZ-SEQ-060 believes an owner whose clock is %d h off", (hours) =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, bob, dials, owner } = yield* offered(world, 61)
      const clock = hours * 60 * 60 * 1000
      const nonce = yield* asked()
      yield* answer(nonce, { expiresAt: Date.now() + clock - 2_000 }, owner, clock)
      yield* bob.chat.sync
      assert.deepStrictEqual(dials, [])
      yield* answer(nonce, {}, owner, clock)
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: ["127.0.0.1:4242"] }])
    })
  )

  it.live("KEZ-SEQ-060 counts an answer from when the broker stored it, and for five minutes at most", () =>
    Effect.gen(function* () {
      let ago = 0
      const world = makeWorld({ now: () => Date.now() - ago })
      const { answer, asked, bob, dials, owner, to } = yield* offered(world, 62)
      const nonce = yield* asked()
      // Something newer tells the time of the broker.
      yield* say(world, owner, to, request(3))
      yield* bob.chat.sync
      ago = 6 * 60_000
      yield* answer(nonce, { expiresAt: Date.now() + 24 * 60 * 60 * 1000 })
      yield* bob.chat.sync
      assert.deepStrictEqual(dials, [])
    })
  )

  it.live("KEZ-SEQ-061 believes no answer to a request of yesterday", () =>
    Effect.gen(function* () {
      let hours = 0
      const clock = yield* Clock.Clock
      const later: Clock.Clock = Object.assign(Object.create(clock), {
        monotonicTimeNanos: Effect.map(clock.monotonicTimeNanos, (nanos) => nanos + BigInt(hours) * 3_600_000_000_000n)
      })
      yield* Effect.gen(function* () {
        const world = makeWorld()
        const { answer, asked, bob, dials } = yield* offered(world, 63)
        const nonce = yield* asked()
        hours = 25
        yield* answer(nonce, {})
        yield* bob.chat.sync
        assert.deepStrictEqual(dials, [])
      }).pipe(Effect.provideService(Clock.Clock, later))
    })
  )

  it.live("dials nothing that names nobody or many, and no relay that is none", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, bob, dials } = yield* offered(world, 53)
      const nonce = yield* asked()
      const addrs = ["0.0.0.0:1", "255.255.255.255:9", "239.255.255.250:1900", "[ff02::1]:1", "[::]:4", "10.0.0.1:0"]
      yield* answer(nonce, {
        addrs: [
          ...addrs,
          "999.1.1.1:1",
          "10.0.0.1:99999",
          "[2a00::1]:7",
          "[2001:db8::1]:7",
          "10.0.0.1:7",
          "10.0.0.1:7"
        ],
        relay_url: "https://user:password@relay.example/"
      })
      yield* bob.chat.sync
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: ["[2a00::1]:7", "[2001:db8::1]:7", "10.0.0.1:7"] }])
    })
  )

  it.live("does not count an answer from which nothing can be dialled", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, bob, dials } = yield* offered(world, 54)
      yield* answer(yield* asked(), { addrs: ["0.0.0.0:1", "224.0.0.1:2"] })
      yield* bob.chat.sync
      assert.deepStrictEqual(dials, [])
    })
  )

  it.live("is not sent to its own machine, nor to a relay that only it can reach", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, dials } = yield* offered(world, 57, { direct: ["10.0.0.9:1"] })
      const addrs = ["127.0.0.1:53", "[::1]:53", "[::ffff:127.0.0.1]:53", "10.0.0.1:7"]
      yield* answer(yield* asked(), { addrs, relay_url: "http://169.254.169.254/latest" })
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: ["10.0.0.1:7"] }])
    })
  )

  it("takes relays by where they are", () => {
    const direct: ReadonlyArray<string> = []
    const own = { direct, relayUrl: "http://localhost:3340/" }
    for (const relayUrl of ["https://relay.example/", "http://127.0.0.1:3340/"]) {
      assert.deepStrictEqual(PeerAddresses.usable(own, { direct, relayUrl }), { direct, relayUrl })
    }
    for (const relayUrl of ["http://relay.example/", "https://192.168.1.1/", "https://router.lan/", "https://[::1]/"]) {
      assert.deepStrictEqual(PeerAddresses.usable(own, { direct, relayUrl }), { direct }, relayUrl)
      assert.isTrue(PeerAddresses.isDoubtful({ direct, relayUrl }), relayUrl)
    }
    assert.isFalse(PeerAddresses.isDoubtful({ direct: ["10.0.0.1:1"], relayUrl: "https://relay.example/" }))
  })

  it.live("uses the relay that a contact names", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, dials } = yield* offered(world, 55)
      yield* answer(yield* asked(), { addrs: [], relay_url: "https://relay.example/" })
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: [], relayUrl: "https://relay.example/" }])
    })
  )

  it.live("happens once for several files of one owner", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { alice, bob } = yield* twoFriends(world)
      const contents = [10, 20, 30].map((size) => contentOf(size))
      const shares = yield* Effect.forEach(contents, (content) =>
        alice.chat.share({ file: fileOf(content), with: ["bob"] })
      )
      const offers = yield* Effect.forEach(shares, (share) => offerTo(bob, share))
      yield* bob.chat.flush
      yield* alice.chat.flush
      const before = world.broker.stored(keyOf(alice.account.primary)).length
      const fetches = yield* Effect.forEach(offers, ({ id }) => follow(bob, id))
      yield* serving(alice)
      yield* Effect.forEach(fetches, ({ done }) => done)
      assert.strictEqual(world.broker.stored(keyOf(alice.account.primary)).length, before + 1)
    })
  )
})
