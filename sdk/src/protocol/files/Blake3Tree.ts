/**
 * BLAKE3's tree over a blob down to groups of 16 chunks, as iroh-blobs 0.104 keeps it (bao-tree 0.17). The outboard
 * beside a blob holds the pairs of chaining values of all parents above groups, in pre-order (spec: files).
 */
import * as Blake3 from "./Blake3.ts"
import * as Bytes from "../encoding/Bytes.ts"
import * as ChunkRanges from "./ChunkRanges.ts"
import { Pieces } from "../encoding/Pieces.ts"

/** Chunks and bytes of a group, the leaf of the outboard. */
export const groupChunks = 16
export const groupBytes = groupChunks * Blake3.chunkBytes
/** Bytes of a parent: the chaining values of both children. */
export const pairBytes = 2 * Blake3.hashBytes
/** A blob's hash, size and outboard: everything needed to serve and check any part of it. */
export interface Tree {
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** Bytes of the blob. */
  readonly size: number
  /** See {@link outboardLength}. */
  readonly outboard: Uint8Array
}

/** Groups of a blob; an empty one has one. */
export const groupCount = (size: number): number => Math.max(1, Math.ceil(size / groupBytes))

/** Bytes of the outboard of a blob: 64 per group except one, 0.4 % of the blob. */
export const outboardLength = (size: number): number => (groupCount(size) - 1) * pairBytes

/** Hashes a blob that arrives in pieces. Memory grows by 32 bytes per group until `finish`. */
export interface Builder {
  /** Adds bytes, in pieces of any size; reads them before returning. */
  push(bytes: Uint8Array): void
  /** Ends the blob. The builder cannot be used afterwards. */
  finish(): Tree
}

/** A {@link Builder}. */
export const builder = (hasher: Blake3.SubtreeHash): Builder => {
  // A single group is the root, so no group is hashed before it is known whether more bytes follow.
  const pieces = new Pieces(groupBytes)
  let size = 0
  let groups = 0
  let values = new Uint8Array(64 * Blake3.hashBytes)

  const add = (group: Uint8Array): void => {
    if ((groups + 1) * Blake3.hashBytes > values.length) {
      const grown = new Uint8Array(values.length * 2)
      grown.set(values)
      values = grown
    }
    values.set(hasher(group, groups * groupChunks, false), groups * Blake3.hashBytes)
    groups++
  }

  return {
    push: (bytes) => {
      size += bytes.length
      for (const group of pieces.push(bytes)) add(group)
    },
    finish: () => {
      const rest = pieces.rest()
      if (groups === 0) return { hash: hasher(rest, 0, true), size, outboard: new Uint8Array(0) }
      add(rest)
      const outboard = new Uint8Array((groups - 1) * pairBytes)
      const hash = fill(outboard, 0, values, 0, groups, true)
      return { hash, size, outboard }
    }
  }
}

/** Writes the pairs over groups `start` to `end` into an outboard from pair `index` on; returns their root's value. */
const fill = (
  outboard: Uint8Array,
  index: number,
  values: Uint8Array,
  start: number,
  end: number,
  isRoot: boolean
): Uint8Array => {
  if (end - start === 1) return values.subarray(start * Blake3.hashBytes, end * Blake3.hashBytes)
  const left = Blake3.leftChunks(end - start)
  const a = fill(outboard, index + 1, values, start, start + left, false)
  const b = fill(outboard, index + left, values, start + left, end, false)
  outboard.set(a, index * pairBytes)
  outboard.set(b, index * pairBytes + Blake3.hashBytes)
  return Blake3.parent(a, b, isRoot)
}

/** Hashes bytes held in memory. */
export const build = (bytes: Uint8Array, hasher: Blake3.SubtreeHash = Blake3.subtree): Tree => {
  const tree = builder(hasher)
  tree.push(bytes)
  return tree.finish()
}

/** A node of an answer. `start` and `end` are chunks; `index` is the pair's position in the outboard. */
export type Step =
  | {
      readonly kind: "parent"
      /** Undefined inside a group, which the outboard does not cover. */
      readonly index: number | undefined
      readonly start: number
      readonly isRoot: boolean
      readonly left: boolean
      readonly right: boolean
    }
  | {
      readonly kind: "leaf"
      readonly start: number
      readonly end: number
      readonly isRoot: boolean
      /** Whether the whole node is requested. False only for a leaf of a whole group, in {@link steps} by groups. */
      readonly whole: boolean
    }

/** An answer's nodes in order: every parent above groups; inside one those of requested parts, unless `byGroups`. */
export function* steps(
  size: number,
  asked: ChunkRanges.ChunkRanges,
  byGroups: boolean
): Generator<Step, void, undefined> {
  const ranges = ChunkRanges.within(asked, size)
  if (ChunkRanges.isEmpty(ranges)) return
  const chunks = ChunkRanges.chunkCount(size)
  const stack: Array<{ start: number; end: number; index: number; isRoot: boolean }> = [
    { start: 0, end: chunks, index: 0, isRoot: true }
  ]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { end, index, isRoot, start } = node
    const whole = ChunkRanges.covers(ranges, start, end)
    const inGroup = end - start <= groupChunks
    if (end - start === 1 || (inGroup && (whole || byGroups))) {
      yield { kind: "leaf", start, end, isRoot, whole }
      continue
    }
    const middle = start + Blake3.leftChunks(end - start)
    const left = ChunkRanges.touches(ranges, start, middle)
    const right = ChunkRanges.touches(ranges, middle, end)
    if (right) stack.push({ start: middle, end, index: index + (middle - start) / groupChunks, isRoot: false })
    if (left) stack.push({ start, end: middle, index: index + 1, isRoot: false })
    yield { kind: "parent", index: inGroup ? undefined : index, start, isRoot, left, right }
  }
}

/** Whether a pair has its expected value; pushes the values of the following children onto the stack. */
export const takePair = (
  pair: Uint8Array,
  value: Uint8Array,
  { isRoot, left, right }: { readonly isRoot: boolean; readonly left: boolean; readonly right: boolean },
  expected: Array<Uint8Array>
): boolean => {
  if (pair.length !== pairBytes) return false
  const a = pair.subarray(0, Blake3.hashBytes)
  const b = pair.subarray(Blake3.hashBytes)
  if (!Bytes.equal(Blake3.parent(a, b, isRoot), value)) return false
  if (right) expected.push(b)
  if (left) expected.push(a)
  return true
}

/**
 * The chaining value of every group that an outboard proves, else undefined. A group of a partial blob is present iff
 * `hasher(bytes, group * 16, false)` (`true` for a blob of one group) equals it.
 */
export function* groupValues({ hash, outboard, size }: Tree): Generator<Uint8Array | undefined, void, undefined> {
  const stack: Array<{ value: Uint8Array | undefined; index: number; groups: number; isRoot: boolean }> = [
    { value: hash, index: 0, groups: groupCount(size), isRoot: true }
  ]
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { groups, index, isRoot, value } = node
    if (groups === 1) {
      yield value
      continue
    }
    const pair = outboard.subarray(index * pairBytes, (index + 1) * pairBytes)
    const children: Array<Uint8Array> = []
    if (value !== undefined) takePair(pair, value, { isRoot, left: true, right: true }, children)
    const left = Blake3.leftChunks(groups)
    stack.push({ value: children[0], index: index + left, groups: groups - left, isRoot: false })
    stack.push({ value: children[1], index: index + 1, groups: left, isRoot: false })
  }
}
