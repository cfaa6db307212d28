/** The user's settings. */
import * as Schema from "effect/Schema"
import { row } from "./Row.ts"

export const Settings = row(
  Schema.Struct({
    readReceipts: Schema.Boolean,
    inbox: Schema.Literals(["everyone", "contacts"]),
    /** Absent in older stores. */
    autoTrim: Schema.optionalKey(Schema.Boolean)
  })
)

export const key = { settings: "settings" } as const
