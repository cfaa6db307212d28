/** Files that this account shares. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "../Row.ts"

export const Share = row(
  Schema.Struct({
    id: Schema.String,
    /** 64 hexadecimal digits. */
    hash: Schema.String,
    blobBytes: Count,
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    size: Count,
    sharedAt: Schema.Number,
    listed: Schema.Literals(["readers", "public", "unlisted"]),
    /** `sent`: boundaries of the chunk ranges that were handed to the network for this reader. */
    readers: Schema.Array(
      Schema.Struct({
        hex: Schema.String,
        sent: Schema.Array(Count),
        fetchedAt: Schema.optionalKey(Schema.Number)
      })
    ),
    /** Whether this device made it; if not, another one did, or this one before a restore. */
    here: Schema.Boolean,
    /** The content key wrapped for this account, base64url; present if this device made the share. */
    selfKey: Schema.optionalKey(Schema.String),
    /** base64url. */
    thumbnail: Schema.optionalKey(Schema.String),
    /** Whether a manifest with its entry was ever published. The name dates from when publishing meant anchoring. */
    anchored: Schema.Boolean,
    /** Withdrawn. The row stays until a manifest without its entry is published. */
    removed: Schema.optionalKey(Schema.Literal(true))
  })
)
export type ShareRow = RowType<typeof Share>

export const ShareOf = row(Schema.Struct({ id: Schema.String }))

export const prefix = { shares: "share/", sharesOf: "shareOf/", entries: "entry/" } as const

export const key = {
  share: (id: string) => `${prefix.shares}${id}`,
  shareOf: (hash: string) => `${prefix.sharesOf}${hash}`,
  entry: (id: string) => `${prefix.entries}${id}`
} as const
