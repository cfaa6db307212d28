/** sig-server's contract over a real socket. */
import { Envelope } from "@kez-chat/sdk/protocol"
import { SignedEnvelope } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import BetterSqlite3 from "better-sqlite3"
import { Effect } from "effect"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  endpointEvent,
  get,
  type Identity,
  newIdentity,
  post,
  run,
  type Running,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
let server: Running

beforeAll(async () => {
  server = await startSig(folder.path)
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

const chainUrl = (identity: Identity) => `${server.url}/v1/sigchains/ed25519/${identity.key.hex}`
const hashOf = (envelope: Envelope.Envelope) =>
  Effect.runPromise(SignedEnvelope.hash(envelope).pipe(Effect.provide(NodeCrypto.layer)))

/** Appends `n` events and gives them back with the head. */
const chain = async (identity: Identity, n: number) => {
  const events: Array<Envelope.Envelope> = []
  let head: { seq: number; hash: string } | undefined
  for (let seq = 0; seq < n; seq++) {
    const event = await endpointEvent(identity, head)
    const answer = await post(`${chainUrl(identity)}/events`, event)
    expect(answer.status).toBe(201)
    head = { seq, hash: await hashOf(event) }
    expect(answer.json).toEqual(head)
    events.push(event)
  }
  return { events, head: head! }
}

const lines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown)

describe("sig-server", () => {
  it("answers 404 for a chain that nobody began, on every route of it", async () => {
    const identity = await newIdentity()
    for (const path of ["", "/head", "?since=3"]) {
      const answer = await get(`${chainUrl(identity)}${path}`)
      expect([path, answer.status, answer.json["code"]]).toEqual([path, 404, "chain_not_found"])
    }
  })

  it("gives a chain back as it was appended, whole and from any event, with an ETag", async () => {
    const identity = await newIdentity()
    const { events, head } = await chain(identity, 4)
    const whole = await get(chainUrl(identity))
    expect(whole.headers.get("content-type")).toBe("application/jsonl")
    expect(lines(whole.text)).toEqual(events.map(Envelope.toJson))
    for (const since of [0, 1, 3, 4, 99]) {
      expect(lines((await get(`${chainUrl(identity)}?since=${since}`)).text)).toEqual(
        events.slice(since).map(Envelope.toJson)
      )
    }
    expect((await get(`${chainUrl(identity)}/head`)).json).toEqual(head)
    const etag = whole.headers.get("etag")!
    for (const held of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      expect((await get(chainUrl(identity), { headers: { "if-none-match": held } })).status).toBe(304)
    }
    expect((await get(chainUrl(identity), { headers: { "if-none-match": `"x", ""` } })).status).toBe(200)
    await post(`${chainUrl(identity)}/events`, await endpointEvent(identity, head))
    expect((await get(chainUrl(identity), { headers: { "if-none-match": etag } })).status).toBe(200)
  })

  it("sends a chain of many pages whole and from any event, with its length", async () => {
    const identity = await newIdentity()
    const { events } = await chain(identity, 170)
    for (const since of [0, 1, 15, 16, 17, 169, 170]) {
      const answer = await get(`${chainUrl(identity)}?since=${since}`)
      expect(lines(answer.text)).toEqual(events.slice(since).map(Envelope.toJson))
      expect(answer.headers.get("content-length")).toBe(String(Buffer.byteLength(answer.text)))
    }
    const head = await get(chainUrl(identity), { method: "HEAD" })
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(65_536)
  })

  it("KEZ-SIG-131 takes an append on the chain's own URL as well", async () => {
    const identity = await newIdentity()
    const first = await endpointEvent(identity)
    expect((await post(chainUrl(identity), first)).status).toBe(201)
    expect((await post(`${chainUrl(identity)}/events`, first)).status).toBe(200)
  })

  it("KEZ-SIG-128 answers 200 with the same body to an identical event, also when it is no longer the head", async () => {
    const identity = await newIdentity()
    const { events } = await chain(identity, 3)
    for (const [seq, event] of events.entries()) {
      const again = await post(`${chainUrl(identity)}/events`, event)
      expect([again.status, again.json]).toEqual([200, { seq, hash: await hashOf(event) }])
    }
  })

  it("KEZ-SIG-127 refuses a wrong seq or prev with 409 and the head", async () => {
    const identity = await newIdentity()
    const { head } = await chain(identity, 2)
    const another = await Effect.runPromise(
      identity.signSigchainEvent({
        after: undefined,
        operation: { op: "add", payload: { subject: "dns:example.org" } },
        createdAt: Date.now()
      })
    )
    const wrong = [
      another,
      await endpointEvent(identity, { seq: 0, hash: head.hash }),
      await endpointEvent(identity, { seq: 1, hash: `sha256:${"00".repeat(32)}` }),
      await endpointEvent(identity, { seq: 7, hash: head.hash })
    ]
    for (const event of wrong) {
      const answer = await post(`${chainUrl(identity)}/events`, event)
      expect([answer.status, answer.json["code"], answer.json["head"]]).toEqual([409, "chain_conflict", head])
    }
    const beginner = await newIdentity()
    const early = await post(`${chainUrl(beginner)}/events`, await endpointEvent(beginner, head))
    expect([early.status, early.json["code"]]).toEqual([409, "chain_conflict"])
  })

  it("KEZ-SIG-129 takes exactly one of many events that race for one seq", async () => {
    const identity = await newIdentity()
    const { head } = await chain(identity, 1)
    const racers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        Effect.runPromise(
          identity.signSigchainEvent({
            after: head,
            operation: { op: "add", payload: { subject: `dns:${n}.example` } },
            createdAt: Date.now()
          })
        )
      )
    )
    const answers = await Promise.all(racers.map((event) => post(`${chainUrl(identity)}/events`, event)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    const stored = (await get(`${chainUrl(identity)}/head`)).json
    for (const { json, status } of answers.filter(({ status }) => status !== 201)) {
      expect([status, json["head"]]).toEqual([409, stored])
    }
  })

  it("KEZ-SIG-126 refuses an event of another chain, an edited one, one with another's signature and a wrong endpoint", async () => {
    const [identity, other] = [await newIdentity(), await newIdentity()]
    const event = Envelope.toJson(await endpointEvent(identity))
    const foreign = Envelope.toJson(await endpointEvent(other))
    const payload = event["payload"] as Record<string, unknown>
    const signature = event["signature"] as Record<string, unknown>
    const cases: ReadonlyArray<readonly [unknown, number, string]> = [
      [foreign, 400, "event_malformed"],
      [{ ...event, payload: { ...payload, op: "remove_endpoint" } }, 401, "signature_invalid"],
      [
        { ...event, signature: { ...signature, sig: (foreign["signature"] as Record<string, unknown>)["sig"] } },
        401,
        "signature_invalid"
      ],
      [{ ...event, signature: foreign["signature"] }, 400, "envelope_kind"],
      [{ ...event, payload: { ...payload, seq: 0, prev: `sha256:${"00".repeat(32)}` } }, 400, "event_malformed"],
      [{ ...event, kez: "claim" }, 400, "envelope_kind"],
      [{ ...event, extra: 1 }, 400, "envelope_malformed"]
    ]
    for (const [body, status, code] of cases) {
      const answer = await post(`${chainUrl(identity)}/events`, body)
      expect([answer.status, answer.json["code"]]).toEqual([status, code])
    }
    const elsewhere = await Effect.runPromise(
      Effect.flip(
        identity.signSigchainEvent({
          after: undefined,
          operation: {
            op: "add_endpoint",
            payload: { protocol: "nats", url: "nats://h", inbox: `kez.inbox.${other.key.hex}` }
          },
          createdAt: Date.now()
        })
      )
    )
    expect(elsewhere.code).toBe("event_malformed")
    expect((await get(chainUrl(identity))).status).toBe(404)
  })

  it("ends a chain with its rotation", async () => {
    const [identity, successor] = [await newIdentity(), await newIdentity()]
    const { head } = await chain(identity, 1)
    const rotation = await Effect.runPromise(identity.signRotation({ after: head, successor, createdAt: Date.now() }))
    const answer = await post(`${chainUrl(identity)}/events`, rotation)
    expect(answer.status).toBe(201)
    const after = await endpointEvent(identity, answer.json as { seq: number; hash: string })
    const refused = await post(`${chainUrl(identity)}/events`, after)
    expect([refused.status, refused.json["code"]]).toEqual([409, "chain_terminated"])
  })

  it("refuses keys that are none, in the path", async () => {
    for (const [hex, code] of [
      ["00", "key_malformed"],
      ["Z".repeat(64), "key_malformed"],
      ["00".repeat(32), "key_rejected"]
    ] as const) {
      for (const path of ["", "/head"]) {
        const answer = await get(`${server.url}/v1/sigchains/ed25519/${hex}${path}`)
        expect([answer.status, answer.json["code"]]).toEqual([400, code])
      }
    }
    const identity = await newIdentity()
    for (const since of ["-1", "1.5", "x", "", "00", "9999999999"]) {
      expect((await get(`${chainUrl(identity)}?since=${since}`)).status).toBe(400)
    }
  })

  it("KEZ-SIG-132 opens CORS on every route; serves health, documentation and metrics on their listeners", async () => {
    const identity = await newIdentity()
    for (const path of ["/v1/healthz", "/docs", "/openapi.json", "/nowhere"].concat(
      ["", "/head", "/events"].map((end) => `/v1/sigchains/ed25519/${identity.key.hex}${end}`)
    )) {
      const { headers } = await get(`${server.url}${path}`)
      expect([path, headers.get("access-control-allow-origin")]).toEqual([path, "*"])
    }
    expect((await get(`${server.url}/v1/healthz`)).json).toMatchObject({ status: "ok", database: "ok" })
    expect((await get(`${server.url}/docs`)).text).toContain("/v1/sigchains/ed25519/{hex}/events")
    const metrics = await get(`${server.internal}/metrics`)
    expect(metrics.headers.get("content-type")).toContain("text/plain; version=0.0.4")
    expect(metrics.text).toMatch(/^kez_chain_events \d+$/m)
    expect(metrics.text).toMatch(/^kez_statements_total\{kind="sigchain_event",outcome="accepted"\} \d+$/m)
    expect((await get(`${server.url}/metrics`)).status).toBe(404)
  })
})

describe("the room of a sig-server", () => {
  const append = async (at: string, identity: Identity, after?: { seq: number; hash: string }) =>
    post(`${at}/v1/sigchains/ed25519/${identity.key.hex}/events`, await endpointEvent(identity, after))
  const mebibyte = 1_048_576

  it("KEZ-LIM-021 KEZ-LIM-022 is bounded, ends for new chains first, and keeps what was acknowledged", async () => {
    using own = temporaryFolder()
    const small = await startSig(own.path, ["--chain-store-bytes", String(mebibyte)])
    try {
      const owner = await newIdentity()
      const begun = await append(small.url, owner)
      expect(begun.status).toBe(201)
      const sqlite = new BetterSqlite3(join(own.path, "sigchains.db"))
      const { bytes } = sqlite.prepare<[], { bytes: number }>("SELECT bytes FROM chain_totals").get()!
      // As if others had stored so much; a thousand chains would take a while.
      sqlite.prepare("UPDATE chain_totals SET bytes = ?").run(Math.ceil(mebibyte * 0.9))
      const late = await newIdentity()
      const refused = await append(small.url, late)
      expect([refused.status, refused.json["code"]]).toEqual([507, "store_full"])
      expect((await get(`${small.url}/v1/sigchains/ed25519/${late.key.hex}`)).status).toBe(404)
      const head = begun.json as { seq: number; hash: string }
      const next = await append(small.url, owner, head)
      expect(next.status).toBe(201)
      sqlite.prepare("UPDATE chain_totals SET bytes = ?").run(mebibyte)
      const after = next.json as { seq: number; hash: string }
      expect((await append(small.url, owner, after)).json["code"]).toBe("store_full")
      expect((await get(`${small.url}/v1/sigchains/ed25519/${owner.key.hex}/head`)).json).toEqual(after)
      sqlite.prepare("UPDATE chain_totals SET bytes = ?").run(bytes)
      sqlite.close()
      expect((await append(small.url, owner, after)).status).toBe(201)
      expect((await append(small.url, late)).status).toBe(201)
      const { text } = await get(`${small.internal}/metrics`)
      expect(text).toMatch(/^kez_chains 2$/m)
      expect(text).toMatch(/^kez_chain_events 4$/m)
    } finally {
      await small.stop()
    }
  })

  it("KEZ-LIM-021 counts its bytes also in a file of the version before", async () => {
    using own = temporaryFolder()
    const file = join(own.path, "sigchains.db")
    const before = await startSig(own.path)
    for (let n = 0; n < 3; n++) expect((await append(before.url, await newIdentity())).status).toBe(201)
    await before.stop()
    const sqlite = new BetterSqlite3(file)
    const totals = sqlite.prepare("SELECT * FROM chain_totals").get()
    sqlite.exec("DROP TRIGGER chains_begun; DROP TRIGGER chains_extended; DROP TABLE chain_totals")
    sqlite.exec("DELETE FROM schema_migrations WHERE id = 'sigchains-002-totals'")
    sqlite.close()
    const again = await startSig(own.path)
    await again.stop()
    const upgraded = new BetterSqlite3(file)
    expect(upgraded.prepare("SELECT * FROM chain_totals").get()).toEqual(totals)
    upgraded.close()
  })

  it("refuses a file that a newer version has upgraded, and names both versions", async () => {
    using own = temporaryFolder()
    await (await startSig(own.path)).stop()
    const file = join(own.path, "sigchains.db")
    const sqlite = new BetterSqlite3(file)
    sqlite.exec("INSERT INTO schema_migrations VALUES ('sigchains-999-future', '2030-01-01T00:00:00Z', '7.0.1')")
    sqlite.close()
    const { code, stdout } = await run("sig-server", ["--port", "0", "--db", file])
    expect([code, stdout]).toEqual([1, expect.stringMatching(/by version 7\.0\.1 of sig-server.* this version \d/)])
  })

  it("KEZ-LIM-021 is bounded for one address and a day, others aside", async () => {
    using own = temporaryFolder()
    const server = await startSig(own.path, ["--chain-bytes-per-day", "2000", "--trusted-proxies", "127.0.0.1"])
    const from = async (address: string) => {
      const identity = await newIdentity()
      return post(`${server.url}/v1/sigchains/ed25519/${identity.key.hex}/events`, await endpointEvent(identity), {
        headers: { "content-type": "application/json", "x-forwarded-for": address }
      })
    }
    try {
      const answers = []
      for (let n = 0; n < 10; n++) answers.push(await from("192.0.2.1"))
      const stored = answers.filter(({ status }) => status === 201).length
      expect(stored).toBeGreaterThan(1)
      expect(stored).toBeLessThan(5)
      const last = answers.at(-1)!
      expect([last.status, last.json["code"]]).toEqual([429, "rate_limited"])
      expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(3_600)
      expect((await from("192.0.2.2")).status).toBe(201)
    } finally {
      await server.stop()
    }
  })
})
