/**
 * Where a device keeps encrypted blobs: those it provides, and those that are still arriving (spec: files).
 *
 * A blob is named by its BLAKE3 hash in hex. It is complete or it is partial: only complete blobs are served or read, and
 * what a partial one holds is checked against the hash when it is opened again, so that nothing half-written is believed.
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

/**
 * The store cannot be read or written. `missing`: there is no complete blob of this hash; `busy`: somebody else is
 * writing this partial blob.
 */
export class BlobStoreError extends Schema.TaggedError<BlobStoreError>()("BlobStoreError", {
  reason: Schema.Literals(["missing", "busy", "full", "read_only", "damaged", "io"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `blob store: ${this.detail}`
  }
}

/** Whether a text is the name of a blob: 64 lower-case hexadecimal digits. */
export const isBlobHash = (hash: string): boolean => Bytes.isHex(hash, Blake3.hashBytes)

/** How long a partial blob that nobody touches is worth keeping, in milliseconds: 30 days. */
export const partialKeptMillis = 30 * 24 * 60 * 60 * 1000

/** A complete blob, open for reading until its scope closes; removal meanwhile does not disturb it. */
export interface StoredBlob {
  readonly tree: Tree
  /** `length` bytes from `offset` on, in memory of their own. `damaged` where there are fewer. */
  read(offset: number, length: number): Effect.Effect<Uint8Array, BlobStoreError>
}

/** A blob that is arriving, open for this writer alone until its scope closes. What was written is kept beyond that. */
export interface PartialBlob {
  /** Chunks that are here at this moment, whole groups each, checked against the hash. */
  readonly have: ChunkRanges
  /**
   * Keeps items that a decoder has verified for the requested `ranges`, in their order. The bytes are read before this
   * returns. A crash may lose the latest of them, never leave wrong ones that are believed.
   */
  write(items: ReadonlyArray<Verified>): Effect.Effect<void, BlobStoreError>
  /** Makes the blob a complete one, durably. `damaged` unless every chunk is here. */
  readonly complete: Effect.Effect<void, BlobStoreError>
}

/** What the store has of a blob. */
export interface BlobInfo {
  /** 64 hexadecimal digits. */
  readonly hash: string
  /** Bytes of the whole blob. */
  readonly size: number
  readonly complete: boolean
  /** Bytes it takes up here, its tree included. */
  readonly storedBytes: number
  /** When it was last written or resumed, milliseconds since the epoch. */
  readonly writtenAt: number
}

export class BlobStore extends Context.Service<
  BlobStore,
  {
    /**
     * Takes in a new blob: `produce` writes it from its first byte to its last and answers its tree with whatever else
     * it made. It is complete and durable when this returns; when `produce` fails or is interrupted nothing is left. The
     * bytes given to `write` are read before it returns.
     */
    put<A extends { readonly tree: Tree }, E, R>(
      produce: (write: (bytes: Uint8Array) => Effect.Effect<void, BlobStoreError>) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | BlobStoreError, R>
    /** Opens a complete blob; `missing` where there is none. */
    open(hash: string): Effect.Effect<StoredBlob, BlobStoreError, Scope.Scope>
    /**
     * Opens a partial blob of `size` bytes, beginning one where there is none; what is here under another size is given
     * up. `busy` while it is open elsewhere. Where the blob is complete, everything is here and nothing is to be done.
     */
    resume(hash: string, size: number): Effect.Effect<PartialBlob, BlobStoreError, Scope.Scope>
    /** What is here of a blob; undefined for nothing. */
    info(hash: string): Effect.Effect<BlobInfo | undefined, BlobStoreError>
    /** Everything that is here, by hash. */
    readonly list: Effect.Effect<ReadonlyArray<BlobInfo>, BlobStoreError>
    /** Removes a blob, complete or partial; nothing where there is none. `busy` while it is being written. */
    remove(hash: string): Effect.Effect<void, BlobStoreError>
  }
>()("@kez-chat/sdk/BlobStore") {}
