/** The broker's subjects (spec/broker.md). Each ends in the account's public key as 64 lower-case hex characters. */
import * as Result from "effect/Result"
import { fail, type Problem } from "../Problem.ts"

/** The JetStream stream that stores every account's inbox and self copies. */
export const streamName = "KEZ_INBOX"

/** Publish subject for a frame to `hex`; the stream stores it under the same subject. */
export const inbox = (hex: string): string => `kez.inbox.${hex}`

/** Subject under which the send responder stores an account's own sent copies. */
export const self = (hex: string): string => `kez.self.${hex}`

/** Delivery subject of `hex` for newly stored frames. */
export const delivery = (hex: string): string => `kez.dlv.${hex}`

/** Request subject of `hex` for a page of its inbox. */
export const fetch = (hex: string): string => `kez.fetch.${hex}`

/** Request subject of `hex` for the usage of its inbox and for trimming it. */
export const trim = (hex: string): string => `kez.trim.${hex}`

/** Request subject of `hex` for blocking senders at its home. */
export const block = (hex: string): string => `kez.block.${hex}`

/** Subject on which the send responder receives a request to `inbox(hex)`. */
export const send = (hex: string): string => `kez.send.${hex}`

/** Prefix of every reply subject of the account `hex`. */
export const replyPrefix = (hex: string): string => `_INBOX_${hex}`

const kinds = {
  inbox: "inbox",
  self: "self",
  dlv: "delivery",
  fetch: "fetch",
  trim: "trim",
  block: "block",
  send: "send"
} as const

/** A parsed subject: its purpose and its account. */
export interface Subject {
  readonly kind: (typeof kinds)[keyof typeof kinds]
  readonly hex: string
}

/** Parses a subject of this module; any other text is `request_malformed`. Does not admit the key. */
export const parse = (subject: string): Result.Result<Subject, Problem> => {
  const match = /^kez\.(inbox|self|dlv|fetch|trim|block|send)\.([0-9a-f]{64})$/.exec(subject)
  return match === null
    ? fail("request_malformed", "not a subject of the broker")
    : Result.succeed({ kind: kinds[match[1] as keyof typeof kinds], hex: match[2] as string })
}
