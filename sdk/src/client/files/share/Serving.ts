/**
 * Serving: the blobs that other devices get from this one, if `FetchPermission` lets them, and how much of each reached
 * whom. `fetch/Device` connects this provider to the network while `KezChat.serve` runs.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ChunkRanges from "../../../protocol/files/ChunkRanges.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import { BlobStore, BlobStoreError, type Provider, type StoredBlob } from "../../../services/index.ts"
import { Trust } from "../../contacts/index.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { Events } from "../../internal/Events.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { mayFetch, servedShare } from "./FetchPermission.ts"
import { toShare } from "./ShareRows.ts"

const { key } = Rows

/** How often the permission is checked again in the middle of an answer; milliseconds. */
const recheckMillis = 1_000

/** Minimum interval between two records of a blob's progress to the same peer; milliseconds. */
const recordMillis = 1_000

/** The number of ranges that are kept of what reached one reader. Fetching in order makes a few of them. */
const rangesMax = 256

/** The longest ranges of a set: a reader that asks for every second chunk must not fill this disk. */
const bounded = (chunks: ChunkRanges.ChunkRanges): ChunkRanges.ChunkRanges => {
  const { boundaries } = chunks
  if (boundaries.length <= 2 * rangesMax) return chunks
  const ranges: Array<readonly [start: number, end: number]> = []
  for (let i = 0; i < boundaries.length; i += 2) ranges.push([boundaries[i]!, boundaries[i + 1] ?? Infinity])
  const longest = ranges.sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, rangesMax)
  return { boundaries: longest.sort((a, b) => a[0] - b[0]).flat() }
}

/** A blob that can be read while `allowed` holds: permission may end in the middle of a large answer. */
const whileAllowed = <E>(blob: StoredBlob, allowed: Effect.Effect<boolean, E>, openedAt: number): StoredBlob => {
  let checkedAt = openedAt
  return {
    tree: blob.tree,
    read: Effect.fnUntraced(function* (offset, length) {
      const now = yield* Clock.currentTimeMillis
      if (Math.abs(now - checkedAt) >= recheckMillis) {
        checkedAt = now
        if (!(yield* Effect.orElseSucceed(allowed, () => false))) {
          return yield* new BlobStoreError({ reason: "missing", detail: "it is not shared any more" })
        }
      }
      return yield* blob.read(offset, length)
    })
  }
}

/** `sent` records progress about once a second and at the end of an answer, each time with a `Served` event. */
export class Serving extends Context.Service<Serving, Provider>()("@kez-chat/sdk/Serving") {}

interface Progress {
  unsaved: ChunkRanges.ChunkRanges
  recordedAt: number
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const account = yield* CurrentAccount
  const blobs = yield* BlobStore
  const progress = new Map<string, Progress>()

  const allowed = Effect.fnUntraced(function* (peer: AdmittedKey, hash: string) {
    const { primary } = yield* account.get
    return yield* mayFetch(ledger, primary, peer, hash)
  })

  const record = Effect.fnUntraced(function* (
    transaction: Transaction,
    peer: AdmittedKey,
    hash: string,
    chunks: ChunkRanges.ChunkRanges,
    now: number
  ) {
    const row = yield* servedShare(transaction, hash)
    const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
    if (row === undefined || contact === undefined) return
    // A contact who fetches a public file without an offer becomes one of its readers.
    const reader = row.readers.find(({ hex }) => hex === peer.hex) ?? { hex: peer.hex, sent: [] }
    const sent = bounded(ChunkRanges.union({ boundaries: reader.sent }, chunks))
    const isWhole = ChunkRanges.covers(sent, 0, ChunkRanges.chunkCount(row.blobBytes))
    const changed = {
      ...reader,
      sent: sent.boundaries,
      ...(isWhole && reader.fetchedAt === undefined ? { fetchedAt: now } : {})
    }
    const readers = row.readers.some(({ hex }) => hex === peer.hex)
      ? row.readers.map((other) => (other.hex === peer.hex ? changed : other))
      : [...row.readers, changed]
    const after: Rows.ShareRow = { ...row, readers }
    transaction.put(key.share(row.id), Rows.Share, after)
    const share = yield* toShare(transaction, after)
    transaction.onCommit(() =>
      events.publish({
        _tag: "Served",
        share,
        contact: Trust.toContact(contact),
        sentBytes: ChunkRanges.bytesIn(sent, row.blobBytes),
        totalBytes: row.blobBytes
      })
    )
  })

  const open = Effect.fnUntraced(function* (peer: AdmittedKey, hash: string) {
    if (!(yield* allowed(peer, hash))) return undefined
    return whileAllowed(yield* blobs.open(hash), allowed(peer, hash), yield* Clock.currentTimeMillis)
  })

  return Serving.of({
    // A blob that is not allowed, not here or not readable looks the same to the peer.
    open: (peer, hash) => Effect.orElseSucceed(open(peer, hash), () => undefined),
    sent: Effect.fnUntraced(function* ({ chunks, ended, hash, peer }) {
      const name = `${hash}/${peer.hex}`
      const now = yield* Clock.currentTimeMillis
      const before = progress.get(name) ?? { unsaved: ChunkRanges.empty, recordedAt: 0 }
      const unsaved = ChunkRanges.union(before.unsaved, chunks)
      if (!ended && now - before.recordedAt < recordMillis) {
        progress.set(name, { ...before, unsaved })
        return
      }
      if (ended) progress.delete(name)
      else progress.set(name, { unsaved: ChunkRanges.empty, recordedAt: now })
      if (ChunkRanges.isEmpty(unsaved)) return
      // A loss of power may undo it, and then a little less is known of what reached them.
      yield* Effect.ignore(
        ledger.transact((transaction) => record(transaction, peer, hash, unsaved, now), { relaxed: true })
      )
    })
  })
})

export const layer = Layer.effect(Serving, make)
