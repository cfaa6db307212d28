/** How far a fetch reads, to the byte: over a stream that counts, with an answer that is wrong somewhere. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"
import { Blake3Tree, type BlobAnswer, ChunkRanges } from "@kez-chat/sdk/protocol"
import * as Fetch from "../../../src/adapters/blobs-core/Fetch.ts"
import type { DuplexStream } from "../../../src/adapters/blobs-core/Network.ts"
import { defaultLimits } from "../../../src/adapters/blobs-core/TransferLimits.ts"
import { checkProperty } from "../../kits/Property.ts"
import { encoded, makeBlob } from "../../kits/blobs/Blobs.ts"

const { groupBytes, pairBytes } = Blake3Tree
const blob = makeBlob(20 * groupBytes + 5_000)
const right = encoded(blob, ChunkRanges.all)

/** Where the items of the whole answer end: the size, pairs of 64 bytes and groups. */
const ends = ((): ReadonlyArray<number> => {
  const found = [8]
  for (const step of Blake3Tree.steps(blob.bytes.length, ChunkRanges.all, true)) {
    const length = step.kind === "parent" ? pairBytes : Math.min(step.end * 1024, blob.bytes.length) - step.start * 1024
    found.push((found.at(-1) as number) + length)
  }
  return found
})()

/** A peer that has `answer` to send, in pieces of any size; what was taken of it. */
const peer = (answer: Uint8Array, piece: () => number) => {
  let taken = 0
  let aborted = 0
  const stream: DuplexStream = {
    read: (limit) =>
      Effect.sync(() => {
        const bytes = answer.slice(taken, taken + Math.min(limit, piece()))
        taken += bytes.length
        return bytes
      }),
    ready: () => taken < answer.length,
    write: () => Effect.void,
    end: Effect.void,
    arrived: Effect.void,
    abort: () => Effect.sync(() => void aborted++)
  }
  return { stream, taken: () => taken, aborted: () => aborted }
}

const run = Effect.fnUntraced(function* (answer: Uint8Array, piece: () => number) {
  const { aborted, stream, taken } = peer(answer, piece)
  const items: Array<BlobAnswer.Verified> = []
  const fetch = Fetch.fetch(
    { hash: blob.hash, ranges: ChunkRanges.all, size: blob.bytes.length },
    Effect.succeed(stream),
    defaultLimits
  )
  const result = yield* Effect.result(Stream.runForEach(fetch, (some) => Effect.sync(() => void items.push(...some))))
  return { items, result, taken: taken(), aborted: aborted() }
})

const pieces = fc.infiniteStream(fc.integer({ min: 1, max: 40_000 }))

describe("a fetch over a stream", () => {
  it.live("takes a whole answer, however it is cut", () =>
    Effect.gen(function* () {
      yield* checkProperty(
        [pieces],
        Effect.fnUntraced(function* (lengths) {
          const { items, result, taken } = yield* run(right, () => lengths.next().value as number)
          assert.isTrue(Result.isSuccess(result))
          assert.strictEqual(taken, right.length)
          assert.strictEqual(items.length, ends.length)
        }),
        { numRuns: 20 }
      )
    })
  )

  it.live("KEZ-FIL-017: reads at most one chunk group beyond an item that is wrong, and nothing after", () =>
    Effect.gen(function* () {
      yield* checkProperty(
        [fc.nat(right.length - 1), pieces],
        Effect.fnUntraced(function* (at, lengths) {
          const wrong = right.slice()
          wrong[at] = (wrong[at] as number) ^ 1
          const { aborted, items, result, taken } = yield* run(wrong, () => lengths.next().value as number)
          assert.deepInclude(Result.isFailure(result) ? result.failure : undefined, { code: "blob_mismatch" })
          const item = ends.findIndex((end) => at < end)
          // Nothing but what came before the wrong item is handed out.
          assert.strictEqual(items.length, item)
          assert.isAtMost(taken, (ends[item] as number) + groupBytes)
          assert.isAtLeast(aborted, 1)
        }),
        { numRuns: 150 }
      )
    })
  )

  it.live("KEZ-FIL-018: reads at most a chunk group of what follows a whole answer", () =>
    Effect.gen(function* () {
      const { result, taken } = yield* run(
        Uint8Array.from({ length: right.length + 100_000 }, (_, i) => right[i] ?? 0),
        () => 9_999
      )
      assert.deepInclude(Result.isFailure(result) ? result.failure : undefined, { code: "blob_mismatch" })
      assert.isAtMost(taken, right.length + groupBytes)
    })
  )

  it.live("KEZ-FIL-018: is incomplete wherever the answer ends early, and refused where there is none", () =>
    Effect.gen(function* () {
      yield* checkProperty(
        [fc.integer({ min: 1, max: right.length - 1 })],
        Effect.fnUntraced(function* (length) {
          const { result } = yield* run(right.subarray(0, length), () => 30_000)
          assert.deepInclude(Result.isFailure(result) ? result.failure : undefined, { code: "blob_incomplete" })
        }),
        { numRuns: 40 }
      )
      const { result } = yield* run(new Uint8Array(0), () => 1)
      assert.deepInclude(Result.isFailure(result) ? result.failure : undefined, { reason: "refused" })
    })
  )
})
