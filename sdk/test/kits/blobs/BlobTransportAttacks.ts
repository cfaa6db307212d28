/** Peers that keep to no protocol, over the network beneath each transport: those who lie, and those who want too much. */
import { Deferred, Effect, Exit, Fiber, Latch, Logger, Stream } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { type BlobAnswer, BlobRequest, Bytes, ChunkRanges } from "@kez-chat/sdk/protocol"
import type { BlobEndpoint, BlobTransportError, Provider } from "@kez-chat/sdk/services"
import type { Connection, DuplexStream, StreamFailure } from "../../../src/adapters/blobs-core/Network.ts"
import { defaultLimits, type TransferLimits } from "../../../src/adapters/blobs-core/TransferLimits.ts"
import { blobOf, collect, encoded, fetchFrom, isAnswer, library, makeBlob, person } from "./Blobs.ts"
import type { MakeTransport } from "./BlobTransportKit.ts"

const [alice, bob, carol] = [person(1), person(2), person(3)]
const blob = makeBlob(200_000)
const large = makeBlob(4_000_000)

/** What a failed fetch says of itself. */
const reasonOf = (error: BlobTransportError | { readonly _tag: "Problem"; readonly code: string }): string =>
  error._tag === "BlobTransportError" ? error.reason : error.code

const readAll = (stream: DuplexStream): Effect.Effect<Uint8Array, StreamFailure> =>
  Effect.gen(function* () {
    const parts: Array<Uint8Array> = []
    for (;;) {
      const bytes = yield* stream.read(65_536)
      if (bytes.length === 0) return Bytes.concat(...parts)
      parts.push(bytes)
    }
  })

const written = (stream: DuplexStream, bytes: Uint8Array): Effect.Effect<void, StreamFailure> =>
  Effect.gen(function* () {
    for (let at = 0; at < bytes.length; at += 65_536) yield* stream.write(bytes.subarray(at, at + 65_536))
  })

const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 0x80 : byte))

const answer = encoded(blob, ChunkRanges.all)
const answerOfAnother = encoded(blobOf(blob.bytes.map((byte) => byte ^ 1)), ChunkRanges.all)
const u64le = (value: number): Uint8Array =>
  Uint8Array.from({ length: 8 }, (_, i) => Math.floor(value / 256 ** i) % 256)

type Lie = (stream: DuplexStream) => Effect.Effect<unknown, StreamFailure>

const lies: ReadonlyArray<readonly [what: string, outcome: string, lie: Lie]> = [
  ["nothing at all", "refused", (s) => s.end],
  ["an end in the size", "blob_incomplete", (s) => Effect.andThen(s.write(answer.subarray(0, 5)), s.end)],
  ["an end after the size", "blob_incomplete", (s) => Effect.andThen(s.write(answer.subarray(0, 8)), s.end)],
  ["an end in a group", "blob_incomplete", (s) => Effect.andThen(written(s, answer.subarray(0, 100_000)), s.end)],
  ["an end one byte early", "blob_incomplete", (s) => Effect.andThen(written(s, answer.subarray(0, -1)), s.end)],
  ["a size that is too large", "blob_mismatch", (s) => s.write(Bytes.concat(u64le(200_001), answer.subarray(8)))],
  ["a size without bound", "blob_mismatch", (s) => s.write(new Uint8Array(64).fill(255))],
  ["a size of nothing", "blob_mismatch", (s) => Effect.andThen(s.write(u64le(0)), s.end)],
  ["a wrong pair", "blob_mismatch", (s) => written(s, flipped(answer, 8 + 40))],
  ["a wrong byte in the first group", "blob_mismatch", (s) => written(s, flipped(answer, 8 + 4 * 64 + 100))],
  ["a wrong byte at the end", "blob_mismatch", (s) => written(s, flipped(answer, answer.length - 1))],
  ["another blob of the size", "blob_mismatch", (s) => written(s, answerOfAnother)],
  [
    "a byte too many",
    "blob_mismatch",
    (s) => Effect.andThen(written(s, Bytes.concat(answer, Uint8Array.of(0))), s.end)
  ],
  [
    "bytes without end",
    "blob_mismatch",
    (s) => Effect.andThen(written(s, answer), Effect.forever(s.write(new Uint8Array(65_536))))
  ],
  ["garbage without end", "blob_mismatch", (s) => Effect.forever(s.write(new Uint8Array(65_536).fill(0x5a)))],
  ["refusal in the middle", "refused", (s) => Effect.andThen(written(s, answer.subarray(0, 50_000)), s.abort(1))],
  ["a limit at once", "busy", (s) => s.abort(2)],
  ["a failure at once", "refused", (s) => s.abort(3)]
]
/** Requests that are not for chunks of one blob, or not requests. */
const get = BlobRequest.encode(blob.tree.hash, ChunkRanges.all)
const wrongRequests: ReadonlyArray<readonly [string, Uint8Array, number]> = [
  ["a blob and all that it lists", Bytes.concat(get.subarray(0, 33), Uint8Array.of(1, 0, 1, 0)), 1],
  ["a blob's first child alone", Bytes.concat(get.subarray(0, 33), Uint8Array.of(2, 1, 1, 0, 1, 0)), 1],
  ["a blob and its second child", Bytes.concat(get.subarray(0, 33), Uint8Array.of(4, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0)), 1],
  ["many blobs", Bytes.concat(Uint8Array.of(9, 1), blob.tree.hash, Uint8Array.of(2, 0, 1, 0, 1, 0)), 1],
  ["observation", Bytes.concat(Uint8Array.of(1), blob.tree.hash, Uint8Array.of(1, 0)), 1],
  ["a push", Bytes.concat(Uint8Array.of(8, 38), get.subarray(1), answer.subarray(0, 60_000)), 1],
  ["a kind that is reserved", Uint8Array.of(2), 1],
  ["a kind of nobody", Uint8Array.of(200), 1],
  ["no bytes", new Uint8Array(0), 1],
  ["a hash cut short", get.subarray(0, 20), 1],
  ["bytes behind the end", Bytes.concat(get, Uint8Array.of(0)), 1],
  ["boundaries without end", Bytes.concat(get.subarray(0, 35), new Uint8Array(9).fill(255), Uint8Array.of(1)), 1],
  ["too many bytes", Bytes.concat(get, new Uint8Array(70_000)), 2]
]

export const blobTransportAttacks = (name: string, make: MakeTransport): void => {
  /** Alice is a bare network that answers each stream as told; bob fetches. */
  const liar = (lie: Lie, limits?: TransferLimits) =>
    Effect.gen(function* () {
      const { network, transport } = make(limits)
      const there = yield* network(alice.secret)
      const told = yield* Deferred.make<Exit.Exit<unknown, StreamFailure>>()
      const lying = Effect.gen(function* () {
        const connection = yield* there.accept
        const stream = yield* connection.accept
        yield* readAll(stream)
        yield* Deferred.succeed(told, yield* Effect.exit(lie(stream)))
        // The connection stays, so that whatever ends the fetch is the answer.
        yield* Effect.never
      })
      yield* Effect.forkScoped(lying)
      const reader = yield* transport.open(bob.secret)
      const addresses = yield* there.addresses
      const fetch = reader.fetch({
        peer: alice.key,
        addresses,
        hash: blob.hash,
        size: blob.bytes.length,
        ranges: ChunkRanges.all
      })
      return { fetch, told: Deferred.await(told) }
    })

  /** Alice serves, bob is a bare network with a connection to her. */
  const intruder = (provider: Provider, limits?: TransferLimits) =>
    Effect.gen(function* () {
      const under = make(limits)
      const owner = yield* under.transport.open(alice.secret)
      yield* owner.serve(provider)
      const here = yield* under.network(bob.secret)
      const connect = Effect.flatMap(owner.addresses, (addresses) => here.dial(alice.key, addresses))
      return { ...under, owner, connect, connection: yield* connect }
    })

  const asked = (connection: Connection, request: Uint8Array) =>
    Effect.gen(function* () {
      const stream = yield* connection.open
      yield* Effect.ignore(Effect.andThen(written(stream, request), stream.end))
      return yield* Effect.exit(readAll(stream))
    })

  /** Somebody else is served as ever. */
  const stillServes = (owner: BlobEndpoint, transport: ReturnType<MakeTransport>["transport"]) =>
    Effect.gen(function* () {
      const honest = yield* transport.open(carol.secret)
      assert.isTrue(isAnswer(yield* collect(fetchFrom(alice, owner, honest, blob)), blob, ChunkRanges.all))
    })

  describe(`hostile providers: ${name}`, () => {
    it.live.each(lies)("KEZ-FIL-017 KEZ-FIL-018 KEZ-FIL-023: %s gives %s", ([, outcome, lie]) =>
      Effect.gen(function* () {
        const { fetch } = yield* liar(lie)
        const got: Array<BlobAnswer.Verified> = []
        const error = yield* Effect.flip(
          Stream.runForEach(fetch, (items) => Effect.sync(() => void got.push(...items)))
        )
        assert.strictEqual(reasonOf(error), outcome)
        for (const item of got) {
          if (item.kind === "size") assert.strictEqual(item.size, blob.bytes.length)
          if (item.kind !== "leaf") continue
          const { bytes, offset } = item
          assert.isTrue(Bytes.equal(bytes, blob.bytes.subarray(offset, offset + bytes.length)))
        }
      })
    )

    it.live("stops a liar's stream, so that it cannot go on sending", () =>
      Effect.gen(function* () {
        const { fetch, told } = yield* liar((stream) => Effect.forever(stream.write(new Uint8Array(65_536))))
        yield* Effect.flip(collect(fetch))
        assert.isTrue(Exit.isFailure(yield* told))
      })
    )

    it.live("gives up on a provider that sends nothing, or too slowly for a chunk group", () =>
      Effect.gen(function* () {
        const limits = { ...defaultLimits, stallMillis: 400 }
        const silent = yield* liar(() => Effect.never, limits)
        assert.strictEqual(reasonOf(yield* Effect.flip(collect(silent.fetch))), "unreachable")
        const drip = (stream: DuplexStream) =>
          Effect.forEach(answer, (byte) => Effect.delay(stream.write(Uint8Array.of(byte)), "5 millis"))
        const slow = yield* liar(drip, limits)
        assert.strictEqual(reasonOf(yield* Effect.flip(collect(slow.fetch))), "unreachable")
      })
    )
  })

  describe(`hostile fetchers: ${name}`, () => {
    it.live.each(wrongRequests)("KEZ-FIL-022: %s opens nothing and gets its code", ([, request, code]) =>
      Effect.gen(function* () {
        const { asked: opened, provider } = library([blob])
        const { connection, owner, transport } = yield* intruder(provider)
        const exit = yield* asked(connection, request)
        assert.deepInclude(Exit.isFailure(exit) ? exit.cause.reasons[0] : exit, { _tag: "Fail" })
        assert.include(JSON.stringify(exit), `"code":${code}`)
        assert.deepStrictEqual(opened, [])
        yield* stillServes(owner, transport)
      })
    )

    it.live("KEZ-FIL-024: a request that never ends loses its connection", () =>
      Effect.gen(function* () {
        const { provider } = library([blob])
        const { connection, owner, transport } = yield* intruder(provider, { ...defaultLimits, requestMillis: 300 })
        const stream = yield* connection.open
        yield* stream.write(get)
        const error = yield* Effect.flip(readAll(stream))
        assert.deepInclude(error, { reason: "lost", words: "limit" })
        yield* stillServes(owner, transport)
      })
    )

    it.live(
      "KEZ-FIL-024: a fetcher that never reads loses its connection, and the answer is not reported as sent",
      () =>
        Effect.gen(function* () {
          const { answered, provider } = library([large, blob])
          const { connection, owner, transport } = yield* intruder(provider, { ...defaultLimits, stallMillis: 2_000 })
          const stream = yield* connection.open
          yield* stream.write(BlobRequest.encode(large.tree.hash, ChunkRanges.all))
          yield* stream.end
          const reports = yield* answered
          const sent = reports.reduce((sum, { chunks }) => ChunkRanges.union(sum, chunks), ChunkRanges.empty)
          assert.isFalse(ChunkRanges.touches(sent, 3_900, 3_907))
          assert.isTrue(Exit.isFailure(yield* Effect.exit(connection.accept)))
          yield* stillServes(owner, transport)
        })
    )

    it.live("KEZ-FIL-024: one peer has a bounded number of requests in work, and others are served meanwhile", () =>
      Effect.gen(function* () {
        const hold = yield* Latch.make()
        const inside = yield* Latch.make()
        let atOnce = 0
        let most = 0
        const { provider } = library([blob])
        const holding: Provider = {
          ...provider,
          open: (peer, hash) =>
            peer.hex !== bob.key.hex
              ? provider.open(peer, hash)
              : Effect.gen(function* () {
                  most = Math.max(most, ++atOnce)
                  if (atOnce === defaultLimits.requestsPerPeer) yield* inside.open
                  yield* hold.await
                  atOnce--
                  return yield* provider.open(peer, hash)
                })
        }
        const { connect, connection, owner, transport } = yield* intruder(holding)
        const connections = [connection, yield* connect, yield* connect]
        const asking = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 30 }, (_, i) => connections[i % 3] as Connection),
            (one) => asked(one, get),
            { concurrency: "unbounded" }
          )
        )
        yield* inside.await
        yield* stillServes(owner, transport)
        yield* hold.open
        const exits = yield* Fiber.join(asking)
        assert.strictEqual(most, defaultLimits.requestsPerPeer)
        assert.isAtLeast(exits.filter(Exit.isSuccess).length, defaultLimits.requestsPerPeer)
        for (const exit of exits) if (Exit.isFailure(exit)) assert.include(JSON.stringify(exit), `"code":2`)
      })
    )

    it.live("KEZ-FIL-024: strangers do not crowd out those who were given something", () =>
      Effect.gen(function* () {
        const { provider } = library([blob], (peer) => peer === bob.key.hex)
        const limits = { ...defaultLimits, connections: 4 }
        const { connection, network, owner } = yield* intruder(provider, limits)
        assert.isTrue(Exit.isSuccess(yield* asked(connection, get)))
        const addresses = yield* owner.addresses
        yield* Effect.forEach(
          Array.from({ length: 12 }, (_, i) => person(100 + i)),
          (stranger) =>
            Effect.gen(function* () {
              const there = yield* network(stranger.secret)
              const theirs = yield* there.dial(alice.key, addresses)
              assert.isTrue(Exit.isFailure(yield* asked(theirs, get)))
            })
        )
        assert.isTrue(Exit.isSuccess(yield* asked(connection, get)))
      })
    )

    it.live("a provider that breaks in the middle costs the others nothing", () =>
      Effect.gen(function* () {
        const { provider } = library([blob])
        const { connection, owner, transport } = yield* intruder({
          ...provider,
          open: (peer, hash) =>
            peer.hex === bob.key.hex ? Effect.die(new Error("a bug of the provider")) : provider.open(peer, hash)
        })
        assert.include(JSON.stringify(yield* asked(connection, get)), `"code":3`)
        yield* stillServes(owner, transport)
      }).pipe(Effect.provide(Logger.layer([])))
    )
  })
}
