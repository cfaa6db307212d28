/**
 * Manifests: the own one on its way to publication, and the newest one seen of other accounts.
 *
 * | key | value |
 * |---|---|
 * | `manifest` | {@link ManifestRow}: how far the own manifest is published |
 * | `manifestBody` | bytes of the newest own manifest |
 * | `browsed/<hex>` | {@link Browsed}: the newest manifest seen of an account |
 * | `browsedBody/<hex>` | its bytes |
 */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "./Row.ts"

export const Manifest = row(
  Schema.Struct({
    /** The highest revision that a body was given or that was seen. */
    revision: Count,
    /** Number of changes to the entries, and how many of them the body includes. */
    changes: Count,
    included: Count,
    /** `changes` at the last withdrawal of something published, and how many changes the chain's anchor includes. */
    withdrawn: Schema.optionalKey(Count),
    settled: Schema.optionalKey(Count),
    /** Hash and revision of the manifest that was last published or adopted. */
    base: Schema.optionalKey(Schema.String),
    baseRevision: Schema.optionalKey(Count),
    /** Hash of the manifest that the chain named at the last look. */
    anchor: Schema.optionalKey(Schema.String),
    /** `manifestBody`: signed here, then stored at the home, which publishes it, then perhaps anchored in the chain. */
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
    /** A manifest that the chain names and the home does not serve, and since when; milliseconds since the epoch. */
    withheld: Schema.optionalKey(Schema.Struct({ manifest: Schema.String, since: Schema.Number })),
    /** Why it cannot be published or anchored, where retrying does not help. */
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
