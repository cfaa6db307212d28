/** An HTTP server that answers as told, and what the failures of its clients must be. */
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { assert } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Identity } from "@kez-chat/sdk/crypto"
import { Problem } from "@kez-chat/sdk/protocol"
import { ServerUnreachable } from "@kez-chat/sdk/services"

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A server that answers as told until the scope closes, and what it was asked. */
export const serve = (handler: Handler) => {
  const asked: Array<string> = []
  return Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(async (request, response) => {
        let body = ""
        for await (const chunk of request) body += String(chunk)
        asked.push(`${request.method} ${request.url}`)
        handler(request, response, body)
      })
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return server
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => ({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked })))
}

/** Answers with a status and a value. */
export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}, type = "application/json"): Handler =>
  (_, response) => {
    response.writeHead(status, { "content-type": type, ...headers })
    response.end(typeof value === "string" ? value : JSON.stringify(value))
  }

export const unreachable = (error: unknown): ServerUnreachable => {
  assert.instanceOf(error, ServerUnreachable)
  return error as ServerUnreachable
}
export const code = (error: unknown): string => {
  assert.instanceOf(error, Problem.Problem)
  return (error as Problem.Problem).code
}

export const identityOf = Effect.suspend(() => Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))))
