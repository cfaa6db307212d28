/**
 * The broker side as the rest of chat-server uses it: close an account's connections, purge its inbox, report status.
 */
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { BrokerDown } from "./connections/BrokerDown.ts"
import type * as Callout from "./login/Callout.ts"
import type * as FetchResponder from "./responders/FetchResponder.ts"
import type { StreamFailure, StreamState } from "./stream/InboxStream.ts"
import type * as SendResponder from "./responders/SendResponder.ts"
import type { StoreFailure } from "./stream/StoreProbe.ts"
import type * as TrimResponder from "./responders/TrimResponder.ts"

export interface BrokerStatus {
  /** All connections are up and the streams are there. */
  readonly ready: boolean
  readonly connections: Readonly<Record<"callout" | "registrar" | "gateway" | "sys", boolean>>
  /** Of each stream that inboxes are spread over, where known. */
  readonly streams: ReadonlyArray<StreamState | undefined>
  /** Why no message can be stored now, while {@link ready}. */
  readonly storeFailure: StoreFailure | undefined
  readonly logins: Callout.Callout["counters"]
  readonly sends: SendResponder.SendResponder["counters"]
  readonly fetches: FetchResponder.FetchResponder["counters"]
  readonly trims: TrimResponder.TrimResponder["counters"]
  /** Number of times an account was shut out for a flood. */
  readonly floods: number
  /** Sends that wait for their turn or for the stream's acknowledgement. */
  readonly inFlight: number
  /** Connections of users, some seconds old. */
  readonly userConnections: number
  /** Accounts that have a connection, some seconds old. */
  readonly connectedUsers: number
}

export class BrokerControl extends Context.Service<
  BrokerControl,
  {
    /**
     * Closes every connection of a key (64 hex characters), and again after the login time limit for logins that were
     * under way. Mark the key inactive first. No connection to close is no error.
     */
    kick(hex: string): Effect.Effect<void, BrokerDown>
    /** Removes everything the inbox and the self copies of a key hold, and its quota counters. */
    purge(hex: string): Effect.Effect<void, StreamFailure | Problem.Problem>
    /** Counters since the start and the state of the connections, from memory. */
    readonly status: Effect.Effect<BrokerStatus>
    /** Answers an authorization-request JWT with a response JWT; undefined for anything else. */
    answer(request: string): Effect.Effect<string | undefined>
  }
>()("@kez-chat/server/BrokerControl") {}
