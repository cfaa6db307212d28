/**
 * How far the own manifest is published, as a state machine over its row: which step is due, and the row after each
 * step.
 *
 * Entries change (`changed`), a body of them is signed (`signed`), stored at the home (`stored`), and at times named by
 * the sigchain (`anchorSeen`). What other devices publish is adopted (`adopted`), or makes a new body due (`outdated`).
 */
import * as Effect from "effect/Effect"
import type { SharedFiles } from "../../../protocol/sigchain/Sigchain.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import * as Anchoring from "./Anchoring.ts"

type Row = Rows.ManifestRow
type Body = NonNullable<Row["body"]>

/** How long a manifest that the home withholds is waited for, in milliseconds (spec KEZ-MAN-034). */
const withheldMillis = 7 * 24 * 60 * 60 * 1_000

const initial: Row = { revision: 0, changes: 0, included: 0 }

/** Reads the row; before anything was shared, the initial one. */
export const read = (from: Pick<Transaction, "get">): Effect.Effect<Row, StoreError> =>
  Effect.map(from.get(Rows.key.manifest, Rows.Manifest), (row) => row ?? initial)

/** Stages the row that a step leads to. */
export const update = (transaction: Transaction, step: (row: Row) => Row): Effect.Effect<void, StoreError> =>
  Effect.map(read(transaction), (row) => transaction.put(Rows.key.manifest, Rows.Manifest, step(row)))

const without = <K extends keyof Row>(row: Row, name: K): Omit<Row, K> => {
  const { [name]: _, ...rest } = row
  return rest
}

const hasChanged = (row: Row): boolean => row.changes !== row.included

/** The hash of a signed body that the home has not accepted yet. */
export const unstored = ({ body }: Row): string | undefined => (body?.state === "signed" ? body.manifest : undefined)

/** Whether entries wait to be signed. A body that is signed already is stored first. */
export const isUnsigned = (row: Row): boolean => unstored(row) === undefined && hasChanged(row)

/** Whether something is to be published. */
export const isDue = (row: Row): boolean => unstored(row) !== undefined || hasChanged(row)

/** Whether the home's body is the one that was published last from here. */
export const isAtHome = ({ base, body }: Row): boolean => body !== undefined && body.manifest === base

const baseRevision = (row: Row): number => row.baseRevision ?? row.revision

/** Whether a revision is lower than that of the manifest that was published or adopted last. */
export const isOlder = (row: Row, revision: number): boolean => row.base !== undefined && revision < baseRevision(row)

/** Whether a revision is higher than that one, or there is none. */
export const isNewer = (row: Row, revision: number): boolean => row.base === undefined || revision > baseRevision(row)

/** Entries changed; `withdraws`: a published one was removed. */
export const changed = (row: Row, withdraws: boolean): Row => {
  const changes = row.changes + 1
  return { ...row, changes, ...(withdraws ? { withdrawn: changes } : {}) }
}

/** The body does not suit the chain or the home any more: another one of the same entries is due. */
export const outdated = (row: Row): Row => ({ ...row, changes: row.changes + 1 })

/** Another manifest took the revision of our body. */
export const superseded = (row: Row): Row => outdated(without(row, "body"))

/** Entries as of `changes` were signed. From here on the revision belongs to these bytes. */
export const signed = (row: Row, body: Omit<Body, "state">, revision: number, changes: number): Row => ({
  ...row,
  revision,
  included: changes,
  body: { ...body, state: "signed" }
})

/** The home accepted the body `hash`, unless another body has taken its place since. */
export const stored = (row: Row, hash: string, revision: number): Row =>
  row.body?.manifest === hash
    ? { ...row, base: hash, baseRevision: revision, body: { ...row.body, state: "stored" } }
    : row

/** The home has lost the body that it had accepted. */
export const lost = (row: Row): Row =>
  row.body === undefined ? row : { ...row, body: { ...row.body, state: "signed" } }

/** A manifest of another device took the place of the body; `differs`: its entries are not those here. */
export const adopted = (
  row: Row,
  body: Omit<Body, "state"> & { readonly revision: number },
  { differs, isAnchor }: { readonly differs: boolean; readonly isAnchor: boolean }
): Row => ({
  ...row,
  revision: Math.max(row.revision, body.revision),
  changes: row.changes + (differs ? 1 : 0),
  included: differs ? row.included : row.changes,
  ...(isAnchor && !differs ? { settled: row.changes } : {}),
  base: body.manifest,
  baseRevision: body.revision,
  body: { ...body, state: isAnchor ? "anchored" : "stored" }
})

/** The chain names `anchor`. A body that follows another anchor is signed anew: readers would not accept it. */
export const anchorSeen = (row: Row, anchor: string | undefined): Row => {
  const found = without(row, "withheld")
  const noted: Row = anchor === undefined ? without(found, "anchor") : { ...found, anchor }
  const { body } = row
  if (body === undefined) return noted
  if (body.manifest === anchor) {
    return body.state === "signed" ? noted : { ...noted, body: { ...body, state: "anchored" }, settled: row.included }
  }
  const isStale = body.state !== "signed" && body.anchored !== anchor && !hasChanged(row)
  return isStale ? outdated(noted) : noted
}

/** The anchor that the chain should name next, as far as the row and the anchors so far allow one. */
export const nextAnchor = (
  { body, settled = 0, withdrawn = 0 }: Row,
  anchor: string | undefined,
  anchors: ReadonlyArray<Anchoring.Anchor>,
  now: number
): SharedFiles | undefined => {
  if (body?.state !== "stored" || anchor === body.manifest || anchor !== body.anchored) return undefined
  if (!Anchoring.isAllowed(anchors, now, withdrawn > settled)) return undefined
  const { manifest, revision, size } = body
  return { manifest, size, ...(revision === undefined ? {} : { revision }) }
}

/**
 * The home does not serve the manifest that the chain names, as of `now`. It is waited for until `until`; without
 * `until` the wait is over, and a new list begins above every revision that an honest device can have used.
 */
export const withheld = (
  row: Row,
  anchor: SharedFiles,
  now: number
): { readonly row: Row; readonly until?: number } => {
  const since = row.withheld?.manifest === anchor.manifest ? row.withheld.since : now
  const until = since + withheldMillis
  if (now < until || !isDue(row)) return { row: { ...row, withheld: { manifest: anchor.manifest, since } }, until }
  const revision = Math.max(row.revision, anchor.revision ?? 0, Math.floor(now / 1_000))
  return { row: { ...superseded(row), revision, base: anchor.manifest, baseRevision: revision } }
}

/** Publishing failed in a way that retrying does not solve, or does so no longer. */
export const explained = (row: Row, problem: Row["problem"]): Row =>
  problem === undefined ? without(row, "problem") : { ...row, problem }
