/** What any answer of a home server may be: slow, wrong, hostile, or merely older and Rust. */
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { HttpDirectory } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Envelope, Problem, Registration } from "@kez-chat/sdk/protocol"
import { Directory } from "@kez-chat/sdk/services"
import { code, type Handler, identityOf, json, serve, unreachable } from "./ToldServer.ts"

const directoryOf = (home: string, timeoutMillis = 10_000) =>
  Effect.provide(Directory, HttpDirectory.layer({ home, timeoutMillis }))

/** The failure of a lookup at a server that answers so. */
const lookupFailure = (handler: Handler, timeoutMillis?: number) =>
  serve(handler).pipe(
    Effect.flatMap(({ url }) => directoryOf(url, timeoutMillis)),
    Effect.flatMap((directory) => Effect.flip(directory.lookup("chris")))
  )

const record = Effect.gen(function* () {
  const identity = yield* identityOf
  const registration = yield* identity.signRegistration({ handle: "chris", server: "kez.lat", createdAt: Date.now() })
  return {
    handle: "chris@kez.lat",
    primary: identity.primary,
    registered_at: "2026-01-01T00:00:00Z",
    sigchain_url: "https://sig.kez.lat/v1",
    endpoints: [],
    registration: Envelope.toJson(registration)
  }
})

layer(NodeCrypto.layer, { excludeTestServices: true })("what an answer may be", (it) => {
  it.effect("takes a record that is one, with members it does not know", () =>
    Effect.gen(function* () {
      const value = yield* record
      const { asked, url } = yield* serve(json(200, { ...value, proofs: ["dns:kez.lat"] }))
      const found = yield* Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
      assert.deepStrictEqual(Registration.recordToJson(found), value as never)
      assert.deepStrictEqual(asked, ["GET /v1/u/chris"])
    })
  )

  it.effect("KEZ-REG-052 sends an invite in the body of the registration, and in no URL", () =>
    Effect.gen(function* () {
      const value = yield* record
      const bodies: Array<string> = []
      const { asked, url } = yield* serve((request, response, body) => {
        bodies.push(body)
        json(201, value)(request, response, body)
      })
      const directory = yield* directoryOf(url)
      const registration = Registration.parseRecord(value as never)
      if (registration._tag === "Failure") return assert.fail()
      yield* directory.register(registration.success.registration, "k4x7")
      assert.deepStrictEqual(asked, ["POST /v1/register"])
      assert.deepStrictEqual(JSON.parse(bodies[0] ?? ""), { invite: "k4x7", registration: value.registration })
    })
  )

  it.effect("refuses records that lack or bend a member, and JSON that is not strict", () =>
    Effect.gen(function* () {
      const value = yield* record
      const text = JSON.stringify(value)
      const cases: ReadonlyArray<readonly [string, string]> = [
        [JSON.stringify({ ...value, registration: undefined }), "record_invalid"],
        [JSON.stringify({ ...value, registration: null }), "record_invalid"],
        [JSON.stringify({ ...value, handle: 7 }), "record_invalid"],
        [
          JSON.stringify({ ...value, endpoints: [{ protocol: "nats", url: "nats://h", inbox: "kez.inbox.other" }] }),
          "record_invalid"
        ],
        [text.replace('"handle":', '"handle":"eve@kez.lat","handle":'), "json_duplicate_name"],
        [text.replace('"version":1', '"version":1.0'), "json_number"],
        [text.replace("{", '{"__proto__":1,'), "json_string"],
        [`${text}]`, "json_malformed"]
      ]
      for (const [body, expected] of cases) {
        // KEZ-CAN-014: whatever the server calls it.
        for (const type of ["application/json", "text/plain", "application/octet-stream", "text/html", ""]) {
          const answered = yield* lookupFailure(json(200, body, {}, type))
          assert.strictEqual(code(answered), expected, `${type}: ${body}`)
        }
      }
    })
  )

  it.effect("KEZ-CAN-014 takes a record of any media type, and none at all", () =>
    Effect.gen(function* () {
      const value = yield* record
      for (const type of ["text/plain; charset=iso-8859-1", "text/html", "application/vnd.example"]) {
        const { url } = yield* serve(json(200, value, {}, type))
        const found = yield* Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
        assert.strictEqual(found.primary, value.primary)
      }
      const { url } = yield* serve((_, response) => response.writeHead(200).end(JSON.stringify(value)))
      const found = yield* Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
      assert.strictEqual(found.primary, value.primary)
      assert.strictEqual(
        code(yield* lookupFailure(json(404, { code: "handle_not_found" }, {}, "text/plain"))),
        "handle_not_found"
      )
    })
  )

  it.effect("KEZ-CAN-015 bounds what a content coding unfolds to", () =>
    Effect.gen(function* () {
      const filler = Buffer.alloc(64 * 1024 * 1024, "a")
      const bombs = {
        gzip: gzipSync(filler),
        deflate: deflateSync(filler),
        br: brotliCompressSync(filler, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
        zstd: zstdCompressSync(filler),
        "gzip, gzip": gzipSync(gzipSync(filler))
      }
      for (const [coding, bomb] of Object.entries(bombs)) {
        const before = process.memoryUsage().rss
        for (const status of [200, 404]) {
          const error = yield* lookupFailure((_, response) =>
            response.writeHead(status, { "content-type": "text/plain", "content-encoding": coding }).end(bomb)
          )
          assert.include(unreachable(error).message, "larger than this client accepts", coding)
        }
        assert.isBelow(process.memoryUsage().rss - before, 48 * 1024 * 1024, coding)
      }
      // A record that is sent so is one all the same.
      const value = yield* record
      const { url } = yield* serve((_, response) =>
        response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync(JSON.stringify(value)))
      )
      const found = yield* Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
      assert.strictEqual(found.primary, value.primary)
    })
  )

  it.effect("takes a page of somebody else (a captive portal) for no answer", () =>
    Effect.gen(function* () {
      for (const [body, type] of [
        ["<html>Please log in</html>", "text/html"],
        ["\r\n <!doctype html>", "text/plain"],
        ["It works!", "application/json"],
        ["", "application/json"]
      ] as const) {
        assert.include(
          unreachable(yield* lookupFailure(json(200, body, {}, type))).message,
          "it answers in another protocol"
        )
      }
      const gateway = unreachable(yield* lookupFailure(json(502, "<html>Bad Gateway</html>", {}, "text/html")))
      assert.include(gateway.message, "502")
      unreachable(yield* lookupFailure(json(404, "<html>nginx</html>", {}, "text/html")))
    })
  )

  it.effect("says that no home is there where something else answers", () =>
    Effect.gen(function* () {
      for (const handler of [
        json(404, "nginx", {}, "text/html"),
        json(200, "<html>"),
        json(404, { code: "not_found" })
      ]) {
        const { url } = yield* serve(handler)
        const error = yield* Effect.flatMap(directoryOf(url), ({ wellKnown }) => Effect.flip(wellKnown))
        assert.include(unreachable(error).message, `${url} cannot be used: no kez-chat home server is there`)
      }
      const down = yield* serve(json(502, "bad gateway"))
      const error = yield* Effect.flatMap(directoryOf(down.url), ({ wellKnown }) => Effect.flip(wellKnown))
      assert.include(unreachable(error).message, "502")
    })
  )

  it.effect("KEZ-REG-024 follows no redirect, not even on the same host", () =>
    Effect.gen(function* () {
      for (const status of [301, 302, 303, 307, 308]) {
        for (const location of ["https://evil.example/v1/u/chris", "/v1/u/eve"]) {
          const { asked, url } = yield* serve((_, response) => response.writeHead(status, { location }).end())
          const error = yield* Effect.flatMap(directoryOf(url), (directory) => Effect.flip(directory.lookup("chris")))
          assert.include(unreachable(error).message, "redirects")
          assert.strictEqual(asked.length, 1)
        }
      }
    })
  )

  it.effect("stops reading an answer that is too large, told or not", () =>
    Effect.gen(function* () {
      const told = unreachable(yield* lookupFailure(json(200, `{"x":"${"a".repeat(100_000)}"}`)))
      assert.include(told.message, "larger than this client accepts")
      let sent = 0
      const endless: Handler = (_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const more = () => {
          while (!response.destroyed && response.write("a".repeat(16_384))) sent += 16_384
          if (!response.destroyed) response.once("drain", more)
        }
        more()
      }
      assert.include(unreachable(yield* lookupFailure(endless)).message, "larger")
      assert.isBelow(sent, 50_000_000)
    })
  )

  it.effect("waits for an answer only so long: for its head, between its pieces, and for all of it", () =>
    Effect.gen(function* () {
      const silent: Handler = () => undefined
      assert.include(unreachable(yield* lookupFailure(silent, 100)).message, "no answer within 0.1 s")
      const stalled: Handler = (_, response) =>
        void response.writeHead(200, { "content-type": "application/json" }).write("{")
      assert.include(unreachable(yield* lookupFailure(stalled, 100)).message, "no answer within")
      const dripping: Handler = (_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const timer = setInterval(() => response.write(" "), 20)
        response.on("close", () => clearInterval(timer))
      }
      assert.include(unreachable(yield* lookupFailure(dripping, 100)).message, "no answer within")
    })
  )

  it.effect("KEZ-REG-006 speaks plain http to this machine only, and to no URL with a password", () =>
    Effect.gen(function* () {
      for (const [home, sentence] of [
        ["http://kez.lat", "use https"],
        ["http://10.0.0.1:8080", "use https"],
        ["http://127.0.0.1.evil.example", "use https"],
        ["https://user:pass@kez.lat", "password"],
        ["ftp://kez.lat", "neither http nor https"],
        ["nonsense", "malformed"]
      ] as const) {
        const fetch = () => assert.fail("asked the network")
        const error = yield* Effect.flatMap(
          Effect.provide(Directory, HttpDirectory.layer({ home, fetch: fetch as unknown as typeof globalThis.fetch })),
          (directory) => Effect.flip(directory.lookup("chris"))
        )
        assert.include(unreachable(error).message, sentence)
      }
    })
  )

  it.effect("says why nobody answers", () =>
    Effect.gen(function* () {
      const { url } = yield* Effect.scoped(serve(() => undefined))
      const closed = yield* Effect.flatMap(directoryOf(url), (directory) => Effect.flip(directory.wellKnown))
      assert.include(unreachable(closed).message, "refused")
    })
  )

  it.effect("ends the request when its fiber is interrupted", () =>
    Effect.gen(function* () {
      const asked = Promise.withResolvers<void>()
      const left = Promise.withResolvers<void>()
      const { url } = yield* serve((_, response) => {
        response.on("close", () => left.resolve())
        asked.resolve()
      })
      const lookup = Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
      yield* Effect.raceFirst(
        lookup,
        Effect.promise(() => asked.promise)
      )
      yield* Effect.promise(() => left.promise)
    })
  )
})

layer(NodeCrypto.layer, { excludeTestServices: true })("problems", (it) => {
  it.effect(
    "KEZ-ERR-002 carries the server's code, whatever the status; an unknown code comes down to its status",
    () =>
      Effect.gen(function* () {
        const problem = (status: number, body: object) => json(status, body, {}, "application/problem+json")
        for (const [handler, expected] of [
          [problem(410, { code: "handle_deleted", detail: "gone" }), "handle_deleted"],
          [problem(418, { code: "handle_deleted" }), "handle_deleted"],
          [json(404, { code: "handle_not_found" }), "handle_not_found"],
          [problem(404, { code: "handle_sleeps", status: 404, title: "new" }), "not_found"],
          [problem(400, { code: "something_new" }), "request_malformed"],
          [problem(401, { code: "constructor" }), "unauthorized"]
        ] as const) {
          assert.strictEqual(code(yield* lookupFailure(handler)), expected)
        }
        unreachable(yield* lookupFailure(problem(404, { title: "no code" })))
        unreachable(yield* lookupFailure(problem(418, { code: "something_new" })))
        unreachable(yield* lookupFailure(problem(404, "{" as never)))
        const noisy = yield* lookupFailure(
          problem(404, { code: "handle_not_found", detail: `a\u001b[2J\nb${"x".repeat(9_000)}` })
        )
        assert.match((noisy as Problem.Problem).detail, /^a \[2J bx{900,}$/)
        assert.isBelow((noisy as Problem.Problem).detail.length, 1_001)
      })
  )

  it.effect("hands the server's wish for a pause on, in seconds or as a date", () =>
    Effect.gen(function* () {
      const busy = (status: number, retryAfter?: string) =>
        json(
          status,
          { code: status === 429 ? "rate_limited" : "unavailable", detail: "later" },
          retryAfter === undefined ? {} : { "retry-after": retryAfter },
          "application/problem+json"
        )
      assert.strictEqual(unreachable(yield* lookupFailure(busy(429, "7"))).retryAfterMillis, 7_000)
      assert.strictEqual(unreachable(yield* lookupFailure(busy(503, "0"))).retryAfterMillis, 0)
      assert.strictEqual(unreachable(yield* lookupFailure(busy(429))).retryAfterMillis, undefined)
      assert.strictEqual(unreachable(yield* lookupFailure(busy(429, "soon"))).retryAfterMillis, undefined)
      assert.strictEqual(
        unreachable(yield* lookupFailure(busy(503, "Thu, 01 Jan 1970 00:00:00 GMT"))).retryAfterMillis,
        0
      )
      const date = unreachable(
        yield* lookupFailure(busy(503, new Date(Date.now() + 90_000).toUTCString()))
      ).retryAfterMillis!
      assert.isAbove(date, 60_000)
      assert.isBelow(date, 91_000)
    })
  )
})

layer(NodeCrypto.layer, { excludeTestServices: true })("the clock", (it) => {
  it.effect("reads the Date header even from a server that is not well", () =>
    Effect.gen(function* () {
      const { url } = yield* serve((_, response) => {
        response.writeHead(503, {
          "content-type": "application/json",
          date: new Date(Date.now() + 3_600_000).toUTCString()
        })
        response.end("{}")
      })
      const skew = yield* Effect.flatMap(directoryOf(url), (directory) => directory.clockSkewMillis)
      assert.closeTo(skew, 3_600_000, 30_000)
    })
  )
})
