/** What every BlobTransport must do toward peers that keep to the protocol. Applied to each adapter. */
import { Deferred, Effect, Exit, Fiber, Queue, Scope, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { type BlobAnswer, ChunkRanges } from "@kez-chat/sdk/protocol"
import type { BlobTransport, BlobTransportError, Provider } from "@kez-chat/sdk/services"
import type { Network } from "../../../src/adapters/blobs-core/Network.ts"
import { defaultLimits, type TransferLimits } from "../../../src/adapters/blobs-core/TransferLimits.ts"
import { type Blob, collect, fetchFrom, isAnswer, library, makeBlob, type Person, person, stored } from "./Blobs.ts"

/** A transport, and the network beneath it for peers that keep to no protocol; of one call, they reach each other. */
export interface TransportUnderTest {
  readonly transport: BlobTransport["Service"]
  readonly network: (secret: Person["secret"]) => Effect.Effect<Network, BlobTransportError, Scope.Scope>
}

export type MakeTransport = (limits?: TransferLimits) => TransportUnderTest

const [alice, bob, carol] = [person(1), person(2), person(3)]
const group = 16 * 1024
const sizes = [0, 1, group - 1, group, group + 1, 4 * group - 1, 4 * group, 4 * group + 1, 3_000_000]
const large = makeBlob(1_500_000)
const chunks = ChunkRanges.chunkCount(large.bytes.length)

const sets: ReadonlyArray<readonly [string, ChunkRanges.ChunkRanges]> = [
  ["the first chunk", ChunkRanges.range(0, 1)],
  ["the last chunk", ChunkRanges.last],
  ["chunks across a group's end", ChunkRanges.range(15, 17)],
  ["two ranges far apart", ChunkRanges.union(ChunkRanges.range(3, 5), ChunkRanges.range(1000, 1100))],
  ["a range without an end", ChunkRanges.range(700)],
  ["what lies beyond the end", ChunkRanges.range(chunks + 50, chunks + 60)],
  ["single chunks", { boundaries: Array.from({ length: 40 }, (_, i) => 3 * i) }]
]

/** A provider whose blob is read only as far as it is let. */
const slow = (blob: Blob) => {
  const reads = Effect.runSync(Queue.unbounded<void>())
  const begun = Effect.runSync(Deferred.make<void>())
  const { answered, provider } = library([blob])
  const gated: Provider = {
    ...provider,
    open: (peer, hash) =>
      Effect.map(
        provider.open(peer, hash),
        (found) =>
          found && {
            ...found,
            read: (offset, length) =>
              Effect.andThen(
                Effect.andThen(Deferred.succeed(begun, undefined), Queue.take(reads)),
                found.read(offset, length)
              )
          }
      )
  }
  const letRead = (groups: number) => Queue.offerAll(reads, Array.from<void>({ length: groups }))
  return { provider: gated, answered, begun: Deferred.await(begun), letRead }
}

export const blobTransportKit = (name: string, make: MakeTransport): void => {
  /** Alice serves, bob fetches. */
  const pair = (provider: Provider, limits?: TransferLimits) =>
    Effect.gen(function* () {
      const { transport } = make(limits)
      const owner = yield* transport.open(alice.secret)
      const reader = yield* transport.open(bob.secret)
      yield* owner.serve(provider)
      return { owner, reader, transport }
    })

  describe(`BlobTransport: ${name}`, () => {
    it.live.each(sizes)("KEZ-FIL-020: carries a blob of %i bytes and tells what was sent", (size) =>
      Effect.gen(function* () {
        const blob = makeBlob(size)
        const { answered, provider } = library([blob])
        const { owner, reader } = yield* pair(provider)
        const items = yield* collect(fetchFrom(alice, owner, reader, blob))
        assert.isTrue(isAnswer(items, blob, ChunkRanges.all))
        const reports = yield* answered
        const all = reports.reduce((sum, { chunks: some }) => ChunkRanges.union(sum, some), ChunkRanges.empty)
        assert.deepStrictEqual(all, ChunkRanges.within(ChunkRanges.all, size))
        assert.deepStrictEqual(
          reports.map(({ ended, hash, peer }) => [hash, peer.hex, ended]),
          reports.map((_, i) => [blob.hash, bob.key.hex, i === reports.length - 1])
        )
      })
    )

    it.live.each(sets)("KEZ-FIL-020: carries %s and no other", ([, ranges]) =>
      Effect.gen(function* () {
        const { owner, reader } = yield* pair(library([large]).provider)
        assert.isTrue(isAnswer(yield* collect(fetchFrom(alice, owner, reader, large, ranges)), large, ranges))
      })
    )

    it.live("asks nothing and gets nothing for no chunks", () =>
      Effect.gen(function* () {
        const { asked, provider } = library([large])
        const { owner, reader } = yield* pair(provider)
        assert.deepStrictEqual(yield* collect(fetchFrom(alice, owner, reader, large, ChunkRanges.empty)), [])
        assert.deepStrictEqual(asked, [])
      })
    )

    it.live("KEZ-FIL-019: asks in several requests where one would be too long", () =>
      Effect.gen(function* () {
        const blob = makeBlob(9_000_000)
        const { answered, asked, provider } = library([blob])
        const { owner, reader } = yield* pair(provider)
        const ranges = { boundaries: Array.from({ length: 8_000 }, (_, i) => i) }
        const items = yield* collect(fetchFrom(alice, owner, reader, blob, ranges))
        assert.isTrue(isAnswer(items, blob, ranges))
        assert.strictEqual(items.filter(({ kind }) => kind === "size").length, 1)
        yield* answered
        yield* answered
        assert.isAtLeast(asked.length, 2)
      })
    )

    it.live("goes on where an interrupted fetch stopped, on the same connection", () =>
      Effect.gen(function* () {
        const { answered, begun, letRead, provider } = slow(large)
        const { owner, reader } = yield* pair(provider)
        const got: Array<BlobAnswer.Verified> = []
        const arrived = yield* Deferred.make<void>()
        const fetching = yield* Effect.forkChild(
          Stream.runForEach(fetchFrom(alice, owner, reader, large), (items) => {
            for (const item of items) got.push(item.kind === "leaf" ? { ...item, bytes: item.bytes.slice() } : item)
            return got.some(({ kind }) => kind === "leaf") ? Deferred.succeed(arrived, undefined) : Effect.void
          })
        )
        yield* begun
        yield* letRead(12)
        yield* Deferred.await(arrived)
        yield* Fiber.interrupt(fetching)
        // The provider stops when it next writes, and says that the answer has ended.
        yield* letRead(1_000)
        const reports = yield* answered
        assert.isFalse(ChunkRanges.covers(reports.at(-1)?.chunks ?? ChunkRanges.empty, chunks - 1, chunks))
        const had = got.reduce(
          (sum, item) =>
            item.kind === "leaf"
              ? ChunkRanges.union(sum, ChunkRanges.ofBytes(item.offset, item.offset + item.bytes.length))
              : sum,
          ChunkRanges.empty
        )
        const missing = ChunkRanges.difference(ChunkRanges.range(0, chunks), had)
        assert.isTrue(isAnswer(yield* collect(fetchFrom(alice, owner, reader, large, missing)), large, missing))
      })
    )

    it.live("carries many blobs at a time, more than a peer takes at once", () =>
      Effect.gen(function* () {
        const blobs = Array.from({ length: 20 }, (_, i) => makeBlob(30_000 + i))
        const { owner, reader } = yield* pair(library(blobs).provider)
        const all = yield* Effect.forEach(blobs, (blob) => collect(fetchFrom(alice, owner, reader, blob)), {
          concurrency: "unbounded"
        })
        all.forEach((items, i) => assert.isTrue(isAnswer(items, blobs[i] as Blob, ChunkRanges.all)))
      })
    )

    it.live("fetches both ways between two devices, and serves a third", () =>
      Effect.gen(function* () {
        const [one, other] = [makeBlob(100_001), makeBlob(100_002)]
        const { owner, reader, transport } = yield* pair(library([one]).provider)
        yield* reader.serve(library([other]).provider)
        const third = yield* transport.open(carol.secret)
        const found = yield* Effect.all(
          [
            collect(fetchFrom(alice, owner, reader, one)),
            collect(fetchFrom(bob, reader, owner, other)),
            collect(fetchFrom(alice, owner, third, one))
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          found.map((items, i) => isAnswer(items, i === 1 ? other : one, ChunkRanges.all)),
          [true, true, true]
        )
      })
    )

    it.live(
      "KEZ-FIL-021 KEZ-FIL-022: refuses what is not there and what is not for this peer alike, each time anew",
      () =>
        Effect.gen(function* () {
          let allowed = false
          const { asked, provider } = library([large], () => allowed)
          const { owner, reader } = yield* pair(provider)
          const ask = (blob: Blob) => Effect.exit(collect(fetchFrom(alice, owner, reader, blob)))
          const [forbidden, unknown] = [yield* ask(large), yield* ask(makeBlob(77))]
          assert.deepStrictEqual(Exit.isFailure(forbidden), true)
          assert.deepStrictEqual(JSON.stringify(forbidden), JSON.stringify(unknown))
          assert.include(JSON.stringify(forbidden), "refused")
          assert.strictEqual(asked.length, 2)
          allowed = true
          assert.isTrue(Exit.isSuccess(yield* ask(large)))
          allowed = false
          assert.isTrue(Exit.isFailure(yield* ask(large)))
        })
    )

    it.live("is busy while nobody serves, and so in the middle of an answer when serving ends", () =>
      Effect.gen(function* () {
        const { transport } = make()
        const [owner, reader] = [yield* transport.open(alice.secret), yield* transport.open(bob.secret)]
        const before = yield* Effect.flip(collect(fetchFrom(alice, owner, reader, large)))
        const { begun, provider } = slow(large)
        const serving = yield* Scope.make()
        yield* Scope.provide(owner.serve(provider), serving)
        const fetching = yield* Effect.forkChild(Effect.flip(collect(fetchFrom(alice, owner, reader, large))))
        yield* begun
        yield* Scope.close(serving, Exit.void)
        const during = yield* Fiber.join(fetching)
        assert.deepStrictEqual(
          [before, during].map((error) => (error._tag === "BlobTransportError" ? error.reason : error.code)),
          ["busy", "busy"]
        )
      })
    )

    it.live("is unreachable when the provider's device goes away in the middle of an answer", () =>
      Effect.gen(function* () {
        const { transport } = make()
        const [there, reader] = [yield* Scope.make(), yield* transport.open(bob.secret)]
        const owner = yield* Scope.provide(transport.open(alice.secret), there)
        const { begun, provider } = slow(large)
        yield* Scope.provide(owner.serve(provider), there)
        const fetching = yield* Effect.forkChild(Effect.flip(collect(fetchFrom(alice, owner, reader, large))))
        yield* begun
        yield* Scope.close(there, Exit.void)
        const error = yield* Fiber.join(fetching)
        assert.deepInclude(error, { _tag: "BlobTransportError" })
        assert.include(["unreachable", "busy"], (error as BlobTransportError).reason)
      })
    )

    it.live("finds a provider that came back elsewhere", () =>
      Effect.gen(function* () {
        const { transport } = make()
        const [there, reader] = [yield* Scope.make(), yield* transport.open(bob.secret)]
        const first = yield* Scope.provide(transport.open(alice.secret), there)
        yield* Scope.provide(first.serve(library([large]).provider), there)
        yield* collect(fetchFrom(alice, first, reader, large, ChunkRanges.range(0, 1)))
        yield* Scope.close(there, Exit.void)
        const second = yield* transport.open(alice.secret)
        yield* second.serve(library([large]).provider)
        const items = yield* collect(fetchFrom(alice, second, reader, large))
        assert.isTrue(isAnswer(items, large, ChunkRanges.all))
      })
    )

    it.live("is unreachable where nobody answers, when the time for dialling is over", () =>
      Effect.gen(function* () {
        assert.strictEqual(defaultLimits.dialMillis, 10_000)
        const { transport } = make({ ...defaultLimits, dialMillis: 500 })
        const reader = yield* transport.open(bob.secret)
        const ask = (peer: Person, direct: ReadonlyArray<string>) =>
          Effect.flip(
            collect(
              reader.fetch({
                peer: peer.key,
                addresses: { direct },
                hash: large.hash,
                size: large.bytes.length,
                ranges: ChunkRanges.all
              })
            )
          )
        const other = yield* transport.open(carol.secret)
        const { direct } = yield* other.addresses
        // A port of nobody, somebody else's address, no address, and one's own key.
        const errors = [
          yield* ask(alice, ["127.0.0.1:9"]),
          yield* ask(alice, direct),
          yield* ask(alice, []),
          yield* ask(bob, direct)
        ]
        assert.deepStrictEqual(
          errors.map((error) => (error._tag === "BlobTransportError" ? error.reason : error.code)),
          ["unreachable", "unreachable", "unreachable", "unreachable"]
        )
      })
    )

    it.live("is closed for fetches that outlive the endpoint, and for new ones", () =>
      Effect.gen(function* () {
        const { transport } = make()
        const [owner, here] = [yield* transport.open(alice.secret), yield* Scope.make()]
        const { begun, provider } = slow(large)
        yield* owner.serve(provider)
        const reader = yield* Scope.provide(transport.open(bob.secret), here)
        const fetching = yield* Effect.forkChild(Effect.flip(collect(fetchFrom(alice, owner, reader, large))))
        yield* begun
        yield* Scope.close(here, Exit.void)
        const errors = [
          yield* Fiber.join(fetching),
          yield* Effect.flip(collect(fetchFrom(alice, owner, reader, large))),
          yield* Effect.flip(reader.addresses)
        ]
        assert.deepStrictEqual(
          errors.map((error) => (error._tag === "BlobTransportError" ? error.reason : error.code)),
          ["closed", "closed", "closed"]
        )
      })
    )

    it.live(
      "answers for each of two endpoints with one key at its own address, or refuses: never with wrong bytes",
      () =>
        Effect.gen(function* () {
          const [one, other] = [makeBlob(50_001), makeBlob(50_002)]
          const { owner, reader, transport } = yield* pair(library([one]).provider)
          const twin = yield* transport.open(alice.secret)
          yield* twin.serve(library([other]).provider)
          const first = yield* collect(fetchFrom(alice, owner, reader, one))
          assert.isTrue(isAnswer(first, one, ChunkRanges.all))
          const second = yield* Effect.exit(collect(fetchFrom(alice, twin, reader, other)))
          if (Exit.isSuccess(second)) assert.isTrue(isAnswer(second.value, other, ChunkRanges.all))
          else assert.include(JSON.stringify(second), "refused")
        })
    )

    it.live("KEZ-FIL-016: ends the answer where its own copy is wrong, and sends nothing false", () =>
      Effect.gen(function* () {
        const rotten = { ...large, bytes: large.bytes.slice() }
        rotten.bytes[700_000] = (rotten.bytes[700_000] as number) ^ 1
        const { provider } = library([large])
        const { owner, reader } = yield* pair({
          ...provider,
          open: () => Effect.succeed({ ...stored(rotten), tree: large.tree })
        })
        const got: Array<BlobAnswer.Verified> = []
        const error = yield* Effect.flip(
          Stream.runForEach(fetchFrom(alice, owner, reader, large), (items) =>
            Effect.sync(() => void got.push(...items))
          )
        )
        assert.deepInclude(error, { _tag: "Problem", code: "blob_incomplete" })
        assert.isTrue(got.every((item) => item.kind !== "leaf" || item.offset + item.bytes.length <= 700_000))
      })
    )
  })
}
