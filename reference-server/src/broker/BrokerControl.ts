/** What the rest of chat-server may ask of the broker: close an account's connections, empty its inbox, say how it is. */
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
  /** All connections are up and the stream is there. */
  readonly ready: boolean
  readonly connections: Readonly<Record<"callout" | "registrar" | "gateway" | "sys", boolean>>
  readonly stream: StreamState | undefined
  /** Why no message can be stored now, while {@link ready}. */
  readonly storeFailure: StoreFailure | undefined
  readonly logins: Callout.Callout["counters"]
  readonly sends: SendResponder.SendResponder["counters"]
  readonly fetches: FetchResponder.FetchResponder["counters"]
  readonly trims: TrimResponder.TrimResponder["counters"]
  /** How often an account was shut out for a flood. */
  readonly floods: number
  /** Sends that wait for their turn or for the stream's acknowledgement. */
  readonly inFlight: number
  /** Connections of users, as of some seconds ago. */
  readonly users: number
}

export class BrokerControl extends Context.Service<
  BrokerControl,
  {
    /**
     * Closes every connection of a key (64 hex characters), and again after the login time limit for logins that were
     * under way. Mark the key inactive first. Closing what is closed is no error.
     */
    kick(hex: string): Effect.Effect<void, BrokerDown>
    /** Removes everything the inbox and the self copies of a key hold, and its quota counters. */
    purge(hex: string): Effect.Effect<void, StreamFailure>
    /** Counters since the start and what is connected; costs nothing. */
    readonly status: Effect.Effect<BrokerStatus>
    /** Answers an authorization-request JWT with a response JWT, or undefined when it is no such request. */
    answer(request: string): Effect.Effect<string | undefined>
  }
>()("@kez-chat/server/BrokerControl") {}
