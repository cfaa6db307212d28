/** Inbox frames that this version could not read. */
import * as Schema from "effect/Schema"
import { Count, padded, row } from "./Row.ts"

export const Dropped = row(
  Schema.Struct({
    epoch: Schema.String,
    seq: Count,
    at: Schema.Number,
    code: Schema.String,
    detail: Schema.String
  })
)

export const Kept = row(
  Schema.Struct({
    seq: Count,
    at: Schema.Number,
    /** Version of the reader that could not read it; 0 to retry at every start. */
    reader: Count,
    /** base64url. */
    frame: Schema.String
  })
)

export const prefix = { dropped: "dropped/", kept: "kept/" } as const

export const key = {
  dropped: (seq: number) => `${prefix.dropped}${padded(seq % 1_000)}`,
  kept: (epoch: string, seq: number) => `${prefix.kept}${epoch}/${padded(seq)}`
} as const
