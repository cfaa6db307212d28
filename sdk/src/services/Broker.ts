/** The home server's broker: sends to any inbox, reads one's own. A connection serves one account and reconnects. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Struct from "effect/Struct"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import type { RefusalCode, Signed } from "../protocol/broker/BrokerAnswer.ts"
import type { Page } from "../protocol/broker/Page.ts"
import type { Problem } from "../protocol/Problem.ts"
import type { Box, Report } from "../protocol/broker/Trim.ts"
import { LocalCause } from "./LocalCause.ts"

export type { RefusalCode }

const refusals = {
  full: "the recipient's inbox has no room for it",
  slow: "a daily limit was reached; the message will be sent later",
  unknown: "the recipient is not registered on this server",
  bad: "the server rejected the frame",
  size: "the frame is too large for the server",
  retry: "the server could not store the message just now",
  moved: "the key handed its handle over to another key"
} as const satisfies Readonly<Record<RefusalCode, string>>

/** The server refused a request. `full`, `slow` and `retry` may succeed later; the others never will. */
export class BrokerRefused extends Schema.TaggedError<BrokerRefused>()("BrokerRefused", {
  code: Schema.Literals(Struct.keys(refusals)),
  retryable: Schema.Boolean,
  /** When a retry can succeed, as far as the server knows, in milliseconds since the epoch. */
  untilMillis: Schema.optionalKey(Schema.Finite)
}) {
  override get message(): string {
    return refusals[this.code]
  }
}

/**
 * The broker cannot be reached, or refuses: `unauthorized` (unregistered or revoked key, wrong host name), `suspended` (the
 * home's operator has suspended the account, until they lift it), `forbidden` (an address the home may not name), `unknown_name` (mistyped, or no network), `evicted` (closed three times within a
 * minute of login: too many connections of the account, or it sends too fast; the next login is in ten minutes).
 */
export class BrokerUnavailable extends Schema.TaggedError<BrokerUnavailable>()("BrokerUnavailable", {
  reason: Schema.Literals([
    "unreachable",
    "unknown_name",
    "unauthorized",
    "suspended",
    "forbidden",
    "evicted",
    "closed",
    "timeout"
  ]),
  detail: Schema.String,
  cause: LocalCause
}) {
  override get message(): string {
    return `broker: ${this.detail}`
  }
}

/** The status of a connection. `since` is in milliseconds since the epoch. */
export const ConnectionState = Schema.Union([
  Schema.TaggedStruct("Connecting", { since: Schema.Finite }),
  Schema.TaggedStruct("Online", { since: Schema.Finite, url: Schema.String }),
  Schema.TaggedStruct("Offline", { since: Schema.Finite, error: BrokerUnavailable }),
  Schema.TaggedStruct("Closed", { since: Schema.Finite })
])
export type ConnectionState = typeof ConnectionState.Type

/** A frame as the stream stored it. */
export interface Delivered {
  /** The account's stream subject that stores it: mail from others, or the account's own sent copies. */
  readonly subject: Box
  /** Stream sequence number. */
  readonly seq: number
  /** Sequence number of the previous frame on the same stream subject, 0 for none. */
  readonly lastSeq: number
  /** Time of storage in milliseconds since the epoch. */
  readonly timeMillis: number
  readonly frame: Uint8Array
}

/** Proves a client's identity to the broker; made by `Identity.brokerLogin`. Signs only the login bytes for `host`. */
export interface BrokerLogin {
  readonly account: AdmittedKey
  /** The public nkey, `U...`. */
  readonly nkey: string
  /** The 64-byte signature over (host, nonce); fails on a nonce that is not 15 characters of `[A-Za-z0-9_-]`. */
  sign(host: string, nonce: string): Uint8Array
}

export interface BrokerConnection {
  /** Starts with the current state; ends with the connection. */
  readonly state: Stream.Stream<ConnectionState>
  /**
   * Stores a sealed frame in an inbox. `kezId`, 22 base64url characters, makes repeating the same frame idempotent. With
   * `isSigned`, asks for the server's signature (spec/broker.md, Acceptance), which is returned unverified if it comes.
   */
  send(
    recipient: AdmittedKey,
    kezId: string,
    frame: Uint8Array,
    isSigned?: boolean
  ): Effect.Effect<Signed | undefined, BrokerRefused | BrokerUnavailable>
  /** The stored frames after stream sequence number `after`, oldest first. `epoch` is the last seen one, base64url. */
  fetch(after: number, epoch?: string): Effect.Effect<Page, Problem | BrokerRefused | BrokerUnavailable>
  /**
   * The usage of one of the account's two boxes. With `remove`, first removes its frames up to `upTo`: `bad` if `epoch`
   * is not the stream's or `upTo` is beyond its end, `slow` more than once a minute.
   */
  trim(
    box: Box,
    remove?: { readonly upTo: number; readonly epoch: string }
  ): Effect.Effect<Report, BrokerRefused | BrokerUnavailable>
  /** Blocks or unblocks a sender, whose frames the home then discards. Idempotent; `full` beyond 10,000 senders. */
  block(op: "add" | "remove", who: AdmittedKey): Effect.Effect<void, BrokerRefused | BrokerUnavailable>
  /**
   * Frames as they are stored. Subscribed when this value is obtained: while connected, a reader at most 512 frames
   * behind misses nothing from then on. A missed frame shows as an unseen `lastSeq`; fetch it.
   */
  readonly live: Stream.Stream<Delivered>
  /**
   * Makes sure within 3 s that the connection still answers, as after the device slept: one that does not is replaced. Ends
   * a pause before the next attempt to connect, except one that follows an eviction. Does not wait until it is online.
   */
  readonly check: Effect.Effect<void>
}

export class Broker extends Context.Service<
  Broker,
  {
    /** Opens a connection for an account and keeps it until the scope closes. Does not wait until it is online. */
    connect(login: BrokerLogin): Effect.Effect<BrokerConnection, never, Scope.Scope>
  }
>()("@kez-chat/sdk/Broker") {}
