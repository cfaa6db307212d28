/** Inbox positions of the devices of this account: this device's own, and those that the others announced. */
import * as Schema from "effect/Schema"
import { Count, row } from "./Row.ts"

export const Position = row(
  Schema.Struct({
    epoch: Schema.optionalKey(Schema.String),
    base: Count,
    inbox: Count,
    self: Count,
    ahead: Schema.Array(Count)
  })
)

export const Device = row(
  Schema.Struct({
    /** When the broker last stored something from it, in milliseconds since the epoch by the home's clock. */
    seenAt: Schema.Number,
    /** The position that it last announced; absent before its first announcement. */
    holds: Schema.optionalKey(Schema.Struct({ epoch: Schema.String, upTo: Count, at: Schema.Number })),
    /** When it made its first announcement. */
    firstAt: Schema.optionalKey(Schema.Number)
  })
)

export const prefix = { devices: "device/" } as const

export const key = {
  position: "position",
  device: (id: string) => `${prefix.devices}${id}`
} as const
