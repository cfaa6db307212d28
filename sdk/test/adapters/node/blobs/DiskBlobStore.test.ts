import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { DiskBlobStore } from "@kez-chat/sdk/node"
import { Blake3Tree, ChunkRanges } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobStoreError } from "@kez-chat/sdk/services"
import { canMount, disk, folder } from "../../../kits/Disks.ts"
import { answerOf, type Blob, blobOf, groups, missing } from "../../../kits/blobs/ArrivingBlobs.ts"
import { blobStoreKit } from "../../../kits/blobs/BlobStoreKit.ts"
import { damagedBlobStoreKit } from "../../../kits/blobs/DamagedBlobStoreKit.ts"
import { putKilled, receiveKilled, runWriter } from "./KilledWriter.ts"

const group = Blake3Tree.groupBytes

/** Flips a bit of any file in a folder; one time in ten it cuts the file off there instead, or makes it longer. */
const damage = (path: string) => (at: number) => {
  const files = readdirSync(path)
  const place = at * files.length
  const name = files[Math.floor(place)]
  if (name === undefined) return
  const file = openSync(join(path, name), "r+")
  try {
    const position = Math.floor((place % 1) * fstatSync(file).size)
    if ((at * 1000) % 1 > 0.95) return ftruncateSync(file, position)
    if ((at * 1000) % 1 > 0.9) return ftruncateSync(file, fstatSync(file).size + 1 + position)
    const byte = new Uint8Array(1)
    if (readSync(file, byte, 0, 1, position) === 0) return
    byte[0] = byte[0]! ^ (1 << Math.floor((at * 8191) % 8))
    writeSync(file, byte, 0, 1, position)
  } finally {
    closeSync(file)
  }
}

const place = Effect.map(folder, (path) => {
  const folder = join(path, "deep", "blobs")
  return { open: DiskBlobStore.make({ folder }), damage: damage(folder) }
})
blobStoreKit("disk", place)
damagedBlobStoreKit("disk", place)

const reasonOf = <A, R>(effect: Effect.Effect<A, unknown, R>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof BlobStoreError ? error.reason : error))

const put = (store: BlobStore["Service"], { bytes, tree }: Blob) =>
  store.put((write) => Effect.as(write(bytes), { tree }))

const readAll = (store: BlobStore["Service"], { hash, tree }: Blob) =>
  Effect.scoped(Effect.flatMap(store.open(hash), (blob) => blob.read(0, tree.size)))

describe("the folder of blobs", () => {
  it.live("is its user's alone", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "blobs")
      mkdirSync(path, { mode: 0o755 })
      const store = yield* DiskBlobStore.make({ folder: path })
      const [blob, partial] = [blobOf(3 * group), blobOf(3 * group, 1)]
      yield* put(store, blob)
      yield* store.resume(partial.hash, 3 * group)
      assert.strictEqual(statSync(path).mode & 0o777, 0o700)
      for (const name of readdirSync(path)) assert.strictEqual(statSync(join(path, name)).mode & 0o777, 0o600, name)
    })
  )

  it.live("has one file for a complete blob: its bytes and its outboard", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      const blob = blobOf(3 * group + 1)
      yield* put(store, blob)
      assert.deepStrictEqual(readdirSync(path), [`${blob.hash}.blob`])
      const stored = readFileSync(join(path, `${blob.hash}.blob`))
      assert.isTrue(stored.equals(Buffer.concat([blob.bytes, blob.tree.outboard])))
      assert.deepInclude(yield* store.info(blob.hash), { size: 3 * group + 1, storedBytes: stored.length })
    })
  )

  it.live("keeps nothing of what arrived of a blob that is put, or that arrived twice", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      const blob = blobOf(3 * group + 1)
      yield* Effect.scoped(
        Effect.flatMap(store.resume(blob.hash, blob.tree.size), (partial) =>
          partial.write(answerOf(blob, groups(0, 1)))
        )
      )
      assert.strictEqual(readdirSync(path).length, 2)
      yield* put(store, blob)
      assert.deepStrictEqual(readdirSync(path), [`${blob.hash}.blob`])
    })
  )

  it.live("becomes complete whatever lies behind its bytes", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      const blob = blobOf(3 * group + 1)
      const partial = yield* store.resume(blob.hash, blob.tree.size)
      yield* partial.write(answerOf(blob, ChunkRanges.all))
      truncateSync(join(path, `${blob.hash}-${blob.tree.size}.part`), 1_000_000)
      truncateSync(join(path, `${blob.hash}-${blob.tree.size}.tree`), 1_000_000)
      yield* partial.complete
      assert.deepEqual(yield* readAll(store, blob), blob.bytes)
    })
  )

  it.live("takes up no room for what has not arrived", () =>
    Effect.gen(function* () {
      const store = yield* DiskBlobStore.make({ folder: yield* folder })
      const blob = blobOf(200 * group)
      const partial = yield* store.resume(blob.hash, blob.tree.size)
      yield* partial.write(answerOf(blob, groups(190, 192)))
      assert.isBelow((yield* store.info(blob.hash))?.storedBytes ?? Infinity, 10 * group)
    })
  )

  it.live("is cleared of what the dead left, and of nothing else", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      const [blob, kept] = [blobOf(3 * group), blobOf(3 * group, 1)]
      yield* put(store, blob)
      yield* Effect.scoped(
        Effect.flatMap(store.resume(kept.hash, 3 * group), (partial) => partial.write(answerOf(kept, groups(0, 2))))
      )
      const [dead, alone] = ["0".repeat(32), "a".repeat(64)]
      const theirs = ["notes.txt", "x.blob", `${"b".repeat(63)}.blob`, `${alone}-1.txt`]
      const left = [
        `${dead}.put`,
        `${dead}.lock`,
        `${alone}.lock`,
        `${alone}-5.tree`,
        `${blob.hash}-${3 * group}.part`,
        `${blob.hash}-${3 * group}.tree`
      ]
      for (const name of [...left, ...theirs]) writeFileSync(join(path, name), "no lock of ours")
      mkdirSync(join(path, `${"c".repeat(64)}.blob`))
      mkdirSync(join(path, `${"0".repeat(31)}1.put`))

      // Somebody who is alive: a put that is not yet finished, and a blob that is arriving.
      const begun = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const living = blobOf(2 * group, 2)
      const putting = yield* Effect.forkChild(
        store.put((write) =>
          write(living.bytes).pipe(
            Effect.andThen(Deferred.succeed(begun, undefined)),
            Effect.andThen(Deferred.await(goOn)),
            Effect.as({ tree: living.tree })
          )
        )
      )
      yield* Deferred.await(begun)
      const arriving = blobOf(2 * group, 3)
      const partial = yield* store.resume(arriving.hash, 2 * group)

      const again = yield* DiskBlobStore.make({ folder: path })
      const names = readdirSync(path)
      for (const name of left) assert.notInclude(names, name)
      for (const name of theirs) assert.include(names, name)
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(putting)
      yield* partial.write(answerOf(arriving, ChunkRanges.all))
      yield* partial.complete
      for (const one of [blob, living, arriving]) assert.deepEqual(yield* readAll(again, one), one.bytes)
      const { have } = yield* again.resume(kept.hash, 3 * group)
      assert.deepStrictEqual(have, groups(0, 2))
      assert.deepStrictEqual(
        (yield* again.list).map(({ hash }) => hash),
        [blob, kept, living, arriving].map(({ hash }) => hash).toSorted()
      )
    })
  )

  it.live("calls a complete blob damaged that was cut off or is another, and lets it be removed", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      for (const size of [10, group, group + 1, 40 * group + 3]) {
        const blob = blobOf(size)
        const file = join(path, `${blob.hash}.blob`)
        for (const spoil of [
          () => truncateSync(file, 0),
          () => truncateSync(file, statSync(file).size - 1),
          () => truncateSync(file, statSync(file).size + 1),
          () => truncateSync(file, statSync(file).size - Math.min(size, 64)),
          () => writeFileSync(file, blobOf(size, 7).bytes)
        ]) {
          yield* put(store, blob)
          spoil()
          assert.strictEqual(yield* reasonOf(Effect.scoped(store.open(blob.hash))), "damaged")
          assert.strictEqual(yield* reasonOf(Effect.scoped(store.resume(blob.hash, size))), "damaged")
          assert.strictEqual((yield* store.list).length, 1)
        }
        yield* put(store, blob)
        assert.deepEqual(yield* readAll(store, blob), blob.bytes)
        truncateSync(file, 1)
        yield* store.remove(blob.hash)
        assert.deepStrictEqual(readdirSync(path), [])
      }
    })
  )

  it.live("refuses at once what has no room, and takes little room for what a stranger says", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const store = yield* DiskBlobStore.make({ folder: path })
      const error = yield* Effect.flip(Effect.scoped(store.resume("a".repeat(64), 2 ** 52)))
      assert.strictEqual(error.reason, "full")
      assert.match(error.message, /needs \d+ MiB and has \d+ MiB: free some/)
      assert.deepStrictEqual(readdirSync(path), [])
    })
  )

  it.live.runIf(canMount)("keeps no half blob on a disk that gets full, and goes on when there is room", () =>
    Effect.gen(function* () {
      const { path } = yield* disk(4_000_000)
      const store = yield* DiskBlobStore.make({ folder: path })
      const large = blobOf(5_000_000)
      const error = yield* Effect.flip(put(store, large))
      assert.strictEqual(error.reason, "full")
      assert.include(error.message, "no space is left")
      assert.deepStrictEqual(readdirSync(path), [])
      assert.strictEqual(yield* reasonOf(Effect.scoped(store.resume(large.hash, 5_000_000))), "full")

      const blob = blobOf(2_000_000, 1)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const partial = yield* store.resume(blob.hash, 2_000_000)
          yield* partial.write(answerOf(blob, groups(0, 20)))
          writeFileSync(join(path, "other"), new Uint8Array(3_000_000))
          assert.strictEqual(yield* reasonOf(partial.write(answerOf(blob, groups(20, 122)))), "full")
          assert.deepStrictEqual(partial.have, groups(0, 20))
        })
      )
      rmSync(join(path, "other"))
      const partial = yield* store.resume(blob.hash, 2_000_000)
      assert.isTrue(ChunkRanges.covers(partial.have, 0, 20 * 16))
      yield* partial.write(answerOf(blob, missing(blob, partial.have)))
      yield* partial.complete
      assert.deepEqual(yield* readAll(store, blob), blob.bytes)
    })
  )

  it.live.runIf(canMount)("does not become complete where its tree has no room", () =>
    Effect.gen(function* () {
      const { path } = yield* disk(2_400_000)
      const store = yield* DiskBlobStore.make({ folder: path })
      const blob = blobOf(2_000_000, 1)
      const partial = yield* store.resume(blob.hash, 2_000_000)
      yield* partial.write(answerOf(blob, ChunkRanges.all))
      const filler = openSync(join(path, "other"), "w")
      try {
        for (;;) writeSync(filler, new Uint8Array(4096))
      } catch {
        closeSync(filler)
      }
      assert.strictEqual(yield* reasonOf(partial.complete), "full")
      assert.strictEqual(yield* reasonOf(Effect.scoped(store.open(blob.hash))), "missing")
      rmSync(join(path, "other"))
      yield* partial.complete
      assert.deepEqual(yield* readAll(store, blob), blob.bytes)
    })
  )

  it.live.runIf(canMount)("can be read on a disk that cannot be written", () =>
    Effect.gen(function* () {
      const { freeze, path } = yield* disk(4_000_000)
      const [blob, other] = [blobOf(5 * group), blobOf(5 * group, 1)]
      yield* put(yield* DiskBlobStore.make({ folder: path }), blob)
      freeze()
      const store = yield* DiskBlobStore.make({ folder: path })
      assert.deepEqual(yield* readAll(store, blob), blob.bytes)
      assert.strictEqual((yield* store.list).length, 1)
      for (const write of [
        put(store, other),
        Effect.scoped(store.resume(other.hash, 5 * group)),
        store.remove(blob.hash)
      ]) {
        assert.strictEqual(yield* reasonOf(write), "read_only")
      }
      assert.strictEqual(yield* reasonOf(DiskBlobStore.make({ folder: join(path, "new") })), "read_only")
    })
  )

  it.live("asks for nothing again that was acknowledged before the writer was killed", () =>
    Effect.flatMap(folder, (path) => Effect.promise(() => receiveKilled(path, 4_000_000, [1, 7, 20])))
  )

  it.live("has only whole blobs after those who put them were killed", () =>
    Effect.flatMap(folder, (path) => Effect.promise(() => putKilled(path, 1_500_000, [1, 4, 9])))
  )

  it.live("needs no more memory for a large blob", () =>
    Effect.gen(function* () {
      const path = yield* folder
      const { lines } = yield* Effect.promise(() => runWriter("measure", path, 192 * 1024 * 1024))
      const [small, large] = lines.map(({ maxRss }) => maxRss ?? NaN)
      // Buffers wait for the collector; the blob itself would be 192 MiB.
      assert.isBelow(large! - small!, 128 * 1024 * 1024)
    })
  )
})
