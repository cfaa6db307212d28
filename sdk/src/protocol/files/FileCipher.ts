/**
 * The layout of kez-file/1 (spec: files): chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under the file's key and
 * a nonce that counts and marks the last chunk. `SealedFile` (crypto) does the sealing.
 */
import * as Result from "effect/Result"
import * as Limits from "../Limits.ts"
import { fail, type Problem } from "../Problem.ts"

/** Bytes of a file in one chunk; only the last chunk may be shorter. */
export const plainBytes = 65_536
/** Bytes of a chunk in the blob. */
export const sealedBytes = plainBytes + Limits.tagBytes

/** Chunks of a file; an empty file has one, so that its end is authenticated too. */
export const chunkCount = (size: number): number => Math.max(1, Math.ceil(size / plainBytes))

/** Bytes of the blob of a file of `size` bytes. */
export const blobLength = (size: number): number => size + Limits.tagBytes * chunkCount(size)

/** Bytes of the file whose blob has `length` bytes; `file_undecryptable` if no file has such a blob. */
export const fileSize = (length: number): Result.Result<number, Problem> => {
  const chunks = Math.max(1, Math.ceil(length / sealedBytes))
  const size = length - chunks * Limits.tagBytes
  return Number.isSafeInteger(length) && size >= 0 && blobLength(size) === length
    ? Result.succeed(size)
    : fail("file_undecryptable", `no file has a blob of ${length} bytes`)
}

/** `u88(index) || 01` for the last chunk, `u88(index) || 00` for all others. */
export const nonce = (index: number, isLast: boolean): Uint8Array => {
  const bytes = new Uint8Array(Limits.aeadNonceBytes)
  new DataView(bytes.buffer).setBigUint64(3, BigInt(index))
  bytes[11] = isLast ? 1 : 0
  return bytes
}

/** Where chunk `index` of a file of `size` bytes lies in its blob. */
export const chunkRange = (size: number, index: number): { readonly start: number; readonly end: number } => {
  const start = index * sealedBytes
  return { start, end: Math.min(start + sealedBytes, blobLength(size)) }
}

/** The chunks that hold a file's bytes from `start` up to but not including `end`, and their place in the blob. */
export const locate = (
  size: number,
  start: number,
  end: number
): {
  readonly firstChunk: number
  readonly chunks: number
  readonly blob: { readonly start: number; readonly end: number }
} => {
  const firstChunk = Math.min(Math.floor(start / plainBytes), chunkCount(size) - 1)
  const lastChunk = Math.min(Math.floor(Math.max(start, end - 1) / plainBytes), chunkCount(size) - 1)
  const blob = { start: chunkRange(size, firstChunk).start, end: chunkRange(size, lastChunk).end }
  return { firstChunk, chunks: lastChunk - firstChunk + 1, blob }
}

/** AEAD associated data of every chunk. */
export const aad: Uint8Array = new Uint8Array(0)
