/** chat-server's contract over a real socket. */
import { Envelope } from "@kez-chat/sdk/protocol"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  deletion,
  get,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
let server: Running

beforeAll(async () => {
  server = await startChat(folder.path, ["--sig-server-url", "http://127.0.0.1:7878/", "--page", "off"])
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

const minutes = (n: number) => Date.now() + n * 60_000
let names = 0
const newName = () => `user${names++}`

const registered = async (handle = newName()) => {
  const identity = await newIdentity()
  const envelope = await registration(identity, handle)
  const answer = await post(`${server.url}/v1/register`, envelope)
  expect(answer.status).toBe(201)
  return { identity, envelope, handle, answer }
}

describe("registering", () => {
  it("KEZ-REG-019 answers 201 with the record, and the same record afterwards by handle and by primary", async () => {
    const { answer, envelope, handle, identity } = await registered()
    expect(answer.json).toEqual({
      handle: `${handle}@localhost`,
      primary: identity.primary,
      registered_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      sigchain_url: `http://127.0.0.1:7878/v1/sigchains/ed25519/${identity.key.hex}`,
      endpoints: [
        {
          protocol: "nats",
          url: "nats://127.0.0.1:4222",
          ws_url: "ws://127.0.0.1:8443",
          inbox: `kez.inbox.${identity.key.hex}`
        }
      ],
      registration: Envelope.toJson(envelope)
    })
    for (const path of [`u/${handle}`, `u/${handle}@localhost`, `by-primary/${identity.primary}`]) {
      const found = await get(`${server.url}/v1/${path}`)
      expect(found.status).toBe(200)
      expect(found.json).toEqual(answer.json)
    }
  })

  it("KEZ-REG-008 takes the flat body as the same statement and shows it re-nested", async () => {
    const identity = await newIdentity()
    const handle = newName()
    const envelope = await registration(identity, handle)
    const flat = {
      handle,
      primary: identity.primary,
      created_at: envelope.payload["created_at"],
      registration_sig: envelope.signature.sig
    }
    const answer = await post(`${server.url}/v1/register`, flat)
    expect(answer.status).toBe(201)
    expect(answer.json["registration"]).toEqual(Envelope.toJson(envelope))
    expect((await post(`${server.url}/v1/register`, envelope)).status).toBe(200)
  })

  it("KEZ-REG-012 answers 200 with the stored record to a repeat, whatever the clock", async () => {
    const { answer, handle, identity } = await registered()
    for (const createdAt of [Date.now(), minutes(-600), minutes(600)]) {
      const again = await post(`${server.url}/v1/register`, await registration(identity, handle, { createdAt }))
      expect(again.status).toBe(200)
      expect(again.json).toEqual(answer.json)
    }
  })

  it("KEZ-REG-013 refuses a handle and a primary that are taken", async () => {
    const { handle, identity } = await registered()
    const taken = await post(`${server.url}/v1/register`, await registration(await newIdentity(), handle))
    expect([taken.status, taken.json["code"]]).toEqual([409, "handle_taken"])
    const second = await post(`${server.url}/v1/register`, await registration(identity, newName()))
    expect([second.status, second.json["code"]]).toEqual([409, "primary_taken"])
  })

  it("KEZ-REG-011 keeps a window of five minutes either way", async () => {
    for (const [createdAt, status] of [
      [minutes(-4.9), 201],
      [minutes(4.9), 201],
      [minutes(-5.2), 400],
      [minutes(5.2), 400]
    ] as const) {
      const answer = await post(
        `${server.url}/v1/register`,
        await registration(await newIdentity(), newName(), { createdAt })
      )
      expect(answer.status).toBe(status)
      if (status === 400) expect(answer.json["code"]).toBe("clock_skew")
    }
  })

  it("KEZ-REG-010 refuses a statement for another server", async () => {
    const answer = await post(
      `${server.url}/v1/register`,
      await registration(await newIdentity(), newName(), { server: "kez.lat" })
    )
    expect([answer.status, answer.json["code"]]).toEqual([400, "wrong_server"])
  })

  it("KEZ-REG-015 refuses reserved handles", async () => {
    for (const handle of ["admin", "kez-chat", "postmaster"]) {
      const answer = await post(`${server.url}/v1/register`, await registration(await newIdentity(), handle))
      expect([answer.status, answer.json["code"]]).toEqual([403, "handle_reserved"])
    }
  })

  it("KEZ-REG-014 lets exactly one of many racers have a handle, and one handle per racer", async () => {
    const handle = newName()
    const identities = await Promise.all(Array.from({ length: 16 }, newIdentity))
    const envelopes = await Promise.all(identities.map((identity) => registration(identity, handle)))
    const answers = await Promise.all(envelopes.map((envelope) => post(`${server.url}/v1/register`, envelope)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ json, status }) => status === 409 && json["code"] === "handle_taken")).toHaveLength(15)

    const racer = await newIdentity()
    const many = await Promise.all(Array.from({ length: 8 }, () => registration(racer, newName())))
    const mine = await Promise.all(many.map((envelope) => post(`${server.url}/v1/register`, envelope)))
    expect(mine.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(mine.filter(({ json, status }) => status === 409 && json["code"] === "primary_taken")).toHaveLength(7)
  })
})

describe("looking up", () => {
  it("KEZ-REG-020 KEZ-REG-042 KEZ-REG-045 tells unknown, reserved, foreign and malformed handles apart", async () => {
    for (const [path, status, code] of [
      ["u/admin", 403, "handle_reserved"],
      ["u/admin@localhost", 403, "handle_reserved"],
      ["u/nobody-here", 404, "handle_not_found"],
      ["u/nobody-here@localhost", 404, "handle_not_found"],
      ["u/admin%40localhost", 403, "handle_reserved"],
      ["u/chris@kez.lat", 404, "not_local"],
      ["u/Chris", 400, "handle_malformed"],
      ["u/ab", 400, "handle_malformed"],
      ["u/chris@", 400, "handle_malformed"]
    ] as const) {
      const answer = await get(`${server.url}/v1/${path}`)
      expect([path, answer.status, answer.json["code"]]).toEqual([path, status, code])
    }
  })

  it("KEZ-REG-021 tells unknown and malformed primaries apart", async () => {
    const stranger = await newIdentity()
    for (const [primary, status, code] of [
      [stranger.primary, 404, "handle_not_found"],
      ["ed25519:00", 400, "key_malformed"],
      [stranger.primary.toUpperCase(), 400, "key_malformed"],
      ["nostr:npub1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzqujme", 400, "key_malformed"],
      [`ed25519:${"00".repeat(32)}`, 400, "key_rejected"]
    ] as const) {
      const answer = await get(`${server.url}/v1/by-primary/${primary}`)
      expect([primary, answer.status, answer.json["code"]]).toEqual([primary, status, code])
    }
  })
})

describe("deleting", () => {
  it("KEZ-REG-016 KEZ-REG-026 answers 410 afterwards, to lookups and to every later registration of handle or key", async () => {
    const { envelope, handle, identity } = await registered()
    expect((await post(`${server.url}/v1/delete`, await deletion(identity, handle))).status).toBe(204)
    for (const path of [`u/${handle}`, `by-primary/${identity.primary}`]) {
      const found = await get(`${server.url}/v1/${path}`)
      expect([found.status, found.json["code"]]).toEqual([410, "handle_deleted"])
    }
    for (const body of [
      envelope,
      await registration(identity, handle),
      await registration(await newIdentity(), handle),
      await registration(identity, newName())
    ]) {
      const answer = await post(`${server.url}/v1/register`, body)
      expect([answer.status, answer.json["code"]]).toEqual([410, "handle_deleted"])
    }
    const finger = await get(`${server.url}/.well-known/webfinger?resource=acct:${handle}@localhost`)
    expect(finger.status).toBe(410)
  })

  it("KEZ-REG-028 answers a repetition like the first, also by the other route and after the window", async () => {
    const { handle, identity } = await registered()
    const statement = await deletion(identity, handle)
    const remove = (body: unknown, name = handle) => post(`${server.url}/v1/u/${name}`, body, { method: "DELETE" })
    expect((await remove(statement)).status).toBe(204)
    expect((await remove(statement, `${handle}@localhost`)).status).toBe(204)
    expect(
      (await post(`${server.url}/v1/delete`, await deletion(identity, handle, { createdAt: minutes(-60) }))).status
    ).toBe(204)
  })

  it("KEZ-REG-025 refuses other keys, other servers, stale statements and a URL that names somebody else", async () => {
    const { handle, identity } = await registered()
    const other = await registered()
    const cases: ReadonlyArray<readonly [unknown, number, string]> = [
      [await deletion(other.identity, handle), 401, "unauthorized"],
      [await deletion(identity, handle, { server: "kez.lat" }), 400, "wrong_server"],
      [await deletion(identity, handle, { createdAt: minutes(-6) }), 400, "clock_skew"],
      [await deletion(identity, "nobody-here"), 404, "handle_not_found"],
      [await registration(identity, handle), 400, "envelope_kind"]
    ]
    for (const [body, status, code] of cases) {
      const answer = await post(`${server.url}/v1/delete`, body)
      expect([answer.status, answer.json["code"]]).toEqual([status, code])
    }
    const elsewhere = await post(`${server.url}/v1/u/${other.handle}`, await deletion(identity, handle), {
      method: "DELETE"
    })
    expect([elsewhere.status, elsewhere.json["code"]]).toEqual([400, "request_malformed"])
    expect((await get(`${server.url}/v1/u/${handle}`)).status).toBe(200)
  })
})

describe("the server about itself", () => {
  it("KEZ-REG-029 KEZ-LIM-003 describes itself with names, URLs and integer limits", async () => {
    const { json, status } = await get(`${server.url}/.well-known/kez-chat`)
    expect(status).toBe(200)
    expect(json).toMatchObject({
      server: "localhost",
      broker: { tcp: ["nats://127.0.0.1:4222"], websocket: ["ws://127.0.0.1:8443"] },
      sig_server: "http://127.0.0.1:7878",
      limits: { registration_max_bytes: 8192, statement_window_seconds: 300, retention_days: 30 }
    })
    expect(Object.values(json["limits"] as object).every(Number.isSafeInteger)).toBe(true)
  })

  it("says that its broker is missing, with the clock in the Date header", async () => {
    const { headers, json, status } = await get(`${server.url}/v1/healthz`)
    expect(status).toBe(503)
    expect(json).toEqual({
      status: "degraded",
      server: "localhost",
      version: expect.any(String),
      broker: "unreachable",
      database: "ok",
      sig_server: expect.stringMatching(/^(ok|unreachable)$/),
      reason: expect.stringContaining("broker cannot be reached")
    })
    expect(Math.abs(Date.parse(headers.get("date") ?? "") - Date.now())).toBeLessThan(5_000)
    await server.waitForLog((line) => line["level"] === "warn" && String(line["msg"]).includes("broker"))
  })

  it("KEZ-WF-001 KEZ-WF-004 KEZ-WF-005 answers WebFinger with subject, alias and the links asked for", async () => {
    const { handle, identity } = await registered()
    const url = `${server.url}/.well-known/webfinger?resource=acct:${handle}@localhost`
    const { headers, json, status } = await get(url)
    expect(status).toBe(200)
    expect(headers.get("content-type")).toBe("application/jrd+json")
    expect(headers.get("access-control-allow-origin")).toBe("*")
    expect(json).toMatchObject({ subject: `acct:${handle}@localhost`, aliases: [identity.primary] })
    const links = json["links"] as Array<{ rel: string; href: string }>
    expect(links.map(({ rel }) => rel)).toEqual(["urn:kez:record", "urn:kez:sigchain"])
    expect((await get(links[0]!.href)).status).toBe(200)
    const narrowed = await get(`${url}&rel=urn:kez:sigchain&rel=other`)
    expect((narrowed.json["links"] as Array<{ rel: string }>).map(({ rel }) => rel)).toEqual(["urn:kez:sigchain"])
  })

  it("KEZ-WF-002 KEZ-WF-003 refuses what is no acct: of this server", async () => {
    for (const [query, status] of [
      ["", 400],
      ["?resource=", 400],
      ["?resource=https://localhost/chris", 400],
      ["?resource=acct:chris", 400],
      ["?resource=acct:", 400],
      ["?resource=acct:a@b@c", 400],
      ["?resource=acct:nobody@localhost&resource=acct:nobody@localhost", 400],
      ["?resource=acct:chris@kez.lat", 404],
      ["?resource=acct:nobody-here@localhost", 404],
      ["?resource=acct:admin@localhost", 404]
    ] as const) {
      const answer = await get(`${server.url}/.well-known/webfinger${query}`)
      expect([query, answer.status]).toEqual([query, status])
    }
  })

  it("serves a page and documentation that load nothing from elsewhere", async () => {
    for (const path of ["/", "/docs"]) {
      const { headers, status, text } = await get(`${server.url}${path}`)
      expect(status).toBe(200)
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8")
      expect(headers.get("content-security-policy")).toContain("default-src 'none'")
      expect(text).not.toMatch(/<script|(?:src|href)="(?:https?:)?\/\/|@import|\{\{/i)
    }
    expect((await get(`${server.url}/`)).text).toContain("This home server has no web client")
    expect((await get(`${server.url}/docs`)).text).toContain("/v1/register")
  })

  it("publishes its routes as OpenAPI, every error as a problem document", async () => {
    const { json } = await get(`${server.url}/openapi.json`)
    const paths = json["paths"] as Record<string, Record<string, { responses: Record<string, { content?: object }> }>>
    expect(Object.keys(paths).toSorted()).toEqual([
      "/.well-known/kez-chat",
      "/.well-known/webfinger",
      "/v1/by-primary/{primary}",
      "/v1/delete",
      "/v1/healthz",
      "/v1/manifests/ed25519/{hex}",
      "/v1/manifests/ed25519/{hex}/{hash}",
      "/v1/register",
      "/v1/report",
      "/v1/transfer",
      "/v1/u/{handle}"
    ])
    for (const operations of Object.values(paths)) {
      for (const { responses } of Object.values(operations)) {
        for (const [status, response] of Object.entries(responses)) {
          if (
            Number(status) < 400 ||
            (status === "503" && response.content !== undefined && "application/json" in response.content)
          )
            continue
          expect(Object.keys(response.content ?? {})).toEqual(["application/problem+json"])
        }
      }
    }
  })
})

describe("what every listener does", () => {
  it("KEZ-REG-007 opens CORS on every answer, answers preflights, and exposes what clients read", async () => {
    for (const path of ["/v1/u/nobody-here", "/v1/healthz", "/.well-known/kez-chat", "/nowhere"]) {
      const { headers } = await get(`${server.url}${path}`, { headers: { origin: "https://chat.example" } })
      expect(headers.get("access-control-allow-origin")).toBe("*")
      expect(headers.get("access-control-expose-headers")).toContain("Date")
    }
    const preflight = await get(`${server.url}/v1/u/chris`, {
      method: "OPTIONS",
      headers: { origin: "https://chat.example", "access-control-request-method": "DELETE" }
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-methods")).toBe("GET, HEAD, DELETE, OPTIONS")
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Content-Type")
  })

  it("answers HEAD as GET without a body", async () => {
    const { handle } = await registered()
    for (const [path, status] of [
      [`/v1/u/${handle}`, 200],
      ["/v1/u/nobody-here", 404],
      ["/nowhere", 404],
      ["/", 200]
    ] as const) {
      const answer = await get(`${server.url}${path}`, { method: "HEAD" })
      expect([path, answer.status, answer.text]).toEqual([path, status, ""])
    }
  })

  it("logs one line per request that names neither handle nor full address", async () => {
    // A server of its own: lines of other tests' requests may still be on their way.
    using own = temporaryFolder()
    const quiet = await startChat(own.path, ["--sig-server-url", "http://127.0.0.1:7878/", "--page", "off"])
    try {
      const handle = newName()
      expect((await post(`${quiet.url}/v1/register`, await registration(await newIdentity(), handle))).status).toBe(201)
      await get(`${quiet.url}/v1/u/${handle}?token=secret`, {
        headers: { authorization: "Bearer secret", "user-agent": handle }
      })
      await quiet.waitForLog((line) => line["route"] === "/v1/u/:handle")
      // Its log is whole once it has ended.
      await quiet.stop()
      // The server also says in between that its broker is away, which is no request.
      const lines = quiet.logs.filter(({ msg }) => msg === "request")
      const lookups = lines.filter(({ route }) => route === "/v1/u/:handle")
      expect(lookups).toHaveLength(1)
      expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${handle}|secret|127\\.0\\.0\\.1`))
      expect(lookups[0]).toMatchObject({ level: "info", method: "GET", status: 200, ms: expect.any(Number) })
    } finally {
      await quiet.stop()
    }
  })
})
