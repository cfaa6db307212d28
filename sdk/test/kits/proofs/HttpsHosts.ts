/** One HTTPS server for the hosts of all providers, with the tests' own authority. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer, type Server } from "node:https"
import type { AddressInfo } from "node:net"
import { createSecureContext } from "node:tls"
import { Effect } from "effect"
import { type Certificates, certificates } from "./Certificates.ts"

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void

export interface HttpsHosts {
  readonly server: Server
  readonly certificates: Certificates
  readonly port: number
  readonly handlers: Map<string, Handler>
  /** Answers instead of a host's handler. */
  readonly overrides: Map<string, Handler>
  /** Certificates of hosts that have not the good one. */
  readonly bad: Map<string, "otherName" | "selfSigned">
  /** Each request as `host/path`, with its time. */
  readonly requests: Array<{ readonly host: string; readonly path: string; readonly at: number }>
}

/** Lets a host answer so. */
export const serve = ({ handlers }: HttpsHosts, host: string, handler: Handler): void => {
  handlers.set(host, handler)
}

/** Answers JSON. */
export const json = (response: ServerResponse, value: unknown, status = 200, type = "application/json"): void => {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8` })
  response.end(JSON.stringify(value))
}

export const text = (response: ServerResponse, value: string | Buffer, status = 200): void => {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" })
  response.end(value)
}

/** Made once in a process: each takes openssl a moment. */
const known = new Map<string, Certificates>()
const certificatesOf = (names: ReadonlyArray<string>): Certificates => {
  const made = known.get(names.join()) ?? certificates(names)
  known.set(names.join(), made)
  return made
}

export const httpsHosts = (names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const made = certificatesOf(names)
    const handlers = new Map<string, Handler>()
    const overrides = new Map<string, Handler>()
    const bad: HttpsHosts["bad"] = new Map()
    const requests: HttpsHosts["requests"] = []
    const server = createServer(
      {
        ...made.good,
        SNICallback: (name, callback) => callback(null, createSecureContext(made[bad.get(name) ?? "good"]))
      },
      (request, response) => {
        const host = (request.headers.host ?? "").replace(/:\d+$/, "")
        const url = new URL(request.url ?? "/", `https://${host}`)
        requests.push({ host, path: `${url.pathname}${url.search}`, at: Date.now() })
        const handler = overrides.get(host) ?? handlers.get(host)
        if (handler === undefined) return text(response, "no such host", 421)
        handler(request, response, url)
      }
    )
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return { server, certificates: made, port, handlers, overrides, bad, requests } satisfies HttpsHosts
  })
