/** An account's inbox at a broker, or its Iroh node, as its sigchain names it (spec: sigchain, endpoints). */
import * as Result from "effect/Result"
import * as Subject from "../broker/Subject.ts"
import type { Json, JsonObject } from "../encoding/Json.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import * as Limits from "../Limits.ts"
import type { Problem } from "../Problem.ts"

/** The account's inbox at a broker. */
export interface NatsEndpoint {
  readonly protocol: "nats"
  /** `nats://` or `tls://`. */
  readonly url: string
  /** `ws://` or `wss://`, for browsers. */
  readonly ws_url?: string
  /** `kez.inbox.<own hex>`. */
  readonly inbox: string
}

/** The account's Iroh node. */
export interface IrohEndpoint {
  readonly protocol: "iroh"
  /** The account's own 64 hex digits. */
  readonly node_id: string
  readonly relay_url?: string
}

export type Endpoint = NatsEndpoint | IrohEndpoint

/** URLs of a home's broker, as its description names them. */
export interface BrokerUrls {
  readonly tcp: ReadonlyArray<string>
  readonly websocket: ReadonlyArray<string>
}

/** The members that identify an endpoint of an account. */
export type EndpointName =
  | { readonly protocol: "nats"; readonly url: string }
  | { readonly protocol: "iroh"; readonly node_id: string }

/** The inbox of `primary` at a broker. */
export const nats = (primary: string, url: string, wsUrl?: string): NatsEndpoint => ({
  protocol: "nats",
  url,
  ...(wsUrl === undefined ? {} : { ws_url: wsUrl }),
  inbox: inboxOf(primary)
})

/**
 * The inbox of `primary` at the broker that a home names; undefined where it names none. A chain holds a `nats:` or
 * `tls:` URL, so a home without TCP is recorded by host and port of its first WebSocket URL.
 */
export const atBroker = (primary: string, broker: BrokerUrls): NatsEndpoint | undefined => {
  const wsUrl = broker.websocket[0]
  const url = broker.tcp[0] ?? (wsUrl === undefined ? undefined : tcpFormOf(wsUrl))
  return url === undefined ? undefined : nats(primary, url, wsUrl)
}

const tcpFormOf = (wsUrl: string): string | undefined => {
  const parsed = URL.parse(wsUrl)
  if (parsed === null) return undefined
  const [scheme, port] = parsed.protocol === "ws:" ? ["nats", "80"] : ["tls", "443"]
  return `${scheme}://${parsed.hostname}:${parsed.port || port}`
}

/** The Iroh node of `primary`; its id is the account's own key. */
export const iroh = (primary: string): IrohEndpoint => ({ protocol: "iroh", node_id: PrimaryKey.hexOf(primary) })

const inboxOf = (primary: string): string => Subject.inbox(PrimaryKey.hexOf(primary))

const urlRule = (scheme: string): RegExp => new RegExp(`^(?=.{1,${Limits.urlMax}}$)(?:${scheme})://\\S+$`, "u")
const brokerUrl = urlRule("nats|tls")
const websocketUrl = urlRule("wss?")
const relayUrl = urlRule("https?")

/** Parses an endpoint of `primary`; another account's inbox or node, or another protocol, is `event_malformed`. */
export const parse = (json: Json, primary: string): Result.Result<Endpoint, Problem> =>
  Result.gen(function* () {
    const members = yield* Members.of(json, "event_malformed", "endpoint")
    if (members.get("protocol") === "nats") {
      const url = yield* members.matching("url", brokerUrl, "a nats:// or tls:// URL")
      const inbox = yield* members.literal("inbox", inboxOf(primary))
      if (!members.has("ws_url")) return { protocol: "nats", url, inbox } as const
      const ws_url = yield* members.matching("ws_url", websocketUrl, "a ws:// or wss:// URL")
      return { protocol: "nats", url, ws_url, inbox } as const
    }
    yield* members.literal("protocol", "iroh")
    const node_id = yield* members.literal("node_id", PrimaryKey.hexOf(primary))
    if (!members.has("relay_url")) return { protocol: "iroh", node_id } as const
    const relay_url = yield* members.matching("relay_url", relayUrl, "an http(s) URL")
    return { protocol: "iroh", node_id, relay_url } as const
  })

/** Parses the payload of `remove_endpoint`. Fails with `event_malformed`. */
export const parseName = (payload: JsonObject): Result.Result<EndpointName, Problem> =>
  Result.gen(function* () {
    const members = new Members(payload, "event_malformed", "remove_endpoint")
    if (members.get("protocol") === "nats") return { protocol: "nats", url: yield* members.string("url") } as const
    yield* members.literal("protocol", "iroh")
    return { protocol: "iroh", node_id: yield* members.string("node_id") } as const
  })

/** Whether `endpoint` has this name. */
export const isNamed = (endpoint: Endpoint, name: EndpointName): boolean =>
  endpoint.protocol === "nats"
    ? name.protocol === "nats" && endpoint.url === name.url
    : name.protocol === "iroh" && endpoint.node_id === name.node_id
