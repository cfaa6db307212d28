/** Rotation: the one under way, the account's former keys, and those of contacts. */
import * as Schema from "effect/Schema"
import { Head } from "./Account.ts"
import { padded, row, type RowType } from "./Row.ts"

/** A rotation that has begun and is not finished, or the words of the new key entered on another device. */
export const Rotation = row(
  Schema.Struct({
    /** The new key, `ed25519:<hex>`. */
    to: Schema.String,
    /** What is done: the seeds are in this row; the new chain is published; the old one has ended; the handle is the new key's. */
    step: Schema.Literals(["saved", "published", "rotated", "transferred"]),
    /** The new seed, sealed to the old key (FormerSeed). */
    seed: Schema.String,
    /** The old seed, sealed to the new key. */
    former: Schema.String,
    /** Head of the new chain, from `published` on. */
    head: Schema.optionalKey(Head),
    /** Hash of the event that ended the old chain, from `rotated` on. */
    rotate: Schema.optionalKey(Schema.String)
  })
)
export type RotationRow = RowType<typeof Rotation>

/** A key that this account had before. */
export const Former = row(
  Schema.Struct({
    /** Its seed, sealed to the key `sealedTo` (hex): the next one of this account. */
    seed: Schema.String,
    sealedTo: Schema.String,
    /** When this device took the next key, in milliseconds since the epoch. */
    at: Schema.Number,
    /** All mail that the home retains for it is here. */
    drained: Schema.optionalKey(Schema.Literal(true))
  })
)
export type FormerRow = RowType<typeof Former>

/** A former key of a contact, which was handed over to the key that the user accepted. */
export const Retired = row(
  Schema.Struct({
    /** The contact's present key, hex. */
    to: Schema.String,
    /** When the user accepted the key after it, in milliseconds since the epoch. */
    at: Schema.Number
  })
)

export const prefix = {
  former: "former/",
  formerPositions: "formerPosition/",
  retired: "retired/",
  chainsOf: "chainOf/"
} as const

export const key = {
  rotation: "rotation",
  former: (hex: string) => `${prefix.former}${hex}`,
  formerPosition: (hex: string) => `${prefix.formerPositions}${hex}`,
  retired: (hex: string) => `${prefix.retired}${hex}`,
  chainOf: (hex: string) => `${prefix.chainsOf}${hex}/`,
  eventOf: (hex: string, seq: number) => `${prefix.chainsOf}${hex}/${padded(seq)}`
} as const
