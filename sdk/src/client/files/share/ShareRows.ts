/** Share rows: as callers see them, read from the store, and made from manifest entries. */
import * as Effect from "effect/Effect"
import { Bytes, ChunkRanges, FileCipher, Hash, PrimaryKey } from "../../../protocol/index.ts"
import type { Readable } from "../../../crypto/SealedManifest.ts"
import type { SharedFile } from "../../../protocol/files/Manifest.ts"
import type { StoreError } from "../../../services/LocalStore.ts"
import type { Share, ShareReader } from "../../model/index.ts"
import { scanRows, type Transaction } from "../../internal/Ledger.ts"
import * as Rows from "../../internal/rows/index.ts"

/** The store, or a transaction. */
type Source = Pick<Transaction, "get">

const toReader = (from: Source, row: Rows.ShareRow, reader: Rows.ShareRow["readers"][number]) =>
  Effect.map(from.get(Rows.key.contact(reader.hex), Rows.Contact), (contact): ShareReader => {
    const primary = PrimaryKey.ofHex(reader.hex)
    return {
      primary,
      handle: contact?.handle ?? primary,
      sentBytes: ChunkRanges.bytesIn({ boundaries: reader.sent }, row.blobBytes),
      ...(reader.fetchedAt === undefined ? {} : { fetchedAt: reader.fetchedAt })
    }
  })

/** The share's state in the manifest. A removed one is `pending` until a manifest without it is published. */
const manifestOf = (row: Rows.ShareRow): Share["manifest"] => {
  if (row.listed === "unlisted") return "none"
  return row.anchored && row.removed === undefined ? "published" : "pending"
}

export const toShare = (from: Source, row: Rows.ShareRow): Effect.Effect<Share, StoreError> =>
  Effect.map(
    Effect.all([
      Effect.forEach(row.readers, (reader) => toReader(from, row, reader)),
      row.listed === "unlisted" ? Effect.succeed(undefined) : from.get(Rows.key.manifest, Rows.Manifest)
    ]),
    ([readers, manifest]) => ({
      id: row.id,
      name: row.name,
      ...(row.folder === undefined ? {} : { folder: row.folder }),
      mediaType: row.mediaType,
      size: row.size,
      blobHash: Hash.format("blake3", row.hash),
      sharedAt: row.sharedAt,
      listed: row.listed,
      manifest: manifestOf(row),
      ...(manifest?.problem === undefined ? {} : { problem: manifest.problem }),
      here: row.here,
      readers
    })
  )

/** Every share, including removed ones that the published manifest still lists. */
export const rowsOf = (from: Pick<Transaction, "scan">): Effect.Effect<ReadonlyArray<Rows.ShareRow>, StoreError> =>
  Effect.map(scanRows(from, { prefix: Rows.prefix.shares }, Rows.Share), (rows) => rows.map(({ row }) => row))

/** The part of a row that describes the file. */
export const fileOf = (file: SharedFile) => ({
  hash: file.blobHash.slice("blake3:".length),
  blobBytes: FileCipher.blobLength(file.size),
  name: file.name,
  ...(file.folder === undefined ? {} : { folder: file.folder }),
  mediaType: file.mediaType,
  size: file.size,
  sharedAt: file.sharedAt,
  ...(file.thumbnail === undefined ? {} : { thumbnail: Bytes.toBase64Url(file.thumbnail) })
})

/** The row of a share that another device made; a sealed entry does not reveal its readers. */
export const rowOfOtherDevice = ({ file, id, isPublic }: Readable): Rows.ShareRow => ({
  id,
  ...fileOf(file),
  listed: isPublic ? "public" : "readers",
  readers: [],
  here: false,
  anchored: true
})
