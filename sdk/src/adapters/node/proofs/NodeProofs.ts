/**
 * Fetches proofs under Node, from all channels. Every name is looked up once and only public addresses are connected to
 * (spec KEZ-PRF-112); behind a proxy, which resolves names itself, only addresses and local names in URLs are refused.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isIP } from "node:net"
import { ProofFetcher } from "../../../services/ProofFetcher.ts"
import * as Lookup from "../../network-core/Lookup.ts"
import * as Fetcher from "../../proofs-core/Fetcher.ts"
import * as HostPace from "../../proofs-core/fetching/HostPace.ts"
import * as Toolbox from "../../proofs-core/fetching/Toolbox.ts"
import { defaults, type ProofOptions } from "../../proofs-core/ProofOptions.ts"
import type { Tools } from "../../proofs-core/Channel.ts"
import type { Endpoint, HttpStack } from "../network/HttpStack.ts"
import type { Environment } from "../network/Proxies.ts"
import * as Limits from "../../../protocol/Limits.ts"
import * as Zstd from "../Zstd.ts"
import * as SystemDns from "./SystemDns.ts"

/** With `dnsOverHttps` it is used instead of the system's resolvers. */
export interface NodeProofOptions extends ProofOptions {
  /** Addresses of resolvers, with or without a port, instead of the system's; an IPv6 address with a port in brackets. */
  readonly resolvers?: ReadonlyArray<string>
  /**
   * Servers of one's own: `host` to `address:port`, IPv6 in brackets. They are connected to there, without a lookup and
   * a check of the address.
   */
  readonly connectTo?: Readonly<Record<string, string>>
  /** Authorities in PEM, trusted besides Node's. */
  readonly ca?: string
  /** Source of the proxy variables; default `process.env`. */
  readonly env?: Environment
  /** Replaces the system's lookup of addresses. */
  readonly resolve?: Lookup.Resolve
}

const endpointForm = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/i

const endpoint = (host: string, target: string): Endpoint => {
  const [, ipv6, ipv4 = "", port] = endpointForm.exec(target) ?? []
  const address = ipv6 ?? ipv4
  if (isIP(address) === 0) throw new TypeError(`connectTo maps ${host} to ${target}, which is not address:port`)
  return { address, port: Number(port) }
}

/** What channels ask with; `layer` is what clients need. */
export const tools = (options: NodeProofOptions = {}): Tools => {
  const { ca, connectTo = {}, env = process.env, resolve, resolvers } = options
  const endpoints = new Map(Object.entries(connectTo).map(([host, target]) => [host, endpoint(host, target)]))
  // A stranger may name public addresses alone, as a home at a public address may.
  const reach = { home: "a proof", addressClass: () => "public" as const }
  let made: Promise<HttpStack> | undefined
  const stack = () =>
    (made ??= import("../network/HttpStack.ts").then(({ make }) =>
      make({
        env,
        lookup: Lookup.lookup(reach, resolve),
        connected: () => undefined,
        connectTo: endpoints,
        maxMessageBytes: Limits.proofAnswerBytes,
        ...(ca === undefined ? {} : { ca })
      })
    ))
  return Toolbox.make(
    {
      fetch: async (...request) => (await stack()).fetch(...request),
      webSocket: async (url) => (await stack()).webSocket(url),
      isChosen: ({ hostname, protocol }) => endpoints.has(hostname) && /^(?:https|wss):$/.test(protocol),
      headers: { "user-agent": "kez-chat" },
      txt: SystemDns.txt(resolvers),
      isBrowser: false
    },
    HostPace.make(options.spacingMillis),
    { ...defaults, ...options }
  )
}

/** Asks nothing before the first proof is fetched. */
export const layer = (options: NodeProofOptions = {}): Layer.Layer<ProofFetcher> =>
  Layer.sync(ProofFetcher, () =>
    Fetcher.make({
      tools: Effect.succeed(tools(options)),
      decompress: Effect.succeed(Zstd.decompress),
      compress: Zstd.compress,
      isBrowser: false
    })
  )
