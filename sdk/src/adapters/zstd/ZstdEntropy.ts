/** The entropy codes of Zstandard: bit streams, finite state entropy tables and Huffman trees (RFC 8878 section 4). */

/** A malformed frame. Thrown here and in `ZstdBlock`, caught in `Zstd`. */
export class Corrupt extends Error {}

export const corrupt = (detail: string): never => {
  throw new Corrupt(detail)
}

const highestBit = (value: number): number => 31 - Math.clz32(value)

/** Reads bits from the end of a byte string towards its start; its last byte ends in a marker bit. */
export class BackwardBits {
  /** Unread bits. Negative after reading beyond the start, which yields zeros. */
  left: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    const last = bytes.at(-1)
    if (last === undefined || last === 0) corrupt("a bit stream without an end")
    this.#bytes = bytes
    this.left = (bytes.length - 1) * 8 + highestBit(last as number)
  }

  /** The next `count` bits, at most 31, without consuming them. */
  peek(count: number): number {
    const from = this.left - count
    if (from < 0) return this.left <= 0 ? 0 : this.#slice(0, this.left) * 2 ** -from
    return this.#slice(from, count)
  }

  read(count: number): number {
    const value = this.peek(count)
    this.left -= count
    return value
  }

  #slice(from: number, count: number): number {
    const first = from >> 3
    const last = (from + count + 7) >> 3
    let value = 0
    for (let i = last - 1; i >= first; i--) value = value * 256 + (this.#bytes[i] as number)
    return Math.floor(value / 2 ** (from & 7)) % 2 ** count
  }
}

/** A finite state entropy table: the symbol of each state, and how to read the next state. */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly base: Uint16Array
}

/** The table of a distribution in which -1 stands for a probability below one (section 4.1.1). */
export const fseTable = (log: number, distribution: ReadonlyArray<number>): FseTable => {
  const size = 1 << log
  const table = { log, symbols: new Uint8Array(size), bits: new Uint8Array(size), base: new Uint16Array(size) }
  const next = new Uint16Array(distribution.length)
  let high = size
  distribution.forEach((probability, symbol) => {
    if (probability === -1) table.symbols[--high] = symbol
    next[symbol] = Math.abs(probability)
  })
  const step = (size >> 1) + (size >> 3) + 3
  let position = 0
  distribution.forEach((probability, symbol) => {
    for (let i = 0; i < probability; i++) {
      table.symbols[position] = symbol
      do position = (position + step) & (size - 1)
      while (position >= high)
    }
  })
  for (let state = 0; state < size; state++) {
    const symbol = table.symbols[state] as number
    const count = (next[symbol] as number)++
    const bits = log - highestBit(count)
    table.bits[state] = bits
    table.base[state] = (count << bits) - size
  }
  return table
}

/** A table with one symbol, which takes no bits. */
export const rleTable = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  base: new Uint16Array(1)
})

/** Reads a table's description at the start of `bytes`; `used` is its length in bytes. */
export const readFseTable = (
  bytes: Uint8Array,
  maxLog: number,
  maxSymbol: number
): { readonly table: FseTable; readonly used: number } => {
  let at = 0
  const read = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++, at++) {
      const byte = bytes[at >> 3] ?? corrupt("a table is cut off")
      value |= ((byte >> (at & 7)) & 1) << i
    }
    return value
  }
  const log = read(4) + 5
  if (log > maxLog) corrupt("a table is too precise")
  const distribution: Array<number> = []
  let remaining = 1 << log
  while (remaining > 0) {
    const bits = highestBit(remaining + 1) + 1
    let value = read(bits)
    const lower = (1 << (bits - 1)) - 1
    const threshold = (1 << bits) - 1 - (remaining + 1)
    if ((value & lower) < threshold) {
      at -= 1
      value &= lower
    } else if (value > lower) value -= threshold
    const probability = value - 1
    remaining -= Math.abs(probability)
    distribution.push(probability)
    if (probability === 0) {
      let repeat: number
      do {
        repeat = read(2)
        for (let i = 0; i < repeat; i++) distribution.push(0)
      } while (repeat === 3 && distribution.length <= maxSymbol)
    }
    if (distribution.length > maxSymbol + 1) corrupt("a table has too many symbols")
  }
  if (remaining !== 0) corrupt("a table's probabilities do not add up")
  return { table: fseTable(log, distribution), used: (at + 7) >> 3 }
}

/** A Huffman decoding table: for each `log` bits the symbol that they begin with and its code length. */
export interface HuffmanTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

const maxHuffmanBits = 11

/** Decodes two interleaved states over one bit stream, which ends where both have run out of bits (section 4.2.1.2). */
const readWeights = (bytes: Uint8Array): Array<number> => {
  const { table, used } = readFseTable(bytes, 6, maxHuffmanBits)
  const stream = new BackwardBits(bytes.subarray(used))
  const weights: Array<number> = []
  let state = stream.read(table.log)
  let other = stream.read(table.log)
  while (weights.length < 255) {
    weights.push(table.symbols[state] as number)
    const next = (table.base[state] as number) + stream.read(table.bits[state] as number)
    if (stream.left < 0) {
      weights.push(table.symbols[other] as number)
      return weights
    }
    state = other
    other = next
  }
  return corrupt("too many weights")
}

/** Reads a tree's description at the start of `bytes` (section 4.2.1). */
export const readHuffmanTable = (bytes: Uint8Array): { readonly table: HuffmanTable; readonly used: number } => {
  const header = bytes[0] ?? corrupt("no Huffman tree")
  const direct = header >= 128
  const used = 1 + (direct ? (header - 126) >> 1 : header)
  if (used > bytes.length) corrupt("a Huffman tree is cut off")
  const weights = direct
    ? Array.from({ length: header - 127 }, (_, i) => ((bytes[1 + (i >> 1)] as number) >> (i & 1 ? 0 : 4)) & 15)
    : readWeights(bytes.subarray(1, used))
  const sum = weights.reduce((total, weight) => total + (weight === 0 ? 0 : 1 << (weight - 1)), 0)
  if (sum === 0 || sum >= 1 << maxHuffmanBits) corrupt("a Huffman tree of a wrong size")
  // The last symbol's weight is implied: it completes the tree.
  const log = highestBit(sum) + 1
  const rest = (1 << log) - sum
  if ((rest & (rest - 1)) !== 0) corrupt("an incomplete Huffman tree")
  weights.push(highestBit(rest) + 1)
  const table = { log, symbols: new Uint8Array(1 << log), bits: new Uint8Array(1 << log) }
  let position = 0
  // Longer codes (smaller weights) come first; within one length, symbols in their order.
  for (let weight = 1; weight <= log; weight++) {
    weights.forEach((each, symbol) => {
      if (each !== weight) return
      const end = position + (1 << (weight - 1))
      table.symbols.fill(symbol, position, end)
      table.bits.fill(log + 1 - weight, position, end)
      position = end
    })
  }
  if (position !== 1 << log) corrupt("a Huffman tree of a wrong form")
  return { table, used }
}

/** Fills `out` from one Huffman stream, which must be consumed completely. */
export const decodeHuffman = (table: HuffmanTable, bytes: Uint8Array, out: Uint8Array): void => {
  const stream = new BackwardBits(bytes)
  for (let i = 0; i < out.length; i++) {
    const code = stream.peek(table.log)
    out[i] = table.symbols[code] as number
    stream.left -= table.bits[code] as number
  }
  if (stream.left !== 0) corrupt("a Huffman stream of a wrong length")
}
