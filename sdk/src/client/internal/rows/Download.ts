/**
 * Files of other accounts on this device.
 *
 * | key | value |
 * |---|---|
 * | `download/<blob hash>` | {@link DownloadRow}: a file that is here in whole or in part |
 */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "./Row.ts"

export const Download = row(
  Schema.Struct({
    /** Primary of the account that shares it. */
    owner: Schema.String,
    /** The entry of the owner's manifest in which it was found. */
    entry: Schema.optionalKey(Schema.String),
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    size: Count,
    /** The content key, wrapped for this account as its owner would have wrapped it; base64url. */
    key: Schema.String,
    startedAt: Schema.Number
  })
)
export type DownloadRow = RowType<typeof Download>

export const prefix = { downloads: "download/" } as const

export const key = { download: (blobHash: string) => `${prefix.downloads}${blobHash}` } as const
