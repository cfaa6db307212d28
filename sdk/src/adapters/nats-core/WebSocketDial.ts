/** Dials over WebSocket. */
import { wsconnect } from "@nats-io/nats-core"
import type { Connect } from "./Dial.ts"
import type { Schemes } from "./Target.ts"

export const schemes: Schemes = { plain: "ws", encrypted: "wss" }

/** Opens a WebSocket; without one, nats.js takes the platform's constructor. */
export type OpenWebSocket = (url: string) => Promise<WebSocket>

export const connectWith =
  (webSocket?: OpenWebSocket): Connect =>
  ({ encrypted }, settings) =>
    wsconnect(
      webSocket === undefined
        ? settings
        : { ...settings, wsFactory: async (url) => ({ socket: await webSocket(url), encrypted }) }
    )
