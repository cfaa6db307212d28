/**
 * A Zstandard decoder (RFC 8878) for browsers, with the results of `Zstd` of `@kez-chat/sdk/node`. For untrusted input:
 * it checks every length against the remaining room before it copies, since 33 KB can decompress to 1 GiB and a block
 * of 60 KB to 4 GiB, which the available portable decoder, fzstd, notices only afterwards.
 */
import * as Result from "effect/Result"
import type { Problem } from "../../protocol/Problem.ts"
import * as ZstdFrame from "../../protocol/sigchain/ZstdFrame.ts"
import { decodeBlock, type Decoder } from "./ZstdBlock.ts"
import { Corrupt } from "./ZstdEntropy.ts"

/**
 * The content of one frame, at most `maxBytes`. Problems: `too_large` once more is declared or produced,
 * `encoding_malformed`. Time and memory are bounded by the input's length and `maxBytes`.
 */
export const decompress = (bytes: Uint8Array, maxBytes: number): Result.Result<Uint8Array, Problem> =>
  Result.flatMap(ZstdFrame.parse(bytes, maxBytes), (frame) => {
    const { blocks, size } = frame
    let out = new Uint8Array(size ?? Math.min(maxBytes, 4 * blocks.length))
    let total = 0
    const append = (length: number) => {
      const at = total
      total += length
      if (total > out.length) {
        // The limit is checked after each block, so the last one may exceed it by its own length.
        const larger = new Uint8Array(Math.min(maxBytes + 1 + ZstdFrame.blockBytes, Math.max(total, 2 * out.length)))
        larger.set(out.subarray(0, at))
        out = larger
      }
      return { out, at }
    }
    const decoder: Decoder = { append, offsets: [1, 4, 8] }
    try {
      for (
        let block = ZstdFrame.blockAt(blocks, 0);
        block !== undefined;
        block = block.last ? undefined : ZstdFrame.blockAt(blocks, block.next)
      ) {
        if (block.type === "compressed") decodeBlock(decoder, block.content)
        else {
          const place = append(block.size)
          if (block.type === "raw") place.out.set(block.content, place.at)
          else place.out.fill(block.content[0] as number, place.at, place.at + block.size)
        }
        // Matches zlib, which decodes the next block if its output exceeds the limit by at most one byte.
        if (total > maxBytes + 1) return ZstdFrame.tooLarge(maxBytes)
      }
    } catch (error) {
      if (error instanceof Corrupt) return ZstdFrame.malformed(error.message)
      throw error
    }
    if (total > maxBytes) return ZstdFrame.tooLarge(maxBytes)
    return ZstdFrame.checkSize(frame, out.subarray(0, total))
  })
