/** Nostr relays (NIP-01) on the HTTPS server. They store what they are given, as hostile relays do, too. */
import { WebSocketServer, type WebSocket } from "ws"
import type { HttpsHosts } from "./HttpsHosts.ts"

export const relayHosts = ["relay1.kez.test", "relay2.kez.test", "relay3.kez.test"] as const

interface Event {
  readonly id: string
  readonly pubkey: string
  readonly kind: number
  readonly created_at: number
  readonly tags: ReadonlyArray<ReadonlyArray<string>>
}

interface Filter {
  readonly kinds?: ReadonlyArray<number>
  readonly authors?: ReadonlyArray<string>
  readonly limit?: number
  readonly [tag: `#${string}`]: ReadonlyArray<string>
}

export interface Relay {
  readonly url: string
  /** Events, verified by nobody. */
  readonly events: Array<unknown>
  /** `refuses`: closes each subscription. `silent`: answers nothing. `gone`: no WebSocket. `forged`: sends to any filter. */
  behaviour: "serves" | "refuses" | "silent" | "gone" | "forged" | "floods"
}

const matches = (event: Event, filter: Filter): boolean =>
  (filter.kinds?.includes(event.kind) ?? true) &&
  (filter.authors?.includes(event.pubkey) ?? true) &&
  Object.entries(filter).every(
    ([name, values]) =>
      !name.startsWith("#") ||
      event.tags.some(([tag, value]) => tag === name.slice(1) && (values as ReadonlyArray<unknown>).includes(value))
  )

const converse = (relay: Relay, socket: WebSocket): void => {
  const send = (...message: ReadonlyArray<unknown>) => socket.send(JSON.stringify(message))
  socket.on("error", () => undefined)
  socket.on("message", (data: Buffer) => {
    const [verb, id, ...filters] = JSON.parse(data.toString("utf8")) as [string, string, ...Array<Filter>]
    if (verb !== "REQ" || relay.behaviour === "silent") return
    if (relay.behaviour === "refuses") return send("CLOSED", id, "auth-required: only for members")
    if (relay.behaviour === "floods") {
      for (let n = 0; n < 40; n++) send("EVENT", id, { content: "x".repeat(64 * 1024) })
      return
    }
    const sent = new Set<unknown>()
    for (const filter of filters) {
      const events = relay.events as ReadonlyArray<Event>
      const stored = events
        .filter((event) => relay.behaviour !== "forged" && matches(event, filter))
        .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
        .slice(0, filter.limit ?? 500)
      for (const event of relay.behaviour === "forged" ? events : stored) {
        if (!sent.has(event)) send("EVENT", id, event)
        sent.add(event)
      }
    }
    send("EOSE", id)
  })
}

export const nostrRelays = ({ handlers, server }: HttpsHosts): ReadonlyArray<Relay> => {
  const sockets = new WebSocketServer({ noServer: true })
  const relays = relayHosts.map((host): Relay => {
    handlers.set(host, (_, response) => response.writeHead(426).end())
    return { url: `wss://${host}/`, events: [], behaviour: "serves" }
  })
  server.on("upgrade", (request, socket, head) => {
    const relay = relays[relayHosts.findIndex((host) => request.headers.host?.startsWith(host))]
    if (relay === undefined || relay.behaviour === "gone") return socket.destroy()
    sockets.handleUpgrade(request, socket, head, (opened) => converse(relay, opened))
  })
  return relays
}
