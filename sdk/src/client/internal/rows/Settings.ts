/** The user's settings. */
import * as Schema from "effect/Schema"
import { row } from "./Row.ts"

export const Settings = row(
  Schema.Struct({
    readReceipts: Schema.Boolean,
    inbox: Schema.Literals(["everyone", "contacts", "proven"]),
    /** These are absent in older stores. */
    provenBy: Schema.optionalKey(
      Schema.Struct({ systems: Schema.Array(Schema.String), domains: Schema.Array(Schema.String) })
    ),
    introductions: Schema.optionalKey(Schema.Boolean),
    autoTrim: Schema.optionalKey(Schema.Boolean)
  })
)

export const key = { settings: "settings" } as const
