/** Zstandard of node:zlib, for compact proofs and chain bundles. */
import * as Result from "effect/Result"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Problem } from "../../protocol/Problem.ts"
import * as ZstdFrame from "../../protocol/sigchain/ZstdFrame.ts"

const viewOf = ({ buffer, byteLength, byteOffset }: Buffer) => new Uint8Array(buffer, byteOffset, byteLength)

/** One zstd frame (RFC 8878) at the library's default level. */
export const compress = (data: Uint8Array): Uint8Array => viewOf(zstdCompressSync(data))

/**
 * The content of one frame, at most `maxBytes`. Problems: `too_large` once more is declared or comes out,
 * `encoding_malformed`. The answers are those of the portable decoder in `@kez-chat/sdk/zstd`, but for damage that zlib
 * overlooks: it does not notice that a stream of Huffman codes ends at a wrong bit.
 *
 * zlib alone would pass over what follows the first frame, and reserve the window that the frame asks for. So the frame
 * is taken apart first and its blocks are given to zlib under a header of our own, whose window holds all that can come out before the limit is noticed.
 */
export const decompress = (bytes: Uint8Array, maxBytes: number): Result.Result<Uint8Array, Problem> =>
  Result.flatMap(ZstdFrame.parse(bytes, maxBytes), (frame) => {
    const windowLog = Math.ceil(Math.log2(maxBytes + ZstdFrame.blockBytes + 1))
    try {
      const content = zstdDecompressSync(ZstdFrame.withWindow(frame, windowLog), {
        maxOutputLength: maxBytes,
        // One call of zstd for all of it, so that the limit is noticed at one place.
        chunkSize: Math.max(constants.Z_MIN_CHUNK, maxBytes + 1),
        params: { [constants.ZSTD_d_windowLogMax]: windowLog }
      })
      return ZstdFrame.checkSize(frame, viewOf(content))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code === "ERR_BUFFER_TOO_LARGE" ? ZstdFrame.tooLarge(maxBytes) : ZstdFrame.malformed(message)
    }
  })
