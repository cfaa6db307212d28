/** The account of this store and its own sigchain. */
import * as Schema from "effect/Schema"
import { Count, padded, row, type RowType } from "./Row.ts"

/** The newest event of a sigchain. */
export const Head = Schema.Struct({ seq: Count, hash: Schema.String })

export const Account = row(
  Schema.Struct({
    handle: Schema.String,
    primary: Schema.String,
    server: Schema.String,
    device: Schema.String,
    step: Schema.Literals(["created", "registered", "published"]),
    head: Schema.optionalKey(Head),
    createdAt: Schema.Number,
    /** The keys that the account had before, hex, the newest first. Absent before a rotation. */
    former: Schema.optionalKey(Schema.Array(Schema.String)),
    /** The key that this account's key was handed over to, by another device or by somebody else. */
    movedTo: Schema.optionalKey(Schema.String),
    /** For the registration, until it has succeeded. */
    invite: Schema.optionalKey(Schema.String)
  })
)
export type AccountRow = RowType<typeof Account>

export const prefix = { chain: "chain/" } as const

export const key = {
  account: "account",
  chain: (seq: number) => `${prefix.chain}${padded(seq)}`
} as const
