/** Hostile methods, targets and secrets at every route of both servers. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bodyOf, expectProblem, responses, startBoth, statusOf, stopBoth } from "../kits/Hostile.ts"
import { get, post, raw, type Running } from "../kits/Servers.ts"

let both: Awaited<ReturnType<typeof startBoth>>
let chat: Running
let sig: Running

beforeAll(async () => {
  both = await startBoth()
  ;({ chat, sig } = both)
})
afterAll(() => stopBoth(both))

const hex = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"

/** Every route with the methods it takes. */
const routes = (): ReadonlyArray<{
  readonly base: string
  readonly port: number
  readonly path: string
  readonly methods: ReadonlyArray<string>
}> => [
  ...(
    [
      ["/", ["GET", "HEAD"]],
      ["/docs", ["GET", "HEAD"]],
      ["/openapi.json", ["GET", "HEAD"]],
      ["/v1/healthz", ["GET", "HEAD"]],
      ["/v1/register", ["POST"]],
      ["/v1/delete", ["POST"]],
      ["/v1/u/chris", ["GET", "HEAD", "DELETE"]],
      [`/v1/by-primary/ed25519:${hex}`, ["GET", "HEAD"]],
      [`/v1/manifests/ed25519/${hex}`, ["PUT", "GET", "HEAD"]],
      [`/v1/manifests/ed25519/${hex}/${hex}`, ["GET", "HEAD"]],
      ["/.well-known/kez-chat", ["GET", "HEAD"]],
      ["/.well-known/webfinger", ["GET", "HEAD"]]
    ] as const
  ).map(([path, methods]) => ({ base: chat.url, port: chat.port, path, methods })),
  ...(
    [
      ["/metrics", ["GET", "HEAD"]],
      ["/v1/healthz", ["GET", "HEAD"]],
      ["/internal/nats/auth", ["POST"]],
      ["/internal/removals", ["POST"]]
    ] as const
  ).map(([path, methods]) => ({ base: chat.internal, port: Number(new URL(chat.internal).port), path, methods })),
  ...(
    [
      ["/docs", ["GET", "HEAD"]],
      ["/openapi.json", ["GET", "HEAD"]],
      ["/v1/healthz", ["GET", "HEAD"]],
      [`/v1/sigchains/ed25519/${hex}`, ["GET", "HEAD", "POST"]],
      [`/v1/sigchains/ed25519/${hex}/head`, ["GET", "HEAD"]],
      [`/v1/sigchains/ed25519/${hex}/events`, ["POST"]]
    ] as const
  ).map(([path, methods]) => ({ base: sig.url, port: sig.port, path, methods }))
]

describe("method confusion", () => {
  it("answers 405 with Allow to every other method of every route", async () => {
    for (const { base, methods, path, port } of routes()) {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"]) {
        if (methods.includes(method)) continue
        const answer = method === "QUERY" ? undefined : await get(`${base}${path}`, { method })
        if (answer === undefined) {
          const [response] = responses(
            await raw(port, `QUERY ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
          )
          expect(statusOf(response!)).toBe(405)
          continue
        }
        expectProblem(answer, "method_not_allowed")
        expect(answer.headers.get("allow")).toBe([...methods, "OPTIONS"].join(", "))
      }
      expect((await get(`${base}${path}`, { method: "OPTIONS" })).status).toBe(204)
    }
  })

  it("does not know TRACE, CONNECT, upgrades or invented methods", async () => {
    for (const head of [
      "TRACE /v1/healthz HTTP/1.1\r\nHost: h",
      "TRACE / HTTP/1.1\r\nHost: h",
      "FROBNICATE / HTTP/1.1\r\nHost: h",
      "CONNECT kez.lat:443 HTTP/1.1\r\nHost: kez.lat:443",
      "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    ]) {
      const received = await raw(chat.port, `${head}\r\n${head.includes("Upgrade") ? "" : "Connection: close\r\n"}\r\n`)
      expect(received).not.toContain("101 Switching")
      for (const response of responses(received)) expect([200, 400, 405]).toContain(statusOf(response))
    }
  })
})

describe("targets", () => {
  it("KEZ-ERR-001 KEZ-ERR-004 answers every strange path from the closed list", async () => {
    const paths = [
      "/v1/u/%00",
      "/v1/u/%ff%fe",
      "/v1/u/%zz",
      "/v1/u/%",
      "/v1/u/chris%40localhost%40localhost",
      "/v1/u/..%2f..%2fetc%2fpasswd",
      "/v1/u/../../etc/passwd",
      "/v1/u//",
      "/v1/u/",
      "/v1/u/chris/",
      "/v1/u/chris;a=b",
      "/v1/u/%F0%9F%98%80%F0%9F%98%80",
      "/v1/u/ch%D1%80is",
      `/v1/u/${"a".repeat(1_500)}`,
      `/v1/by-primary/${"ed25519:".repeat(100)}`,
      "/v1/by-primary/%20",
      "//v1/u/chris",
      "/V1/U/chris",
      "/v1/u/chris?__proto__=1&constructor=2",
      `/.well-known/webfinger?${"resource=acct:a@b&".repeat(80)}`,
      `/.well-known/webfinger?resource=${"%F0%9F%98%80".repeat(50)}`,
      "/.well-known/webfinger?resource=acct:%00@localhost",
      "/.well-known/webfinger?resource=%ff",
      "/.well-known/webfinger?resource[]=acct:a@b",
      "/%2e%2e/%2e%2e/package.json",
      "/constructor",
      "/__proto__",
      "/v1/sigchains/ed25519/%00",
      `/v1/sigchains/nostr/${hex}`,
      `/v1/sigchains/ed25519/${hex}/events/0`,
      "/v1/manifests/ed25519/%00",
      `/v1/manifests/nostr/${hex}`,
      `/v1/manifests/ed25519/${hex}/..%2f..%2fetc%2fpasswd`,
      `/v1/manifests/ed25519/${hex}/%ff`,
      `/v1/manifests/ed25519/${hex}/${hex}/0`
    ]
    for (const { port } of [chat, sig]) {
      for (const path of paths) {
        const [response] = responses(await raw(port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`))
        expect([path, response === undefined]).toEqual([path, false])
        expect([path, [400, 404, 405].includes(statusOf(response!))]).toEqual([path, true])
        expect(response).toMatch(/content-type: application\/problem\+json/i)
      }
    }
  })

  it("refuses targets and headers beyond the limits", async () => {
    for (const { port, url } of [chat, sig]) {
      expectProblem(await get(`${url}/v1/u/${"a".repeat(2_100)}`), "uri_too_long")
      expectProblem(await get(`${url}/v1/healthz?${"a".repeat(8_000)}`), "uri_too_long")
      const received = await raw(port, `GET / HTTP/1.1\r\nHost: h\r\nX-Long: ${"a".repeat(20_000)}\r\n\r\n`)
      expect(statusOf(received)).toBe(413)
      expect(JSON.parse(bodyOf(received))).toMatchObject({ code: "too_large" })
    }
  })

  it("answers what is no HTTP with a problem and closes", async () => {
    for (const { port } of [chat, sig]) {
      for (const bytes of [
        "\u0000\u0001\u0002\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/register HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/register HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "\u0016\u0003\u0001\u0000\u0005hello"
      ]) {
        const received = await raw(port, bytes)
        if (received === "") continue
        const last = responses(received).at(-1)!
        expect([bytes, statusOf(last)]).toEqual([bytes, 400])
        expect(JSON.parse(bodyOf(last))).toMatchObject({ code: "request_malformed" })
      }
    }
  })
})

describe("the internal listener", () => {
  const secret = () => readFileSync(join(both.folder.path, "keys", "internal.secret"), "utf8").trim()

  it("wants the secret for everything that acts", async () => {
    for (const path of ["/internal/nats/auth", "/internal/removals"]) {
      for (const authorization of [
        undefined,
        "Bearer",
        "Bearer wrong",
        `Basic ${secret()}`,
        secret(),
        `bearer ${secret()} x`
      ]) {
        const answer = await post(`${chat.internal}${path}`, "x", {
          headers: authorization === undefined ? {} : { authorization }
        })
        expectProblem(answer, "unauthorized")
      }
    }
  })

  it("answers only authorization requests, and has no CORS", async () => {
    const ask = (body: string) =>
      post(`${chat.internal}/internal/nats/auth`, body, { headers: { authorization: `Bearer ${secret()}` } })
    for (const body of ["", "x", "a.b.c", "e30.e30.e30", "\u0000".repeat(100), "😀".repeat(1_000)]) {
      const answer = await ask(body)
      expectProblem(answer, "request_malformed")
      expect(answer.headers.get("access-control-allow-origin")).toBe(null)
    }
    expectProblem(await ask("a".repeat(20_000)), "too_large")
    expect(
      (await post(`${chat.internal}/internal/removals`, "", { headers: { authorization: `Bearer ${secret()}` } })).json
    ).toEqual({ done: 0, left: 0 })
  })

  it("is not reachable through the public listener", async () => {
    for (const path of ["/metrics", "/internal/nats/auth", "/internal/removals"]) {
      expectProblem(
        await post(`${chat.url}${path}`, "", { headers: { authorization: `Bearer ${secret()}` } }),
        "not_found"
      )
    }
  })
})
