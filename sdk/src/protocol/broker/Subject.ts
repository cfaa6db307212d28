/** The broker's subjects (spec/broker.md). Each ends in the account's public key as 64 lower-case hex characters. */
import * as Result from "effect/Result"
import { fail, type Problem } from "../Problem.ts"

/** The JetStream stream that stores every account's inbox and self copies. */
export const streamName = "KEZ_INBOX"

/** Where a client sends a frame for `hex`; stored on the stream under the same subject. */
export const inbox = (hex: string): string => `kez.inbox.${hex}`

/** Where the send responder stores an account's own sent copies. */
export const self = (hex: string): string => `kez.self.${hex}`

/** Where the account `hex` hears what was stored for it. */
export const delivery = (hex: string): string => `kez.dlv.${hex}`

/** Where the account `hex` asks for a page of its inbox. */
export const fetch = (hex: string): string => `kez.fetch.${hex}`

/** Where the account `hex` asks how full its inbox is, and has frames removed that it holds. */
export const trim = (hex: string): string => `kez.trim.${hex}`

/** Where the account `hex` says whose frames its home is not to keep. */
export const block = (hex: string): string => `kez.block.${hex}`

/** Where the send responder hears a request to `inbox(hex)`. */
export const send = (hex: string): string => `kez.send.${hex}`

/** First part of every reply subject of the account `hex`. */
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

/** A subject taken apart: what it is for and whose it is. */
export interface Subject {
  readonly kind: (typeof kinds)[keyof typeof kinds]
  readonly hex: string
}

/** Takes a subject of this page apart; any other text is `request_malformed`. The key is not admitted here. */
export const parse = (subject: string): Result.Result<Subject, Problem> => {
  const match = /^kez\.(inbox|self|dlv|fetch|trim|block|send)\.([0-9a-f]{64})$/.exec(subject)
  return match === null
    ? fail("request_malformed", "not a subject of the broker")
    : Result.succeed({ kind: kinds[match[1] as keyof typeof kinds], hex: match[2] as string })
}
