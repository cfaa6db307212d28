/**
 * An arriving blob in two files: its bytes, each at its offset, and its outboard as far as it is known. Hashing alone
 * determines what is present, so neither a crash nor a flipped bit can make wrong bytes count.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as fs from "node:fs/promises"
import { ArrivedChunks } from "../../../protocol/files/ArrivedChunks.ts"
import * as Blake3 from "../../../protocol/files/Blake3.ts"
import { groupBytes, groupCount, groupValues, outboardLength, pairBytes } from "../../../protocol/files/Blake3Tree.ts"
import { belongs, type Verified } from "../../../protocol/files/BlobAnswer.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import { BlobStoreError, type PartialBlob } from "../../../services/BlobStore.ts"
import { readAt, syncFolder, writeAt } from "../DurableFile.ts"
import { io } from "./StoreFailure.ts"

export interface PartialFileOptions {
  readonly folder: string
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly size: number
  readonly hasher: Blake3.SubtreeHash
  /** Paths of the bytes and of the outboard, and the path of the complete blob. */
  readonly data: string
  readonly tree: string
  readonly complete: string
}

const damaged = (detail: string) => new BlobStoreError({ reason: "damaged", detail })

/** Groups per read while checking: a mebibyte. */
const blockGroups = 64
const blockBytes = blockGroups * groupBytes

const openFile = (folder: string, path: string): Effect.Effect<fs.FileHandle, BlobStoreError, Scope.Scope> =>
  Effect.acquireRelease(
    io(folder, "write", () => fs.open(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)),
    (handle) => Effect.ignore(io(folder, "write", () => handle.close()))
  )

/** The outboard as far as it was written. */
const readOutboard = async (handle: fs.FileHandle, size: number): Promise<Uint8Array> => {
  const outboard = new Uint8Array(Math.min(outboardLength(size), (await handle.stat()).size))
  return outboard.subarray(0, await readAt(handle, outboard, 0))
}

/** Some groups of the blob, as they are on disk. */
interface Block {
  readonly start: number
  /** The expected hash of each group, if known. */
  readonly values: ReadonlyArray<Uint8Array | undefined>
  /** Up to the end of the file. */
  readonly bytes: Uint8Array
}

/** Finds the groups whose bytes match the hash that the outboard proves. */
const check = Effect.fnUntraced(function* (
  { folder, hash, hasher, size }: PartialFileOptions,
  data: fs.FileHandle,
  outboard: Uint8Array
) {
  const arrived = new ArrivedChunks(size)
  const { size: fileBytes } = yield* io(folder, "read", () => data.stat())
  const length = Math.min(size, fileBytes)
  const all = groupValues({ hash, size, outboard })
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(length, blockBytes)))

  const load = async (start: number): Promise<Block | undefined> => {
    // An empty blob also has one group.
    if (start > 0 && start >= length) return undefined
    const count = Math.min(blockGroups, groupCount(size) - start / groupBytes)
    const values = Array.from({ length: count }, () => all.next().value as Uint8Array | undefined)
    if (values.every((value) => value === undefined)) return { start, values, bytes: new Uint8Array(0) }
    const buffer = (buffers[(start / blockBytes) % 2] as Uint8Array).subarray(0, length - start)
    return { start, values, bytes: buffer.subarray(0, await readAt(data, buffer, start)) }
  }
  const compare = ({ bytes, start, values }: Block): void => {
    for (const [index, value] of values.entries()) {
      const at = index * groupBytes
      const end = Math.min(at + groupBytes, size - start)
      if (value === undefined || end > bytes.length) continue
      const found = hasher(bytes.subarray(at, end), (start + at) / Blake3.chunkBytes, size <= groupBytes)
      if (Bytes.equal(found, value)) arrived.add(start + at, end - at)
    }
  }

  let block = yield* io(folder, "read", () => load(0))
  while (block !== undefined) {
    const current: Block = block
    block = yield* io(folder, "read", () => {
      // The next read runs on the system's threads while this thread hashes.
      const next = load(current.start + blockBytes)
      compare(current)
      return next
    })
  }
  return arrived
})

interface Placed {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Merges adjacent writes, to make one system call per run instead of one per item. */
const runs = (
  parts: ReadonlyArray<Placed>
): ReadonlyArray<{ readonly at: number; readonly parts: ReadonlyArray<Uint8Array> }> => {
  const found: Array<{ at: number; end: number; parts: Array<Uint8Array> }> = []
  for (const { at, bytes } of parts) {
    const last = found.at(-1)
    if (last !== undefined && last.end === at) {
      last.parts.push(bytes)
      last.end += bytes.length
    } else found.push({ at, end: at + bytes.length, parts: [bytes] })
  }
  return found
}

/** Opens the partial blob, whose lock is held, and determines its present bytes. */
export const openPartial = Effect.fnUntraced(function* (
  options: PartialFileOptions
): Effect.fn.Return<PartialBlob, BlobStoreError, Scope.Scope> {
  const { folder, hash, size } = options
  const name = Bytes.toHex(hash)
  const data = yield* openFile(folder, options.data)
  const tree = yield* openFile(folder, options.tree)
  // Updates the modification time, which shows that the blob is still wanted.
  yield* io(folder, "write", () => data.utimes(new Date(), new Date()))
  const arrived = yield* check(options, data, yield* io(folder, "read", () => readOutboard(tree, size)))
  // One operation at a time; the files stay open for a running one.
  const turn = yield* Effect.acquireRelease(
    Effect.sync(() => Semaphore.makeUnsafe(1)),
    (turn) => turn.withPermits(1)(Effect.void)
  )
  let renamed = false
  let completed = false

  const write = Effect.fnUntraced(
    function* (items: ReadonlyArray<Verified>) {
      if (renamed) return
      if (!items.every((item) => belongs(item, size))) {
        return yield* damaged(`the item is not part of ${name}, which has ${size} bytes`)
      }
      const leaves: Array<Placed> = []
      const pairs: Array<Placed> = []
      for (const item of items) {
        if (item.kind === "leaf") leaves.push({ at: item.offset, bytes: item.bytes })
        if (item.kind === "parent") pairs.push({ at: item.index * pairBytes, bytes: item.pair })
      }
      yield* io(folder, "write", async () => {
        for (const run of runs(pairs)) await writeAt(tree, run.parts, run.at)
        for (const run of runs(leaves)) await writeAt(data, run.parts, run.at)
      })
      for (const { at, bytes } of leaves) arrived.add(at, bytes.length)
    },
    turn.withPermits(1),
    Effect.uninterruptible
  )

  const rename = Effect.gen(function* () {
    if (!arrived.isWhole) return yield* damaged(`${name} has not arrived as a whole`)
    const outboard = yield* io(folder, "read", () => readOutboard(tree, size))
    let checked = 0
    for (const value of groupValues({ hash, size, outboard })) {
      if (value === undefined) return yield* damaged(`the tree of ${name} is not whole: fetch it again`)
      // A large tree takes seconds, so other work gets a turn.
      if (++checked % 4096 === 0) yield* Effect.yieldNow
    }
    yield* io(folder, "write", async () => {
      await writeAt(data, [outboard], size)
      await data.truncate(size + outboard.length)
      await data.sync()
      await fs.rename(options.data, options.complete)
    })
    renamed = true
  })

  const complete = Effect.gen(function* () {
    if (completed) return
    if (!renamed) yield* rename
    yield* io(folder, "write", async () => {
      await syncFolder(folder)
      await fs.rm(options.tree, { force: true })
    })
    completed = true
  }).pipe(turn.withPermits(1), Effect.uninterruptible)

  return {
    get have() {
      return arrived.groups
    },
    write,
    complete
  }
})
