/** Rate limits: the bucket itself, who is counted, and what a client sees. */
import * as fc from "fast-check"
import type { IncomingMessage } from "node:http"
import { describe, expect, it } from "vitest"
import { clientAddress, loggedAddress, rateKey } from "../../src/http/ClientAddress.ts"
import { rateLimit } from "../../src/http/RateLimit.ts"
import {
  deletion,
  endpointEvent,
  get,
  newIdentity,
  post,
  registration,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"
import { transferOf } from "../kits/stores/TransfersKit.ts"

describe("a bucket", () => {
  it("grants its size at once, then one for each share of the period", () => {
    let now = 1_000
    const take = rateLimit({ tokens: 3, periodMillis: 60_000, now: () => now })
    expect([take("a"), take("a"), take("a")]).toEqual([0, 0, 0])
    expect(take("a")).toBe(20)
    expect(take("b")).toBe(0)
    now += 19_000
    expect(take("a")).toBe(1)
    now += 1_000
    expect(take("a")).toBe(0)
    expect(take("a")).toBe(20)
    now += 3_600_000
    expect([take("a"), take("a"), take("a")]).toEqual([0, 0, 0])
    expect(take("a")).toBeGreaterThan(0)
  })

  it("grants all of its size whatever the clock says", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.double({ min: 0, max: 1e9, noNaN: true }), (tokens, now) => {
        const take = rateLimit({ tokens, periodMillis: 3_600_000, now: () => now })
        for (let n = 0; n < tokens; n++) expect(take("a")).toBe(0)
        expect(take("a")).toBeGreaterThan(0)
      })
    )
  })

  it("is off at 0", () => {
    const take = rateLimit({ tokens: 0, periodMillis: 1 })
    for (let n = 0; n < 10_000; n++) expect(take("a")).toBe(0)
  })

  it("never grants more than its size and what came back meanwhile, whatever the pattern", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 }),
        (tokens, pauses) => {
          let now = 0
          const take = rateLimit({ tokens, periodMillis: 10_000, now: () => now })
          let granted = 0
          for (const pause of pauses) {
            now += pause
            const wait = take("a")
            if (wait === 0) granted++
            // Asking again after the wait that was told succeeds.
            else {
              now += wait * 1_000
              expect(take("a")).toBe(0)
              granted++
            }
          }
          expect(granted).toBeLessThanOrEqual(tokens + Math.floor((now * tokens) / 10_000) + 1)
        }
      )
    )
  })

  it("remembers a bounded number of clients and forgets the idle ones first", () => {
    let now = 0
    const take = rateLimit({ tokens: 1, periodMillis: 1_000, maxKeys: 100, now: () => now })
    for (let n = 0; n < 100; n++) take(`old${n}`)
    now = 2_000
    take("busy")
    for (let n = 0; n < 95; n++) take(`new${n}`)
    expect(take("busy")).toBeGreaterThan(0)
  })
})

describe("who asks", () => {
  const request = (remoteAddress: string, forwarded?: string) =>
    ({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded }
    }) as unknown as IncomingMessage

  it("believes X-Forwarded-For only from trusted proxies, and only up to the first address that is none", () => {
    const find = clientAddress(["10.0.0.0/8", "::1", "192.0.2.7"])
    for (const [peer, forwarded, client] of [
      ["198.51.100.1", "1.1.1.1", "198.51.100.1"],
      ["10.1.2.3", "1.1.1.1", "1.1.1.1"],
      ["::ffff:10.1.2.3", "6.6.6.6, 1.1.1.1", "1.1.1.1"],
      ["::1", "6.6.6.6, 1.1.1.1, 10.9.9.9, 192.0.2.7", "1.1.1.1"],
      ["10.1.2.3", "2001:db8::1", "2001:db8::1"],
      ["10.1.2.3", "garbage", "10.1.2.3"],
      ["10.1.2.3", "1.1.1.1, garbage", "10.1.2.3"],
      ["10.1.2.3", "", "10.1.2.3"],
      ["10.1.2.3", undefined, "10.1.2.3"],
      ["10.1.2.3", "10.1.1.1, 10.1.1.2", "10.1.1.1"]
    ] as const) {
      expect([peer, forwarded, find(request(peer, forwarded))]).toEqual([peer, forwarded, client])
    }
    expect(clientAddress([])(request("10.1.2.3", "1.1.1.1"))).toBe("10.1.2.3")
    for (const bad of ["x", "10.0.0.0/33", "10.0.0.0/-1", "::1/129", "10.0.0.0/8/8"])
      expect(() => clientAddress([bad])).toThrow("CIDR")
  })

  it("counts IPv4 by address and IPv6 by /64, and logs less than that", () => {
    expect(rateKey("192.0.2.7")).toBe("192.0.2.7")
    expect(rateKey("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64")
    expect(rateKey("2001:db8::1")).toBe("2001:db8:0:0::/64")
    expect(rateKey("::1")).toBe("0:0:0:0::/64")
    expect(rateKey("fe80::1%eth0")).toBe("fe80:0:0:0::/64")
    expect(loggedAddress("192.0.2.7")).toBe("192.0.2.0/24")
    expect(loggedAddress("2001:db8:1:2::7")).toBe("2001:db8:1::/48")
    expect(loggedAddress("")).toBe("unknown")
  })
})

describe("a limited server", () => {
  it("KEZ-ERR-003 KEZ-REG-018 answers 429 with Retry-After per client, reads and registrations apart, and publishes the limits", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path, [
      "--reads-per-minute",
      "5",
      "--registrations-per-hour",
      "2",
      "--trusted-proxies",
      "127.0.0.1"
    ])
    const from = (address: string) => ({ headers: { "x-forwarded-for": address, "content-type": "application/json" } })
    try {
      expect((await get(`${server.url}/.well-known/kez-chat`, from("192.0.2.1"))).json["limits"]).toMatchObject({
        reads_per_minute: 5,
        registrations_per_hour: 2
      })
      for (let n = 0; n < 4; n++)
        expect((await get(`${server.url}/v1/u/nobody-here`, from("192.0.2.1"))).status).toBe(404)
      const limited = await get(`${server.url}/v1/u/nobody-here`, from("192.0.2.1"))
      expect([limited.status, limited.json["code"]]).toEqual([429, "rate_limited"])
      expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0)
      expect(Number(limited.headers.get("retry-after"))).toBeLessThanOrEqual(12)
      expect(limited.headers.get("access-control-allow-origin")).toBe("*")
      // Somebody else is not held up, and the limit on reads does not touch registrations.
      expect((await get(`${server.url}/v1/u/nobody-here`, from("192.0.2.2"))).status).toBe(404)
      const body = () =>
        newIdentity().then((identity) => registration(identity, `limited${Math.random().toString(36).slice(2, 8)}`))
      for (const status of [201, 201, 429]) {
        const answer = await post(`${server.url}/v1/register`, await body(), from("192.0.2.1"))
        expect(answer.status).toBe(status)
        if (status === 429) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(60)
      }
      // A statement that is refused counts as well.
      expect((await post(`${server.url}/v1/register`, "{}", from("192.0.2.3"))).status).toBe(400)
      expect((await post(`${server.url}/v1/register`, await body(), from("192.0.2.3"))).status).toBe(201)
      expect((await post(`${server.url}/v1/register`, await body(), from("192.0.2.3"))).status).toBe(429)
      expect((await get(`${server.internal}/metrics`)).text).toMatch(
        /^http_rate_limited_total\{limit="registrations"\} 2$/m
      )
    } finally {
      await server.stop()
    }
  })

  it("KEZ-REG-040 KEZ-REG-129 answers health and takes transfers and deletions whatever else the address has used up", async () => {
    using folder = temporaryFolder()
    const server = await startChat(folder.path, ["--reads-per-minute", "2", "--registrations-per-hour", "1"])
    try {
      const identity = await newIdentity()
      expect((await post(`${server.url}/v1/register`, await registration(identity, "neighbour"))).status).toBe(201)
      expect((await post(`${server.url}/v1/register`, "{}")).status).toBe(429)
      const codes = []
      for (let n = 0; n < 3; n++) codes.push((await get(`${server.url}/v1/u/nobody-here`)).status)
      expect(codes).toEqual([404, 404, 429])
      for (let n = 0; n < 5; n++) expect((await get(`${server.url}/v1/healthz`)).status).toBe(503)
      const successor = await newIdentity()
      const transfer = await transferOf(identity, successor, "neighbour")
      expect((await post(`${server.url}/v1/transfer`, transfer)).status).toBe(200)
      expect((await post(`${server.url}/v1/delete`, await deletion(successor, "neighbour"))).status).toBe(204)
    } finally {
      await server.stop()
    }
  })

  it("KEZ-SIG-133 limits new chains apart from appends, and only chains that would begin", async () => {
    using folder = temporaryFolder()
    const server = await startSig(folder.path, ["--new-chains-per-hour", "2"])
    const append = async (identity: Awaited<ReturnType<typeof newIdentity>>, after?: { seq: number; hash: string }) =>
      post(`${server.url}/v1/sigchains/ed25519/${identity.key.hex}/events`, await endpointEvent(identity, after))
    try {
      const first = await newIdentity()
      const begun = await append(first)
      expect([begun.status, (await append(await newIdentity())).status]).toEqual([201, 201])
      const limited = await append(await newIdentity())
      expect([limited.status, limited.json["code"]]).toEqual([429, "rate_limited"])
      expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(60)
      const head = begun.json as { seq: number; hash: string }
      expect((await append(first, head)).status).toBe(201)
    } finally {
      await server.stop()
    }
  })
})
