/**
 * BLAKE3 subtrees (section 2 of its specification): the chaining values from which `Blake3Tree` builds verified
 * streaming. Plain TypeScript, the fallback and reference of the WebAssembly version in `crypto/FastBlake3`.
 */

/** Bytes of a chunk, the unit that ranges are counted in. */
export const chunkBytes = 1024
/** Bytes of a hash and of a chaining value. */
export const hashBytes = 32

/**
 * The chaining value of the subtree over `bytes`, whose first chunk has number `startChunk` in the whole input; with
 * `isRoot`, when the subtree is the whole input, the hash itself. A subtree other than the rightmost one has a power of
 * two chunks, and every subtree starts at a multiple of its chunk count rounded up to a power of two.
 */
export type SubtreeHash = (bytes: Uint8Array, startChunk: number, isRoot: boolean) => Uint8Array

const iv = Int32Array.from([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
])
const chunkStart = 1
const chunkEnd = 2
const parentFlag = 4
const rootFlag = 8
const blockBytes = 64

/** Message words of the seven rounds, each permuting the previous round's. */
const schedule = ((): Uint8Array => {
  const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
  const words = new Uint8Array(7 * 16)
  let row = permutation.map((_, i) => i)
  for (let round = 0; round < 7; round++) {
    words.set(row, round * 16)
    row = permutation.map((from) => row[from] as number)
  }
  return words
})()

const message = new Int32Array(16)

const word = (at: number): number => message[schedule[at] as number] as number
const rotate = (value: number, by: number): number => (value >>> by) | (value << (32 - by))

/** Compresses `message` into `cv`, without the second half. Unrolled: three times as fast as loops over an array. */
const compress = (cv: Int32Array, counter: number, length: number, flags: number): void => {
  let [v0, v1, v2, v3, v4, v5, v6, v7] = cv as unknown as Eight
  let [v8, v9, v10, v11] = iv as unknown as Eight
  let v12 = counter | 0
  let v13 = Math.floor(counter / 0x1_0000_0000)
  let v14 = length
  let v15 = flags
  for (let round = 0; round < schedule.length; round += 16) {
    v0 = (v0 + v4 + word(round + 0)) | 0
    v12 = rotate(v12 ^ v0, 16)
    v8 = (v8 + v12) | 0
    v4 = rotate(v4 ^ v8, 12)
    v0 = (v0 + v4 + word(round + 1)) | 0
    v12 = rotate(v12 ^ v0, 8)
    v8 = (v8 + v12) | 0
    v4 = rotate(v4 ^ v8, 7)
    v1 = (v1 + v5 + word(round + 2)) | 0
    v13 = rotate(v13 ^ v1, 16)
    v9 = (v9 + v13) | 0
    v5 = rotate(v5 ^ v9, 12)
    v1 = (v1 + v5 + word(round + 3)) | 0
    v13 = rotate(v13 ^ v1, 8)
    v9 = (v9 + v13) | 0
    v5 = rotate(v5 ^ v9, 7)
    v2 = (v2 + v6 + word(round + 4)) | 0
    v14 = rotate(v14 ^ v2, 16)
    v10 = (v10 + v14) | 0
    v6 = rotate(v6 ^ v10, 12)
    v2 = (v2 + v6 + word(round + 5)) | 0
    v14 = rotate(v14 ^ v2, 8)
    v10 = (v10 + v14) | 0
    v6 = rotate(v6 ^ v10, 7)
    v3 = (v3 + v7 + word(round + 6)) | 0
    v15 = rotate(v15 ^ v3, 16)
    v11 = (v11 + v15) | 0
    v7 = rotate(v7 ^ v11, 12)
    v3 = (v3 + v7 + word(round + 7)) | 0
    v15 = rotate(v15 ^ v3, 8)
    v11 = (v11 + v15) | 0
    v7 = rotate(v7 ^ v11, 7)
    v0 = (v0 + v5 + word(round + 8)) | 0
    v15 = rotate(v15 ^ v0, 16)
    v10 = (v10 + v15) | 0
    v5 = rotate(v5 ^ v10, 12)
    v0 = (v0 + v5 + word(round + 9)) | 0
    v15 = rotate(v15 ^ v0, 8)
    v10 = (v10 + v15) | 0
    v5 = rotate(v5 ^ v10, 7)
    v1 = (v1 + v6 + word(round + 10)) | 0
    v12 = rotate(v12 ^ v1, 16)
    v11 = (v11 + v12) | 0
    v6 = rotate(v6 ^ v11, 12)
    v1 = (v1 + v6 + word(round + 11)) | 0
    v12 = rotate(v12 ^ v1, 8)
    v11 = (v11 + v12) | 0
    v6 = rotate(v6 ^ v11, 7)
    v2 = (v2 + v7 + word(round + 12)) | 0
    v13 = rotate(v13 ^ v2, 16)
    v8 = (v8 + v13) | 0
    v7 = rotate(v7 ^ v8, 12)
    v2 = (v2 + v7 + word(round + 13)) | 0
    v13 = rotate(v13 ^ v2, 8)
    v8 = (v8 + v13) | 0
    v7 = rotate(v7 ^ v8, 7)
    v3 = (v3 + v4 + word(round + 14)) | 0
    v14 = rotate(v14 ^ v3, 16)
    v9 = (v9 + v14) | 0
    v4 = rotate(v4 ^ v9, 12)
    v3 = (v3 + v4 + word(round + 15)) | 0
    v14 = rotate(v14 ^ v3, 8)
    v9 = (v9 + v14) | 0
    v4 = rotate(v4 ^ v9, 7)
  }
  cv[0] = v0 ^ v8
  cv[1] = v1 ^ v9
  cv[2] = v2 ^ v10
  cv[3] = v3 ^ v11
  cv[4] = v4 ^ v12
  cv[5] = v5 ^ v13
  cv[6] = v6 ^ v14
  cv[7] = v7 ^ v15
}

type Eight = readonly [number, number, number, number, number, number, number, number]

/** Loads up to 64 bytes as little-endian words into `message`, padded with zeros. */
const load = (bytes: Uint8Array, offset: number, length: number): void => {
  message.fill(0)
  const whole = length >> 2
  for (let i = 0, at = offset; i < whole; i++, at += 4) {
    message[i] =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
  }
  for (let i = whole << 2; i < length; i++) {
    message[i >> 2] = (message[i >> 2] as number) | ((bytes[offset + i] as number) << (8 * (i & 3)))
  }
}

const bytesOf = (cv: Int32Array): Uint8Array => {
  const bytes = new Uint8Array(hashBytes)
  for (let i = 0; i < hashBytes; i++) bytes[i] = (cv[i >> 2] as number) >>> (8 * (i & 3))
  return bytes
}

const chunk = (bytes: Uint8Array, index: number, isRoot: boolean): Uint8Array => {
  const cv = iv.slice()
  const last = Math.max(0, Math.ceil(bytes.length / blockBytes) - 1)
  for (let block = 0; block <= last; block++) {
    const length = Math.min(blockBytes, bytes.length - block * blockBytes)
    load(bytes, block * blockBytes, length)
    const end = block === last ? chunkEnd | (isRoot ? rootFlag : 0) : 0
    compress(cv, index, length, (block === 0 ? chunkStart : 0) | end)
  }
  return bytesOf(cv)
}

/** The chaining value of a parent, or the hash when it is the root. */
export const parent = (left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array => {
  const cv = iv.slice()
  load(left, 0, hashBytes)
  const half = message.slice(0, 8)
  load(right, 0, hashBytes)
  message.copyWithin(8, 0, 8)
  message.set(half)
  compress(cv, 0, blockBytes, parentFlag | (isRoot ? rootFlag : 0))
  return bytesOf(cv)
}

/** Chunks of the left child of a subtree of `chunks` (at least 2): the largest power of two below it. */
export const leftChunks = (chunks: number): number => {
  let left = 1
  while (left * 2 < chunks) left *= 2
  return left
}

/** See {@link SubtreeHash}. About 70 MiB/s. */
export const subtree: SubtreeHash = (bytes, startChunk, isRoot) => {
  const chunks = Math.ceil(bytes.length / chunkBytes)
  if (chunks <= 1) return chunk(bytes, startChunk, isRoot)
  const left = leftChunks(chunks)
  const middle = left * chunkBytes
  return parent(
    subtree(bytes.subarray(0, middle), startChunk, false),
    subtree(bytes.subarray(middle), startChunk + left, false),
    isRoot
  )
}

/** The BLAKE3 hash, 32 bytes. */
export const hash = (bytes: Uint8Array, hasher: SubtreeHash = subtree): Uint8Array => hasher(bytes, 0, true)
