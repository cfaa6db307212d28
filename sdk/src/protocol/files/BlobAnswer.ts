/**
 * A provider's answer as in iroh-blobs 0.104 (bao-tree 0.17): the size as u64 little-endian, then, in pre-order, the
 * parent pairs and leaf bytes with which the fetcher checks everything as it arrives (spec: files).
 */
import * as Result from "effect/Result"
import * as Blake3 from "./Blake3.ts"
import { groupBytes, groupCount, pairBytes, type Step, steps, takePair, type Tree } from "./Blake3Tree.ts"
import * as Bytes from "../encoding/Bytes.ts"
import * as ChunkRanges from "./ChunkRanges.ts"
import { fail, type Problem } from "../Problem.ts"

/** Bytes of the size before everything else. */
export const headerBytes = 8

/** A part of an answer: bytes to send, or bytes to read from the blob first. */
export type Part =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | {
      readonly kind: "read"
      /** Offset in the blob and number of bytes to read, at most a group. */
      readonly offset: number
      readonly length: number
      /** The bytes to send for the bytes read; `blob_mismatch` if those are not the blob's. */
      readonly encode: (bytes: Uint8Array) => Result.Result<Uint8Array, Problem>
    }

/**
 * The answer to a request for `ranges`, part by part, each checked against the hash before it is returned: a provider
 * with a corrupt disk fails with `blob_mismatch` and sends nothing wrong. Memory is one group.
 *
 *     for (const result of encode(tree, ranges, hasher)) {
 *       const part = Result.getOrThrow(result)
 *       send(part.kind === "bytes" ? part.bytes : Result.getOrThrow(part.encode(await read(part.offset, part.length))))
 *     }
 */
export function* encode(
  tree: Tree,
  ranges: ChunkRanges.ChunkRanges,
  hasher: Blake3.SubtreeHash
): Generator<Result.Result<Part, Problem>, void, undefined> {
  yield Result.succeed({ kind: "bytes", bytes: sizeHeader(tree.size) })
  const expected = [tree.hash]
  const asked = ChunkRanges.within(ranges, tree.size)
  for (const step of steps(tree.size, ranges, true)) {
    const value = expected.pop() as Uint8Array
    if (step.kind === "parent") {
      const at = (step.index as number) * pairBytes
      const pair = tree.outboard.subarray(at, at + pairBytes)
      if (!takePair(pair, value, step, expected)) {
        yield fail("blob_mismatch", `the outboard does not fit at byte ${step.start * Blake3.chunkBytes}`)
        return
      }
      yield Result.succeed({ kind: "bytes", bytes: pair })
      continue
    }
    const offset = step.start * Blake3.chunkBytes
    const length = Math.min(step.end * Blake3.chunkBytes, tree.size) - offset
    yield Result.succeed({
      kind: "read",
      offset,
      length,
      encode: (bytes) => {
        if (bytes.length !== length) return fail("blob_mismatch", `${bytes.length} bytes at ${offset}, not ${length}`)
        const sent: Array<Uint8Array> = []
        const found = step.whole ? hasher(bytes, step.start, step.isRoot) : select(bytes, step, asked, hasher, sent)
        if (!Bytes.equal(found, value)) return fail("blob_mismatch", `the blob does not fit at byte ${offset}`)
        return Result.succeed(step.whole ? bytes : Bytes.concat(...sent))
      }
    })
  }
}

/** Adds the requested parents and chunks of a part of a group to `sent`; returns the part's chaining value. */
const select = (
  bytes: Uint8Array,
  { end, isRoot, start }: { readonly start: number; readonly end: number; readonly isRoot: boolean },
  ranges: ChunkRanges.ChunkRanges,
  hasher: Blake3.SubtreeHash,
  sent: Array<Uint8Array>
): Uint8Array => {
  const whole = ChunkRanges.covers(ranges, start, end)
  if (whole) sent.push(bytes)
  if (whole || end - start === 1 || !ChunkRanges.touches(ranges, start, end)) return hasher(bytes, start, isRoot)
  const pair = new Uint8Array(pairBytes)
  sent.push(pair)
  const middle = start + Blake3.leftChunks(end - start)
  const split = (middle - start) * Blake3.chunkBytes
  const left = select(bytes.subarray(0, split), { start, end: middle, isRoot: false }, ranges, hasher, sent)
  const right = select(bytes.subarray(split), { start: middle, end, isRoot: false }, ranges, hasher, sent)
  pair.set(left)
  pair.set(right, Blake3.hashBytes)
  return Blake3.parent(left, right, isRoot)
}

const sizeHeader = (size: number): Uint8Array => {
  const bytes = new Uint8Array(headerBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size), true)
  return bytes
}

/** Items that a {@link Decoder} has verified, in order of arrival. */
export type Verified =
  /** As claimed by the provider; proven only by the last chunk. Comes first and once. */
  | { readonly kind: "size"; readonly size: number }
  /** A pair for the outboard, stored at `index * 64`. */
  | { readonly kind: "parent"; readonly index: number; readonly pair: Uint8Array }
  /** Bytes of the blob at an offset, at most a group. */
  | { readonly kind: "leaf"; readonly offset: number; readonly bytes: Uint8Array }

/** Whether an item fits a blob of `size` bytes; a store checks this before it writes. */
export const belongs = (item: Verified, size: number): boolean => {
  if (item.kind === "size") return item.size === size
  if (item.kind === "parent") {
    const { index, pair } = item
    return pair.length === pairBytes && Number.isSafeInteger(index) && index >= 0 && index < groupCount(size) - 1
  }
  const { offset } = item
  const end = offset + item.bytes.length
  // An empty blob has one empty chunk; no other chunk is empty.
  if (!(offset >= 0 && end <= size && (end > offset || size === 0))) return false
  return offset % Blake3.chunkBytes === 0 && (end % Blake3.chunkBytes === 0 || end === size)
}

/** Reads one answer and returns only verified items. Memory is one group and the pushed bytes. */
export interface Decoder {
  /**
   * Adds bytes in pieces of any size. `take` gets every completed item at once; a leaf may be a view of the bytes.
   * Fails with `blob_mismatch` at the first wrong item or surplus byte, and on every later call.
   */
  push(bytes: Uint8Array, take: (verified: Verified) => void): Result.Result<void, Problem>
  /** Ends the stream: `blob_incomplete` unless the answer is whole. */
  finish(): Result.Result<void, Problem>
  /** Bytes needed to complete the next item; 0 when the answer is whole. */
  readonly wanted: number
}

/** Decodes the answer for `ranges` of the blob `hash`. If `size` is unknown, `maxSize` bounds the provider's claim. */
export const decoder = (options: {
  readonly hash: Uint8Array
  readonly ranges: ChunkRanges.ChunkRanges
  readonly hasher: Blake3.SubtreeHash
  readonly size?: number
  readonly maxSize?: number
}): Decoder => {
  const { hash, hasher, ranges } = options
  const expected = [hash]
  const pending = new Uint8Array(groupBytes)
  let filled = 0
  let size = 0
  let walk: Iterator<Step, void> | undefined
  let step: Step | undefined
  let wanted = headerBytes
  let failure: Result.Result<never, Problem> | undefined

  const advance = (): void => {
    const next = (walk as Iterator<Step, void>).next()
    step = next.done === true ? undefined : next.value
    if (step === undefined) wanted = 0
    else if (step.kind === "parent") wanted = pairBytes
    else wanted = Math.min(step.end * Blake3.chunkBytes, size) - step.start * Blake3.chunkBytes
  }

  const readSize = (item: Uint8Array): Result.Result<Verified, Problem> => {
    const claimed = new DataView(item.buffer, item.byteOffset, item.byteLength).getBigUint64(0, true)
    const most = BigInt(options.maxSize ?? Number.MAX_SAFE_INTEGER)
    if (options.size !== undefined && claimed !== BigInt(options.size)) {
      return fail("blob_mismatch", `the provider claims ${claimed} bytes instead of ${options.size}`)
    }
    if (claimed > most) return fail("blob_mismatch", `the provider claims ${claimed} bytes, more than ${most}`)
    size = Number(claimed)
    walk = steps(size, ranges, false)
    return Result.succeed({ kind: "size", size })
  }

  /** One complete item; undefined for a pair inside a group, which is not stored. */
  const read = (item: Uint8Array): Result.Result<Verified | undefined, Problem> => {
    if (walk === undefined) return readSize(item)
    const now = step as Step
    const value = expected.pop() as Uint8Array
    const offset = now.start * Blake3.chunkBytes
    if (now.kind === "parent") {
      const pair = item.slice()
      if (!takePair(pair, value, now, expected)) return fail("blob_mismatch", `wrong hashes for byte ${offset}`)
      return Result.succeed(now.index === undefined ? undefined : { kind: "parent", index: now.index, pair })
    }
    if (!Bytes.equal(hasher(item, now.start, now.isRoot), value)) {
      return fail("blob_mismatch", `wrong bytes between ${offset} and ${offset + item.length}`)
    }
    return Result.succeed({ kind: "leaf", offset, bytes: item })
  }

  return {
    get wanted() {
      return failure === undefined ? wanted - filled : 0
    },
    push: (bytes, take) => {
      if (failure !== undefined) return failure
      let at = 0
      // The leaf of an empty blob needs no bytes, so it is complete before any arrive.
      const more = () => at < bytes.length || (step !== undefined && wanted === 0)
      while (more()) {
        if (walk !== undefined && step === undefined) {
          return (failure = fail("blob_mismatch", "bytes follow the end of the answer"))
        }
        const taken = Math.min(wanted - filled, bytes.length - at)
        const direct = filled === 0 && taken === wanted
        if (!direct) pending.set(bytes.subarray(at, at + taken), filled)
        filled += taken
        if (filled < wanted) break
        const item = direct ? bytes.subarray(at, at + taken) : pending.slice(0, filled)
        at += taken
        filled = 0
        const result = read(item)
        if (Result.isFailure(result)) return (failure = Result.fail(result.failure))
        advance()
        if (result.success !== undefined) take(result.success)
      }
      return Result.succeed(undefined)
    },
    finish: () => {
      if (failure !== undefined) return failure
      return walk !== undefined && step === undefined
        ? Result.succeed(undefined)
        : fail("blob_incomplete", walk === undefined ? "no size came" : `${wanted - filled} more bytes were to come`)
    }
  }
}
