/** The services that a browser asks, over plain HTTP on this machine: what a home publishes for a local page. */
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import type { Registration } from "@kez-chat/sdk/protocol"
import { Effect } from "effect"
import { relayHosts } from "./NostrRelay.ts"
import { type ProofServers, resolver } from "./ProofServers.ts"

const fronts: ReadonlyArray<readonly [path: string, host: string]> = [
  ["/dns-query", resolver],
  ["/plc", "plc.directory"],
  ["", "public.api.bsky.app"]
]

/** Answers as `proof_sources`. */
export const plainFront = ({ https }: ProofServers) =>
  Effect.gen(function* () {
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1")
      const [path, host] = fronts.find(([path]) => url.pathname.startsWith(path)) ?? ["", ""]
      if (path === "/plc") url.pathname = url.pathname.slice(path.length)
      response.setHeader("access-control-allow-origin", "*")
      https.handlers.get(host)?.(request, response, url)
    })
    server.on("upgrade", (request: IncomingMessage, socket, head) => {
      request.headers.host = relayHosts[Number(/\d$/.exec(request.url ?? "")?.[0] ?? 1) - 1]
      https.server.emit("upgrade", request, socket, head)
    })
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
      }),
      () =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    )
    const base = `127.0.0.1:${port}`
    return {
      dns: `http://${base}/dns-query`,
      nostr: relayHosts.map((_, n) => `ws://${base}/relay${n + 1}`),
      bluesky: `http://${base}`,
      plc: `http://${base}/plc`
    } satisfies Registration.ProofSources
  })
