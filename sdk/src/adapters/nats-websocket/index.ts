/**
 * `Broker` over NATS on WebSocket, for browsers and Node. `ws://` is allowed on loopback only. Browsers hide the
 * address they connect to, so there only addresses in URLs and local names are checked; Node programs pass `webSocket`
 * of their `HomeNetwork`, which also checks resolved addresses.
 */
import type * as Layer from "effect/Layer"
import type { Broker } from "../../services/Broker.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as NatsBroker from "../nats-core/NatsBroker.ts"
import * as WebSocketDial from "../nats-core/WebSocketDial.ts"

export interface NatsBrokerOptions extends NatsBroker.NatsBrokerOptions {
  /** Replaces the platform's WebSocket constructor. */
  readonly webSocket?: WebSocketDial.OpenWebSocket
}

/** A broker reached at `wss://host/path`, or at `ws://` on this machine. */
export const layer = ({ webSocket, ...options }: NatsBrokerOptions): Layer.Layer<Broker, never, Crypto> =>
  NatsBroker.layer({ schemes: WebSocketDial.schemes, connect: WebSocketDial.connectWith(webSocket), onWake }, options)

/** Browsers fire this when the network is back; other platforms never do. */
const onWake = (wake: () => void): (() => void) => {
  const target = globalThis as {
    addEventListener?: typeof addEventListener
    removeEventListener?: typeof removeEventListener
  }
  target.addEventListener?.("online", wake)
  return () => target.removeEventListener?.("online", wake)
}
