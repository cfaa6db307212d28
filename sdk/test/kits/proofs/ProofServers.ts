/** Servers on this machine that speak as the providers of proofs do, and the options by which a fetcher reaches them. */
import type { NodeProofs } from "@kez-chat/sdk/node"
import { Effect } from "effect"
import { type BlueskyServer, blueskyHosts, blueskyServer } from "./BlueskyServer.ts"
import { type DnsServer, dnsServer } from "./DnsServer.ts"
import { type FediverseServer, fediverseServer } from "./FediverseServer.ts"
import { type GithubServer, githubHosts, githubServer } from "./GithubServer.ts"
import { type HttpsHosts, httpsHosts } from "./HttpsHosts.ts"
import { nostrRelays, type Relay, relayHosts } from "./NostrRelay.ts"

/** Hosts below this domain, one label each, have a certificate too. */
export const domain = "kez.test"
export const resolver = `doh.${domain}`

export interface ProofServers {
  readonly dns: DnsServer
  readonly https: HttpsHosts
  readonly github: GithubServer
  readonly bluesky: BlueskyServer
  readonly fediverse: FediverseServer
  readonly relays: ReadonlyArray<Relay>
  /** DNS over HTTPS by the same name server. */
  readonly dnsOverHttps: string
  /** For `NodeProofs.layer`; knows the hosts that have a handler when it is called. */
  readonly options: () => NodeProofs.NodeProofOptions
}

export const proofServers = Effect.gen(function* () {
  const https = yield* httpsHosts([...githubHosts, ...blueskyHosts, `*.${domain}`])
  const dns = yield* dnsServer
  https.handlers.set(resolver, (_, response, url) => {
    const answer = dns.answer(Buffer.from(url.searchParams.get("dns") ?? "", "base64url"), "https")
    if (answer === undefined) return
    response.writeHead(200, { "content-type": "application/dns-message", "access-control-allow-origin": "*" })
    response.end(answer)
  })
  const relays = nostrRelays(https)
  const github = githubServer(https)
  const bluesky = blueskyServer(https)
  const fediverse = fediverseServer(https)
  return {
    dns,
    https,
    github,
    bluesky,
    fediverse,
    relays,
    dnsOverHttps: `https://${resolver}/dns-query`,
    options: () => ({
      resolvers: [dns.address],
      relays: relayHosts.map((host) => `wss://${host}`),
      ca: https.certificates.ca,
      connectTo: Object.fromEntries([...https.handlers.keys()].map((host) => [host, `127.0.0.1:${https.port}`])),
      env: {},
      spacingMillis: 0
    })
  } satisfies ProofServers
})
