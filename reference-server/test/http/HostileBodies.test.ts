/** Hostile bodies at every route of both servers that reads one. */
import { Envelope, type Problem } from "@kez-chat/sdk/protocol"
import { connect } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bodyOf, expectProblem, startBoth, statusOf, stopBoth } from "../kits/Hostile.ts"
import { deletion, endpointEvent, get, newIdentity, post, raw, registration, type Running } from "../kits/Servers.ts"

let both: Awaited<ReturnType<typeof startBoth>>
let chat: Running
let sig: Running

beforeAll(async () => {
  both = await startBoth()
  ;({ chat, sig } = both)
})
afterAll(() => stopBoth(both))

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

  it("KEZ-REG-044 refuses other content types and codings", async () => {
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
