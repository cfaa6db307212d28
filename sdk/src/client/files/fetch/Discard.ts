/** Removing what was fetched: at the user's request, and by itself where it was abandoned. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { BlobStore, partialKeptMillis } from "../../../services/BlobStore.ts"
import { Ledger } from "../../internal/Ledger.ts"
import { key, prefix } from "../../internal/rows/index.ts"
import type { Session } from "../../internal/Session.ts"
import { Sources } from "./Sources.ts"

/** See `KezChat.discard`. */
export const discard = Effect.fn("discard")(function* (session: Session, fileRef: string) {
  const sources = yield* Sources
  const ledger = yield* Ledger
  const blobs = yield* BlobStore
  const { hash, isOwn } = yield* sources.findHere(session, fileRef)
  if (isOwn) return
  // Somebody may offer us a file that we share ourselves: that blob stays.
  const isShared = (yield* ledger.getBytes(key.shareOf(hash))) !== undefined
  if (!isShared) yield* blobs.remove(hash)
  yield* ledger.transact((transaction) => Effect.sync(() => transaction.delete(key.download(hash))))
})

/** Removes partial blobs that were not written to for 30 days, and the rows of downloads without a blob. */
export const pruneDownloads = Effect.gen(function* () {
  const ledger = yield* Ledger
  const blobs = yield* BlobStore
  const now = yield* Clock.currentTimeMillis
  const here = new Set<string>()
  for (const { complete, hash, writtenAt } of yield* blobs.list) {
    if (complete || writtenAt > now - partialKeptMillis) here.add(hash)
    else yield* blobs.remove(hash)
  }
  const rows = yield* ledger.scan({ prefix: prefix.downloads })
  const stale = rows.filter((row) => !here.has(row.key.slice(prefix.downloads.length)))
  if (stale.length === 0) return
  yield* ledger.transact((transaction) =>
    Effect.sync(() => {
      for (const row of stale) transaction.delete(row.key)
    })
  )
})
