/** A BlobStore in memory, without durability: for tests, and for programs that need none. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { ArrivedChunks } from "../../protocol/files/ArrivedChunks.ts"
import { groupBytes, groupValues, outboardLength, pairBytes, type Tree } from "../../protocol/files/Blake3Tree.ts"
import { belongs, type Verified } from "../../protocol/files/BlobAnswer.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as ChunkRanges from "../../protocol/files/ChunkRanges.ts"
import {
  type BlobInfo,
  BlobStore,
  BlobStoreError,
  isBlobHash,
  type PartialBlob,
  type StoredBlob
} from "../../services/BlobStore.ts"

interface Complete {
  readonly tree: Tree
  readonly bytes: Uint8Array
  readonly writtenAt: number
}

/** The arrived groups and pairs, by index. */
interface Partial {
  readonly size: number
  readonly arrived: ArrivedChunks
  readonly groups: Map<number, Uint8Array>
  readonly pairs: Map<number, Uint8Array>
  writtenAt: number
  open: boolean
}

const failure = (reason: BlobStoreError["reason"], detail: string) => new BlobStoreError({ reason, detail })
const damaged = (detail: string) => Effect.fail(failure("damaged", detail))

const stored = ({ bytes, tree }: Complete): StoredBlob => ({
  tree,
  read: (offset, length) =>
    offset >= 0 && length >= 0 && offset + length <= bytes.length
      ? Effect.sync(() => bytes.slice(offset, offset + length))
      : damaged(`there are no ${length} bytes at ${offset}: the blob has ${bytes.length}`)
})

const take = (partial: Partial, item: Verified): void => {
  if (item.kind === "parent") partial.pairs.set(item.index, item.pair.slice())
  if (item.kind !== "leaf") return
  partial.arrived.add(item.offset, item.bytes.length)
  for (let at = 0; at < item.bytes.length;) {
    const index = Math.floor((item.offset + at) / groupBytes)
    const start = index * groupBytes
    const group = partial.groups.get(index) ?? new Uint8Array(Math.min(groupBytes, partial.size - start))
    const within = item.offset + at - start
    const part = item.bytes.subarray(at, at + group.length - within)
    group.set(part, within)
    partial.groups.set(index, group)
    at += part.length
  }
}

/** The whole blob; undefined unless every chunk and every pair has arrived. */
const join = (hash: string, partial: Partial, writtenAt: number): Complete | undefined => {
  if (!partial.arrived.isWhole) return undefined
  const outboard = new Uint8Array(outboardLength(partial.size))
  for (const [index, pair] of partial.pairs) outboard.set(pair, index * pairBytes)
  const tree = { hash: Result.getOrThrow(Bytes.fromHex(hash)), size: partial.size, outboard }
  for (const value of groupValues(tree)) if (value === undefined) return undefined
  const bytes = new Uint8Array(partial.size)
  for (const [index, group] of partial.groups) bytes.set(group, index * groupBytes)
  return { tree, bytes, writtenAt }
}

/** A new, empty store. Clients that share it see the same blobs, like consecutive runs of one program. */
export const make = (): BlobStore["Service"] => {
  const completes = new Map<string, Complete>()
  const partials = new Map<string, Partial>()

  const info = (hash: string): BlobInfo | undefined => {
    const complete = completes.get(hash)
    if (complete !== undefined) {
      const { bytes, tree, writtenAt } = complete
      return { hash, size: tree.size, complete: true, storedBytes: bytes.length + tree.outboard.length, writtenAt }
    }
    const partial = partials.get(hash)
    if (partial === undefined) return undefined
    let storedBytes = partial.pairs.size * pairBytes
    for (const group of partial.groups.values()) storedBytes += group.length
    return { hash, size: partial.size, complete: false, storedBytes, writtenAt: partial.writtenAt }
  }

  const put = Effect.fnUntraced(function* <A extends { readonly tree: Tree }, E, R>(
    produce: (write: (bytes: Uint8Array) => Effect.Effect<void, BlobStoreError>) => Effect.Effect<A, E, R>
  ): Effect.fn.Return<A, E | BlobStoreError, R> {
    const pieces: Array<Uint8Array> = []
    const made = yield* produce((bytes) => Effect.sync(() => void pieces.push(bytes.slice())))
    const bytes = Bytes.concat(...pieces)
    const { hash, outboard, size } = made.tree
    if (bytes.length !== size || outboard.length !== outboardLength(size)) {
      return yield* damaged(`${bytes.length} bytes were written for a tree over ${size}`)
    }
    const name = Bytes.toHex(hash)
    const tree = { hash: hash.slice(), size, outboard: outboard.slice() }
    completes.set(name, { tree, bytes, writtenAt: yield* Clock.currentTimeMillis })
    if (partials.get(name)?.open === false) partials.delete(name)
    return made
  })

  const whole = (size: number): PartialBlob => ({
    have: ChunkRanges.within(ChunkRanges.all, size),
    write: () => Effect.void,
    complete: Effect.void
  })

  const resume = Effect.fnUntraced(function* (hash: string, size: number) {
    if (!isBlobHash(hash) || !Number.isSafeInteger(size) || size < 0) {
      return yield* damaged(`there is no blob ${hash} of ${size} bytes`)
    }
    const found = completes.get(hash)
    if (found !== undefined) {
      return found.tree.size === size
        ? whole(size)
        : yield* damaged(`the blob ${hash} has ${found.tree.size} bytes and not ${size}`)
    }
    const writtenAt = yield* Clock.currentTimeMillis
    const partial = yield* Effect.acquireRelease(
      Effect.suspend(() => {
        const before = partials.get(hash)
        if (before?.open === true) return Effect.fail(failure("busy", `the blob ${hash} is being written`))
        const now: Partial =
          before?.size === size
            ? before
            : { size, arrived: new ArrivedChunks(size), groups: new Map(), pairs: new Map(), writtenAt, open: true }
        now.open = true
        now.writtenAt = writtenAt
        partials.set(hash, now)
        return Effect.succeed(now)
      }),
      (partial) =>
        Effect.sync(() => {
          partial.open = false
          if (completes.has(hash)) partials.delete(hash)
        })
    )
    const write = Effect.fnUntraced(function* (items: ReadonlyArray<Verified>) {
      if (!items.every((item) => belongs(item, size))) {
        return yield* damaged(`the item is not part of ${hash}, which has ${size} bytes`)
      }
      for (const item of items) take(partial, item)
      partial.writtenAt = yield* Clock.currentTimeMillis
    })
    const complete = Effect.gen(function* () {
      if (partials.get(hash) !== partial) return
      const blob = join(hash, partial, yield* Clock.currentTimeMillis)
      if (blob === undefined) return yield* damaged(`the blob ${hash} has not arrived as a whole`)
      completes.set(hash, blob)
      partials.delete(hash)
    })
    return {
      get have() {
        return partial.arrived.groups
      },
      write,
      complete
    }
  })

  return BlobStore.of({
    put,
    open: (hash) =>
      Effect.suspend(() => {
        const complete = completes.get(hash)
        return complete === undefined
          ? Effect.fail(failure("missing", `there is no complete blob ${hash}`))
          : Effect.succeed(stored(complete))
      }),
    resume,
    info: (hash) => Effect.sync(() => info(hash)),
    list: Effect.sync(() =>
      [...new Set([...completes.keys(), ...partials.keys()])].sort().map((hash) => info(hash) as BlobInfo)
    ),
    remove: (hash) =>
      Effect.suspend(() => {
        if (partials.get(hash)?.open === true) return Effect.fail(failure("busy", `the blob ${hash} is being written`))
        completes.delete(hash)
        partials.delete(hash)
        return Effect.void
      })
  })
}

/** Each built layer has its own store. */
export const layer: Layer.Layer<BlobStore> = Layer.sync(BlobStore, make)
