/** Messages that offer files: the file that they describe, and finding them by id or by blob. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Bytes, Hash } from "../../../protocol/index.ts"
import type { JsonObject } from "../../../protocol/encoding/Json.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import type { OfferedFile } from "../../model/index.ts"
import type { Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"

const { key } = Rows

/** The store, or a transaction. */
type Reader = Pick<Transaction, "get" | "scan">

/** A stored offer, with the content key as it was wrapped for either side. */
export interface Offer {
  /** Hex of the key that signed it. */
  readonly author: string
  /** Hex of the account it was exchanged with: the author, unless it is one of our own. */
  readonly peer: string
  readonly file: OfferedFile
  readonly wrappedKey: Uint8Array
  readonly selfWrappedKey: Uint8Array
}

const bytesOf = (body: JsonObject, member: string): Uint8Array | undefined => {
  const text = body[member]
  const bytes = typeof text === "string" ? Bytes.fromBase64Url(text) : undefined
  return bytes !== undefined && Result.isSuccess(bytes) ? bytes.success : undefined
}

/** The file that a stored body offers; undefined for other types. Its form was checked on receipt. */
export const fileOf = (body: JsonObject): OfferedFile | undefined => {
  const { blob_hash: blobHash, filename: name, media_type: mediaType, size, type } = body
  if (type !== "file_share" || typeof blobHash !== "string" || typeof name !== "string") return undefined
  if (typeof mediaType !== "string" || typeof size !== "number") return undefined
  const thumbnail = bytesOf(body, "thumbnail")
  return { name, mediaType, size, blobHash, ...(thumbnail === undefined ? {} : { thumbnail }) }
}

/** Indexes a message that offers a file by its blob; ignores other messages. */
export const note = (transaction: Transaction, author: string, peer: string, order: number, body: JsonObject): void => {
  const file = fileOf(body)
  if (file === undefined) return
  transaction.put(key.offerOf(Hash.hexOf(file.blobHash), author), Rows.OfferOf, { peer, order })
}

const at = (ledger: Reader, author: string, peer: string, order: number) =>
  Effect.map(ledger.get(key.message(peer, order), Rows.MessageRow), (row): Offer | undefined => {
    const file = row === undefined ? undefined : fileOf(row.body)
    const wrappedKey = row === undefined ? undefined : bytesOf(row.body, "wrapped_content_key")
    const selfWrappedKey = row === undefined ? undefined : bytesOf(row.body, "self_wrapped_content_key")
    if (file === undefined || wrappedKey === undefined || selfWrappedKey === undefined) return undefined
    return { author, peer, file, wrappedKey, selfWrappedKey }
  })

/** The newest offer of a blob by an account. */
export const ofBlob = (ledger: Reader, hash: string, author: string): Effect.Effect<Offer | undefined, StoreError> =>
  Effect.flatMap(ledger.get(key.offerOf(hash, author), Rows.OfferOf), (row) =>
    row === undefined ? Effect.undefined : at(ledger, author, row.peer, row.order)
  )

/** The offer with this message id by an account. */
export const byAuthor = (ledger: Reader, id: string, author: string): Effect.Effect<Offer | undefined, StoreError> =>
  Effect.flatMap(ledger.get(key.seenBy(author, id), Rows.Seen), (seen) =>
    seen?.peer === undefined || seen.order === undefined ? Effect.undefined : at(ledger, author, seen.peer, seen.order)
  )

/** Every offer with this message id; `own` is the hex of our key. Senders choose ids, so there may be several. */
export const byId = Effect.fnUntraced(function* (ledger: Reader, id: string, own: string) {
  const offers: Array<Offer> = []
  const conversations = yield* ledger.scan({ prefix: Rows.prefix.conversations })
  const authors = new Set([own, ...conversations.map((row) => row.key.slice(Rows.prefix.conversations.length))])
  for (const author of authors) {
    const offer = yield* byAuthor(ledger, id, author)
    if (offer !== undefined) offers.push(offer)
  }
  return offers
})
