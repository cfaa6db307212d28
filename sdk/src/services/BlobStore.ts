/**
 * Encrypted blobs on a device, complete or still arriving (spec: files), named by their BLAKE3 hash in hex. Only
 * complete ones are served or read; partial ones are checked when opened again, so half-written bytes never count.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Blake3 from "../protocol/files/Blake3.ts"
import type { Tree } from "../protocol/files/Blake3Tree.ts"
import type { Verified } from "../protocol/files/BlobAnswer.ts"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import type { ChunkRanges } from "../protocol/files/ChunkRanges.ts"
import { LocalCause } from "./LocalCause.ts"

/** The store cannot be read or written. `missing`: no complete blob has this hash; `busy`: another writer has it. */
export class BlobStoreError extends Schema.TaggedError<BlobStoreError>()("BlobStoreError", {
  reason: Schema.Literals(["missing", "busy", "full", "read_only", "damaged", "io"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `blob store: ${this.detail}`
  }
}

/** Whether a text is a blob's name: 64 lower-case hexadecimal digits. */
export const isBlobHash = (hash: string): boolean => Bytes.isHex(hash, Blake3.hashBytes)

/** How long an unused partial blob is kept, in milliseconds: 30 days. */
export const partialKeptMillis = 30 * 24 * 60 * 60 * 1000

/** A complete blob, open for reading until its scope closes, even if it is removed in the meantime. */
export interface StoredBlob {
  readonly tree: Tree
  /** `length` bytes from `offset` on, owned by the caller. `damaged` if there are fewer. */
  read(offset: number, length: number): Effect.Effect<Uint8Array, BlobStoreError>
}

/** A partial blob, open exclusively for this writer until its scope closes. Written bytes are kept beyond that. */
export interface PartialBlob {
  /** The chunks present now, in whole groups, checked against the hash. */
  readonly have: ChunkRanges
  /**
   * Stores items that a decoder has verified for the requested `ranges`, in order. Reads the bytes before it returns. A
   * crash may lose the latest items, but never makes wrong bytes count.
   */
  write(items: ReadonlyArray<Verified>): Effect.Effect<void, BlobStoreError>
  /** Makes the blob complete, durably. `damaged` unless every chunk is present. */
  readonly complete: Effect.Effect<void, BlobStoreError>
}

/** The store's record of a blob. */
export interface BlobInfo {
  /** 64 hexadecimal digits. */
  readonly hash: string
  /** Bytes of the whole blob. */
  readonly size: number
  readonly complete: boolean
  /** Bytes used on this device, tree included. */
  readonly storedBytes: number
  /** When it was last written or resumed, milliseconds since the epoch. */
  readonly writtenAt: number
}

export class BlobStore extends Context.Service<
  BlobStore,
  {
    /**
     * Stores a new blob: `produce` writes it in order and returns its tree, with any other result. Durable when this
     * returns; if `produce` fails or is interrupted, nothing is left. `write` reads its bytes before it returns.
     */
    put<A extends { readonly tree: Tree }, E, R>(
      produce: (write: (bytes: Uint8Array) => Effect.Effect<void, BlobStoreError>) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | BlobStoreError, R>
    /** Opens a complete blob; `missing` if there is none. */
    open(hash: string): Effect.Effect<StoredBlob, BlobStoreError, Scope.Scope>
    /**
     * Opens a partial blob of `size` bytes, or starts one; partial content of another size is discarded. `busy` while
     * it is open elsewhere. For a complete blob, all chunks are present and nothing needs to be done.
     */
    resume(hash: string, size: number): Effect.Effect<PartialBlob, BlobStoreError, Scope.Scope>
    /** The record of a blob; undefined if there is none. */
    info(hash: string): Effect.Effect<BlobInfo | undefined, BlobStoreError>
    readonly list: Effect.Effect<ReadonlyArray<BlobInfo>, BlobStoreError>
    /** Removes a blob, complete or partial; does nothing if there is none. `busy` while it is being written. */
    remove(hash: string): Effect.Effect<void, BlobStoreError>
  }
>()("@kez-chat/sdk/BlobStore") {}
