/** What every BlobStore must do. Applied to each adapter; a place is empty at first, and is opened as often as one likes. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Scope } from "effect"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { blobOf } from "./ArrivingBlobs.ts"
import { partialBlobKit } from "./PartialBlobKit.ts"
import { type BlobPlace, group, put, readAll, reasonOf, sizes } from "./StoringBlobs.ts"

const noHashes = ["", "..", "../../etc/passwd", "a".repeat(63), "A".repeat(64), `${"a".repeat(64)}\n`, "g".repeat(64)]
const nowhere = "0".repeat(64)

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
  })

  partialBlobKit(name, place)
}
