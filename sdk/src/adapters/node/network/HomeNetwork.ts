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
import * as AddressClass from "../../../protocol/registration/AddressClass.ts"
import * as HomeReach from "../../../services/HomeReach.ts"
import * as Lookup from "../../network-core/Lookup.ts"
import type { HttpStack } from "./HttpStack.ts"
import { type Environment, proxiesOf } from "./Proxies.ts"

export { type Environment, proxiesOf }

export interface HomeNetworkOptions {
  /** Base URL of the home server. */
  readonly home: string
  /** Where the proxy variables are; `process.env` unless told. */
  readonly env?: Environment
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

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, "")

/** Holds nothing open: idle connections end by themselves and keep no process alive. */
export const make = ({ home, env = process.env, resolve }: HomeNetworkOptions): HomeNetwork => {
  const byUrl = HomeReach.ofUrl(home)
  const homeHost = unbracketed(URL.parse(home)?.hostname ?? "")
  let seen: AddressClass.AddressClass | undefined
  const reach: HomeReach.HomeReach = { home: byUrl.home, addressClass: () => seen ?? byUrl.addressClass() }

  const see = (host: string, remoteAddress: string | undefined): void => {
    if (unbracketed(host) === homeHost && remoteAddress !== undefined) seen = AddressClass.ofHost(remoteAddress)
  }

  const stackOf = (namedBy: HomeReach.HomeReach | undefined) => {
    let made: Promise<HttpStack> | undefined
    return () =>
      (made ??= import("./HttpStack.ts").then(({ make }) =>
        make({ env, lookup: Lookup.lookup(namedBy, resolve), connected: namedBy === undefined ? see : () => undefined })
      ))
  }
  const toHome = stackOf(undefined)
  const toNamed = stackOf(reach)
  return {
    reach,
    fetch: async (...request) => (await toHome()).fetch(...request),
    named: async (...request) => (await toNamed()).fetch(...request),
    webSocket: async (url) => (await toNamed()).webSocket(url)
  }
}
