/** Zstandard from node:zlib, for compact proofs and chain bundles. */
import * as Result from "effect/Result"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import type { Problem } from "../../protocol/Problem.ts"
import * as ZstdFrame from "../../protocol/sigchain/ZstdFrame.ts"

const viewOf = ({ buffer, byteLength, byteOffset }: Buffer) => new Uint8Array(buffer, byteOffset, byteLength)

/** One zstd frame (RFC 8878) at the library's default level. */
export const compress = (data: Uint8Array): Uint8Array => viewOf(zstdCompressSync(data))

/**
 * The content of one frame, at most `maxBytes`. Problems: `too_large` once more is declared or produced,
 * `encoding_malformed`. Agrees with `@kez-chat/sdk/zstd`, except that zlib misses a Huffman stream ending at a wrong
 * bit. zlib would ignore bytes after the first frame and reserve any window, so it gets the parsed blocks under a new
 * header.
 */
export const decompress = (bytes: Uint8Array, maxBytes: number): Result.Result<Uint8Array, Problem> =>
  Result.flatMap(ZstdFrame.parse(bytes, maxBytes), (frame) => {
    const windowLog = Math.ceil(Math.log2(maxBytes + ZstdFrame.blockBytes + 1))
    try {
      const content = zstdDecompressSync(ZstdFrame.withWindow(frame, windowLog), {
        maxOutputLength: maxBytes,
        // One zstd call for everything, so that the limit is checked in one place.
        chunkSize: Math.max(constants.Z_MIN_CHUNK, maxBytes + 1),
        params: { [constants.ZSTD_d_windowLogMax]: windowLog }
      })
      return ZstdFrame.checkSize(frame, viewOf(content))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return code === "ERR_BUFFER_TOO_LARGE" ? ZstdFrame.tooLarge(maxBytes) : ZstdFrame.malformed(message)
    }
  })
