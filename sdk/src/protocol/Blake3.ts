/**
 * BLAKE3 (section 2 of its specification) below the whole hash: chaining values of subtrees, from which `Blake3Tree`
 * builds what verified streaming needs. Plain TypeScript, the fallback and the yardstick of the WebAssembly one in
 * `crypto/FastBlake3`.
 */

/** Bytes of a chunk, the unit that ranges are counted in. */
export const chunkBytes = 1024
/** Bytes of a hash and of a chaining value. */
export const hashBytes = 32

/**
 * The chaining value of the subtree over `bytes`, whose first chunk is chunk number `startChunk` of the whole input; with
 * `isRoot`, which is for a subtree that is the whole input, the hash itself. A subtree that is not the rightmost one has
 * a power of two chunks, and every subtree starts at a multiple of the next power of two of its chunks.
 */
export type SubtreeHash = (bytes: Uint8Array, startChunk: number, isRoot: boolean) => Uint8Array

const iv = Int32Array.of(
  0x6a09e667,
  0xbb67ae85 | 0,
  0x3c6ef372,
  0xa54ff53a | 0,
  0x510e527f,
  0x9b05688c | 0,
  0x1f83d9ab,
  0x5be0cd19
)
const chunkStart = 1
const chunkEnd = 2
const parentFlag = 4
const rootFlag = 8
const blockBytes = 64

/** Message words of the seven rounds, each the permutation of the round before. */
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

const state = new Int32Array(16)
const message = new Int32Array(16)

const mix = (a: number, b: number, c: number, d: number, x: number, y: number): void => {
  let va = state[a] as number
  let vb = state[b] as number
  let vc = state[c] as number
  let vd = state[d] as number
  va = (va + vb + x) | 0
  vd ^= va
  vd = (vd >>> 16) | (vd << 16)
  vc = (vc + vd) | 0
  vb ^= vc
  vb = (vb >>> 12) | (vb << 20)
  va = (va + vb + y) | 0
  vd ^= va
  vd = (vd >>> 8) | (vd << 24)
  vc = (vc + vd) | 0
  vb ^= vc
  vb = (vb >>> 7) | (vb << 25)
  state[a] = va
  state[b] = vb
  state[c] = vc
  state[d] = vd
}

/** Replaces `cv` by the first half of the compression of `message`; its second half is for longer outputs only. */
const compress = (cv: Int32Array, counter: number, length: number, flags: number): void => {
  state.set(cv)
  state.set(iv.subarray(0, 4), 8)
  state[12] = counter | 0
  state[13] = Math.floor(counter / 0x1_0000_0000)
  state[14] = length
  state[15] = flags
  for (let at = 0; at < schedule.length; at += 16) {
    const word = (i: number) => message[schedule[at + i] as number] as number
    mix(0, 4, 8, 12, word(0), word(1))
    mix(1, 5, 9, 13, word(2), word(3))
    mix(2, 6, 10, 14, word(4), word(5))
    mix(3, 7, 11, 15, word(6), word(7))
    mix(0, 5, 10, 15, word(8), word(9))
    mix(1, 6, 11, 12, word(10), word(11))
    mix(2, 7, 8, 13, word(12), word(13))
    mix(3, 4, 9, 14, word(14), word(15))
  }
  for (let i = 0; i < 8; i++) cv[i] = (state[i] as number) ^ (state[i + 8] as number)
}

/** Takes the little-endian words of up to 64 bytes as `message`, the rest being zero. */
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

/** Chunks of the left child of a subtree of `chunks` (2 or more): the largest power of two below it. */
export const leftChunks = (chunks: number): number => {
  let left = 1
  while (left * 2 < chunks) left *= 2
  return left
}

/** See {@link SubtreeHash}. About 25 MiB/s. */
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
