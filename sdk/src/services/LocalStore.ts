/**
 * Where a client keeps what it must not lose: an ordered map from text keys to bytes, with atomic commits.
 *
 * Three operations are enough for every store there is (memory, SQLite, IndexedDB), and all rules about what is
 * written together live once, in the client. The account's one owner process writes; others may read.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"

/** The store cannot be read or written (disk full, damaged, locked by another process). Nothing of the commit was kept. */
export class StoreError extends Data.TaggedError("StoreError")<{
  readonly reason: "full" | "damaged" | "locked" | "newer" | "io"
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `local store: ${this.detail}`
  }
}

/** A conditional write found another value than expected. Nothing of the commit was kept. */
export class StoreConflict extends Data.TaggedError("StoreConflict")<{ readonly key: string }> {
  override get message(): string {
    return `local store: ${this.key} was written by somebody else`
  }
}

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
}

export interface Range {
  /** Only keys that begin with this. */
  readonly prefix: string
  /** Only keys greater than this one (exclusive). */
  readonly after?: string
  /** Only keys smaller than this one (exclusive). */
  readonly before?: string
  /** At most so many entries. */
  readonly limit?: number
  /** From the largest key down. */
  readonly reverse?: boolean
}

/** One write. `ifAbsent` makes the whole commit fail with `StoreConflict` when the key exists. */
export type Write =
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly ifAbsent?: boolean }
  | { readonly op: "delete"; readonly key: string }

export class LocalStore extends Context.Service<LocalStore, {
  /** The value of a key. */
  get(key: string): Effect.Effect<Option.Option<Uint8Array>, StoreError>
  /** The entries of a range in key order (by UTF-8 bytes). */
  scan(range: Range): Effect.Effect<ReadonlyArray<Entry>, StoreError>
  /** Applies all writes or none; returns after they are on disk. Later writes of one key win. */
  commit(writes: ReadonlyArray<Write>): Effect.Effect<void, StoreError | StoreConflict>
}>()("@kez-chat/sdk/LocalStore") {}
