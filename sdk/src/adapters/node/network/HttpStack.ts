/** HTTP by undici with a custom name lookup and the environment's proxies. Loaded with the first request. */
import type { LookupFunction } from "node:net"
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls"
import { Agent, buildConnector, EnvHttpProxyAgent, fetch, WebSocket, type Dispatcher } from "undici"
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import { type Environment, proxiesOf } from "./Proxies.ts"

export interface HttpStackOptions {
  readonly env: Environment
  readonly lookup: LookupFunction
  /** Called for each direct connection; an IPv6 host is in brackets. */
  readonly connected: (host: string, remoteAddress: string | undefined) => void
  /** Host names that are connected to elsewhere, without a lookup or proxy. */
  readonly connectTo?: ReadonlyMap<string, Endpoint>
  /** Authorities in PEM, trusted besides Node's. */
  readonly ca?: string
  /** Size limit of a WebSocket message, after decompression. */
  readonly maxMessageBytes?: number
}

export interface Endpoint {
  readonly address: string
  readonly port: number
}

export interface HttpStack {
  readonly fetch: typeof globalThis.fetch
  readonly webSocket: (url: string) => globalThis.WebSocket
}

export const make = (options: HttpStackOptions): HttpStack => {
  const way = wayOf(options)
  return {
    fetch: async (input, init) => {
      const url = new URL(String(input))
      const answer = await fetch(url, { ...(init as object), dispatcher: way(url) })
      return answer as unknown as Response
    },
    webSocket: (url) => {
      const dispatcher = way(new URL(url.replace(/^ws/i, "http")))
      return new WebSocket(url, { dispatcher }) as unknown as globalThis.WebSocket
    }
  }
}

/** Routes a URL directly or through a proxy. */
const wayOf = (options: HttpStackOptions): ((url: URL) => Dispatcher) => {
  const connect = connectorOf(options)
  const { http, https, none } = proxiesOf(options.env)
  const { connectTo, maxMessageBytes } = options
  const bounds = maxMessageBytes === undefined ? {} : { webSocket: { maxPayloadSize: maxMessageBytes } }
  const direct = new Agent({ connect, ...bounds })
  if (http === undefined && https === undefined) return () => direct
  const proxied = new EnvHttpProxyAgent({
    connect,
    ...bounds,
    noProxy: none,
    httpProxy: http ?? "",
    httpsProxy: https ?? ""
  })
  return (url) => (AddressClass.isLoopback(url.hostname) || connectTo?.has(url.hostname) === true ? direct : proxied)
}

/** Parsing Node's authorities takes a while, so that is done once. */
const contexts = new Map<string, SecureContext>()
const trusting = (ca: string): SecureContext => {
  const context = contexts.get(ca) ?? createSecureContext({ ca: [...rootCertificates, ca] })
  contexts.set(ca, context)
  return context
}

const connectorOf = ({ ca, connected, connectTo, lookup }: HttpStackOptions): buildConnector.connector => {
  const trusted = ca === undefined ? {} : { secureContext: trusting(ca) }
  const connect = buildConnector({ allowH2: false, lookup, ...trusted })
  return (options, callback) => {
    const endpoint = connectTo?.get(options.hostname)
    const dialled =
      endpoint === undefined ? options : { ...options, hostname: endpoint.address, port: String(endpoint.port) }
    connect(dialled, (...outcome) => {
      // Contrary to its types, undici omits the socket on failure.
      const socket = outcome[1] ?? undefined
      if (socket !== undefined) connected(options.hostname, socket.remoteAddress)
      callback(...outcome)
    })
  }
}
