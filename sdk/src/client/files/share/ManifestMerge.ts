/**
 * Merges the entries here with those of a manifest that another device of this account published. Its entries stand.
 * Ours that it has not seen are kept; those it had seen and left out were unshared there, and what was unshared here
 * stays so.
 *
 * A manifest that does not follow from the one here proves nothing by what it lacks: its entries are added, none goes.
 */
import * as Effect from "effect/Effect"
import type { Readable } from "../../../crypto/SealedManifest.ts"
import * as Manifest from "../../../protocol/files/Manifest.ts"
import type { Event } from "../../model/index.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { rowOfOtherDevice, rowsOf, toShare } from "./ShareRows.ts"

const { key, prefix } = Rows

/**
 * Stages the merge. `files`: the entries that this account can read, by id; `follows`: the manifest was made from the
 * one that is known here. `differs` of the result: the entries now differ from those of the manifest, so that another
 * one is due; `removed`: shares that ended, whose blobs may be removed.
 */
export const merge = Effect.fnUntraced(function* (
  transaction: Transaction,
  manifest: Manifest.Manifest,
  files: ReadonlyMap<string, Readable>,
  follows: boolean,
  publish: (event: Event) => void
) {
  const removed: Array<Rows.ShareRow> = []
  let differs = false
  const theirs = new Map(manifest.entries.map((entry) => [entry.id, entry]))

  const forget = Effect.fnUntraced(function* (row: Rows.ShareRow) {
    const share = yield* toShare(transaction, row)
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
    const published = row === undefined ? file && rowOfOtherDevice(file) : { ...row, anchored: true }
    if (published === undefined) continue
    transaction.put(key.share(id), Rows.Share, published)
    const share = yield* toShare(transaction, published)
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
    removed.push(row)
    transaction.delete(key.shareOf(row.hash))
    yield* forget(row)
  }
  for (const row of yield* rowsOf(transaction)) {
    if (row.removed === true && !theirs.has(row.id)) yield* forget(row)
  }
  return { differs, removed }
})
