/** Who may fetch which of our blobs. */
import * as Effect from "effect/Effect"
import type { AdmittedKey } from "../../../protocol/identity/KeyAdmission.ts"
import * as PrimaryKey from "../../../protocol/identity/PrimaryKey.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"

const { key } = Rows

/** The store, or a transaction. */
type Reader = Pick<Transaction, "get">

/** The share that this device serves a blob for. */
export const servedShare = Effect.fnUntraced(function* (from: Reader, hash: string) {
  const share = yield* from.get(key.shareOf(hash), Rows.ShareOf)
  const row = share === undefined ? undefined : yield* from.get(key.share(share.id), Rows.Share)
  return row?.here === true && row.removed === undefined ? row : undefined
})

/**
 * Whether a peer may fetch a blob: it is that of a share, and public or offered to them while they are an accepted
 * contact. Our own key (`own`, a primary) may not: two devices of one account cannot be told apart on the network.
 */
export const mayFetch = Effect.fnUntraced(function* (from: Reader, own: string, peer: AdmittedKey, hash: string) {
  if (own === PrimaryKey.format(peer)) return false
  const row = yield* servedShare(from, hash)
  if (row === undefined) return false
  if (row.listed === "public") return true
  if (!row.readers.some(({ hex }) => hex === peer.hex)) return false
  const contact = yield* from.get(key.contact(peer.hex), Rows.Contact)
  return contact?.state === "accepted"
})
