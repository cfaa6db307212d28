/**
 * Encrypts files to blobs and decrypts them (kez-file/1, spec: files), one chunk at a time. Memory: one 64 KiB chunk,
 * and while hashing 32 bytes for each 16 KiB of blob.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { SubtreeHash } from "../protocol/files/Blake3.ts"
import * as Blake3Tree from "../protocol/files/Blake3Tree.ts"
import * as FileCipher from "../protocol/files/FileCipher.ts"
import * as Limits from "../protocol/Limits.ts"
import { Pieces } from "../protocol/encoding/Pieces.ts"
import { Problem } from "../protocol/Problem.ts"
import { Crypto } from "../services/Crypto.ts"

/** The 32-byte key of one file; it decrypts the file's blob. */
export type ContentKey = Redacted.Redacted<Uint8Array>

/** A new content key. Use it for one file only: sealing other bytes under it would reveal both. */
export const makeKey: Effect.Effect<ContentKey, never, Crypto> = Crypto.use((crypto) =>
  Effect.map(crypto.randomBytes(Limits.keyBytes), (bytes) => Redacted.make(bytes, { label: "content key" }))
)

/** The result of encrypting a file. */
export interface EncryptedFile {
  /** Size of the file in bytes. */
  readonly size: number
  readonly tree: Blake3Tree.Tree
}

/**
 * Encrypts and hashes a file in one pass. `write` receives the blob in order, in chunks of at most 65,552 bytes. The
 * next chunk reuses the buffer once `write` is done, so copy bytes that must be kept.
 */
export const encrypt = Effect.fnUntraced(function* <E, R, E2, R2>(
  key: ContentKey,
  file: Stream.Stream<Uint8Array, E, R>,
  hasher: SubtreeHash,
  write: (blob: Uint8Array) => Effect.Effect<void, E2, R2>
): Effect.fn.Return<EncryptedFile, E | E2, R | R2 | Crypto> {
  const crypto = yield* Crypto
  const secret = Redacted.value(key)
  const tree = Blake3Tree.builder(hasher)
  const pieces = new Pieces(FileCipher.plainBytes)
  const chunk = new Uint8Array(FileCipher.sealedBytes)
  let size = 0
  let index = 0
  const seal = Effect.fnUntraced(function* (piece: Uint8Array, isLast: boolean) {
    const nonce = FileCipher.nonce(index++, isLast)
    const sealed = chunk.subarray(0, piece.length + Limits.tagBytes)
    yield* crypto.aeadSealInto({ key: secret, nonce, aad: FileCipher.aad }, piece, sealed)
    tree.push(sealed)
    yield* write(sealed)
  })
  yield* Stream.runForEach(
    file,
    Effect.fnUntraced(function* (bytes) {
      size += bytes.length
      for (const piece of pieces.push(bytes)) yield* seal(piece, false)
    })
  )
  yield* seal(pieces.rest(), true)
  return { size, tree: tree.finish() }
})

/** The part of a file to decrypt: whole chunks, from `firstChunk` on. See `FileCipher.locate`. */
export interface Part {
  readonly firstChunk: number
  readonly chunks: number
}

/**
 * Decrypts the blob of a file of `size` bytes, or the chunks of `part`, from exactly their bytes in any pieces. Fails
 * with `file_undecryptable` at the first wrong, missing or surplus bytes; bytes emitted before are authentic.
 */
export const decrypt = <E, R>(
  key: ContentKey,
  size: number,
  blob: Stream.Stream<Uint8Array, E, R>,
  part: Part = { firstChunk: 0, chunks: FileCipher.chunkCount(size) }
): Stream.Stream<Uint8Array, E | Problem, R | Crypto> =>
  Stream.unwrap(
    Crypto.useSync((crypto) => {
      const secret = Redacted.value(key)
      const last = FileCipher.chunkCount(size) - 1
      const end = part.firstChunk + part.chunks
      const pieces = new Pieces(FileCipher.sealedBytes)
      let index = part.firstChunk
      const open = (piece: Uint8Array): Effect.Effect<Uint8Array, Problem> => {
        const chunk = index++
        const range = FileCipher.chunkRange(size, chunk)
        if (chunk >= end || piece.length !== range.end - range.start) {
          return Effect.fail(undecryptable(`chunk ${chunk} has ${piece.length} bytes`))
        }
        const nonce = FileCipher.nonce(chunk, chunk === last)
        return Effect.mapError(crypto.aeadOpen({ key: secret, nonce, aad: FileCipher.aad }, piece), () =>
          undecryptable(`chunk ${chunk} does not open with this key`)
        )
      }
      const rest = Effect.suspend(() =>
        index + 1 === end ? open(pieces.rest()) : Effect.fail(undecryptable(`it ends in chunk ${index}`))
      )
      const opened = Stream.mapEffect(
        blob,
        Effect.fnUntraced(function* (bytes) {
          const plain: Array<Uint8Array> = []
          for (const piece of pieces.push(bytes)) plain.push(yield* open(piece))
          return plain
        })
      )
      return Stream.concat(Stream.flattenIterable(opened), Stream.fromEffect(rest))
    })
  )

const undecryptable = (detail: string) => new Problem({ code: "file_undecryptable", detail })
