/**
 * Joins the entries here with those of a manifest that another device of this account published. Theirs stand; ours that
 * they have not seen are kept; what they had seen and left out was taken back there, and what was taken back here stays so.
 *
 * A manifest that does not follow from the one here says nothing by what it lacks: its entries are added, none goes.
 */
import * as Effect from "effect/Effect"
import type { Readable } from "../../../crypto/SealedManifest.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import type { Event } from "../../model/index.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { elsewhere, rowsOf, toShare } from "./ShareRows.ts"

const { key, prefix } = Rows

/** What came of it. */
export interface Joined {
  /** The entries are not those of the manifest any more: another one is due. */
  readonly differs: boolean
  /** Shares that are no more; their blobs may go. */
  readonly gone: ReadonlyArray<Rows.ShareRow>
}

/** Stages it; `files` are the entries that this account can read, by id; `follows`: it was made of what is here. */
export const join = Effect.fnUntraced(function* (
  transaction: Transaction,
  manifest: Manifest.Manifest,
  files: ReadonlyMap<string, Readable>,
  follows: boolean,
  publish: (event: Event) => void
): Effect.fn.Return<Joined, StoreError> {
  const gone: Array<Rows.ShareRow> = []
  let differs = false
  const theirs = new Map(manifest.entries.map((entry) => [entry.id, entry]))

  const forget = (row: Rows.ShareRow) =>
    Effect.map(toShare(transaction, row), (share) => {
      transaction.delete(key.share(row.id))
      transaction.onCommit(() => publish({ _tag: "Unshared", share: { ...share, manifest: "none" } }))
    })

  for (const [id, entry] of theirs) {
    const row = yield* transaction.get(key.share(id), Rows.Share)
    if (row?.removed === true) {
      differs = true
      continue
    }
    transaction.putBytes(key.entry(id), Manifest.encodeEntry(entry))
    if (row?.anchored === true) continue
    const file = files.get(id)
    const now = row === undefined ? file && elsewhere(file) : { ...row, anchored: true }
    if (now === undefined) continue
    transaction.put(key.share(id), Rows.Share, now)
    const share = yield* toShare(transaction, now)
    transaction.onCommit(() => publish({ _tag: "Shared", share }))
  }
  for (const { key: entryKey } of yield* transaction.scan({ prefix: prefix.entries })) {
    const id = entryKey.slice(prefix.entries.length)
    if (theirs.has(id)) continue
    const row = yield* transaction.get(key.share(id), Rows.Share)
    if (!follows || (row !== undefined && !row.anchored)) {
      differs = true
      continue
    }
    transaction.delete(entryKey)
    if (row === undefined) continue
    gone.push(row)
    transaction.delete(key.shareOf(row.hash))
    yield* forget(row)
  }
  for (const row of yield* rowsOf(transaction)) {
    if (row.removed === true && !theirs.has(row.id)) yield* forget(row)
  }
  return { differs, gone }
})
