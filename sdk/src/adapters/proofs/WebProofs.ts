/**
 * Fetches proofs in a browser: of domains, nostr keys and Bluesky handles, from the services that the home publishes for
 * it (spec KEZ-REG-110). A browser does not show the addresses that it connects to; the page's policy admits no others.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProofSources } from "../../protocol/registration/Registration.ts"
import { ProofFetcher } from "../../services/ProofFetcher.ts"
import { Unreachable } from "../proofs-core/Channel.ts"
import * as Fetcher from "../proofs-core/Fetcher.ts"
import * as HostPace from "../proofs-core/fetching/HostPace.ts"

export interface WebProofOptions<E> {
  /** What the page may ask, read for each proof: `proof_sources` of the home's description. */
  readonly sources: Effect.Effect<ProofSources, E>
  /** Loads the decoder of compact proofs: `Zstd.decompress` of `@kez-chat/sdk/zstd`. */
  readonly decompress: ProofFetcher["Service"]["decompress"]
}

const unknown = (cause: unknown) =>
  new Unreachable({ reason: "network", detail: "the home server does not say which services may be asked", cause })

const load = Effect.tryPromise({
  try: () => import("../proofs-core/fetching/Toolbox.ts"),
  catch: (cause) => new Unreachable({ reason: "network", detail: "a part of this page cannot be loaded", cause })
})

/** Asks nothing, and loads no channel, before the first proof is fetched. */
export const layer = <E>({ decompress, sources }: WebProofOptions<E>): Layer.Layer<ProofFetcher> =>
  Layer.sync(ProofFetcher, () => {
    const pace = HostPace.make()
    const tools = Effect.gen(function* () {
      const { bluesky, dns, nostr, plc } = yield* Effect.mapError(sources, unknown)
      const toolbox = yield* load
      const origins = new Set([bluesky, dns, plc, ...(nostr ?? [])].map((url) => URL.parse(url ?? "")?.origin))
      const platform = {
        fetch: (...request: Parameters<typeof fetch>) => globalThis.fetch(...request),
        webSocket: async (url: string) => new WebSocket(url),
        isChosen: ({ origin }: URL) => origins.has(origin),
        isBrowser: true
      }
      return toolbox.make(platform, pace, {
        ...(dns === undefined ? {} : { dnsOverHttps: dns }),
        ...(nostr === undefined ? {} : { relays: nostr }),
        ...(bluesky === undefined ? {} : { xrpc: bluesky }),
        ...(plc === undefined ? {} : { plc })
      })
    })
    return Fetcher.make({ tools, decompress, isBrowser: true })
  })
