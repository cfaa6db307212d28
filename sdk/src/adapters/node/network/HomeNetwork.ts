/**
 * The network of one home server under Node: HTTP that checks the addresses it connects to, looking names up once.
 *
 * `fetch` is for the home, chosen by its user, and records the class of the address that answered. `named` is for
 * servers that the home names, at public addresses or ones of its class (spec KEZ-REG-031). `HTTP_PROXY`, `HTTPS_PROXY`
 * and `NO_PROXY` apply to HTTP, not to the broker, except for this machine. A proxy resolves names itself, so behind
 * one only addresses and local names in URLs are checked.
 */
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import * as HomeReach from "../../../services/homes/HomeReach.ts"
import * as Lookup from "../../network-core/Lookup.ts"
import type { HttpStack, HttpStackOptions } from "./HttpStack.ts"
import { type Environment, proxiesOf } from "./Proxies.ts"

export { type Environment, proxiesOf }

export interface HomeNetworkOptions {
  /** Base URL of the home server. */
  readonly home: string
  /** Source of the proxy variables; default `process.env`. */
  readonly env?: Environment
  /** Replaces the system's name lookup. */
  readonly resolve?: Lookup.Resolve
}

export interface HomeNetwork {
  /** `namedBy` of `HttpSigchainStore` and of the NATS adapters, for servers that the home names. */
  readonly reach: HomeReach.HomeReach
  /** For requests to the home itself. */
  readonly fetch: typeof globalThis.fetch
  /** For requests to servers that the home names. */
  readonly named: typeof globalThis.fetch
  /** Opens WebSockets to servers that the home names: `webSocket` of the NATS adapter on WebSocket. */
  readonly webSocket: (url: string) => Promise<WebSocket>
}

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, "")

/**
 * The network of homes that are not the user's: `HttpHomes.layer({ urls, network: HomeNetwork.others() })`. All that is
 * not in `urls` must be at public addresses. Needs no closing.
 */
export const others = (options: Omit<HomeNetworkOptions, "home"> = {}): Others => {
  const { env = process.env, resolve } = options
  // The reach only classifies here; each home's own, which the request is checked by, names it in messages.
  const toOthers = stackOf({ env, resolve, reach: HomeReach.ofOther("another home"), connected: () => undefined })
  const fetch: typeof globalThis.fetch = async (...request) => (await toOthers()).fetch(...request)
  const chosen = new Map<string, HomeNetwork>()
  return (server, url) => {
    if (url === undefined) return { fetch, named: fetch, reach: HomeReach.ofOther(server) }
    const network = chosen.get(url) ?? make({ ...options, home: url })
    chosen.set(url, network)
    return network
  }
}

/** As `network` of `HttpHomes`: how a server is asked, at `url` if the user chose one. */
export type Others = (server: string, url: string | undefined) => Pick<HomeNetwork, "fetch" | "named" | "reach">

interface Stack {
  readonly env: Environment
  readonly resolve: Lookup.Resolve | undefined
  readonly reach: HomeReach.HomeReach | undefined
  readonly connected: HttpStackOptions["connected"]
}

/** Loads what the first request needs, for a program that has to wait for something else before it. */
export const load = (): Promise<unknown> => import("./HttpStack.ts")

/** A stack that is made for the first request. */
const stackOf = ({ connected, env, reach, resolve }: Stack) => {
  let made: Promise<HttpStack> | undefined
  return () =>
    (made ??= import("./HttpStack.ts").then(({ make }) =>
      make({ env, lookup: Lookup.lookup(reach, resolve), connected })
    ))
}

/** Needs no closing: idle connections end by themselves and do not keep the process alive. */
export const make = ({ home, env = process.env, resolve }: HomeNetworkOptions): HomeNetwork => {
  const byUrl = HomeReach.ofUrl(home)
  const homeHost = unbracketed(URL.parse(home)?.hostname ?? "")
  let seen: AddressClass.AddressClass | undefined
  const reach: HomeReach.HomeReach = { home: byUrl.home, addressClass: () => seen ?? byUrl.addressClass() }

  const see = (host: string, remoteAddress: string | undefined): void => {
    if (unbracketed(host) === homeHost && remoteAddress !== undefined) seen = AddressClass.ofHost(remoteAddress)
  }

  const toHome = stackOf({ env, resolve, reach: undefined, connected: see })
  const toNamed = stackOf({ env, resolve, reach, connected: () => undefined })
  return {
    reach,
    fetch: async (...request) => (await toHome()).fetch(...request),
    named: async (...request) => (await toNamed()).fetch(...request),
    webSocket: async (url) => (await toNamed()).webSocket(url)
  }
}
