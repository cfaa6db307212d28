/**
 * A fetcher's request as in iroh-blobs 0.104 (`protocol.rs`, `protocol/range_spec.rs`; postcard). Only requests for one
 * raw blob are written and answered; other kinds are recognised to be refused (spec: files).
 */
import * as Result from "effect/Result"
import { hashBytes } from "./Blake3.ts"
import * as Bytes from "../encoding/Bytes.ts"
import type { ChunkRanges } from "./ChunkRanges.ts"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** The protocol's ALPN. */
export const alpn = "/iroh-bytes/4"

/** Codes with which a provider resets the stream of a request that it does not answer completely. */
export const errorCodes = {
  /** Forbidden for this peer, or missing: indistinguishable. */
  permission: 1,
  /** Too large, too slow or too many; may succeed later. */
  limit: 2,
  /** The provider failed. */
  internal: 3
} as const

export type Request =
  | {
      readonly kind: "get"
      /** 32 bytes. */
      readonly hash: Uint8Array
      /** Of the blob itself. */
      readonly ranges: ChunkRanges
      /** Whether the blobs listed in this one are requested as well (a hash sequence). */
      readonly children: boolean
    }
  | { readonly kind: "observe" | "push" | "getMany" }

/** The kind of a request by its first byte; undefined for an unknown one. */
export const kindOf = (first: number): Request["kind"] | undefined => kinds.get(first)

const kinds: ReadonlyMap<number, Request["kind"]> = new Map([
  [0, "get"],
  [1, "observe"],
  [8, "push"],
  [9, "getMany"]
])

/** A request for chunks of one blob. At most {@link Limits.blobRequestBytes} for {@link maxBoundaries} boundaries. */
export const encode = (hash: Uint8Array, ranges: ChunkRanges): Uint8Array => {
  const { boundaries } = ranges
  const sequence: Array<number> = []
  if (boundaries.length === 0) sequence.push(0)
  else {
    // Two entries: the ranges of item 0, the blob itself; and none from item 1 on, its children.
    sequence.push(2, 0)
    pushVarint(sequence, BigInt(boundaries.length))
    let before = 0n
    for (const boundary of boundaries) {
      const now = boundary === Number.MAX_SAFE_INTEGER ? u64Max : BigInt(boundary)
      pushVarint(sequence, now - before)
      before = now
    }
    sequence.push(1, 0)
  }
  return Bytes.concat(Uint8Array.of(0), hash, Uint8Array.from(sequence))
}

/** Boundaries that always fit into one request: each takes at most ten bytes. */
export const maxBoundaries = Math.floor((Limits.blobRequestBytes - 64) / 10)

/**
 * The request in a whole stream. `too_large` above {@link Limits.blobRequestBytes}, `request_malformed` for a get that
 * iroh-blobs would not write; of other kinds only the first byte is read.
 */
export const decode = (bytes: Uint8Array): Result.Result<Request, Problem> => {
  if (bytes.length > Limits.blobRequestBytes) {
    return fail("too_large", `a request has at most ${Limits.blobRequestBytes} bytes`)
  }
  const kind = bytes[0] === undefined ? undefined : kindOf(bytes[0])
  if (kind === undefined) return malformed("no known kind")
  if (kind !== "get") return Result.succeed({ kind })
  if (bytes.length < 1 + hashBytes) return malformed("it ends early")
  const hash = bytes.slice(1, 1 + hashBytes)
  return Result.map(readSequence(bytes, 1 + hashBytes), (sequence) => ({ kind, hash, ...sequence }))
}

const malformed = (detail: string) => fail("request_malformed", `a blob request: ${detail}`)

const u64Max = 0xffff_ffff_ffff_ffffn

const pushVarint = (bytes: Array<number>, value: bigint): void => {
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  bytes.push(Number(rest))
}

/** Ranges, each from one item up to the next; item 0 is the blob and the others are the blobs that it lists. */
const readSequence = (
  bytes: Uint8Array,
  start: number
): Result.Result<{ readonly ranges: ChunkRanges; readonly children: boolean }, Problem> => {
  let at = start
  let wrong = false

  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte > 0x7f) continue
      // Postcard integers have no redundant bytes.
      if ((byte === 0 && shift > 0n) || value > u64Max) break
      return value
    }
    wrong = true
    return 0n
  }
  /** Rising numbers, delta-encoded. */
  const rising = (count: bigint): Array<bigint> => {
    const numbers: Array<bigint> = []
    for (let i = 0n, sum = 0n; i < count && !wrong; i++) {
      const difference = varint()
      sum += difference
      if ((i > 0n && difference === 0n) || sum > u64Max) wrong = true
      numbers.push(sum)
    }
    return numbers
  }

  const changes = varint()
  let before: ReadonlyArray<bigint> = []
  let item = 0n
  let root: ReadonlyArray<bigint> = []
  let children = false
  for (let i = 0n; i < changes && !wrong; i++) {
    const difference = varint()
    item += difference
    const boundaries = rising(varint())
    const same = boundaries.length === before.length && boundaries.every((boundary, n) => boundary === before[n])
    if ((i > 0n && difference === 0n) || item > u64Max || same) wrong = true
    if (item === 0n) root = boundaries
    if (item > 1n && before.length > 0) children = true
    before = boundaries
  }
  if (wrong || at !== bytes.length) return malformed("not as iroh-blobs writes it")
  // The last entry has no end.
  return Result.succeed({ ranges: clamped(root), children: children || before.length > 0 })
}

/** Boundaries as safe integers: no chunk lies beyond them, so a range there means the last chunk and is open. */
const clamped = (boundaries: ReadonlyArray<bigint>): ChunkRanges => {
  const safe: Array<number> = []
  for (const boundary of boundaries) {
    if (boundary < BigInt(Number.MAX_SAFE_INTEGER)) safe.push(Number(boundary))
    else {
      if (safe.length % 2 === 0) safe.push(Number.MAX_SAFE_INTEGER)
      break
    }
  }
  return { boundaries: safe }
}
