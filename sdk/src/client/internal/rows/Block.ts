/** Decisions about blocking, and whether the other devices and the home server know them. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "./Row.ts"

export const Block = row(
  Schema.Struct({
    blocked: Schema.Boolean,
    /** Grows with each decision; see `Body.BlockEntry`. */
    rev: Count,
    /** When the newest note about it was stored or queued; absent until there is one. */
    notedAt: Schema.optionalKey(Schema.Number),
    /** When the home server last confirmed it, and the epoch of the stream at that time. */
    atHome: Schema.optionalKey(Schema.Struct({ epoch: Schema.String, at: Schema.Number }))
  })
)
export type BlockRow = RowType<typeof Block>

export const prefix = { blocks: "block/" } as const

export const key = { block: (hex: string) => `${prefix.blocks}${hex}` } as const
