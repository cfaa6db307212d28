/**
 * The framing of Zstandard (RFC 8878 section 3.1.1) for untrusted input: one whole frame, its size and blocks, which
 * `Zstd` of `@kez-chat/sdk/node` or `@kez-chat/sdk/zstd` decodes. Ignores the window, up to 2 TiB, since a window of
 * the limit holds all output, and the checksum, since the envelope inside is signed.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import { fail, type Problem } from "../Problem.ts"

/** Maximum content bytes of one block. */
export const blockBytes = 128 * 1024

const magic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)

/** One whole parsed frame. */
export interface ZstdFrame {
  /** Content size in bytes, if the header declares it. */
  readonly size: number | undefined
  /** The consecutive blocks, without header and checksum. */
  readonly blocks: Uint8Array
}

interface Block {
  readonly type: "raw" | "run" | "compressed"
  /** Content bytes of a raw or run block. */
  readonly size: number
  readonly content: Uint8Array
  /** Offset of the next block. */
  readonly next: number
  readonly last: boolean
}

export const malformed = (detail: string): Result.Result<never, Problem> =>
  fail("encoding_malformed", `zstd: ${detail}`)

export const tooLarge = (maxBytes: number): Result.Result<never, Problem> =>
  fail("too_large", `it decompresses to more than ${maxBytes} bytes`)

const types = ["raw", "run", "compressed"] as const

/** The block at `at`; undefined unless a whole one of a known type and size is there. */
export const blockAt = (bytes: Uint8Array, at: number): Block | undefined => {
  if (bytes.length < at + 3) return undefined
  const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
  const type = types[(header >> 1) & 3]
  const size = header >> 3
  const next = at + 3 + (type === "run" ? 1 : size)
  if (type === undefined || size > blockBytes || next > bytes.length) return undefined
  return { type, size, content: bytes.subarray(at + 3, next), next, last: (header & 1) === 1 }
}

/** Parses one whole frame without a dictionary (`encoding_malformed`) of at most `maxBytes` content (`too_large`). */
export const parse = (bytes: Uint8Array, maxBytes: number): Result.Result<ZstdFrame, Problem> => {
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
  if (block.next + checksumBytes !== bytes.length) return malformed("bytes are missing or left over")
  if (size !== undefined && size > maxBytes) return tooLarge(maxBytes)
  return Result.succeed({ size, blocks: bytes.subarray(start, block.next) })
}

/** The content decoded from a frame's blocks; `encoding_malformed` if the header declares another length. */
export const checkSize = ({ size }: ZstdFrame, content: Uint8Array): Result.Result<Uint8Array, Problem> =>
  size === undefined || size === content.length
    ? Result.succeed(content)
    : malformed(`${size} bytes were declared, ${content.length} came`)

/** A frame of the same blocks with a window of `windowLog` bits and neither size nor checksum. */
export const withWindow = ({ blocks }: ZstdFrame, windowLog: number): Uint8Array =>
  Bytes.concat(magic, Uint8Array.of(0, (windowLog - 10) << 3), blocks)

/** A valid frame of uncompressed blocks, for platforms without a compressor. */
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
