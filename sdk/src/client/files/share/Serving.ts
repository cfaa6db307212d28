/** Who may fetch which of our blobs, and how far they came. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as ChunkRanges from "../../../protocol/files/ChunkRanges.ts"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as PrimaryKey from "../../../protocol/identity/PrimaryKey.ts"
import type { Provider } from "../../../services/BlobTransport.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import { CurrentAccount } from "../../internal/CurrentAccount.ts"
import { Events } from "../../internal/Events.ts"
import type { KezChatError } from "../../model/index.ts"
import { Ledger, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"
import { toShare } from "./ShareRows.ts"
import { Trust } from "../../contacts/index.ts"

const { key } = Rows

/** Milliseconds between two notes of the same blob's progress to the same peer. */
const noteMillis = 1_000

/** Stretches of a blob that are remembered of what went to one reader: whoever fetches in order makes a few of them. */
const stretchesKept = 256

/** The longest stretches of a set: a reader may ask for every second chunk, and is not to fill this disk by it. */
const bounded = (chunks: ChunkRanges.ChunkRanges): ChunkRanges.ChunkRanges => {
  const { boundaries } = chunks
  if (boundaries.length <= 2 * stretchesKept) return chunks
  const stretches: Array<readonly [start: number, end: number]> = []
  for (let i = 0; i < boundaries.length; i += 2) stretches.push([boundaries[i]!, boundaries[i + 1] ?? Infinity])
  const longest = stretches.sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, stretchesKept)
  return { boundaries: longest.sort((a, b) => a[0] - b[0]).flat() }
}

export class Serving extends Context.Service<
  Serving,
  {
    /**
     * Whether a peer may have a blob: it is that of a share, and public or offered to them while they are an accepted
     * contact. Our own key may not: two devices of one account cannot be told apart on the net.
     */
    allowed(peer: AdmittedKey, hash: string): Effect.Effect<boolean, KezChatError>
    /** See `Provider.sent`: noted about once a second and at the end of an answer, with a `Served` event. */
    readonly sent: Provider["sent"]
  }
>()("@kez-chat/sdk/Serving") {}

interface Progress {
  unsaved: ChunkRanges.ChunkRanges
  notedAt: number
}

const make = Effect.gen(function* () {
  const ledger = yield* Ledger
  const events = yield* Events
  const account = yield* CurrentAccount
  const progress = new Map<string, Progress>()

  const shareOf = Effect.fnUntraced(function* (
    from: Pick<Transaction, "get">,
    hash: string
  ): Effect.fn.Return<Rows.ShareRow | undefined, StoreError> {
    const found = yield* from.get(key.shareOf(hash), Rows.ShareOf)
    const row = found === undefined ? undefined : yield* from.get(key.share(found.id), Rows.Share)
    return row?.here === true && row.removed === undefined ? row : undefined
  })

  const note = Effect.fnUntraced(function* (
    transaction: Transaction,
    peer: AdmittedKey,
    hash: string,
    chunks: ChunkRanges.ChunkRanges,
    now: number
  ) {
    const row = yield* shareOf(transaction, hash)
    const contact = yield* transaction.get(key.contact(peer.hex), Rows.Contact)
    if (row === undefined || contact === undefined) return
    // Who was not offered a public file becomes one of its readers by reading it.
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

  return Serving.of({
    allowed: Effect.fnUntraced(function* (peer, hash) {
      const mine = yield* account.get
      if (mine.primary === PrimaryKey.format(peer)) return false
      const row = yield* shareOf(ledger, hash)
      if (row === undefined) return false
      if (row.listed === "public") return true
      if (!row.readers.some(({ hex }) => hex === peer.hex)) return false
      const contact = yield* ledger.get(key.contact(peer.hex), Rows.Contact)
      return contact?.state === "accepted"
    }),
    sent: Effect.fnUntraced(function* ({ chunks, ended, hash, peer }) {
      const name = `${hash}/${peer.hex}`
      const now = yield* Clock.currentTimeMillis
      const before = progress.get(name) ?? { unsaved: ChunkRanges.empty, notedAt: 0 }
      const unsaved = ChunkRanges.union(before.unsaved, chunks)
      if (!ended && now - before.notedAt < noteMillis) {
        progress.set(name, { ...before, unsaved })
        return
      }
      if (ended) progress.delete(name)
      else progress.set(name, { unsaved: ChunkRanges.empty, notedAt: now })
      if (ChunkRanges.isEmpty(unsaved)) return
      // A loss of power may undo it: then a little less is known of what they have.
      yield* Effect.ignore(
        ledger.transact((transaction) => note(transaction, peer, hash, unsaved, now), { relaxed: true })
      )
    })
  })
})

export const layer: Layer.Layer<Serving, never, Ledger | Events | CurrentAccount> = Layer.effect(Serving, make)
