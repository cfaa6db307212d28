/** What every BlobStore must do with a blob that arrives in parts. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, type Scope } from "effect"
import * as fc from "fast-check"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { Blake3Tree, ChunkRanges } from "@kez-chat/sdk/protocol"
import { checkProperty } from "../Property.ts"
import { answerOf, blobOf, groups, missing } from "./ArrivingBlobs.ts"
import { type BlobPlace, feed, group, put, readAll, reasonOf, sizes, step } from "./StoringBlobs.ts"

export const partialBlobKit = <E>(name: string, place: Effect.Effect<BlobPlace<E>, never, Scope.Scope>): void => {
  const fresh = Effect.flatMap(place, ({ open }) => open)

  describe(`BlobStore, arriving: ${name}`, () => {
    it.live("keeps what has arrived, and asks for none of it again", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const hasher = yield* FastBlake3.load
        const blob = blobOf(100 * group + 1, 1, hasher)
        const parts = [groups(40, 70), groups(0, 1), ChunkRanges.last, groups(1, 40)]
        let expected = ChunkRanges.empty
        for (const ranges of parts) {
          yield* Effect.scoped(
            Effect.gen(function* () {
              const partial = yield* (yield* open).resume(blob.hash, blob.tree.size)
              assert.deepStrictEqual(partial.have, expected)
              yield* feed(partial, blob, ranges)
              expected = ChunkRanges.union(expected, ChunkRanges.within(ranges, blob.tree.size))
              assert.deepStrictEqual(partial.have, expected)
              assert.strictEqual(yield* reasonOf(partial.complete), "damaged")
            })
          )
        }
        const store = yield* open
        assert.strictEqual(yield* reasonOf(Effect.scoped(store.open(blob.hash))), "missing")
        const info = yield* store.info(blob.hash)
        assert.isFalse(info?.complete)
        assert.strictEqual(info?.size, blob.tree.size)
        assert.isAbove(info?.storedBytes ?? 0, 70 * group)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const partial = yield* store.resume(blob.hash, blob.tree.size)
            assert.deepStrictEqual(partial.have, expected)
            yield* feed(partial, blob, missing(blob, partial.have))
            yield* partial.complete
            yield* partial.complete
            assert.isTrue((yield* store.info(blob.hash))?.complete)
          })
        )
        assert.deepEqual(yield* readAll(yield* open, blob), blob.bytes)
        assert.deepStrictEqual((yield* Effect.scoped(store.open(blob.hash))).tree, blob.tree)
      })
    )

    it.live("takes blobs of any size that arrive", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const hasher = yield* FastBlake3.load
        for (const [seed, size] of sizes.entries()) {
          const blob = blobOf(size, seed, hasher)
          const store = yield* open
          yield* Effect.scoped(
            Effect.gen(function* () {
              const partial = yield* store.resume(blob.hash, size)
              yield* feed(partial, blob, ChunkRanges.all)
              yield* partial.complete
            })
          )
          assert.deepEqual(yield* readAll(store, blob), blob.bytes)
        }
        assert.strictEqual((yield* (yield* open).list).length, sizes.length)
      })
    )

    it.live("counts a group only when all of its chunks are here", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const blob = blobOf(2 * group)
        const partial = yield* (yield* open).resume(blob.hash, 2 * group)
        yield* feed(partial, blob, ChunkRanges.range(3, 17), 1)
        assert.deepStrictEqual(partial.have, ChunkRanges.empty)
        yield* feed(partial, blob, ChunkRanges.range(0, 2), 1)
        assert.deepStrictEqual(partial.have, ChunkRanges.empty)
        yield* feed(partial, blob, ChunkRanges.range(2, 3), 1)
        assert.deepStrictEqual(partial.have, ChunkRanges.range(0, 16))
      })
    )

    it.live("is written by one at a time, and is not removed meanwhile", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const [one, other] = [yield* open, yield* open]
        const blob = blobOf(2 * group)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const partial = yield* one.resume(blob.hash, 2 * group)
            yield* feed(partial, blob, groups(0, 1))
            for (const store of [one, other]) {
              assert.strictEqual(yield* reasonOf(Effect.scoped(store.resume(blob.hash, 2 * group))), "busy")
              assert.strictEqual(yield* reasonOf(store.remove(blob.hash)), "busy")
            }
            yield* (yield* open).info(blob.hash)
          })
        )
        yield* Effect.scoped(other.resume(blob.hash, 2 * group))
        assert.isDefined(yield* one.info(blob.hash))
        yield* other.remove(blob.hash)
        assert.deepStrictEqual(yield* one.list, [])
      })
    )

    it.live("has everything of a complete blob, and nothing of one whose size was said to be another", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(2 * group + 5)
        const { hash, tree } = blob
        yield* Effect.scoped(
          Effect.flatMap(store.resume(hash, tree.size), (partial) => feed(partial, blob, groups(0, 1)))
        )
        const lied = yield* Effect.scoped(Effect.map(store.resume(hash, 9 * group), ({ have }) => have))
        assert.deepStrictEqual(lied, ChunkRanges.empty)
        assert.strictEqual((yield* store.info(hash))?.size, 9 * group)

        yield* put(store, blob)
        const [info, ...others] = yield* store.list
        assert.deepStrictEqual(others, [])
        assert.deepInclude(info, { hash, size: tree.size, complete: true })
        const partial = yield* store.resume(hash, tree.size)
        assert.deepStrictEqual(partial.have, ChunkRanges.within(ChunkRanges.all, tree.size))
        yield* feed(partial, blob, groups(1, 2))
        yield* partial.complete
        assert.strictEqual(yield* reasonOf(Effect.scoped(store.resume(hash, tree.size + 1))), "damaged")
        assert.deepEqual(yield* readAll(store, blob), blob.bytes)
      })
    )

    it.live("takes a blob that is put while it arrives", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(3 * group)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const partial = yield* store.resume(blob.hash, blob.tree.size)
            yield* feed(partial, blob, groups(0, 2))
            yield* put(store, blob)
            assert.deepEqual(yield* readAll(store, blob), blob.bytes)
            yield* feed(partial, blob, missing(blob, partial.have))
            yield* partial.complete
          })
        )
        assert.deepEqual(yield* readAll(store, blob), blob.bytes)
        assert.strictEqual((yield* store.list).length, 1)
        yield* store.remove(blob.hash)
        assert.deepStrictEqual(yield* store.list, [])
      })
    )

    it.live("takes nothing that is no part of the blob", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(2 * group + 5)
        const partial = yield* store.resume(blob.hash, blob.tree.size)
        const bytes = new Uint8Array(1024)
        const pair = new Uint8Array(64)
        for (const item of [
          { kind: "size", size: 3 * group },
          { kind: "leaf", offset: 4 * group, bytes },
          { kind: "leaf", offset: -1024, bytes },
          { kind: "leaf", offset: 512, bytes },
          { kind: "leaf", offset: 0, bytes: bytes.subarray(1) },
          { kind: "leaf", offset: 0, bytes: bytes.subarray(1024) },
          { kind: "leaf", offset: 2 * group, bytes },
          { kind: "leaf", offset: NaN, bytes },
          { kind: "parent", index: -1, pair },
          { kind: "parent", index: 2, pair },
          { kind: "parent", index: 0.5, pair },
          { kind: "parent", index: 2 ** 60, pair },
          { kind: "parent", index: 0, pair: pair.subarray(1) }
        ] as const) {
          assert.strictEqual(yield* reasonOf(partial.write([item])), "damaged", JSON.stringify(item))
        }
        assert.deepStrictEqual(partial.have, ChunkRanges.empty)
        yield* feed(partial, blob, ChunkRanges.all)
        yield* partial.complete
        assert.deepEqual(yield* readAll(store, blob), blob.bytes)
      })
    )

    it.live("is not completed by bytes whose tree never came", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(4 * group)
        const partial = yield* store.resume(blob.hash, blob.tree.size)
        yield* partial.write(answerOf(blob, ChunkRanges.all).filter(({ kind }) => kind === "leaf"))
        assert.strictEqual(yield* reasonOf(partial.complete), "damaged")
        yield* feed(partial, blob, ChunkRanges.all)
        yield* partial.complete
        assert.deepStrictEqual((yield* store.open(blob.hash)).tree, blob.tree)
      })
    )

    it.live("holds the right bytes after writes that were interrupted, and were made at the same time", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const hasher = yield* FastBlake3.load
        const blob = blobOf(64 * group, 3, hasher)
        const partial = yield* store.resume(blob.hash, blob.tree.size)
        for (let start = 0; start < 64; start += 4) {
          const writing = yield* Effect.forkChild(feed(partial, blob, groups(start, start + 4), 3))
          if (start % 8 === 0) yield* Effect.yieldNow
          yield* Fiber.interrupt(writing)
        }
        yield* Effect.forEach(
          [0, 1, 2, 3],
          (quarter) => feed(partial, blob, groups(quarter * 16, quarter * 16 + 16), 2),
          { concurrency: "unbounded" }
        )
        yield* partial.complete
        assert.deepEqual(yield* readAll(store, blob), blob.bytes)
      })
    )

    it.live("has exactly what arrived, in any order and however often it is opened", () =>
      checkProperty(
        [fc.array(step, { maxLength: 10 }), fc.integer({ min: 0, max: 40 * group })],
        (steps, size) =>
          Effect.gen(function* () {
            const { open } = yield* place
            const blob = blobOf(size, size, yield* FastBlake3.load)
            let expected = ChunkRanges.empty
            let rest = steps
            do {
              const ends = rest.findIndex(({ reopen }) => reopen)
              const now = ends < 0 ? rest : rest.slice(0, ends + 1)
              rest = rest.slice(now.length)
              yield* Effect.scoped(
                Effect.gen(function* () {
                  const partial = yield* (yield* open).resume(blob.hash, size)
                  // An empty blob is here before it arrives, which every store may notice.
                  if (size > 0) assert.deepStrictEqual(partial.have, expected)
                  for (const { batch, count, start } of now) {
                    // What is asked for beyond the end would mean the last chunk.
                    const first = start % Blake3Tree.groupCount(size)
                    const ranges = groups(first, Math.min(first + count, Blake3Tree.groupCount(size)))
                    yield* feed(partial, blob, ranges, batch)
                    expected = ChunkRanges.union(expected, ChunkRanges.within(ranges, size))
                    assert.deepStrictEqual(partial.have, expected)
                  }
                  const isWhole = ChunkRanges.isEmpty(missing(blob, partial.have))
                  const exit = yield* Effect.exit(partial.complete)
                  assert.strictEqual(Exit.isSuccess(exit), isWhole)
                })
              )
            } while (rest.length > 0)
          }).pipe(Effect.scoped),
        { numRuns: 40 }
      )
    )
  })
}
