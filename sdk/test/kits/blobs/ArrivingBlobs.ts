/** Blobs to try stores with, and what a provider's answer about them verifies to. */
import { Result } from "effect"
import { Blake3, Blake3Tree, BlobAnswer, Bytes, ChunkRanges } from "@kez-chat/sdk/protocol"

export interface Blob {
  readonly bytes: Uint8Array
  readonly tree: Blake3Tree.Tree
  readonly hash: string
}

/** Bytes that differ between seeds and along the way (xorshift32). */
export const bytesOf = (size: number, seed: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(size / 4))
  let state = (seed + 1) * 0x9e3779b1
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer, 0, size)
}

export const blobOf = (size: number, seed = 0, hasher: Blake3.SubtreeHash = Blake3.subtree): Blob => {
  const bytes = bytesOf(size, seed)
  const tree = Blake3Tree.build(bytes, hasher)
  return { bytes, tree, hash: Bytes.toHex(tree.hash) }
}

/** What somebody who asked for `ranges` has verified, in order. */
export const answerOf = (
  { bytes, tree }: Blob,
  ranges: ChunkRanges.ChunkRanges,
  hasher: Blake3.SubtreeHash = Blake3.subtree
): ReadonlyArray<BlobAnswer.Verified> => {
  const items: Array<BlobAnswer.Verified> = []
  const decoder = BlobAnswer.decoder({ hash: tree.hash, size: tree.size, ranges, hasher })
  const push = (sent: Uint8Array) => Result.getOrThrow(decoder.push(sent, (item) => items.push(item)))
  for (const result of BlobAnswer.encode(tree, ranges, hasher)) {
    const part = Result.getOrThrow(result)
    if (part.kind === "bytes") push(part.bytes)
    else push(Result.getOrThrow(part.encode(bytes.subarray(part.offset, part.offset + part.length))))
  }
  Result.getOrThrow(decoder.finish())
  return items
}

/** Chunks of whole groups from `start` up to `end`. */
export const groups = (start: number, end: number): ChunkRanges.ChunkRanges =>
  ChunkRanges.range(start * Blake3Tree.groupChunks, end * Blake3Tree.groupChunks)

/** What of a blob is not in `have`. */
export const missing = ({ tree }: Blob, have: ChunkRanges.ChunkRanges): ChunkRanges.ChunkRanges =>
  ChunkRanges.difference(ChunkRanges.within(ChunkRanges.all, tree.size), have)
