/** Files of other accounts on this device. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "../Row.ts"

export const Download = row(
  Schema.Struct({
    /** Primary key of the account that shares it. */
    owner: Schema.String,
    /** Id of the entry in the owner's manifest. */
    entry: Schema.optionalKey(Schema.String),
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    size: Count,
    /** The content key, wrapped for this account in the form that its owner would use; base64url. */
    key: Schema.String,
    startedAt: Schema.Number
  })
)
export type DownloadRow = RowType<typeof Download>

export const prefix = { downloads: "download/" } as const

export const key = { download: (blobHash: string) => `${prefix.downloads}${blobHash}` } as const
