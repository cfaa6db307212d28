/** zstd from node:zlib, for compact proofs and bundles smaller than the portable frame of raw blocks. */
import { zstdCompressSync } from "node:zlib"

/** One zstd frame (RFC 8878) at the library's default level. */
export const compress = (data: Uint8Array): Uint8Array => {
  const frame = zstdCompressSync(data)
  return new Uint8Array(frame.buffer, frame.byteOffset, frame.byteLength)
}
