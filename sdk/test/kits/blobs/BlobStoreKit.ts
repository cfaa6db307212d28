/** What every BlobStore must do. Applied to each adapter; a place is empty at first, and is opened as often as one likes. */
import * as fc from "fast-check"
import { Deferred, Effect, Exit, Fiber, type Scope } from "effect"
import { assert, describe, it } from "@effect/vitest"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { Blake3Tree, ChunkRanges } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobStoreError, type PartialBlob } from "@kez-chat/sdk/services"
import { answerOf, type Blob, blobOf, groups, missing } from "./ArrivingBlobs.ts"

type Store = BlobStore["Service"]

export interface BlobPlace<E> {
  /** Opens the store there, as a new start of the program would. */
  readonly open: Effect.Effect<Store, E>
}

/** A place whose files can go bad. */
export interface DamageablePlace<E> extends BlobPlace<E> {
  /** Flips a bit or cuts something off, somewhere in what is stored; `at` from 0 to 1 says where. */
  readonly damage: (at: number) => void
}

const group = Blake3Tree.groupBytes
/** Of every kind: none, less and more than a group and a chunk of a file, and more than any buffer. */
const sizes = [0, 1, group - 1, group, group + 1, 4 * group - 1, 4 * group, 4 * group + 1, 3_500_003]
const noHashes = ["", "..", "../../etc/passwd", "a".repeat(63), "A".repeat(64), `${"a".repeat(64)}\n`, "g".repeat(64)]
const nowhere = "0".repeat(64)

const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof BlobStoreError ? error.reason : error))

/** Puts a blob as an encrypting client does: piece by piece, from one buffer that is used again. */
const put = (store: Store, blob: Blob, pieceBytes = 65_552) =>
  store.put((write) =>
    Effect.gen(function* () {
      const piece = new Uint8Array(pieceBytes)
      for (let at = 0; at < blob.bytes.length; at += pieceBytes) {
        const part = blob.bytes.subarray(at, at + pieceBytes)
        piece.set(part)
        yield* write(piece.subarray(0, part.length))
        piece.fill(0xee)
      }
      return { tree: blob.tree, also: "this" }
    })
  )

const readAll = (store: Store, { hash, tree }: Blob) =>
  Effect.scoped(Effect.flatMap(store.open(hash), (blob) => blob.read(0, tree.size)))

/** Writes the answer to `ranges`, `batch` items at a time, whose bytes are not valid any longer. */
const feed = Effect.fnUntraced(function* (
  partial: PartialBlob,
  blob: Blob,
  ranges: ChunkRanges.ChunkRanges,
  batch = 5
) {
  const hasher = yield* FastBlake3.load
  const items = answerOf(blob, ranges, hasher)
  for (let at = 0; at < items.length; at += batch) {
    const copies = items
      .slice(at, at + batch)
      .map((item) => (item.kind === "leaf" ? { ...item, bytes: item.bytes.slice() } : item))
    yield* partial.write(copies)
    for (const item of copies) if (item.kind === "leaf") item.bytes.fill(0xdd)
  }
})

const step = fc.record({
  start: fc.integer({ min: 0, max: 39 }),
  count: fc.integer({ min: 1, max: 12 }),
  batch: fc.integer({ min: 1, max: 40 }),
  reopen: fc.boolean()
})

export const blobStoreKit = <E>(name: string, place: Effect.Effect<BlobPlace<E>, never, Scope.Scope>): void => {
  const fresh = Effect.flatMap(place, ({ open }) => open)

  describe(`BlobStore: ${name}`, () => {
    it.live("has nothing at first, and nothing under what is no hash", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        assert.deepStrictEqual(yield* store.list, [])
        for (const hash of [nowhere, ...noHashes]) {
          assert.strictEqual(yield* reasonOf(Effect.scoped(store.open(hash))), "missing")
          assert.isUndefined(yield* store.info(hash))
          yield* store.remove(hash)
        }
        for (const hash of noHashes) assert.strictEqual(yield* reasonOf(store.resume(hash, 1)), "damaged")
        for (const size of [-1, 0.5, NaN, Infinity, 2 ** 60]) {
          assert.strictEqual(yield* reasonOf(store.resume(nowhere, size)), "damaged")
        }
        assert.deepStrictEqual(yield* store.list, [])
      })
    )

    it.live("gives back what was put, of any size and from anywhere", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const hasher = yield* FastBlake3.load
        const store = yield* open
        for (const [seed, size] of sizes.entries()) {
          const blob = blobOf(size, seed, hasher)
          assert.strictEqual((yield* put(store, blob)).also, "this")
        }
        const again = yield* open
        for (const [seed, size] of sizes.entries()) {
          const blob = blobOf(size, seed, hasher)
          const stored = yield* again.open(blob.hash)
          assert.deepStrictEqual(stored.tree, blob.tree)
          for (const [start, end] of [
            [0, size],
            [size, size],
            [Math.floor(size / 3), Math.ceil(size / 2)],
            [Math.max(0, size - 1), size]
          ] as const) {
            assert.deepEqual(yield* stored.read(start, end - start), blob.bytes.slice(start, end))
          }
          for (const [offset, length] of [
            [0, size + 1],
            [size, 1],
            [-1, 1],
            [NaN, 1],
            [0, -1]
          ] as const) {
            assert.strictEqual(yield* reasonOf(stored.read(offset, length)), "damaged")
          }
        }
      })
    )

    it.live("gives every reader memory of its own", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(20 * group)
        yield* put(store, blob)
        const stored = yield* store.open(blob.hash)
        // One part after the other, and again from the beginning.
        for (let round = 0; round < 2; round++) {
          for (let at = 0; at < 20 * group; at += 5_000) {
            const length = Math.min(5_000, 20 * group - at)
            for (let reader = 0; reader < 2; reader++) {
              const part = yield* stored.read(at, length)
              assert.isTrue(Buffer.from(part).equals(blob.bytes.subarray(at, at + length)))
              part.fill(0)
              new Uint8Array(part.buffer).fill(1)
            }
          }
        }
      })
    )

    it.live("keeps nothing of a put that fails, is interrupted, or whose tree is another", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const store = yield* open
        const blob = blobOf(3 * group)
        const failing = store.put((write) => Effect.andThen(write(blob.bytes), Effect.fail("no more" as const)))
        assert.strictEqual(yield* Effect.flip(failing), "no more")

        const written = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          store.put((write) =>
            write(blob.bytes).pipe(
              Effect.andThen(Deferred.succeed(written, undefined)),
              Effect.andThen(Effect.never),
              Effect.as({ tree: blob.tree })
            )
          )
        )
        yield* Deferred.await(written)
        assert.deepStrictEqual(yield* store.list, [])
        yield* Fiber.interrupt(fiber)

        const short = store.put((write) => Effect.as(write(blob.bytes.subarray(1)), { tree: blob.tree }))
        assert.strictEqual(yield* reasonOf(short), "damaged")
        const cut = { ...blob.tree, outboard: blob.tree.outboard.subarray(64) }
        assert.strictEqual(yield* reasonOf(store.put((w) => Effect.as(w(blob.bytes), { tree: cut }))), "damaged")
        assert.deepStrictEqual(yield* (yield* open).list, [])
      })
    )

    it.live("takes in one blob from many at the same time", () =>
      Effect.gen(function* () {
        const { open } = yield* place
        const [one, other] = [yield* open, yield* open]
        const blob = blobOf(10 * group + 7)
        yield* Effect.all([put(one, blob), put(other, blob), put(one, blob, 1_000), put(other, blobOf(group), 3_000)], {
          concurrency: "unbounded"
        })
        assert.deepEqual(yield* readAll(one, blob), blob.bytes)
        assert.strictEqual((yield* one.list).length, 2)
      })
    )

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

    it.live("lets who reads a blob go on when it is removed", () =>
      Effect.gen(function* () {
        const store = yield* fresh
        const blob = blobOf(3 * group)
        yield* put(store, blob)
        const stored = yield* store.open(blob.hash)
        yield* store.remove(blob.hash)
        assert.strictEqual(yield* reasonOf(Effect.scoped(store.open(blob.hash))), "missing")
        assert.deepEqual(yield* stored.read(0, 3 * group), blob.bytes)
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

    it("has exactly what arrived, in any order and however often it is opened", () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.integer({ min: 0, max: 40 * group }), (steps, size) =>
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
          }).pipe(Effect.scoped, Effect.runPromise)
        ),
        { numRuns: 40 }
      ))
  })
}

/** What a BlobStore must do whose files can go bad. */
export const damagedBlobsKit = <E>(
  name: string,
  place: Effect.Effect<DamageablePlace<E>, never, Scope.Scope>
): void => {
  describe(`BlobStore, damaged: ${name}`, () => {
    it("believes no damaged bytes, and gets whole again", () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ step, damage: fc.array(fc.double({ min: 0, max: 1, noNaN: true })) }), {
            minLength: 1,
            maxLength: 6
          }),
          fc.integer({ min: 1, max: 40 * group }),
          (rounds, size) =>
            Effect.gen(function* () {
              const { damage, open } = yield* place
              const blob = blobOf(size, size, yield* FastBlake3.load)
              for (const { damage: places, step } of rounds) {
                yield* Effect.scoped(
                  Effect.gen(function* () {
                    const partial = yield* (yield* open).resume(blob.hash, size)
                    yield* feed(partial, blob, groups(step.start, step.start + step.count), step.batch)
                  })
                )
                for (const at of places) damage(at)
              }
              const store = yield* open
              yield* Effect.scoped(
                Effect.gen(function* () {
                  const partial = yield* store.resume(blob.hash, size)
                  yield* feed(partial, blob, missing(blob, partial.have), 9)
                  yield* partial.complete
                })
              )
              assert.deepEqual(yield* readAll(store, blob), blob.bytes)
              assert.deepStrictEqual((yield* store.open(blob.hash)).tree, blob.tree)
            }).pipe(Effect.scoped, Effect.runPromise)
        ),
        { numRuns: 40 }
      ))
  })
}
