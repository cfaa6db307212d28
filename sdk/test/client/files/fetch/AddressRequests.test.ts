/** Asking a contact for addresses, and what is believed of the answers. */
import { Clock, Effect, Redacted, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { WrappedKey } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { type Body, Bytes, Ticket } from "@kez-chat/sdk/protocol"
import { type Addresses, type BlobTransport, BlobTransportError } from "@kez-chat/sdk/services"
import * as PeerAddresses from "../../../../src/client/files/fetch/PeerAddresses.ts"
import { chain, friendOf, inboxOf, nonceOf, request, say } from "../../kit/AddressBodies.ts"
import { contentOf, fileOf, follow, offerTo, serving } from "../../kit/Files.ts"
import { eventually, keyOf, makeWorld, newDevice, newWords, twoFriends, type World } from "../../kit/People.ts"

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
  it.live("KEZ-DM-024 believes only unexpired answers to its own request from the contact it asked", () =>
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

  it.live("KEZ-SEQ-061 believes no answer to a request that is a day old", () =>
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

  it.live("dials no unspecified, multicast or broadcast address, and no invalid relay", () =>
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

  it.live("cannot be directed to its own machine, nor to a relay in its private network", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const { answer, asked, dials } = yield* offered(world, 57, { direct: ["10.0.0.9:1"] })
      const addrs = ["127.0.0.1:53", "[::1]:53", "[::ffff:127.0.0.1]:53", "10.0.0.1:7"]
      yield* answer(yield* asked(), { addrs, relay_url: "http://169.254.169.254/latest" })
      yield* eventually(() => dials.length > 0)
      assert.deepStrictEqual(dials, [{ direct: ["10.0.0.1:7"] }])
    })
  )

  it("judges relays by where they are", () => {
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

  it.live("asks once for several files of one owner", () =>
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
