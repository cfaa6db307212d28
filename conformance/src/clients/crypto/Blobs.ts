/** Files as they travel: encrypted blobs, their BLAKE3 trees, requests for chunks, and the answers. */
import { randomBytes } from "node:crypto"
import { base64Url, concat, hex, u32, u8, utf8 } from "./Bytes.ts"
import { seal } from "./Hpke.ts"
import type { Keys } from "./Keys.ts"
import { fileOf, type SharedFile, ticketOf } from "./Manifests.ts"

const sealedBytes = 65_536
const chunkBytes = 1_024
/** Chunks of a group, the leaf of a tree that is asked for as a whole. */
const groupChunks = 16

/** The blob of a file. */
export const encryptFile = (contentKey: Uint8Array, content: Uint8Array): Uint8Array => {
  const count = Math.max(1, Math.ceil(content.length / sealedBytes))
  const parts = Array.from({ length: count }, (_, index) => {
    const nonce = concat(new Uint8Array(7), u32(index), u8(index === count - 1 ? 1 : 0))
    return seal(contentKey, nonce, new Uint8Array(0), content.subarray(index * sealedBytes, (index + 1) * sealedBytes))
  })
  return concat(...parts)
}

const iv = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const columns = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14]
] as const
const [chunkStart, chunkEnd, isParent, isRoot] = [1, 2, 4, 8]

const rotated = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits))

/** The compression of BLAKE3, cut to a chaining value. */
const compress = (
  value: ReadonlyArray<number>,
  block: Uint8Array,
  { counter = 0, flags }: { readonly counter?: number; readonly flags: number }
): ReadonlyArray<number> => {
  const padded = Buffer.alloc(64)
  padded.set(block)
  let words = Array.from({ length: 16 }, (_, index) => padded.readUInt32LE(4 * index))
  const state = [...value, ...iv.slice(0, 4), counter, 0, block.length, flags]
  for (let round = 0; round < 7; round++) {
    for (const [index, [a, b, c, d]] of columns.entries()) {
      state[a] = (state[a]! + state[b]! + words[2 * index]!) | 0
      state[d] = rotated(state[d]! ^ state[a]!, 16)
      state[c] = (state[c]! + state[d]!) | 0
      state[b] = rotated(state[b]! ^ state[c]!, 12)
      state[a] = (state[a]! + state[b]! + words[2 * index + 1]!) | 0
      state[d] = rotated(state[d]! ^ state[a]!, 8)
      state[c] = (state[c]! + state[d]!) | 0
      state[b] = rotated(state[b]! ^ state[c]!, 7)
    }
    words = permutation.map((index) => words[index]!)
  }
  return iv.map((_, index) => state[index]! ^ state[index + 8]!)
}

const bytesOf = (value: ReadonlyArray<number>): Uint8Array => {
  const bytes = Buffer.alloc(32)
  for (const [index, word] of value.entries()) bytes.writeInt32LE(word, 4 * index)
  return bytes
}

const chunkValue = (chunk: Uint8Array, counter: number, root: number): Uint8Array => {
  const blocks = Math.max(1, Math.ceil(chunk.length / 64))
  let value: ReadonlyArray<number> = iv
  for (let index = 0; index < blocks; index++) {
    const isLast = index === blocks - 1
    const flags = (index === 0 ? chunkStart! : 0) | (isLast ? chunkEnd! | root : 0)
    value = compress(value, chunk.subarray(index * 64, (index + 1) * 64), { counter, flags })
  }
  return bytesOf(value)
}

/** A blob, and what is asked of it. */
export class Blob {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly #values = new Map<string, Uint8Array>()

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.hash = this.#valueOf(0, this.chunks, isRoot!)
  }

  get chunks(): number {
    return Math.max(1, Math.ceil(this.bytes.length / chunkBytes))
  }

  /** The answer to a set of chunks, as its rising boundaries. */
  answer(boundaries: ReadonlyArray<number>): Uint8Array {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(this.bytes.length))
    const isAsked = (chunk: number) => boundaries.filter((boundary) => boundary <= chunk).length % 2 === 1
    const asked = new Set(Array.from({ length: this.chunks }, (_, chunk) => chunk).filter(isAsked))
    // Whatever lies at or beyond the last chunk means the last chunk.
    const beyond = boundaries.length % 2 === 1 || boundaries.some((boundary) => boundary >= this.chunks)
    if (beyond) asked.add(this.chunks - 1)
    return concat(length, ...this.#parts(0, this.chunks, asked))
  }

  #parts(start: number, end: number, asked: ReadonlySet<number>): ReadonlyArray<Uint8Array> {
    let count = 0
    for (let chunk = start; chunk < end; chunk++) if (asked.has(chunk)) count++
    if (count === 0) return []
    if (count === end - start && count <= groupChunks) return [this.#slice(start, end)]
    const middle = start + leftOf(end - start)
    const pair = concat(this.#valueOf(start, middle, 0), this.#valueOf(middle, end, 0))
    return [pair, ...this.#parts(start, middle, asked), ...this.#parts(middle, end, asked)]
  }

  #slice(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start * chunkBytes, end * chunkBytes)
  }

  #valueOf(start: number, end: number, root: number): Uint8Array {
    if (end - start === 1) return chunkValue(this.#slice(start, end), start, root)
    const key = `${start}-${end}-${root}`
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const middle = start + leftOf(end - start)
    const pair = concat(this.#valueOf(start, middle, 0), this.#valueOf(middle, end, 0))
    const value = bytesOf(compress(iv, pair, { flags: isParent! | root }))
    this.#values.set(key, value)
    return value
  }
}

/** The largest power of two below a count of chunks. */
const leftOf = (chunks: number): number => 2 ** (Math.ceil(Math.log2(chunks)) - 1)

const varint = (value: number): Uint8Array => {
  const digits: Array<number> = []
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Uint8Array.from([...digits, left])
    digits.push((left % 128) + 128)
  }
}

/** A request for chunks of one blob; for none of them without boundaries. */
export const requestOf = (hash: Uint8Array, boundaries: ReadonlyArray<number>): Uint8Array => {
  if (boundaries.length === 0) return concat(u8(0), hash, u8(0))
  const distances = boundaries.map((boundary, index) => varint(boundary - (boundaries[index - 1] ?? 0)))
  return concat(u8(0), hash, u8(2), u8(0), varint(boundaries.length), ...distances, u8(1), u8(0))
}

/** What a request in the form asks for; undefined for another one. */
export const readRequest = (
  bytes: Uint8Array
): { readonly hash: string; readonly boundaries: ReadonlyArray<number> } | undefined => {
  const boundaries: Array<number> = []
  const hash = bytes.subarray(1, 33)
  let at = 34
  const read = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const digit = bytes[at++] ?? 0
      value += (digit % 128) * scale
      if (digit < 128) return value
    }
  }
  if (bytes[33] === 2 && bytes[at++] === 0) {
    for (let left = read(); left > 0 && at < bytes.length; left--) boundaries.push((boundaries.at(-1) ?? 0) + read())
  }
  const isRight = Buffer.compare(requestOf(hash, boundaries), bytes) === 0
  return isRight ? { hash: hex(hash), boundaries } : undefined
}

/** A file with its content, as its owner holds it. */
export interface OwnFile {
  readonly file: SharedFile
  readonly content: Uint8Array
  readonly blob: Blob
}

export const ownFile = (owner: Keys, name: string, content: Uint8Array = utf8(`what is in ${name}`)): OwnFile => {
  const contentKey = randomBytes(32)
  const blob = new Blob(encryptFile(contentKey, content))
  const file = fileOf(owner, name, {
    size: content.length,
    blob_hash: `blake3:${hex(blob.hash)}`,
    ticket: ticketOf(owner, blob.hash),
    content_key: base64Url(contentKey)
  })
  return { file, content, blob }
}
