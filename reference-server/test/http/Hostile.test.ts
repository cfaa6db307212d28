/** Hostile input to every route of both servers: an answer from the closed list, no defect, nothing lost. */
import { Envelope, Problem } from "@kez-chat/sdk/protocol"
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  type Answer,
  deletion,
  endpointEvent,
  get,
  newIdentity,
  post,
  raw,
  registration,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
let chat: Running
let sig: Running

// A body gets one second here, so that the tests of slow clients are quick.
beforeAll(async () => {
  ;[chat, sig] = await Promise.all([
    startChat(folder.path, ["--request-timeout", "1", "--idle-timeout", "3"]),
    startSig(folder.path, ["--request-timeout", "1", "--idle-timeout", "3"])
  ])
})
afterAll(async () => {
  const exits = await Promise.all([chat.stop(), sig.stop()])
  folder[Symbol.dispose]()
  expect(exits).toEqual([0, 0])
  // A defect would have been logged as an error: no input of this file may cause one.
  const errors = [...chat.logs, ...sig.logs].filter(({ level }) => level === "error" || level === "fatal")
  expect(errors).toEqual([])
})

const expectProblem = (answer: Pick<Answer, "status" | "headers" | "json">, code?: Problem.Code): void => {
  expect(answer.headers.get("content-type")).toBe("application/problem+json")
  const found = answer.json["code"] as Problem.Code
  expect(Object.keys(Problem.codes)).toContain(found)
  expect(answer.json).toMatchObject({
    type: `urn:kez:problem:${found}`,
    title: Problem.codes[found].title,
    status: answer.status,
    detail: expect.any(String)
  })
  expect(answer.status).toBe(Problem.codes[found].status)
  expect(JSON.stringify(answer.json)).not.toMatch(/\bat \/|node_modules|\.ts:|SQLITE/)
  if (code !== undefined) expect(found).toBe(code)
}

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

/** Every route that reads a body, with a well-formed statement that it could take. */
const bodyRoutes = async () => {
  const identity = await newIdentity()
  const registered = await registration(identity, `host${Math.random().toString(36).slice(2, 10)}`)
  const gone = await deletion(identity, "hostile")
  const event = await endpointEvent(identity)
  const chain = `${sig.url}/v1/sigchains/ed25519/${identity.key.hex}`
  return [
    { url: `${chat.url}/v1/register`, method: "POST", statement: registered, limit: 8_192 },
    { url: `${chat.url}/v1/delete`, method: "POST", statement: gone, limit: 8_192 },
    { url: `${chat.url}/v1/u/hostile`, method: "DELETE", statement: gone, limit: 8_192 },
    { url: `${chain}/events`, method: "POST", statement: event, limit: 131_072 },
    { url: chain, method: "POST", statement: event, limit: 131_072 }
  ].map((route) => ({ ...route, text: Envelope.encodeText(route.statement) }))
}

const responses = (received: string) => received.split(/(?=HTTP\/1\.1 \d)/).filter((part) => part !== "")
const statusOf = (response: string) => Number(response.slice(9, 12))
const bodyOf = (response: string) => response.slice(response.indexOf("\r\n\r\n") + 4)

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

describe("bodies", () => {
  it("KEZ-ERR-001 KEZ-ERR-004 KEZ-ERR-006 answers malformed JSON with the code that names the fault", async () => {
    for (const { method, text, url } of await bodyRoutes()) {
      const send = (body: string | Uint8Array<ArrayBuffer>) => post(url, "", { method, body })
      const cases: ReadonlyArray<readonly [string | Uint8Array<ArrayBuffer>, Problem.Code]> = [
        ["", "json_malformed"],
        ["{", "json_malformed"],
        ["null", "envelope_malformed"],
        ["[]", "envelope_malformed"],
        ['"x"', "envelope_malformed"],
        ["{}", "envelope_malformed"],
        ["{'a':1}", "json_malformed"],
        [`${text},`, "json_malformed"],
        [`\ufeff${text}`, "json_malformed"],
        [`/* */${text}`, "json_malformed"],
        [text.replace('"kez":', '"kez":"claim","kez":'), "json_duplicate_name"],
        [text.replace('"version":1', '"version":1.0'), "json_number"],
        [text.replace('"version":1', '"version":1e0'), "json_number"],
        [text.replace('"version":1', '"version":9007199254740993'), "json_number"],
        [text.replace('"version":1', '"version":1,"__proto__":{}'), "json_string"],
        [text.replace('"version":1', '"version":1,"x":"\\ud800"'), "json_string"],
        [text.replace('"version":1', `"version":1,"x":${"[".repeat(20)}${"]".repeat(20)}`), "json_depth"],
        [
          Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xff, 0xfe, 0xc3, 0x28]), Buffer.from('"}')]),
          "json_malformed"
        ],
        [text.replace('"version":1', '"version":2'), "envelope_kind"],
        [text.replace('"version":1', '"version":1,"x":1'), "signature_invalid"],
        [text.replace('"alg":"ed25519-sha512-jcs"', '"alg":"none"'), "algorithm_unsupported"],
        [text.replace(/"sig":"[0-9a-f]+"/, '"sig":"00"'), "envelope_malformed"],
        [text.replace(/"sig":"[0-9a-f]+"/, `"sig":"${"00".repeat(64)}"`), "signature_invalid"],
        [text.replace(/"sig":"[0-9a-f]+"/, '"sig":null'), "envelope_malformed"],
        [text.replace(/"created_at":"[^"]+"/, '"created_at":"yesterday"'), "timestamp_malformed"]
      ]
      for (const [body, code] of cases) {
        const answer = await send(body)
        expect([url, String(body).slice(0, 80), answer.json["code"]]).toEqual([url, String(body).slice(0, 80), code])
        expectProblem(answer)
      }
    }
  })

  it("refuses other content types and codings", async () => {
    for (const { method, text, url } of await bodyRoutes()) {
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=latin1",
        "application/json, text/plain",
        ""
      ]) {
        expectProblem(
          await post(url, "", {
            method,
            body: Buffer.from(text),
            headers: type === "" ? {} : { "content-type": type }
          }),
          "media_type_unsupported"
        )
      }
      expectProblem(
        await post(url, "", {
          method,
          body: text,
          headers: { "content-type": "application/json", "content-encoding": "gzip" }
        }),
        "media_type_unsupported"
      )
    }
  })

  it("KEZ-LIM-006 cuts a body off at the limit, declared or streamed", async () => {
    for (const { limit, method, url } of await bodyRoutes()) {
      expectProblem(await post(url, "", { method, body: " ".repeat(limit + 1) }), "too_large")
      const { host, pathname, port } = new URL(url)
      const chunk = " ".repeat(4_096)
      const head = `${method} ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`
      const streamed = `${head}Transfer-Encoding: chunked\r\n\r\n${`1000\r\n${chunk}\r\n`.repeat(limit / 4_096 + 1)}`
      expect(statusOf(await raw(Number(port), streamed))).toBe(413)
      // Told a gigabyte, it must not wait for it.
      expect(statusOf(await raw(Number(port), `${head}Content-Length: 1073741824\r\n\r\n{`))).toBe(413)
    }
  })

  it("gives a slow body and a slow head their time and no more", async () => {
    for (const { method, url } of await bodyRoutes()) {
      const { host, pathname, port } = new URL(url)
      const received = await raw(
        Number(port),
        `${method} ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"kez"`
      )
      expect(statusOf(received)).toBe(408)
      expect(JSON.parse(bodyOf(received))).toMatchObject({ code: "request_timeout" })
    }
    for (const { port } of [chat, sig]) {
      const received = await raw(port, "GET /v1/healthz HTTP/1.1\r\nHost: h\r\nX-Slow: a")
      expect(statusOf(received)).toBe(408)
    }
  })

  it("is not disturbed by clients that leave in the middle", async () => {
    for (const { method, url } of await bodyRoutes()) {
      const { host, pathname, port } = new URL(url)
      await Promise.all(
        Array.from(
          { length: 20 },
          () =>
            new Promise<void>((done) => {
              const socket = connect(Number(port), "127.0.0.1", () => {
                socket.write(
                  `${method} ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"kez"`,
                  () => {
                    socket.resetAndDestroy()
                  }
                )
              })
              socket.on("close", () => done())
            })
        )
      )
    }
    for (const { url } of [chat, sig]) expect((await get(`${url}/docs`)).status).toBe(200)
  })
})

describe("statements that are not theirs", () => {
  it("refuses cross-signed, re-addressed and re-labelled statements on every route", async () => {
    const [a, b] = [await newIdentity(), await newIdentity()]
    const own = Envelope.toJson(await registration(a, "crossed"))
    const others = Envelope.toJson(await registration(b, "crossed"))
    const payload = own["payload"] as Record<string, unknown>
    const bad = [
      {
        ...own,
        signature: { ...(own["signature"] as object), sig: (others["signature"] as Record<string, unknown>)["sig"] }
      },
      { ...own, payload: others["payload"], signature: { ...(own["signature"] as object), key: b.primary } },
      { ...own, payload: { ...payload, handle: "another" } },
      { ...own, payload: { ...payload, server: "kez.lat" } }
    ]
    for (const body of bad) expectProblem(await post(`${chat.url}/v1/register`, body), "signature_invalid")
    for (const { method, url } of (await bodyRoutes()).slice(1)) {
      const answer = await post(url, own, { method })
      expectProblem(answer)
      expect(answer.status).toBe(400)
    }
    const flat = {
      handle: "crossed",
      primary: a.primary,
      created_at: payload["created_at"],
      registration_sig: (own["signature"] as Record<string, unknown>)["sig"]
    }
    expectProblem(await post(`${chat.url}/v1/register`, { ...flat, primary: b.primary }), "signature_invalid")
    expectProblem(await post(`${chat.url}/v1/register`, { ...flat, server: "localhost" }), "envelope_malformed")
    expect((await get(`${chat.url}/v1/u/crossed`)).status).toBe(404)
  })
})

describe("the internal listener", () => {
  const secret = () => readFileSync(join(folder.path, "keys", "internal.secret"), "utf8").trim()

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
