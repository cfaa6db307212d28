/** `Broker` over NATS on WebSocket, for browsers and Node. `ws://` is dialled on loopback only. */
import { wsconnect } from "@nats-io/nats-core"
import type * as Layer from "effect/Layer"
import type { Broker } from "../../services/Broker.ts"
import type { Crypto } from "../../services/Crypto.ts"
import * as NatsBroker from "../nats-core/NatsBroker.ts"

export type { NatsBrokerOptions } from "../nats-core/NatsBroker.ts"

/** A broker reached at `wss://host/path`, or at `ws://` on this machine. */
export const layer = (options: NatsBroker.NatsBrokerOptions): Layer.Layer<Broker, never, Crypto> =>
  NatsBroker.layer(
    { schemes: { plain: "ws", encrypted: "wss" }, connect: (_target, settings) => wsconnect(settings), onWake },
    options
  )

/** Browsers say when the network is back; other platforms never fire the event. */
const onWake = (wake: () => void): (() => void) => {
  const target = globalThis as {
    addEventListener?: typeof addEventListener
    removeEventListener?: typeof removeEventListener
  }
  target.addEventListener?.("online", wake)
  return () => target.removeEventListener?.("online", wake)
}
