/**
 * A client's durable state: an ordered map from text keys to bytes, with atomic commits. The account's owner process
 * writes, others may read. What is written together is up to the client.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LocalCause } from "./LocalCause.ts"

/** The store cannot be read or written (disk full, damaged, locked by another process). The commit had no effect. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  reason: Schema.Literals(["full", "damaged", "locked", "newer", "foreign", "io"]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `local store: ${this.detail}`
  }
}

/** A conditional write found another value. The commit had no effect. */
export class StoreConflict extends Schema.TaggedError<StoreConflict>()("StoreConflict", {
  key: Schema.String
}) {
  override get message(): string {
    return `local store: ${this.key} was changed by another writer`
  }
}

export interface Entry {
  /** Well-formed text (no lone surrogates). */
  readonly key: string
  readonly value: Uint8Array
}

export interface Range {
  /** Only keys with this prefix. */
  readonly prefix: string
  /** Only keys greater than this one (exclusive). */
  readonly after?: string
  /** Only keys smaller than this one (exclusive). */
  readonly before?: string
  /** Maximum number of entries. */
  readonly limit?: number
  /** In descending key order. */
  readonly reverse?: boolean
}

/** The smallest key after all with `prefix`, in UTF-8 order; undefined for none (an empty prefix, or only U+10FFFF). */
export const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.length > 0) {
    const last = points.pop()!
    // Surrogates are not characters: U+D7FF is followed by U+E000.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
  }
  return undefined
}

/** A write. `ifAbsent` fails the whole commit with `StoreConflict` if the key exists after the writes before it. */
export type Write =
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly ifAbsent?: boolean }
  | { readonly op: "delete"; readonly key: string }

export class LocalStore extends Context.Service<
  LocalStore,
  {
    get(key: string): Effect.Effect<Option.Option<Uint8Array>, StoreError>
    /** The entries of a range in key order (by UTF-8 bytes). */
    scan(range: Range): Effect.Effect<ReadonlyArray<Entry>, StoreError>
    /**
     * Applies all writes or none. Later writes of one key win. When it returns, all readers see them and they survive a
     * crash of the process; for power loss see `sync`.
     */
    commit(writes: ReadonlyArray<Write>): Effect.Effect<void, StoreError | StoreConflict>
    /**
     * Returns when every earlier commit is on disk. A power loss before may undo the latest ones, each as a whole and none
     * without those after it.
     */
    readonly sync: Effect.Effect<void, StoreError>
  }
>()("@kez-chat/sdk/LocalStore") {}
