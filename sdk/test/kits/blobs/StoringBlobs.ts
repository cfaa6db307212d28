/** Puts blobs into stores, reads them, and writes them as they arrive. */
import { Effect } from "effect"
import * as fc from "fast-check"
import { FastBlake3 } from "@kez-chat/sdk/crypto"
import { Blake3Tree, type ChunkRanges } from "@kez-chat/sdk/protocol"
import { type BlobStore, BlobStoreError, type PartialBlob } from "@kez-chat/sdk/services"
import { answerOf, type Blob } from "./ArrivingBlobs.ts"

export interface BlobPlace<E> {
  /** Opens the store there, as a new start of the program would. */
  readonly open: Effect.Effect<BlobStore["Service"], E>
}

export const group = Blake3Tree.groupBytes
/** Of every kind: none, less and more than a group and a chunk of a file, and more than any buffer. */
export const sizes = [0, 1, group - 1, group, group + 1, 4 * group - 1, 4 * group, 4 * group + 1, 3_500_003]

export const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => (error instanceof BlobStoreError ? error.reason : error))

/** Puts a blob as an encrypting client does: piece by piece, from one buffer that is used again. */
export const put = (store: BlobStore["Service"], blob: Blob, pieceBytes = 65_552) =>
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

export const readAll = (store: BlobStore["Service"], { hash, tree }: Blob) =>
  Effect.scoped(Effect.flatMap(store.open(hash), (blob) => blob.read(0, tree.size)))

/** Writes the answer to `ranges`, `batch` items at a time, whose bytes are not valid any longer. */
export const feed = Effect.fnUntraced(function* (
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

/** One answer of a run of the properties, written `batch` items at a time; then the store may be opened again. */
export const step = fc.record({
  start: fc.integer({ min: 0, max: 39 }),
  count: fc.integer({ min: 1, max: 12 }),
  batch: fc.integer({ min: 1, max: 40 }),
  reopen: fc.boolean()
})
