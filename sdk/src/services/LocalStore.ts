/**
 * Where a client keeps what it must not lose: an ordered map from text keys to bytes, with atomic commits.
 *
 * Three operations are enough for every store there is (memory, SQLite, IndexedDB), and all rules about what is
 * written together live once, in the client. The account's one owner process writes; others may read.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LocalCause } from "./LocalCause.ts"

/** The store cannot be read or written (disk full, damaged, locked by another process). Nothing of the commit was kept. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  reason: Schema.Literals(["full", "damaged", "locked", "newer", "foreign", "io"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `local store: ${this.detail}`
  }
}

/** A conditional write found another value than expected. Nothing of the commit was kept. */
export class StoreConflict extends Schema.TaggedError<StoreConflict>()("StoreConflict", {
  key: Schema.String
}) {
  override get message(): string {
    return `local store: ${this.key} was written by somebody else`
  }
}

export interface Entry {
  /** Well-formed text (no lone surrogates). */
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

/**
 * The smallest key that is greater than every key beginning with `prefix`, in UTF-8 order; undefined where there is
 * none (an empty prefix, or nothing but U+10FFFF). For adapters that turn a prefix into a range.
 */
export const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.length > 0) {
    const last = points.pop()!
    // The surrogates are no characters: U+D7FF is followed by U+E000.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}

/**
 * One write. `ifAbsent` makes the whole commit fail with `StoreConflict` when the key exists at that point of the
 * list, that is after the writes before it.
 */
export type Write =
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly ifAbsent?: boolean }
  | { readonly op: "delete"; readonly key: string }

export class LocalStore extends Context.Service<
  LocalStore,
  {
    /** The value of a key. */
    get(key: string): Effect.Effect<Option.Option<Uint8Array>, StoreError>
    /** The entries of a range in key order (by UTF-8 bytes). */
    scan(range: Range): Effect.Effect<ReadonlyArray<Entry>, StoreError>
    /**
     * Applies all writes or none. Later writes of one key win. When it returns, everybody sees them and they survive the
     * loss of the process; see `sync` for the loss of power.
     */
    commit(writes: ReadonlyArray<Write>): Effect.Effect<void, StoreError | StoreConflict>
    /**
     * Returns when everything committed before this call is on disk. Until then a loss of power may undo the latest
     * commits, each as a whole.
     */
    readonly sync: Effect.Effect<void, StoreError>
  }
>()("@kez-chat/sdk/LocalStore") {}
