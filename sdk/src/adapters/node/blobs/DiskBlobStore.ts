/**
 * A BlobStore in a folder private to its user (0700, files 0600).
 *
 *     <hash>.blob          a complete blob: its bytes, then its outboard
 *     <hash>-<size>.part   the bytes of a partial one, each at its place
 *     <hash>-<size>.tree   its outboard as far as it is known
 *     <random>.put         a blob that is being put
 *     <hash>.lock, <random>.lock   held while a process writes the files of that name
 *
 * A blob becomes complete by a rename, after its file and before its folder is synchronised. Hashing determines what a
 * partial one contains, so neither a crash nor a flipped bit leads to wrong bytes. Locks only avoid duplicate work.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { join, resolve } from "node:path"
import * as FastBlake3 from "../../../crypto/FastBlake3.ts"
import { outboardLength, type Tree } from "../../../protocol/files/Blake3Tree.ts"
import * as Bytes from "../../../protocol/encoding/Bytes.ts"
import * as ChunkRanges from "../../../protocol/files/ChunkRanges.ts"
import {
  type BlobInfo,
  BlobStore,
  BlobStoreError,
  isBlobHash,
  type PartialBlob,
  type StoredBlob
} from "../../../services/BlobStore.ts"
import { blobSize, readTree, storedBlob } from "./BlobFile.ts"
import { FileWriter, freeBytes, makeFolder, syncFolder, unlessMissing } from "../DurableFile.ts"
import * as FileLock from "../FileLock.ts"
import { openPartial } from "./PartialFile.ts"
import { io, storeFailure } from "./StoreFailure.ts"

export interface DiskBlobStoreOptions {
  /** The folder; created if missing. It must hold nothing else. */
  readonly folder: string
}

const failure = (reason: BlobStoreError["reason"], detail: string) => new BlobStoreError({ reason, detail })
const absent = (hash: string) => failure("missing", `there is no complete blob ${hash}`)

const completeName = /^([0-9a-f]{64})\.blob$/
const partialName = /^([0-9a-f]{64})-(\d{1,16})\.(part|tree)$/
const putName = /^([0-9a-f]{32})\.put$/
const lockName = /^([0-9a-f]{32}|[0-9a-f]{64})\.lock$/

/** Minimum age of leftovers removed where locks cannot show whether their writer is dead: a day. */
const leftoverMillis = 24 * 60 * 60 * 1000

/** The facts about one blob; undefined if it has gone away. */
const statOf = async (folder: string, name: string): Promise<BlobInfo | undefined> => {
  const complete = completeName.exec(name)
  const partial = partialName.exec(name)
  const hash = complete?.[1] ?? (partial?.[3] === "part" ? partial[1] : undefined)
  if (hash === undefined) return undefined
  const stat = await unlessMissing(fs.stat(join(folder, name)))
  if (stat === undefined || !stat.isFile()) return undefined
  const writtenAt = Math.floor(stat.mtimeMs)
  if (partial === null) {
    return { hash, size: blobSize(stat.size) ?? stat.size, complete: true, storedBytes: stat.size, writtenAt }
  }
  const tree = await fs.stat(join(folder, name.replace(/part$/, "tree"))).catch(() => undefined)
  // Missing bytes are holes, which take no room.
  const taken = [stat, tree].map((file) => (file === undefined ? 0 : Math.min(file.size, file.blocks * 512)))
  const storedBytes = taken.reduce((sum, bytes) => sum + bytes, 0)
  return { hash, size: Number(partial[2]), complete: false, storedBytes, writtenAt }
}

/** The lock name of a removable leftover; undefined for a file in use or an unrelated one. */
const leftoverOf = (name: string, names: ReadonlyArray<string>): string | undefined => {
  const partial = partialName.exec(name)
  if (partial === null) return (putName.exec(name) ?? lockName.exec(name))?.[1]
  const [, hash, , kind] = partial
  if (names.includes(`${hash}.blob`)) return hash
  return kind === "tree" && !names.includes(name.replace(/tree$/, "part")) ? hash : undefined
}

/** Removes a file that a dead process left behind, but none that is being written. */
const removeLeftover = async (folder: string, name: string, locked: string): Promise<void> => {
  const lock = FileLock.acquire(join(folder, `${locked}.lock`))
  if (lock === undefined) return
  try {
    // A writer may have been active until the lock was free. The lock's own file goes with the lock.
    if (lockName.test(name) || leftoverOf(name, await fs.readdir(folder)) === undefined) return
    const path = join(folder, name)
    if (lock.exact || Date.now() - (await fs.stat(path)).mtimeMs > leftoverMillis) await fs.rm(path, { force: true })
  } finally {
    lock.release()
  }
}

const clean = async (folder: string): Promise<void> => {
  const names = await fs.readdir(folder)
  for (const name of names) {
    const locked = leftoverOf(name, names)
    // A leftover that cannot be removed does no harm.
    if (locked !== undefined) await removeLeftover(folder, name, locked).catch(() => undefined)
  }
}

const fromFolder = (folder: string): BlobStore["Service"] => {
  const at = (name: string) => join(folder, name)

  /** Holds the lock of a blob, or of one being put, until the scope closes. */
  const lock = (name: string): Effect.Effect<void, BlobStoreError, Scope.Scope> =>
    Effect.asVoid(
      Effect.acquireRelease(
        Effect.try({
          try: () => {
            const held = FileLock.acquire(at(`${name}.lock`))
            if (held === undefined) throw failure("busy", `${name} is being written, here or by another process`)
            return held
          },
          catch: (cause) => storeFailure(folder, "write", cause)
        }),
        (held) => Effect.sync(() => held.release())
      )
    )

  const partialsOf = (hash: string): Promise<ReadonlyArray<string>> =>
    fs.readdir(folder).then((names) => names.filter((name) => partialName.exec(name)?.[1] === hash))

  const removeAll = async (names: ReadonlyArray<string>): Promise<void> => {
    for (const name of names) await fs.rm(at(name), { force: true })
  }

  const openComplete = Effect.fnUntraced(function* (
    hash: string
  ): Effect.fn.Return<StoredBlob | undefined, BlobStoreError, Scope.Scope> {
    const handle = yield* Effect.acquireRelease(
      io(folder, "read", () => unlessMissing(fs.open(at(`${hash}.blob`), "r"))),
      (handle) => Effect.ignore(io(folder, "read", async () => handle?.close()))
    )
    if (handle === undefined) return undefined
    const tree = yield* io(folder, "read", () => readTree(handle, Result.getOrThrow(Bytes.fromHex(hash))))
    if (tree === undefined) {
      return yield* failure("damaged", `${at(`${hash}.blob`)} is not what was stored there: remove the blob`)
    }
    return storedBlob(folder, handle, tree)
  })

  const put = <A extends { readonly tree: Tree }, E, R>(
    produce: (write: (bytes: Uint8Array) => Effect.Effect<void, BlobStoreError>) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | BlobStoreError, R> =>
    Effect.scoped(
      Effect.gen(function* () {
        const name = randomBytes(16).toString("hex")
        yield* lock(name)
        const path = at(`${name}.put`)
        const handle = yield* Effect.acquireRelease(
          io(folder, "write", () => fs.open(path, "wx", 0o600)),
          (handle, exit) =>
            io(folder, "write", async () => {
              await handle.close()
              if (Exit.isFailure(exit)) await fs.rm(path, { force: true })
            }).pipe(Effect.ignore)
        )
        const writer = new FileWriter(handle)
        const made = yield* produce((bytes) => io(folder, "write", async () => writer.write(bytes)))
        const { hash, outboard, size } = made.tree
        const hex = Bytes.toHex(hash)
        if (writer.length !== size || outboard.length !== outboardLength(size) || !isBlobHash(hex)) {
          return yield* failure("damaged", `${writer.length} bytes were written for a tree over ${size}`)
        }
        yield* io(folder, "write", async () => {
          await writer.write(outboard)
          await writer.finish()
          await fs.rename(path, at(`${hex}.blob`))
          await syncFolder(folder)
        })
        yield* discardPartials(hex)
        return made
      })
    )

  /** Once the blob is complete, its partial files are useless; a current writer may continue. */
  const discardPartials = (hash: string): Effect.Effect<void> =>
    Effect.gen(function* () {
      const names = yield* io(folder, "read", () => partialsOf(hash))
      if (names.length === 0) return
      yield* lock(hash)
      yield* io(folder, "write", () => removeAll(names))
    }).pipe(Effect.scoped, Effect.ignore)

  /** Fails early if the rest will not fit, rather than after hours of receiving it. */
  const expectRoom = (hash: string, size: number) =>
    io(folder, "read", async () => {
      const room = await freeBytes(folder)
      const here = (await statOf(folder, `${hash}-${size}.part`))?.storedBytes ?? 0
      // At the end the outboard exists twice.
      const needed = size + 2 * outboardLength(size) - here
      if (needed <= room) return
      const [needs, free] = [needed, room].map((bytes) => `${Math.ceil(bytes / 1024 / 1024)} MiB`)
      throw failure("full", `${folder} needs ${needs} and has ${free}: free some, or keep the account on another disk`)
    })

  const resume = Effect.fnUntraced(function* (
    hash: string,
    size: number
  ): Effect.fn.Return<PartialBlob, BlobStoreError, Scope.Scope> {
    if (!isBlobHash(hash) || !Number.isSafeInteger(size) || size < 0) {
      return yield* failure("damaged", `there is no blob ${hash} of ${size} bytes`)
    }
    const whole = Effect.gen(function* () {
      const found = yield* openComplete(hash)
      if (found === undefined) return undefined
      if (found.tree.size !== size) {
        return yield* failure("damaged", `the blob ${hash} has ${found.tree.size} bytes and not ${size}`)
      }
      return { have: ChunkRanges.within(ChunkRanges.all, size), write: () => Effect.void, complete: Effect.void }
    }).pipe(Effect.scoped)
    const before = yield* whole
    if (before !== undefined) return before
    yield* lock(hash)
    // It may have become complete before the lock was free.
    const now = yield* whole
    if (now !== undefined) return now
    const name = `${hash}-${size}`
    const others = yield* io(folder, "read", () => partialsOf(hash))
    yield* io(folder, "write", () => removeAll(others.filter((other) => !other.startsWith(`${name}.`))))
    yield* expectRoom(hash, size)
    return yield* openPartial({
      folder,
      hash: Result.getOrThrow(Bytes.fromHex(hash)),
      size,
      hasher: yield* FastBlake3.load,
      data: at(`${name}.part`),
      tree: at(`${name}.tree`),
      complete: at(`${hash}.blob`)
    })
  })

  const list = io(folder, "read", async () => {
    // Names sort like hashes.
    const found = new Map<string, BlobInfo>()
    for (const name of (await fs.readdir(folder)).sort()) {
      const info = await statOf(folder, name)
      if (info !== undefined && found.get(info.hash)?.complete !== true) found.set(info.hash, info)
    }
    return [...found.values()]
  })

  return BlobStore.of({
    put,
    open: Effect.fnUntraced(function* (hash: string) {
      const blob = isBlobHash(hash) ? yield* openComplete(hash) : undefined
      return blob ?? (yield* absent(hash))
    }),
    resume,
    info: (hash) =>
      io(folder, "read", async () => {
        if (!isBlobHash(hash)) return undefined
        const names = [`${hash}.blob`, ...(await partialsOf(hash))]
        for (const name of names) {
          const info = await statOf(folder, name)
          if (info !== undefined) return info
        }
        return undefined
      }),
    list,
    remove: Effect.fnUntraced(function* (hash) {
      if (!isBlobHash(hash)) return
      const names = yield* io(folder, "read", () => partialsOf(hash))
      if (names.length > 0) yield* lock(hash)
      yield* io(folder, "write", async () => {
        await removeAll([`${hash}.blob`, ...names])
        await syncFolder(folder)
      })
    }, Effect.scoped)
  })
}

/** Opens the folder, creates it if missing, and removes leftovers of dead processes. */
export const make = Effect.fnUntraced(function* (
  options: DiskBlobStoreOptions
): Effect.fn.Return<BlobStore["Service"], BlobStoreError> {
  const folder = resolve(options.folder)
  yield* io(folder, "write", () => makeFolder(folder))
  // A folder that cannot be tidied can still be read: it may be on a read-only disk, or have other permissions.
  yield* Effect.ignore(io(folder, "write", () => fs.chmod(folder, 0o700)))
  yield* Effect.ignore(io(folder, "write", () => clean(folder)))
  return fromFolder(folder)
})

/** The blob store in `options.folder`. */
export const layer = (options: DiskBlobStoreOptions): Layer.Layer<BlobStore, BlobStoreError> =>
  Layer.effect(BlobStore, make(options))
