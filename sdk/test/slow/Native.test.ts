/**
 * Our provider and getter, over each binding of Iroh, against native iroh-blobs on loopback. Needs cargo and its crates; says so and
 * does nothing where they cannot be had.
 */
import * as process from "node:process"
import { Effect, Result, Stream } from "effect"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { type BlobAnswer, BlobRequest, Bytes, ChunkRanges, Ticket } from "@kez-chat/sdk/protocol"
import { BlobTransport } from "@kez-chat/sdk/services"
import { buildPeer, irohPeer, whyNoPeer } from "../../../deploy/tasks/RustPeers.ts"
import { type Blob, blobOf, collect, isAnswer, library, makeBlob, person } from "../kits/blobs/Blobs.ts"
import { bindings } from "../kits/blobs/Bindings.ts"
import { nativePeer, type Provider, type Where } from "./NativePeer.ts"

const why = await whyNoPeer(irohPeer)
if (why !== undefined) process.stderr.write(`No tests with native iroh-blobs: ${why}.\n`)

const group = 16 * 1024
const large = 5 * 1024 * 1024
const sizes = [0, 1, group - 1, group, group + 1, 4 * group - 1, 4 * group, 4 * group + 1, large]
const [alice, bob] = [person(1), person(2)]

/** Chunks of the large blob. */
const sets: ReadonlyArray<ReadonlyArray<number>> = [
  [0, 1],
  [16, 32],
  [15, 17, 100, 101],
  [1000, 3000, 3001, 3002, 5119],
  [5119],
  [9999],
  [0, 16, 5104]
]
const rangesOf = (boundaries: ReadonlyArray<number>) => Result.getOrThrow(ChunkRanges.make(boundaries))

/** The bytes of some chunks of a blob, one after another. */
const chunksOf = ({ bytes }: Blob, boundaries: ReadonlyArray<number>) => {
  const asked = ChunkRanges.within(rangesOf(boundaries), bytes.length)
  const parts: Array<Uint8Array> = []
  for (let i = 0; i * 1024 < bytes.length; i++) {
    if (ChunkRanges.has(asked, i)) parts.push(bytes.subarray(i * 1024, (i + 1) * 1024))
  }
  return Bytes.concat(...parts)
}

/** A blob that lists others by their hashes. */
const sequenceOf = (blobs: ReadonlyArray<Blob>): Blob => blobOf(Bytes.concat(...blobs.map(({ tree }) => tree.hash)))

/** The blobs of the native peer. */
const pattern = (size: number): Blob => blobOf(Uint8Array.from({ length: size }, (_, i) => i % 251))

const options = ({ addresses, key }: Where, blob: Blob, ranges = ChunkRanges.all) => ({
  peer: key,
  addresses,
  hash: blob.hash,
  size: blob.bytes.length,
  ranges
})

describe.skipIf(why !== undefined).each(bindings)(
  "native iroh-blobs, and our $kind binding",
  ({ options: binding }) => {
    const transport = IrohBlobTransport.layer({ relay: "direct", bind: "127.0.0.1:0", ...binding })
    let native: ReturnType<typeof nativePeer>
    beforeAll(async () => void (native = nativePeer(await buildPeer(irohPeer))), 2_700_000)

    /** An endpoint of ours that serves. */
    const serving = (...[blobs, allows]: Parameters<typeof library>) =>
      Effect.gen(function* () {
        const endpoint = yield* (yield* BlobTransport).open(alice.secret)
        const books = library(blobs, allows)
        yield* endpoint.serve(books.provider)
        return { key: alice.key, addresses: yield* endpoint.addresses, ...books }
      }).pipe(Effect.provide(transport))

    describe("fetches from us", () => {
      it.live("KEZ-FIL-020 blobs of all sizes", () =>
        Effect.gen(function* () {
          const blobs = sizes.map(makeBlob)
          const us = yield* serving(blobs)
          for (const { bytes, hash } of blobs) {
            const fetched = yield* native.fetch(us, hash)
            assert.deepInclude(fetched, { end: "finished", size: bytes.length, bytes: bytes.length, blake3: hash })
            const sent = yield* us.answered
            const chunks = sent.reduce((all, one) => ChunkRanges.union(all, one.chunks), ChunkRanges.empty)
            assert.deepStrictEqual(chunks, ChunkRanges.within(ChunkRanges.all, bytes.length))
          }
        }).pipe(Effect.scoped)
      )

      it.live("KEZ-FIL-020 ranges", () =>
        Effect.gen(function* () {
          const blob = makeBlob(large)
          const us = yield* serving([blob])
          for (const boundaries of sets) {
            const fetched = yield* native.fetch(us, blob.hash, boundaries.join(","))
            const expected = chunksOf(blob, boundaries)
            assert.deepInclude(fetched, { end: "finished", bytes: expected.length, blake3: blobOf(expected).hash })
          }
          const nothing = yield* native.fetch(us, blob.hash, "")
          assert.deepInclude(nothing, { end: "finished", size: null, bytes: 0 })
          const last = yield* native.fetch(us, blob.hash, String(2n ** 64n - 1n))
          assert.deepInclude(last, { end: "finished", size: large, bytes: 1024 })
        }).pipe(Effect.scoped)
      )

      it.live("several blobs at a time", () =>
        Effect.gen(function* () {
          const blobs = [1, 2, 3, 4].map((i) => makeBlob(1_000_000 + i))
          const us = yield* serving(blobs)
          const all = yield* Effect.forEach(blobs, ({ hash }) => native.fetch(us, hash), { concurrency: "unbounded" })
          assert.deepStrictEqual(
            all.map(({ blake3, end }) => [end, blake3]),
            blobs.map(({ hash }) => ["finished", hash])
          )
        }).pipe(Effect.scoped)
      )

      it.live("KEZ-FIL-021 nothing that is not for it, and cannot tell that from what is not there", () =>
        Effect.gen(function* () {
          const blob = makeBlob(100_000)
          const us = yield* serving([blob], () => false)
          const refused = { end: "reset" as const, code: BlobRequest.errorCodes.permission, size: null, bytes: 0 }
          for (const hash of [blob.hash, "66".repeat(32)]) {
            assert.deepInclude(yield* native.fetch(us, hash), refused)
            assert.deepInclude(yield* native.fetch(us, hash, ""), { bytes: 0, size: null })
          }
        }).pipe(Effect.scoped)
      )

      it.live("KEZ-FIL-022 no sequence, child, list, observation or push, even where it may have the blobs", () =>
        Effect.gen(function* () {
          const [one, two] = [makeBlob(40_000), makeBlob(50_000)]
          const sequence = sequenceOf([one, two])
          const us = yield* serving([one, two, sequence])
          const requests = [
            ["sequence", sequence.hash],
            ["sequence", one.hash],
            ["child", sequence.hash],
            ["many", `${one.hash},${two.hash}`],
            ["observe", one.hash],
            ["push", "1000"],
            ["push", "3000000"],
            ["bytes", "02"],
            ["bytes", "ff"],
            ["bytes", `00${one.hash}`],
            ["bytes", ""]
          ] as const
          for (const [kind, what] of requests) {
            const asked = yield* native.ask(us, kind, what)
            const { answer, code, end } = asked
            assert.deepStrictEqual(
              { kind, what, end, code, length: answer.length },
              {
                kind,
                what,
                end: "reset",
                code: BlobRequest.errorCodes.permission,
                length: 0
              }
            )
          }
          // And after all that, what it may have.
          assert.deepInclude(yield* native.fetch(us, sequence.hash), { end: "finished", blake3: sequence.hash })
        }).pipe(Effect.scoped)
      )
    })

    describe("gives to us", () => {
      const fetching = Effect.flatMap(BlobTransport, ({ open }) => open(bob.secret)).pipe(Effect.provide(transport))
      it.live("blobs of all sizes", () =>
        Effect.gen(function* () {
          const peer = yield* native.serve(sizes)
          const us = yield* fetching
          for (const [i, size] of sizes.entries()) {
            const blob = pattern(size)
            assert.strictEqual(peer.blobs[i]?.hash, blob.hash)
            assert.isTrue(
              isAnswer(yield* collect(us.fetch(options(peer, blob))), blob, ChunkRanges.all),
              `${size} bytes`
            )
          }
        }).pipe(Effect.scoped)
      )

      it.live("ranges, and what its tickets name", () =>
        Effect.gen(function* () {
          const peer = yield* native.serve([large])
          const us = yield* fetching
          const blob = pattern(large)
          for (const boundaries of sets) {
            const ranges = rangesOf(boundaries)
            assert.isTrue(
              isAnswer(yield* collect(us.fetch(options(peer, blob, ranges))), blob, ranges),
              `${boundaries}`
            )
          }
          const ticket = Result.getOrThrow(Ticket.decode(peer.blobs[0]?.ticket ?? ""))
          const named = {
            peer: ticket.endpoint,
            addresses: { direct: ticket.addresses },
            hash: Bytes.toHex(ticket.hash)
          }
          const items = yield* collect(us.fetch({ ...named, size: large, ranges: ChunkRanges.range(0, 16) }))
          assert.isTrue(isAnswer(items, blob, ChunkRanges.range(0, 16)))
        }).pipe(Effect.scoped)
      )

      it.live("KEZ-FIL-023 a refusal that says what it is", () =>
        Effect.gen(function* () {
          const us = yield* fetching
          const blob = pattern(1000)
          const unknown = { ...blob, hash: "66".repeat(32) }
          const reason = (peer: Provider, wanted: Blob) =>
            Effect.map(Effect.flip(collect(us.fetch(options(peer, wanted)))), (error) =>
              error._tag === "BlobTransportError" ? error.reason : error.code
            )
          assert.strictEqual(yield* reason(yield* native.serve([1000]), unknown), "refused")
          assert.strictEqual(
            yield* reason(yield* native.serve([1000], { args: ["--refuse", "permission"] }), blob),
            "refused"
          )
          assert.strictEqual(yield* reason(yield* native.serve([1000], { args: ["--refuse", "limit"] }), blob), "busy")
        }).pipe(Effect.scoped)
      )

      const lies: ReadonlyArray<readonly [lie: string, code: string, verified: number]> = [
        ["flip:0", "blob_mismatch", 0],
        ["flip:9", "blob_mismatch", 0],
        // Of the 100,000 bytes: length, four pairs, group, group, pair, group; the fourth group begins here.
        ["flip:60000", "blob_mismatch", 3],
        ["size:100001", "blob_mismatch", 0],
        ["size:99999", "blob_mismatch", 0],
        ["size:0", "blob_mismatch", 0],
        ["more:1", "blob_mismatch", 7],
        ["more:300000", "blob_mismatch", 7],
        ["endless", "blob_mismatch", 0],
        ["cut:8", "blob_incomplete", 0],
        ["cut:60000", "blob_incomplete", 3],
        ["cut:0", "refused", 0]
      ]
      it.live.each(lies)("%s, and is stopped with %s after %i groups", ([lie, code, verified]) =>
        Effect.gen(function* () {
          const peer = yield* native.serve([100_000], { args: ["--lie", lie] })
          const us = yield* fetching
          const blob = pattern(100_000)
          const taken: Array<BlobAnswer.Verified> = []
          const error = yield* us.fetch(options(peer, blob)).pipe(
            Stream.runForEach((items) =>
              Effect.sync(() => {
                for (const item of items)
                  taken.push(item.kind === "leaf" ? { ...item, bytes: item.bytes.slice() } : item)
              })
            ),
            Effect.flip
          )
          assert.strictEqual(error._tag === "BlobTransportError" ? error.reason : error.code, code)
          const leaves = taken.filter((item) => item.kind === "leaf")
          assert.strictEqual(leaves.length, verified)
          for (const { bytes, offset } of leaves) {
            assert.isTrue(Bytes.equal(bytes, blob.bytes.subarray(offset, offset + bytes.length)))
          }
        }).pipe(Effect.scoped)
      )

      it.live("silence, which we need not wait out", () =>
        Effect.gen(function* () {
          const peer = yield* native.serve([100_000], { args: ["--lie", "stall:60000"] })
          const us = yield* fetching
          const first = yield* us.fetch(options(peer, pattern(100_000))).pipe(
            Stream.filter((items) => items.some(({ kind }) => kind === "leaf")),
            Stream.take(1),
            Stream.runCollect
          )
          assert.lengthOf(first, 1)
        }).pipe(Effect.scoped)
      )
    })

    describe("meets us over a relay", () => {
      const relayed = (url: string) => IrohBlobTransport.make({ relay: { urls: [url] }, relayOnly: true, ...binding })

      it.live("and fetches from a device of ours that tells nobody its address", () =>
        Effect.gen(function* () {
          const url = yield* native.relay
          const endpoint = yield* relayed(url).open(alice.secret)
          const blob = makeBlob(1_000_000)
          yield* endpoint.serve(library([blob]).provider)
          const addresses = yield* endpoint.addresses
          assert.deepStrictEqual(addresses, { direct: [], relayUrl: url })
          const fetched = yield* native.fetch({ key: alice.key, addresses }, blob.hash)
          assert.deepInclude(fetched, { end: "finished", blake3: blob.hash })
        }).pipe(Effect.scoped)
      )

      it.live("and gives to one that uses no other way", () =>
        Effect.gen(function* () {
          const url = yield* native.relay
          const endpoint = yield* relayed(url).open(bob.secret)
          const blob = pattern(1_000_000)
          const hidden = yield* native.serve([blob.bytes.length], { relayUrl: url })
          assert.isTrue(isAnswer(yield* collect(endpoint.fetch(options(hidden, blob))), blob, ChunkRanges.all))
          // A device that can be reached directly only is not reached.
          const open = yield* native.serve([blob.bytes.length])
          const error = yield* Effect.flip(collect(endpoint.fetch(options(open, blob))))
          assert.deepInclude(error, { _tag: "BlobTransportError", reason: "unreachable" })
        }).pipe(Effect.scoped)
      )

      it.live("while two of ours meet there as well", () =>
        Effect.gen(function* () {
          const url = yield* native.relay
          const [one, two] = [yield* relayed(url).open(alice.secret), yield* relayed(url).open(bob.secret)]
          const blob = makeBlob(300_000)
          yield* one.serve(library([blob]).provider)
          const addresses = yield* one.addresses
          const items = two.fetch(options({ key: alice.key, addresses }, blob))
          assert.isTrue(isAnswer(yield* collect(items), blob, ChunkRanges.all))
        }).pipe(Effect.scoped)
      )

      it.live("and not one that uses no relays", () =>
        Effect.gen(function* () {
          const url = yield* native.relay
          const hidden = yield* native.serve([1000], { relayUrl: url })
          const endpoint = yield* Effect.flatMap(BlobTransport, ({ open }) => open(bob.secret)).pipe(
            Effect.provide(transport)
          )
          const error = yield* Effect.flip(collect(endpoint.fetch(options(hidden, pattern(1000)))))
          assert.deepInclude(error, { _tag: "BlobTransportError", reason: "unreachable" })
        }).pipe(Effect.scoped)
      )
    })
  }
)
