/** Zstandard's compressed blocks: literals, and sequences that copy earlier output (RFC 8878 section 3.1.1.3). */
import { blockBytes } from "../../protocol/sigchain/ZstdFrame.ts"
import {
  BackwardBits,
  corrupt,
  decodeHuffman,
  type FseTable,
  fseTable,
  type HuffmanTable,
  readFseTable,
  readHuffmanTable,
  rleTable
} from "./ZstdEntropy.ts"

/** The output so far and the state for later blocks. `append` makes room for more and returns its offset. */
export interface Decoder {
  readonly append: (length: number) => { readonly out: Uint8Array; readonly at: number }
  readonly offsets: [number, number, number]
  huffman?: HuffmanTable
  tables?: readonly [FseTable, FseTable, FseTable]
}

/** The meaning of a length code: its base value and the number of extra bits. */
type Lengths = ReadonlyArray<readonly [base: number, bits: number]>

const lengths = (first: number, plain: number, bits: ReadonlyArray<number>): Lengths => {
  const all: Array<readonly [number, number]> = Array.from({ length: plain }, (_, i) => [first + i, 0])
  let base = first + plain
  for (const count of bits) {
    all.push([base, count])
    base += 2 ** count
  }
  return all
}

const literalLengths = lengths(0, 16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
const matchLengths = lengths(3, 32, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])

/** The three kinds of codes in the order of their tables: predefined table, largest precision, largest symbol. */
const kinds = [
  {
    predefined: fseTable(
      6,
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1]
    ),
    maxLog: 9,
    maxSymbol: 35
  },
  {
    predefined: fseTable(
      5,
      [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1]
    ),
    maxLog: 8,
    maxSymbol: 31
  },
  {
    predefined: fseTable(
      6,
      [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1
      ]
    ),
    maxLog: 9,
    maxSymbol: 52
  }
] as const

const little = (bytes: Uint8Array, count: number): number => {
  let value = 0
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[i] ?? corrupt("a header is cut off"))
  return value
}

/** Decodes the literals section at the start of a block; `used` is its length. */
const readLiterals = (
  decoder: Decoder,
  block: Uint8Array
): { readonly literals: Uint8Array; readonly used: number } => {
  const first = block[0] ?? corrupt("an empty block")
  const type = first & 3
  const format = (first >> 2) & 3
  if (type < 2) {
    const header = (format & 1) === 0 ? 1 : format === 1 ? 2 : 3
    const size = header === 1 ? first >> 3 : Math.floor(little(block, header) / 16)
    if (size > blockBytes) corrupt("too many literals")
    const used = header + (type === 0 ? size : 1)
    if (used > block.length) corrupt("literals are cut off")
    const literals = type === 0 ? block.subarray(header, used) : new Uint8Array(size).fill(block[header] as number)
    return { literals, used }
  }
  const header = format < 2 ? 3 : format + 2
  const bits = format < 2 ? 10 : format === 2 ? 14 : 18
  const sizes = Math.floor(little(block, header) / 16)
  const size = sizes % 2 ** bits
  const used = header + Math.floor(sizes / 2 ** bits)
  if (size > blockBytes || used > block.length) corrupt("literals of a wrong size")
  let source = block.subarray(header, used)
  if (type === 2) {
    const tree = readHuffmanTable(source)
    decoder.huffman = tree.table
    source = source.subarray(tree.used)
  }
  const table = decoder.huffman ?? corrupt("no Huffman tree")
  const literals = new Uint8Array(size)
  if (format === 0) decodeHuffman(table, source, literals)
  else {
    const part = (size + 3) >> 2
    let at = 6
    for (let stream = 0; stream < 4; stream++) {
      const end = stream < 3 ? at + little(source.subarray(2 * stream), 2) : source.length
      if (end > source.length) corrupt("a stream is cut off")
      decodeHuffman(
        table,
        source.subarray(at, end),
        literals.subarray(stream * part, stream < 3 ? (stream + 1) * part : size)
      )
      at = end
    }
  }
  return { literals, used }
}

/** Reads the three tables of a block's sequences, whose kinds are in `modes`. */
const readTables = (decoder: Decoder, source: Uint8Array, modes: number) => {
  if ((modes & 3) !== 0) corrupt("a reserved bit is set")
  let used = 0
  const read = (index: 0 | 1 | 2): FseTable => {
    const { maxLog, maxSymbol, predefined } = kinds[index]
    switch ((modes >> (6 - 2 * index)) & 3) {
      case 0:
        return predefined
      case 1: {
        const symbol = source[used++] ?? corrupt("a table is cut off")
        return symbol <= maxSymbol ? rleTable(symbol) : corrupt("a symbol out of range")
      }
      case 2: {
        const described = readFseTable(source.subarray(used), maxLog, maxSymbol)
        used += described.used
        return described.table
      }
      default:
        return decoder.tables?.[index] ?? corrupt("no table to repeat")
    }
  }
  const tables = [read(0), read(1), read(2)] as const
  decoder.tables = tables
  return { tables, used }
}

/** The distance for an offset value; three small values repeat earlier distances (section 3.1.1.5). */
const distance = (offsets: Decoder["offsets"], value: number, literalLength: number): number => {
  const index = value > 3 ? 3 : value - 1 + (literalLength === 0 ? 1 : 0)
  if (index === 0) return offsets[0]
  const found = value > 3 ? value - 3 : index === 3 ? offsets[0] - 1 : (offsets[index] as number)
  if (index > 1) offsets[2] = offsets[1]
  offsets[1] = offsets[0]
  offsets[0] = found
  return found
}

/** Decodes one compressed block to the end of the output. Every length is checked before copying. */
export const decodeBlock = (decoder: Decoder, block: Uint8Array): void => {
  const { literals, used } = readLiterals(decoder, block)
  let produced = 0
  const append = (length: number) => {
    produced += length
    return produced > blockBytes ? corrupt("a block of more than 128 KiB") : decoder.append(length)
  }
  let source = block.subarray(used)
  const first = source[0] ?? corrupt("no sequences section")
  let count = first
  let header = 1
  if (first === 255) {
    count = little(source.subarray(1), 2) + 0x7f00
    header = 3
  } else if (first > 127) {
    count = ((first - 128) << 8) + (source[1] ?? corrupt("a header is cut off"))
    header = 2
  }
  let taken = 0
  if (count > 0) {
    const described = readTables(decoder, source.subarray(header + 1), source[header] ?? corrupt("no modes"))
    source = source.subarray(header + 1 + described.used)
    const [literalTable, offsetTable, matchTable] = described.tables
    const stream = new BackwardBits(source)
    let literalState = stream.read(literalTable.log)
    let offsetState = stream.read(offsetTable.log)
    let matchState = stream.read(matchTable.log)
    const update = (table: FseTable, state: number) =>
      (table.base[state] as number) + stream.read(table.bits[state] as number)
    for (let i = 0; i < count; i++) {
      const offsetCode = offsetTable.symbols[offsetState] as number
      const offsetValue = 2 ** offsetCode + stream.read(offsetCode)
      const [matchBase, matchBits] = matchLengths[matchTable.symbols[matchState] as number] ?? corrupt("no such length")
      const matchLength = matchBase + stream.read(matchBits)
      const [literalBase, literalBits] =
        literalLengths[literalTable.symbols[literalState] as number] ?? corrupt("no such length")
      const literalLength = literalBase + stream.read(literalBits)
      if (i + 1 < count) {
        literalState = update(literalTable, literalState)
        matchState = update(matchTable, matchState)
        offsetState = update(offsetTable, offsetState)
      }
      if (stream.left < 0 || taken + literalLength > literals.length) corrupt("a sequence of a wrong length")
      const { at, out } = append(literalLength + matchLength)
      out.set(literals.subarray(taken, taken + literalLength), at)
      taken += literalLength
      const to = at + literalLength
      const back = distance(decoder.offsets, offsetValue, literalLength)
      if (back < 1 || back > to) corrupt("a match before the beginning")
      for (let k = to; k < to + matchLength; k++) out[k] = out[k - back] as number
    }
    if (stream.left !== 0) corrupt("bits are left over")
  } else if (source.length !== 1) corrupt("bytes are left over")
  const { at, out } = append(literals.length - taken)
  out.set(literals.subarray(taken), at)
}
