/** A home server that lies about who a handle is, as a proxy before a real one. */
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Endpoint, Envelope } from "@kez-chat/sdk/protocol"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import * as http from "node:http"
import type { AddressInfo } from "node:net"

export interface Impostor {
  readonly primary: string
  /** Its own registration of the handle, as JSON. */
  readonly registration: unknown
}

const signed = (seed: Uint8Array, handle: string) =>
  Effect.gen(function* () {
    const identity = yield* Identity.fromSeed(Redacted.make(seed))
    const registration = yield* identity.signRegistration({ handle, server: "localhost", createdAt: Date.now() })
    return { identity, primary: identity.primary, registration: Envelope.toJson(registration) }
  })

/** The key of an account, with its registration for another handle: a home and an account of it that work together. */
export const accomplice = (seed: Uint8Array, handle: string): Promise<Impostor> =>
  Effect.runPromise(Effect.provide(signed(seed, handle), NodeCrypto.layer))

/** A key of nobody's with a chain and its registration for a handle of `localhost`: the home can put it there. */
export const impostor = (handle: string, sigServer: string): Promise<Impostor> =>
  Effect.gen(function* () {
    const { identity, ...who } = yield* signed(Uint8Array.from(randomBytes(32)), handle)
    const payload = Endpoint.nats(identity.primary, "nats://127.0.0.1:4222")
    const operation = { op: "add_endpoint" as const, payload }
    const event = yield* identity.signSigchainEvent({ after: undefined, operation, createdAt: Date.now() })
    const url = `${sigServer}/v1/sigchains/${identity.primary.replace(":", "/")}/events`
    yield* Effect.promise(async () => {
      const body = Uint8Array.from(Envelope.encode(event))
      const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })
      if (answer.status !== 201) throw new Error(`the sig-server answered ${answer.status}`)
    })
    return who
  }).pipe(Effect.provide(NodeCrypto.layer), Effect.runPromise)

/** Headers of the answer as it came over the wire; its body is sent on decoded and whole. */
const ofTransfer = new Set(["connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"])

/** A file that is sent in place of another, with its text changed. */
export interface Edit {
  readonly from: string
  readonly text: (text: string) => string
}

export interface Liar {
  readonly url: string
  /** Names this key for the handle from now on; without one tells the truth. */
  lie(handle: string, who?: Impostor): void
  /** Answers what is put or posted below this path with 503 from now on; without one takes it again. */
  refuse(path?: string): void
  /** Sends other files from now on, where `edit` has one for a path. */
  edit(edit: (path: string) => Edit | undefined): void
  close(): Promise<void>
}

const bodyOf = async (request: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Array<Uint8Array> = []
  for await (const part of request) parts.push(part)
  return Uint8Array.from(Buffer.concat(parts))
}

export const startLiar = async (home: string, port = 0): Promise<Liar> => {
  const lies = new Map<string, Impostor>()
  let refused: string | undefined
  let edit: (path: string) => Edit | undefined = () => undefined
  const recordOf = async (handle: string, { primary, registration }: Impostor) => {
    const truth = (await (await fetch(`${home}/v1/u/${handle}`)).json()) as object
    return JSON.stringify({ ...truth, primary, registration, endpoints: [] })
  }
  const server = http.createServer((request, response) => {
    const path = request.url ?? "/"
    const lie = [...lies].find(([handle, { primary }]) =>
      [`/v1/u/${handle}`, `/v1/by-primary/${primary}`].includes(decodeURIComponent(path))
    )
    const answer = async () => {
      if (lie !== undefined) {
        response.setHeader("content-type", "application/json")
        return response.end(await recordOf(...lie))
      }
      const hasBody = request.method !== "GET" && request.method !== "HEAD"
      if (hasBody && refused !== undefined && path.startsWith(refused)) {
        response.statusCode = 503
        return response.end()
      }
      const edited = edit(path)
      const forwarded = await fetch(home + (edited?.from ?? path), {
        method: request.method ?? "GET",
        headers: { "content-type": request.headers["content-type"] ?? "application/json" },
        ...(hasBody ? { body: await bodyOf(request) } : {})
      })
      response.statusCode = forwarded.status
      for (const [name, value] of forwarded.headers) if (!ofTransfer.has(name)) response.setHeader(name, value)
      return response.end(edited?.text(await forwarded.text()) ?? Buffer.from(await forwarded.arrayBuffer()))
    }
    answer().catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lie: (handle, who) => void (who === undefined ? lies.delete(handle) : lies.set(handle, who)),
    refuse: (path) => void (refused = path),
    edit: (next) => void (edit = next),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
