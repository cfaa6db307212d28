/** Outgoing envelopes that the broker has not acknowledged. */
import * as Schema from "effect/Schema"
import { Count, padded, row, type RowType } from "./Row.ts"

export const Out = row(
  Schema.Struct({
    peer: Schema.String,
    /** `order` of the message whose state follows; absent for receipts. */
    message: Schema.optionalKey(Count),
    /** Unacknowledged copies. The `main` one decides the state of the message. */
    copies: Schema.Array(Schema.Struct({ to: Schema.String, kezId: Schema.String, main: Schema.Boolean }))
  })
)
export type OutRow = RowType<typeof Out>

export const prefix = { out: "out/", frames: "frame/" } as const

export const key = {
  out: (order: number) => `${prefix.out}${padded(order)}`,
  frame: (kezId: string) => `${prefix.frames}${kezId}`
} as const
