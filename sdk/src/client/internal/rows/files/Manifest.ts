/** Manifests: the publication of the own one, and the newest one seen of each other account. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "../Row.ts"

export const Manifest = row(
  Schema.Struct({
    /** The highest revision used or seen. */
    revision: Count,
    /** Number of changes to the entries, and how many of them the body includes. */
    changes: Count,
    included: Count,
    /** `changes` at the last withdrawal of a published entry, and how many changes the anchored manifest includes. */
    withdrawn: Schema.optionalKey(Count),
    settled: Schema.optionalKey(Count),
    /** Hash and revision of the manifest that was last published or adopted. */
    base: Schema.optionalKey(Schema.String),
    baseRevision: Schema.optionalKey(Count),
    /** Hash of the manifest that the chain named at the last check. */
    anchor: Schema.optionalKey(Schema.String),
    /** State of `manifestBody`: signed here, then stored and so published at the home server, then maybe anchored. */
    body: Schema.optionalKey(
      Schema.Struct({
        manifest: Schema.String,
        size: Count,
        revision: Schema.optionalKey(Count),
        /** The member of this name in the body. */
        anchored: Schema.optionalKey(Schema.String),
        state: Schema.Literals(["signed", "stored", "anchored"])
      })
    ),
    /** A manifest that the chain names but the home does not serve; `since` in milliseconds since the epoch. */
    withheld: Schema.optionalKey(Schema.Struct({ manifest: Schema.String, since: Schema.Number })),
    /** Why it cannot be published or anchored although retrying does not help. */
    problem: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String }))
  })
)
export type ManifestRow = RowType<typeof Manifest>

export const Browsed = row(
  Schema.Struct({
    revision: Count,
    hash: Schema.String,
    /** The member of this name in the manifest. */
    anchored: Schema.optionalKey(Schema.String),
    createdAt: Schema.Number
  })
)

export const prefix = { browsed: "browsed/", browsedBodies: "browsedBody/" } as const

export const key = {
  manifest: "manifest",
  manifestBody: "manifestBody",
  browsed: (hex: string) => `${prefix.browsed}${hex}`,
  browsedBody: (hex: string) => `${prefix.browsedBodies}${hex}`
} as const
