/** Mail that the inbox policy holds back, and introductions. */
import * as Schema from "effect/Schema"
import { Count, row, type RowType } from "./Row.ts"

/** A stranger whose mail is held. */
export const HeldSender = row(
  Schema.Struct({
    handle: Schema.optionalKey(Schema.String),
    messages: Count,
    /** Bytes of their frames. */
    bytes: Count,
    /** Messages beyond the limits. */
    dropped: Count,
    firstAt: Schema.Number,
    lastAt: Schema.Number,
    sentence: Schema.String,
    /** `waiting`: a service has not answered. `rejected`: nothing that counts was found. */
    verdict: Schema.Literals(["waiting", "rejected"]),
    nextCheckAt: Schema.Number
  })
)
export type HeldSenderRow = RowType<typeof HeldSender>

/** A frame, base64url, and when the home server stored it. */
export const HeldFrame = row(Schema.Struct({ at: Schema.Number, seq: Count, frame: Schema.String }))
export type HeldFrameRow = RowType<typeof HeldFrame>

/** An introduction that is open: `at` is when the home server stored it. */
export const Introduced = row(Schema.Struct({ at: Schema.Number, handle: Schema.optionalKey(Schema.String) }))
export type IntroducedRow = RowType<typeof Introduced>

export const prefix = {
  heldSenders: "heldBy/",
  everyHeldFrame: "held/",
  heldFrames: (sender: string) => `held/${sender}/`,
  introductions: "introduction/",
  introductionsOf: (newcomer: string) => `introduction/${newcomer}/`,
  introducedTo: "introduced/",
  introducedToPeer: (peer: string) => `introduced/${peer}/`
} as const

export const key = {
  heldSender: (sender: string) => `heldBy/${sender}`,
  heldFrame: (sender: string, id: string) => `held/${sender}/${id}`,
  introduction: (newcomer: string, voucher: string) => `introduction/${newcomer}/${voucher}`,
  introduced: (peer: string, newcomer: string) => `introduced/${peer}/${newcomer}`
} as const
