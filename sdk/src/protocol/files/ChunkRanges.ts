/**
 * Sets of 1 KiB chunks as iroh-blobs writes them: the sorted numbers at which membership changes, starting outside the
 * set. An odd count means that the set is unbounded (`bao_tree::ChunkRanges`).
 */
import * as Result from "effect/Result"
import { chunkBytes } from "./Blake3.ts"
import { fail, type Problem } from "../Problem.ts"

export interface ChunkRanges {
  /** Strictly rising. */
  readonly boundaries: ReadonlyArray<number>
}

export const empty: ChunkRanges = { boundaries: [] }

/** All chunks of a blob of any size. */
export const all: ChunkRanges = { boundaries: [0] }

/** The last chunk of a blob of any size, represented by a number beyond every end. */
export const last: ChunkRanges = { boundaries: [Number.MAX_SAFE_INTEGER] }

/** The set with these boundaries; `request_malformed` unless they are strictly rising safe integers from 0 up. */
export const make = (boundaries: ReadonlyArray<number>): Result.Result<ChunkRanges, Problem> => {
  let before = -1
  for (const boundary of boundaries) {
    if (!Number.isSafeInteger(boundary) || boundary <= before) {
      return fail("request_malformed", "the boundaries of chunk ranges do not rise")
    }
    before = boundary
  }
  return Result.succeed({ boundaries })
}

/** Chunks from `start` up to but not including `end`, or all from `start` on. */
export const range = (start: number, end?: number): ChunkRanges =>
  end === undefined ? { boundaries: [start] } : end > start ? { boundaries: [start, end] } : empty

/** The chunks that hold the bytes from `start` up to but not including `end`. */
export const ofBytes = (start: number, end: number): ChunkRanges =>
  end > start ? range(Math.floor(start / chunkBytes), Math.ceil(end / chunkBytes)) : empty

/** The union of both sets. */
export const union = (a: ChunkRanges, b: ChunkRanges): ChunkRanges => merge(a, b, (inA, inB) => inA || inB)

/** The intersection of both sets. */
export const intersection = (a: ChunkRanges, b: ChunkRanges): ChunkRanges => merge(a, b, (inA, inB) => inA && inB)

/** The first set without the second. */
export const difference = (a: ChunkRanges, b: ChunkRanges): ChunkRanges => merge(a, b, (inA, inB) => inA && !inB)

const merge = (a: ChunkRanges, b: ChunkRanges, rule: (inA: boolean, inB: boolean) => boolean): ChunkRanges => {
  const boundaries: Array<number> = []
  let i = 0
  let j = 0
  let inside = false
  while (i < a.boundaries.length || j < b.boundaries.length) {
    const nextA = a.boundaries[i] ?? Infinity
    const nextB = b.boundaries[j] ?? Infinity
    const at = Math.min(nextA, nextB)
    if (nextA === at) i++
    if (nextB === at) j++
    const now = rule(i % 2 === 1, j % 2 === 1)
    if (now !== inside) boundaries.push(at)
    inside = now
  }
  return { boundaries }
}

export const isEmpty = (ranges: ChunkRanges): boolean => ranges.boundaries.length === 0

/** The number of boundaries at or below a chunk: it is in the set iff this is odd. */
const rank = ({ boundaries }: ChunkRanges, chunk: number): number => {
  let low = 0
  let high = boundaries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((boundaries[middle] as number) <= chunk) low = middle + 1
    else high = middle
  }
  return low
}

export const has = (ranges: ChunkRanges, chunk: number): boolean => rank(ranges, chunk) % 2 === 1

/** Whether all chunks from `start` up to but not including `end` are in the set. */
export const covers = (ranges: ChunkRanges, start: number, end: number): boolean => {
  const at = rank(ranges, start)
  return at % 2 === 1 && (ranges.boundaries[at] ?? Infinity) >= end
}

/** Whether any chunk from `start` up to but not including `end` is in the set. */
export const touches = (ranges: ChunkRanges, start: number, end: number): boolean => {
  const at = rank(ranges, start)
  return at % 2 === 1 || (ranges.boundaries[at] ?? Infinity) < end
}

/** Chunks of a blob of `size` bytes; an empty one counts as one chunk. */
export const chunkCount = (size: number): number => Math.max(1, Math.ceil(size / chunkBytes))

/** Bytes of a blob of `size` bytes that lie in a set of its chunks; its last chunk may be short. */
export const bytesIn = (ranges: ChunkRanges, size: number): number => {
  const { boundaries } = intersection(ranges, range(0, chunkCount(size)))
  let bytes = 0
  for (let i = 0; i + 1 < boundaries.length; i += 2) {
    const [start = 0, end = 0] = boundaries.slice(i, i + 2)
    bytes += Math.min(end * chunkBytes, size) - start * chunkBytes
  }
  return bytes
}

/**
 * The chunks that a request means for a blob of `size` bytes. A request at or beyond the last chunk means the last
 * chunk, which proves the size.
 */
export const within = (ranges: ChunkRanges, size: number): ChunkRanges => {
  const end = chunkCount(size)
  const known = intersection(ranges, range(0, end))
  return touches(ranges, end - 1, Infinity) ? union(known, range(end - 1, end)) : known
}
