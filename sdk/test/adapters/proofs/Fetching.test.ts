/** Bounds of every request for a proof: addresses, size, time, pace. */
import { brotliCompressSync, gzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as HostPace from "../../../src/adapters/proofs-core/fetching/HostPace.ts"
import * as RateLimit from "../../../src/adapters/proofs-core/fetching/RateLimit.ts"
import { type Handler, serve, text } from "../../kits/proofs/HttpsHosts.ts"
import { fetchProof } from "../../kits/proofs/ProofFetcherKit.ts"
import { proofServers } from "../../kits/proofs/ProofServers.ts"

const subject = "web:site.kez.test"
const zeros = Buffer.alloc(64 * 1024 * 1024, " ")
const encoded =
  (coding: string, body: Buffer): Handler =>
  (_, response) =>
    response.writeHead(200, { "content-encoding": coding }).end(body)

const oversized: Readonly<Record<string, Handler>> = {
  "a body without end": (_, response) => response.writeHead(200).end(zeros),
  "a bomb of gzip": encoded("gzip", gzipSync(zeros)),
  "a bomb in a bomb": encoded("gzip, gzip", gzipSync(gzipSync(zeros))),
  "a bomb of brotli": encoded("br", brotliCompressSync(zeros.subarray(0, 8 * 1024 * 1024)))
}

describe("fetching a proof", () => {
  it.live("KEZ-PRF-113 reads one mebibyte, decoded, and no byte more", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const answer = (handler: Handler) =>
        Effect.suspend(() => {
          serve(servers.https, "site.kez.test", handler)
          return fetchProof(servers, subject)
        })
      for (const [what, handler] of Object.entries(oversized)) {
        const error = yield* Effect.flip(answer(handler))
        assert.match(error.message, /larger than/, what)
      }
      const limit = 1024 * 1024
      const { found } = yield* answer((_, response) => text(response, zeros.subarray(0, limit)))
      assert.strictEqual(found.length, 0)
      yield* Effect.flip(answer((_, response) => text(response, zeros.subarray(0, limit + 1))))
    })
  )

  it.live("KEZ-PRF-114 waits five seconds for an answer in drops", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      serve(servers.https, "site.kez.test", (_, response) => {
        response.writeHead(200)
        const timer = setInterval(() => response.write(" "), 100)
        response.on("close", () => clearInterval(timer))
      })
      const error = yield* Effect.flip(fetchProof(servers, subject))
      assert.match(error.message, /no answer within 5 s/)
    })
  )

  it.live("KEZ-PRF-112 follows a redirect within its host", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      serve(servers.https, "site.kez.test", (_, response, { pathname }) =>
        pathname === "/moved.json"
          ? text(response, "{}")
          : response.writeHead(308, { location: "https://site.kez.test/moved.json" }).end()
      )
      const { found } = yield* fetchProof(servers, subject)
      assert.deepStrictEqual(
        found.map(({ url }) => url),
        ["https://site.kez.test/moved.json"]
      )
    })
  )

  it.effect("KEZ-PRF-115 asks a host twice a second, and others meanwhile", () =>
    Effect.gen(function* () {
      const pace = HostPace.make()
      const begun: Array<string> = []
      const ask = (host: string) => Effect.tap(pace.turn(host), () => Effect.sync(() => begun.push(host)))
      const all = yield* Effect.forkChild(
        Effect.forEach(["a", "a", "a", "b"], ask, { concurrency: "unbounded", discard: true }),
        { startImmediately: true }
      )
      assert.deepStrictEqual(begun, ["a", "b"])
      yield* TestClock.adjust("499 millis")
      assert.strictEqual(begun.length, 2)
      yield* TestClock.adjust("501 millis")
      assert.deepStrictEqual(begun, ["a", "b", "a", "a"])
      yield* Fiber.join(all)
    })
  )

  it.effect("KEZ-PRF-116 asks nothing of a host before the time that it named", () =>
    Effect.gen(function* () {
      const pace = HostPace.make()
      pace.postpone("a", 60_000)
      const error = yield* Effect.flip(pace.turn("a"))
      assert.deepStrictEqual([error.reason, error.retryAt], ["rate_limited", 60_000])
      yield* TestClock.adjust("60 seconds")
      yield* pace.turn("a")
    })
  )

  it.effect("KEZ-PRF-116 forgets no host's time for the many other hosts that are asked", () =>
    Effect.gen(function* () {
      const pace = HostPace.make()
      pace.postpone("a", 60_000)
      for (let n = 0; n < 999; n++) pace.postpone(`host-${n}`, 1_000)
      pace.postpone("b", 90_000)
      assert.strictEqual((yield* Effect.flip(pace.turn("a"))).reason, "rate_limited")
    })
  )

  it("reads limits as GitHub, Bluesky and Mastodon tell them", () => {
    const now = Date.parse("2026-05-25T00:00:00Z")
    const of = (headers: Record<string, string>) => RateLimit.ofHeaders(new Headers(headers), now)
    const minute = now + 60_000
    for (const reset of [String(minute / 1000), "60", "2026-05-25T00:01:00.000Z"]) {
      assert.deepStrictEqual(of({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }), {
        isExhausted: true,
        retryAt: minute
      })
    }
    assert.deepStrictEqual(of({ "ratelimit-remaining": "0", "ratelimit-reset": String(minute / 1000) }).retryAt, minute)
    assert.deepStrictEqual(of({ "x-ratelimit-remaining": "7", "x-ratelimit-reset": "60" }), { isExhausted: false })
    assert.strictEqual(of({ "retry-after": "60", date: new Date(now).toUTCString() }).retryAt, minute)
    // A day at most, and nothing that is past or no time.
    assert.strictEqual(of({ "retry-after": "99999999" }).retryAt, now + 86_400_000)
    for (const reset of ["1", "0", "-1", "soon", "", "9".repeat(400)]) {
      const { retryAt } = of({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset })
      assert.isTrue(retryAt === undefined || (retryAt > now && retryAt <= now + 86_400_000), reset)
    }
  })
})
