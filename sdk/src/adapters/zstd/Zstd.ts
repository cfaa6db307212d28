/**
 * Zstandard frames (RFC 8878) under hard bounds, for input from strangers.
 *
 * 33 KB can decompress to 1 GiB, a frame may ask for 2 GiB of memory before its first byte, and one block of 60 KB can
 * hold matches of 4 GiB in sum. The portable decoder (fzstd) only finds out after it has spent the memory or the minutes,
 * so this is one that compares every length with the room there is first. Checksums are not verified: what is inside is
 * signed.
 */
import * as Result from "effect/Result"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { fail, type Problem } from "../../protocol/Problem.ts"
import { blockBytes, decodeBlock, type Decoder } from "./ZstdBlock.ts"
import { Corrupt } from "./ZstdEntropy.ts"

const magic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)

interface Frame {
  /** The declared size of the content, where there is one. */
  readonly size: number | undefined
  /** Where the first block begins. */
  readonly start: number
}

interface Block {
  readonly type: "raw" | "run" | "compressed"
  /** Bytes that a raw or run block stands for. */
  readonly size: number
  readonly content: Uint8Array
  readonly next: number
  readonly last: boolean
}

const malformed = (detail: string): Result.Result<never, Problem> => fail("encoding_malformed", `zstd: ${detail}`)

const types = ["raw", "run", "compressed"] as const

/** The block at `at`, undefined where there is no whole one of a known type and size. */
const blockAt = (bytes: Uint8Array, at: number): Block | undefined => {
  if (bytes.length < at + 3) return undefined
  const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
  const type = types[(header >> 1) & 3]
  const size = header >> 3
  const next = at + 3 + (type === "run" ? 1 : size)
  if (type === undefined || size > blockBytes || next > bytes.length) return undefined
  return { type, size, content: bytes.subarray(at + 3, next), next, last: (header & 1) === 1 }
}

/** Checks that `bytes` is exactly one whole frame without a dictionary, and reads what it declares. */
const inspect = (bytes: Uint8Array): Result.Result<Frame, Problem> => {
  if (bytes.length < 6 || !Bytes.equal(bytes.subarray(0, 4), magic)) return malformed("not a frame")
  const descriptor = bytes[4] as number
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) return malformed("a reserved bit is set")
  if ((descriptor & 0x03) !== 0) return malformed("it needs a dictionary")
  const sizeAt = singleSegment ? 5 : 6
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const start = sizeAt + sizeBytes
  if (bytes.length < start) return malformed("the header is cut off")
  let size: number | undefined
  if (sizeBytes > 0) {
    size = sizeBytes === 2 ? 256 : 0
    for (let i = 0; i < sizeBytes; i++) size += (bytes[sizeAt + i] as number) * 2 ** (8 * i)
  }
  let block = blockAt(bytes, start)
  while (block !== undefined && !block.last) block = blockAt(bytes, block.next)
  if (block === undefined) return malformed("a block is cut off or of a wrong type or size")
  const checksumBytes = (descriptor & 0x04) === 0 ? 0 : 4
  return block.next + checksumBytes === bytes.length
    ? Result.succeed({ size, start })
    : malformed("bytes are missing or left over")
}

/** Thrown out of a block's decoding once the cap is passed, and caught in `decompress`. */
class TooMuch extends Error {}

/**
 * The content of one frame of at most `maxBytes`. Problems: `too_large` once that is passed or declared,
 * `encoding_malformed`. Time and memory are bounded by the sizes of input and output: nothing is reserved because a
 * header asks for it, and no length is believed before it is compared with the room there is.
 */
export const decompress = (bytes: Uint8Array, maxBytes: number): Result.Result<Uint8Array, Problem> => {
  const inspected = inspect(bytes)
  if (Result.isFailure(inspected)) return Result.fail(inspected.failure)
  const { size, start } = inspected.success
  const tooLarge = () => fail("too_large", `it decompresses to more than ${maxBytes} bytes`)
  if (size !== undefined && size > maxBytes) return tooLarge()
  let out = new Uint8Array(size ?? Math.min(maxBytes, 4 * bytes.length))
  let total = 0
  const append = (length: number) => {
    const at = total
    total += length
    if (total > maxBytes) throw new TooMuch()
    if (total > out.length) {
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(total, 2 * out.length)))
      larger.set(out.subarray(0, at))
      out = larger
    }
    return { out, at }
  }
  const decoder: Decoder = { append, offsets: [1, 4, 8] }
  try {
    for (
      let block = blockAt(bytes, start);
      block !== undefined;
      block = block.last ? undefined : blockAt(bytes, block.next)
    ) {
      if (block.type === "compressed") decodeBlock(decoder, block.content)
      else {
        const place = append(block.size)
        if (block.type === "raw") place.out.set(block.content, place.at)
        else place.out.fill(block.content[0] as number, place.at, place.at + block.size)
      }
    }
  } catch (error) {
    if (error instanceof TooMuch) return tooLarge()
    if (error instanceof Corrupt) return malformed(error.message)
    throw error
  }
  if (size !== undefined && size !== total) return malformed(`${size} bytes were declared, ${total} came`)
  return Result.succeed(out.subarray(0, total))
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
