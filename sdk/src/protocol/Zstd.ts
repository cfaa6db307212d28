/**
 * Zstandard frames (RFC 8878) under hard bounds, for input from strangers.
 *
 * 33 KB can decompress to 1 GiB, and a frame may ask for 2 GiB of memory before its first byte. So the frame's structure
 * is checked first (one frame, declared sizes, number and size of blocks), and the output is counted as it comes.
 */
import { Decompress } from "fzstd"
import * as Result from "effect/Result"
import * as Bytes from "./Bytes.ts"
import { fail, type Problem } from "./Problem.ts"

const magic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)
const blockBytes = 128 * 1024
/** An encoder that is not out for harm writes a block per 128 KiB, or per flush. */
const maxBlocks = 4096

interface Frame {
  /** The declared size of the content, where there is one. */
  readonly size: number | undefined
  readonly window: number
  readonly singleSegment: boolean
}

const malformed = (detail: string): Result.Result<never, Problem> => fail("encoding_malformed", `zstd: ${detail}`)

/** Checks that `bytes` is exactly one whole frame without a dictionary, and reads what it declares. */
const inspect = (bytes: Uint8Array): Result.Result<Frame, Problem> => {
  if (bytes.length < 6 || !Bytes.equal(bytes.subarray(0, 4), magic)) return malformed("not a frame")
  const descriptor = bytes[4] as number
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) return malformed("a reserved bit is set")
  if ((descriptor & 0x03) !== 0) return malformed("it needs a dictionary")
  let at = 5
  const windowByte = bytes[5] as number
  if (!singleSegment) at += 1
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  if (bytes.length < at + sizeBytes) return malformed("the header is cut off")
  let size: number | undefined
  if (sizeBytes > 0) {
    size = sizeBytes === 2 ? 256 : 0
    for (let i = 0; i < sizeBytes; i++) size += (bytes[at + i] as number) * 2 ** (8 * i)
  }
  at += sizeBytes
  const base = 2 ** (10 + (windowByte >> 3))
  const window = singleSegment ? (size ?? 0) : base + (base / 8) * (windowByte & 7)
  let last = false
  for (let blocks = 0; !last; blocks++) {
    if (blocks >= maxBlocks) return malformed(`more than ${maxBlocks} blocks`)
    if (bytes.length < at + 3) return malformed("a block is cut off")
    const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
    const type = (header >> 1) & 3
    const blockSize = header >> 3
    if (type === 3 || blockSize > blockBytes) return malformed("a block of a wrong type or size")
    last = (header & 1) === 1
    at += 3 + (type === 1 ? 1 : blockSize)
  }
  if ((descriptor & 0x04) !== 0) at += 4
  return at === bytes.length
    ? Result.succeed({ size, window, singleSegment })
    : malformed("bytes are missing or left over")
}

/** Leaves `fzstd`, which has no other way to stop. */
class TooMuch extends Error {}

/**
 * The content of one frame of at most `maxBytes`. Problems: `too_large` once that is passed or declared,
 * `encoding_malformed`. Memory stays within a few times `maxBytes`.
 */
export const decompress = (bytes: Uint8Array, maxBytes: number): Result.Result<Uint8Array, Problem> => {
  const inspected = inspect(bytes)
  if (Result.isFailure(inspected)) return Result.fail(inspected.failure)
  const { singleSegment, size, window } = inspected.success
  const tooLarge = () => fail("too_large", `it decompresses to more than ${maxBytes} bytes`)
  if (size !== undefined && size > maxBytes) return tooLarge()
  let source = bytes
  if (!singleSegment && window > Math.max(maxBytes, blockBytes)) {
    // Content under the cap never looks back further than the cap, so a smaller window decodes it just as well.
    source = Uint8Array.from(bytes)
    source[5] = Math.ceil(Math.log2(Math.max(maxBytes, blockBytes)) - 10) << 3
  }
  const parts: Array<Uint8Array> = []
  let total = 0
  try {
    new Decompress((part) => {
      total += part.length
      if (total > maxBytes) throw new TooMuch()
      parts.push(part)
    }).push(source, true)
  } catch (error) {
    return error instanceof TooMuch ? tooLarge() : malformed("damaged")
  }
  if (size !== undefined && size !== total) return malformed(`${size} bytes were declared, ${total} came`)
  return Result.succeed(Bytes.concat(...parts))
}

/** A valid frame of uncompressed blocks, for where no compressor is at hand. */
export const store = (content: Uint8Array): Uint8Array => {
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, content.length, true)
  // Single segment, four bytes of content size, no checksum.
  const parts: Array<Uint8Array> = [magic, Uint8Array.of(0b1010_0000), size]
  for (let at = 0; at === 0 || at < content.length; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes)
    const header = (block.length << 3) | (at + blockBytes >= content.length ? 1 : 0)
    parts.push(Uint8Array.of(header & 0xff, (header >> 8) & 0xff, header >> 16), block)
  }
  return Bytes.concat(...parts)
}
