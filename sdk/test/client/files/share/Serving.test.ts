/** Who gets which blob, and what the owner learns of it: the provider that a client hands to its transport. */
import { Deferred, Effect, Layer, Result } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { ChunkRanges, KeyAdmission } from "@kez-chat/sdk/protocol"
import { MemoryBlobStore } from "@kez-chat/sdk/memory"
import { BlobStore, BlobTransport, type Provider, StoreError } from "@kez-chat/sdk/services"
import * as Serving from "../../../../src/client/files/share/Serving.ts"
import { CurrentAccount } from "../../../../src/client/internal/CurrentAccount.ts"
import * as Events from "../../../../src/client/internal/Events.ts"
import { Ledger } from "../../../../src/client/internal/Ledger.ts"
import { person } from "../../../kits/blobs/Blobs.ts"
import { fileOf, contentOf } from "../../kit/Files.ts"
import { type Device, join, makeWorld, newDevice, newWords, type World } from "../../kit/People.ts"

const keyOf = (primary: string) => Result.getOrThrow(KeyAdmission.admitHex(primary.slice("ed25519:".length)))

const noStore = Effect.fail(new StoreError({ reason: "io", detail: "the disk is gone" }))

/** A provider whose store cannot be read. */
const withoutStore = Serving.layer.pipe(
  Layer.provide([
    Layer.mock(Ledger, { get: () => noStore, refuse: () => {} }),
    Layer.mock(CurrentAccount, { get: noStore, latest: () => assert.fail(), put: () => assert.fail() }),
    Layer.succeed(BlobStore, MemoryBlobStore.make()),
    Events.layer
  ])
)

/** A person who serves, and the provider that their client gave to the transport. */
const servingPerson = (world: World, handle: string) =>
  Effect.gen(function* () {
    const given = yield* Deferred.make<Provider>()
    const transport = BlobTransport.of({
      open: (secret) =>
        Effect.map(world.net.transport.open(secret), (endpoint) => ({
          ...endpoint,
          serve: (provider) => Effect.andThen(Deferred.succeed(given, provider), endpoint.serve(provider))
        }))
    })
    const device: Device = { ...newDevice(), transport }
    const program = yield* world.start(device)
    const words = newWords()
    const account = yield* program.chat.create({ handle, words })
    yield* Effect.forkScoped(program.chat.serve)
    const provider = yield* Deferred.await(given)
    const gives = (primary: string, blobHash: string) =>
      Effect.scoped(
        Effect.map(
          provider.open(keyOf(primary), blobHash.slice("blake3:".length)),
          (blob): boolean => blob !== undefined
        )
      )
    return { device, program, words, account, chat: program.chat, provider, gives }
  })

describe("what a provider gives", () => {
  it.live("is each blob to its readers alone, while they are accepted contacts", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* servingPerson(world, "alice")
      const bob = (yield* join(world, "bob")).account.primary
      const carol = (yield* join(world, "carol")).account.primary
      const stranger = (yield* join(world, "dora")).account.primary
      yield* alice.chat.addContact("bob")
      yield* alice.chat.addContact("carol")
      const forBob = yield* alice.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      const unlisted = yield* alice.chat.share({ file: fileOf(contentOf(20)), with: ["carol"], unlisted: true })
      const forAll = yield* alice.chat.share({ file: fileOf(contentOf(30)), public: true })
      const table = (blobHash: string) => Effect.forEach([bob, carol, stranger], (who) => alice.gives(who, blobHash))
      assert.deepStrictEqual(yield* table(forBob.blobHash), [true, false, false])
      assert.deepStrictEqual(yield* table(unlisted.blobHash), [false, true, false])
      assert.deepStrictEqual(yield* table(forAll.blobHash), [true, true, true])
      assert.deepStrictEqual(yield* table(`blake3:${"0".repeat(64)}`), [false, false, false])
      // Two devices with one key cannot talk, so nobody who has ours is one of ours.
      for (const { blobHash } of [forBob, forAll]) assert.isFalse(yield* alice.gives(alice.account.primary, blobHash))
      yield* alice.chat.block("bob")
      assert.isFalse(yield* alice.gives(bob, forBob.blobHash))
      yield* alice.chat.unblock("bob")
      assert.isTrue(yield* alice.gives(bob, forBob.blobHash))
      yield* alice.chat.removeContact("bob")
      assert.isFalse(yield* alice.gives(bob, forBob.blobHash))
      yield* alice.chat.unshare(forAll.id)
      assert.deepStrictEqual(yield* table(forAll.blobHash), [false, false, false])
    })
  )

  it.live("is nothing of another device's shares, and nothing that was only fetched", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const first = yield* join(world, "alice")
      const bob = (yield* join(world, "bob")).account.primary
      yield* first.chat.addContact("bob")
      const share = yield* first.chat.share({ file: fileOf(contentOf(10)), with: ["bob"] })
      yield* first.chat.flush
      yield* first.program.close
      const given = yield* Deferred.make<Provider>()
      const transport = BlobTransport.of({
        open: (secret) =>
          Effect.map(world.net.transport.open(secret), (endpoint) => ({
            ...endpoint,
            serve: (provider) => Effect.andThen(Deferred.succeed(given, provider), endpoint.serve(provider))
          }))
      })
      const second = yield* world.start({ ...newDevice(), blobs: first.device.blobs, transport }, {})
      yield* second.chat.restore({ words: first.words })
      yield* second.event("Shared", (event) => event.share.id === share.id)
      yield* second.chat.addContact("bob")
      yield* Effect.forkScoped(second.chat.serve)
      const provider = yield* Deferred.await(given)
      const hash = share.blobHash.slice("blake3:".length)
      assert.isUndefined(yield* Effect.scoped(provider.open(keyOf(bob), hash)))
    })
  )
})

describe("a provider", () => {
  const peer = person(7).key

  it.live("gives no blob that is gone", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* servingPerson(world, "alice")
      const bob = (yield* join(world, "bob")).account.primary
      const { blobHash } = yield* alice.chat.share({ file: fileOf(contentOf(10)), public: true })
      assert.isTrue(yield* alice.gives(bob, blobHash))
      yield* alice.device.blobs.remove(blobHash.slice("blake3:".length))
      assert.isFalse(yield* alice.gives(bob, blobHash))
    })
  )

  it.effect("gives nothing while the store fails", () =>
    Effect.gen(function* () {
      const provider = yield* Serving.Serving
      assert.isUndefined(yield* Effect.scoped(provider.open(peer, "0".repeat(64))))
    }).pipe(Effect.provide(withoutStore))
  )
})

describe("what an owner learns", () => {
  it.live("is how much went out to whom, once however often, kept beyond the program", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* servingPerson(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      const share = yield* alice.chat.share({ file: fileOf(contentOf(40_000)), with: ["bob"] })
      const hash = share.blobHash.slice("blake3:".length)
      const sent = (start: number, end: number, ended = true) =>
        alice.provider.sent({ peer: keyOf(bob.account.primary), hash, chunks: ChunkRanges.range(start, end), ended })
      const total = 40_000 + 16
      yield* sent(0, 16)
      yield* sent(0, 16)
      const first = yield* alice.program.event("Served")
      assert.deepInclude(first, { sentBytes: 16_384, totalBytes: total })
      assert.strictEqual(first.contact.handle, "bob@home.test")
      yield* sent(32, 40)
      const [half] = yield* alice.chat.shared
      assert.deepInclude(half!.readers[0], { sentBytes: total - 16_384 })
      assert.isUndefined(half!.readers[0]!.fetchedAt)
      // Many small notes of one answer are one event, and none of them is lost.
      const before = alice.program.events.filter(({ _tag }) => _tag === "Served").length
      for (let chunk = 16; chunk < 32; chunk++) yield* sent(chunk, chunk + 1, chunk === 31)
      const whole = yield* alice.program.event("Served", ({ sentBytes }) => sentBytes === total)
      assert.isNumber(whole.share.readers[0]!.fetchedAt)
      assert.isBelow(alice.program.events.filter(({ _tag }) => _tag === "Served").length - before, 12)
      yield* alice.program.close
      const again = yield* world.start({ ...alice.device })
      assert.deepStrictEqual((yield* again.chat.shared)[0]!.readers, whole.share.readers)
    })
  )

  it.live("is bounded, however a reader cuts up what it asks for", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* servingPerson(world, "alice")
      const bob = yield* join(world, "bob")
      yield* alice.chat.addContact("bob")
      const share = yield* alice.chat.share({ file: fileOf(contentOf(8 * 1024 * 1024)), with: ["bob"] })
      const hash = share.blobHash.slice("blake3:".length)
      const row = Effect.map(alice.device.store.scan({ prefix: "share/" }), ([entry]) => entry!.value.length)
      const before = yield* row
      const sent = (boundaries: ReadonlyArray<number>) =>
        alice.provider.sent({ peer: keyOf(bob.account.primary), hash, chunks: { boundaries }, ended: true })
      // Every second chunk, and one stretch that is worth more than all of these.
      yield* sent(Array.from({ length: 8_000 }, (_, chunk) => chunk))
      yield* sent([2_000, 6_000])
      assert.isBelow((yield* row) - before, 8_192)
      const [now] = yield* alice.chat.shared
      assert.isAtLeast(now!.readers[0]!.sentBytes, 4_000 * 1_024)
      yield* sent([0, 9_000])
      assert.isNumber((yield* alice.chat.shared)[0]!.readers[0]!.fetchedAt)
    })
  )

  it.live("includes contacts who take a public file, and not who strangers are", () =>
    Effect.gen(function* () {
      const world = makeWorld()
      const alice = yield* servingPerson(world, "alice")
      const bob = yield* join(world, "bob")
      const dora = yield* join(world, "dora")
      yield* alice.chat.addContact("bob")
      const share = yield* alice.chat.share({ file: fileOf(contentOf(10)), public: true })
      const hash = share.blobHash.slice("blake3:".length)
      for (const { account } of [dora, bob]) {
        yield* alice.provider.sent({ peer: keyOf(account.primary), hash, chunks: ChunkRanges.range(0, 1), ended: true })
      }
      yield* alice.program.event("Served")
      const [public_] = yield* alice.chat.shared
      assert.deepStrictEqual(
        public_!.readers.map(({ handle }) => handle),
        ["bob@home.test"]
      )
      // What was taken back, and what was never there, is of no account.
      yield* alice.chat.unshare(share.id)
      yield* alice.provider.sent({
        peer: keyOf(bob.account.primary),
        hash,
        chunks: ChunkRanges.range(0, 1),
        ended: true
      })
      assert.strictEqual(alice.program.events.filter(({ _tag }) => _tag === "Served").length, 1)
    })
  )
})
