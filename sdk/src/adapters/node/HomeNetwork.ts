/**
 * The network of one home server under Node: HTTP that checks where it connects to, and honours the proxy variables.
 *
 * `fetch` is for the home itself, which its user chose, and notes the kind of address that answered: by TLS that is the
 * home's own word. `named` is for what the home names, which may be a public address or one of that kind (spec
 * KEZ-REG-031). A name is looked up once, and the checked address is the one connected to.
 *
 * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or in lower case) are followed, but never for this machine. A proxy looks
 * names up itself, so behind one only addresses and local names in URLs are checked. The broker's connection is no HTTP
 * and goes through none.
 */
import type { LookupFunction } from "node:net"
import type { buildConnector, Dispatcher } from "undici"
import * as AddressClass from "../../protocol/AddressClass.ts"
import * as HomeReach from "../../services/HomeReach.ts"
import * as Lookup from "../network-core/Lookup.ts"

export interface HomeNetworkOptions {
  /** Base URL of the home server. */
  readonly home: string
  /** Where the proxy variables are; `process.env` unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Another way to look names up than the system's. */
  readonly resolve?: Lookup.Resolve
}

export interface HomeNetwork {
  /** For the adapters of what the home names: `namedBy` of `HttpSigchainStore` and of the NATS adapters. */
  readonly reach: HomeReach.HomeReach
  /** For requests to the home itself. */
  readonly fetch: typeof globalThis.fetch
  /** For requests to servers that the home names. */
  readonly named: typeof globalThis.fetch
  /** A WebSocket to a server that the home names, for `webSocket` of the NATS adapter on WebSocket. */
  readonly webSocket: (url: string) => Promise<WebSocket>
}

/** The proxies that an environment names; empty strings name none. */
export const proxiesOf = (env: Readonly<Record<string, string | undefined>>) => {
  const value = (name: string) => env[name.toLowerCase()] || env[name] || undefined
  const http = value("HTTP_PROXY")
  return { http, https: value("HTTPS_PROXY") ?? http, none: value("NO_PROXY") ?? "" }
}

type HttpStack = typeof import("./HttpStack.ts")

/** Chooses the way to a URL: directly, or through a proxy. */
const dispatcherOf = (
  undici: HttpStack,
  env: Readonly<Record<string, string | undefined>>,
  connect: buildConnector.connector
): ((url: URL) => Dispatcher) => {
  const { http, https, none } = proxiesOf(env)
  const direct = new undici.Agent({ connect })
  if (http === undefined && https === undefined) return () => direct
  const proxied = new undici.EnvHttpProxyAgent({
    connect,
    noProxy: none,
    httpProxy: http ?? "",
    httpsProxy: https ?? ""
  })
  return (url) => (AddressClass.isLoopback(url.hostname) ? direct : proxied)
}

/** Connects to the addresses that `lookup` gives, and tells of each connection to whom it was made. */
const connectorOf = (
  undici: HttpStack,
  lookup: LookupFunction,
  connected: (host: string, remoteAddress: string | undefined) => void
): buildConnector.connector => {
  const connect = undici.buildConnector({ allowH2: false, lookup })
  return (options, callback) =>
    connect(options, (...outcome) => {
      // Whatever its types say, undici leaves the socket of a failure out.
      const socket = outcome[1] ?? undefined
      if (socket !== undefined) connected(unbracketed(options.hostname), socket.remoteAddress)
      callback(...outcome)
    })
}

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, "")

/** Holds nothing open: idle connections end by themselves and keep no process alive. */
export const make = ({ home, env = process.env, resolve }: HomeNetworkOptions): HomeNetwork => {
  const byUrl = HomeReach.ofUrl(home)
  const homeHost = unbracketed(URL.parse(home)?.hostname ?? "")
  let seen: AddressClass.AddressClass | undefined
  const reach: HomeReach.HomeReach = { home: byUrl.home, addressClass: () => seen ?? byUrl.addressClass() }

  const see = (host: string, remoteAddress: string | undefined): void => {
    if (host === homeHost && remoteAddress !== undefined) seen = AddressClass.ofHost(remoteAddress)
  }

  /** Made with the first request: commands that need no network start without undici. */
  const waysOf = (namedBy: HomeReach.HomeReach | undefined) => {
    const begin = async () => {
      const undici = await import("./HttpStack.ts")
      const lookup = Lookup.lookup(namedBy, resolve)
      const connect = connectorOf(undici, lookup, namedBy === undefined ? see : () => undefined)
      return { undici, dispatcher: dispatcherOf(undici, env, connect) }
    }
    let begun: ReturnType<typeof begin> | undefined
    return () => (begun ??= begin())
  }

  const fetchBy = (ways: ReturnType<typeof waysOf>): typeof globalThis.fetch => {
    return async (input, init) => {
      const { dispatcher, undici } = await ways()
      const url = new URL(String(input))
      const answer = await undici.fetch(url, { ...(init as object), dispatcher: dispatcher(url) })
      return answer as unknown as Response
    }
  }

  const toNamed = waysOf(reach)
  return {
    reach,
    fetch: fetchBy(waysOf(undefined)),
    named: fetchBy(toNamed),
    webSocket: async (url) => {
      const { dispatcher, undici } = await toNamed()
      const socket = new undici.WebSocket(url, { dispatcher: dispatcher(new URL(url.replace(/^ws/i, "http"))) })
      return socket as unknown as globalThis.WebSocket
    }
  }
}
