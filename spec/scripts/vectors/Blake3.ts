/** BLAKE3 as its specification words it, for the generator of vectors: 32-bit words, one function a section, no speed. */

const iv = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]
const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const quarters: ReadonlyArray<readonly [number, number, number, number]> = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14]
]
const flags = { chunkStart: 1, chunkEnd: 2, parent: 4, root: 8 }

const rotate = (x: number, n: number) => ((x >>> n) | (x << (32 - n))) >>> 0

/** Section 2.2. */
const compress = (cv: ReadonlyArray<number>, block: Buffer, counter: number, length: number, flag: number) => {
  const v = [...cv, ...iv.slice(0, 4), counter >>> 0, Math.floor(counter / 2 ** 32), length, flag]
  const padded = Buffer.concat([block, Buffer.alloc(64 - block.length)])
  let m = Array.from({ length: 16 }, (_, i) => padded.readUInt32LE(4 * i))
  const at = (i: number) => v[i] as number
  for (let round = 0; round < 7; round++) {
    quarters.forEach(([a, b, c, d], i) => {
      for (const [word, first, second] of [
        [m[2 * i] as number, 16, 12],
        [m[2 * i + 1] as number, 8, 7]
      ] as const) {
        v[a] = (at(a) + at(b) + word) >>> 0
        v[d] = rotate(at(d) ^ at(a), first)
        v[c] = (at(c) + at(d)) >>> 0
        v[b] = rotate(at(b) ^ at(c), second)
      }
    })
    m = permutation.map((from) => m[from] as number)
  }
  return Array.from({ length: 8 }, (_, i) => (at(i) ^ at(i + 8)) >>> 0)
}

const words = (cv: Buffer) => Array.from({ length: 8 }, (_, i) => cv.readUInt32LE(4 * i))
const fromWords = (cv: ReadonlyArray<number>) => {
  const bytes = Buffer.alloc(32)
  cv.forEach((word, i) => bytes.writeUInt32LE(word, 4 * i))
  return bytes
}

const parent = (left: Buffer, right: Buffer, root: boolean): Buffer =>
  fromWords(compress(iv, Buffer.concat([left, right]), 0, 64, flags.parent | (root ? flags.root : 0)))

const chunk = (data: Buffer, index: number, root: boolean): Buffer => {
  let cv = fromWords(iv)
  const blocks = Math.max(1, Math.ceil(data.length / 64))
  for (let i = 0; i < blocks; i++) {
    const block = data.subarray(64 * i, 64 * i + 64)
    const end = i === blocks - 1 ? flags.chunkEnd | (root ? flags.root : 0) : 0
    cv = fromWords(compress(words(cv), block, index, block.length, (i === 0 ? flags.chunkStart : 0) | end))
  }
  return cv
}

const subtree = (data: Buffer, first: number, root: boolean): Buffer => {
  if (data.length <= 1024) return chunk(data, first, root)
  let left = 1024
  while (left * 2 < data.length) left *= 2
  const a = subtree(data.subarray(0, left), first, false)
  return parent(a, subtree(data.subarray(left), first + left / 1024, false), root)
}

export const blake3 = (data: Uint8Array): Buffer => subtree(Buffer.from(data), 0, true)
