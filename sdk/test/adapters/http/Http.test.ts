/** The HTTP adapters against servers that are slow, wrong, hostile, or merely older and Rust. */
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Identity, SignedEnvelope } from "@kez-chat/sdk/crypto"
import { HttpDirectory, HttpManifestStore, HttpSigchainStore } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Problem, Registration } from "@kez-chat/sdk/protocol"
import { Crypto, Directory, ManifestStore, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void

const open = new Set<Server>()
afterEach(() => {
  for (const server of open) {
    server.close()
    server.closeAllConnections()
  }
  open.clear()
})

/** A server that answers as told, and what it was asked. */
const serve = async (handler: Handler) => {
  const asked: Array<string> = []
  const server = createServer(async (request, response) => {
    let body = ""
    for await (const chunk of request) body += String(chunk)
    asked.push(`${request.method} ${request.url}`)
    handler(request, response, body)
  })
  open.add(server)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const run = <A, E>(effect: Effect.Effect<A, E, Crypto>) =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeCrypto.layer)))

const directoryOf = (home: string, timeoutMillis = 10_000) =>
  Effect.provide(Directory, HttpDirectory.layer({ home, timeoutMillis }))
const storeOf = (url: HttpSigchainStore.HttpSigchainStoreOptions["url"]) =>
  Effect.provide(SigchainStore, HttpSigchainStore.layer({ url }))

const json =
  (status: number, value: unknown, headers: Record<string, string> = {}, type = "application/json"): Handler =>
  (_, response) => {
    response.writeHead(status, { "content-type": type, ...headers })
    response.end(typeof value === "string" ? value : JSON.stringify(value))
  }

/** The failure of a lookup at a server that answers so. */
const lookupFailure = async (handler: Handler, timeoutMillis?: number) => {
  const { url } = await serve(handler)
  return run(Effect.flatMap(directoryOf(url, timeoutMillis), (directory) => Effect.flip(directory.lookup("chris"))))
}

const unreachable = (error: unknown): ServerUnreachable => {
  assert.instanceOf(error, ServerUnreachable)
  return error as ServerUnreachable
}
const code = (error: unknown): string => {
  assert.instanceOf(error, Problem.Problem)
  return (error as Problem.Problem).code
}

const identityOf = Effect.suspend(() => Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32)))))

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

describe("what an answer may be", () => {
  it("takes a record that is one, with members it does not know", async () => {
    const value = await run(record)
    const { asked, url } = await serve(json(200, { ...value, proofs: ["dns:kez.lat"] }))
    const found = await run(Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris")))
    assert.deepStrictEqual(Registration.recordToJson(found), value as never)
    assert.deepStrictEqual(asked, ["GET /v1/u/chris"])
  })

  it("refuses records that lack or bend a member, and JSON that is not strict", async () => {
    const value = await run(record)
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
        const answered = await lookupFailure(json(200, body, {}, type))
        assert.strictEqual(code(answered), expected, `${type}: ${body}`)
      }
    }
  })

  it("KEZ-CAN-014 takes a record of any media type, and none at all", async () => {
    const value = await run(record)
    for (const type of ["text/plain; charset=iso-8859-1", "text/html", "application/vnd.example"]) {
      const { url } = await serve(json(200, value, {}, type))
      const found = await run(Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris")))
      assert.strictEqual(found.primary, value.primary)
    }
    const { url } = await serve((_, response) => response.writeHead(200).end(JSON.stringify(value)))
    const found = await run(Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris")))
    assert.strictEqual(found.primary, value.primary)
    assert.strictEqual(
      code(await lookupFailure(json(404, { code: "handle_not_found" }, {}, "text/plain"))),
      "handle_not_found"
    )
  })

  it("KEZ-CAN-015 bounds what a content coding unfolds to", async () => {
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
        const error = await lookupFailure((_, response) =>
          response.writeHead(status, { "content-type": "text/plain", "content-encoding": coding }).end(bomb)
        )
        assert.include(unreachable(error).message, "larger than this client accepts", coding)
      }
      assert.isBelow(process.memoryUsage().rss - before, 48 * 1024 * 1024, coding)
    }
    // A record that is sent so is one all the same.
    const value = await run(record)
    const { url } = await serve((_, response) =>
      response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync(JSON.stringify(value)))
    )
    const found = await run(Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris")))
    assert.strictEqual(found.primary, value.primary)
  })

  it("takes a page of somebody else (a captive portal) for no answer", async () => {
    for (const [body, type] of [
      ["<html>Please log in</html>", "text/html"],
      ["\r\n <!doctype html>", "text/plain"],
      ["It works!", "application/json"],
      ["", "application/json"]
    ] as const) {
      assert.include(
        unreachable(await lookupFailure(json(200, body, {}, type))).message,
        "it answers in another protocol"
      )
    }
    const gateway = unreachable(await lookupFailure(json(502, "<html>Bad Gateway</html>", {}, "text/html")))
    assert.include(gateway.message, "502")
    unreachable(await lookupFailure(json(404, "<html>nginx</html>", {}, "text/html")))
  })

  it("says that no home is there where something else answers", async () => {
    for (const handler of [
      json(404, "nginx", {}, "text/html"),
      json(200, "<html>"),
      json(404, { code: "not_found" })
    ]) {
      const { url } = await serve(handler)
      const error = await run(Effect.flatMap(directoryOf(url), ({ wellKnown }) => Effect.flip(wellKnown)))
      assert.include(unreachable(error).message, `${url} cannot be used: no kez-chat home server is there`)
    }
    const down = await serve(json(502, "bad gateway"))
    const error = await run(Effect.flatMap(directoryOf(down.url), ({ wellKnown }) => Effect.flip(wellKnown)))
    assert.include(unreachable(error).message, "502")
  })

  it("KEZ-REG-024 follows no redirect, not even on the same host", async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of ["https://evil.example/v1/u/chris", "/v1/u/eve"]) {
        const { asked, url } = await serve((_, response) => response.writeHead(status, { location }).end())
        const error = await run(Effect.flatMap(directoryOf(url), (directory) => Effect.flip(directory.lookup("chris"))))
        assert.include(unreachable(error).message, "redirects")
        assert.strictEqual(asked.length, 1)
      }
    }
  })

  it("stops reading an answer that is too large, told or not", async () => {
    const told = unreachable(await lookupFailure(json(200, `{"x":"${"a".repeat(100_000)}"}`)))
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
    assert.include(unreachable(await lookupFailure(endless)).message, "larger")
    assert.isBelow(sent, 50_000_000)
  })

  it("waits for an answer only so long: for its head, between its pieces, and for all of it", async () => {
    const silent: Handler = () => undefined
    assert.include(unreachable(await lookupFailure(silent, 100)).message, "no answer within 0.1 s")
    const stalled: Handler = (_, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).write("{")
    assert.include(unreachable(await lookupFailure(stalled, 100)).message, "no answer within")
    const dripping: Handler = (_, response) => {
      response.writeHead(200, { "content-type": "application/json" })
      const timer = setInterval(() => response.write(" "), 20)
      response.on("close", () => clearInterval(timer))
    }
    assert.include(unreachable(await lookupFailure(dripping, 100)).message, "no answer within")
  })

  it("KEZ-REG-006 speaks plain http to this machine only, and to no URL with a password", async () => {
    for (const [home, sentence] of [
      ["http://kez.lat", "use https"],
      ["http://10.0.0.1:8080", "use https"],
      ["http://127.0.0.1.evil.example", "use https"],
      ["https://user:pass@kez.lat", "password"],
      ["ftp://kez.lat", "neither http nor https"],
      ["nonsense", "malformed"]
    ] as const) {
      const fetch = () => assert.fail("asked the network")
      const error = await run(
        Effect.flatMap(
          Effect.provide(Directory, HttpDirectory.layer({ home, fetch: fetch as unknown as typeof globalThis.fetch })),
          (directory) => Effect.flip(directory.lookup("chris"))
        )
      )
      assert.include(unreachable(error).message, sentence)
    }
  })

  it("says why nobody answers", async () => {
    const { url } = await serve(() => undefined)
    for (const server of open) server.close()
    open.clear()
    const closed = await run(Effect.flatMap(directoryOf(url), (directory) => Effect.flip(directory.wellKnown)))
    assert.include(unreachable(closed).message, "refused")
  })

  it("ends the request when its fiber is interrupted", async () => {
    let arrived = () => {}
    const asked = new Promise<void>((done) => (arrived = done))
    let gone = () => {}
    const left = new Promise<void>((done) => (gone = done))
    const { url } = await serve((_, response) => {
      response.on("close", () => gone())
      arrived()
    })
    const lookup = Effect.flatMap(directoryOf(url), (directory) => directory.lookup("chris"))
    await run(
      Effect.raceFirst(
        lookup,
        Effect.promise(() => asked)
      )
    )
    await left
  })
})

describe("problems", () => {
  it("KEZ-ERR-002 carries the server's code, whatever the status; an unknown code comes down to its status", async () => {
    const problem = (status: number, body: object) => json(status, body, {}, "application/problem+json")
    for (const [handler, expected] of [
      [problem(410, { code: "handle_deleted", detail: "gone" }), "handle_deleted"],
      [problem(418, { code: "handle_deleted" }), "handle_deleted"],
      [json(404, { code: "handle_not_found" }), "handle_not_found"],
      [problem(404, { code: "handle_sleeps", status: 404, title: "new" }), "not_found"],
      [problem(400, { code: "something_new" }), "request_malformed"],
      [problem(401, { code: "constructor" }), "unauthorized"]
    ] as const) {
      assert.strictEqual(code(await lookupFailure(handler)), expected)
    }
    unreachable(await lookupFailure(problem(404, { title: "no code" })))
    unreachable(await lookupFailure(problem(418, { code: "something_new" })))
    unreachable(await lookupFailure(problem(404, "{" as never)))
    const noisy = await lookupFailure(
      problem(404, { code: "handle_not_found", detail: `a\u001b[2J\nb${"x".repeat(9_000)}` })
    )
    assert.match((noisy as Problem.Problem).detail, /^a \[2J bx{900,}$/)
    assert.isBelow((noisy as Problem.Problem).detail.length, 1_001)
  })

  it("hands the server's wish for a pause on, in seconds or as a date", async () => {
    const busy = (status: number, retryAfter?: string) =>
      json(
        status,
        { code: status === 429 ? "rate_limited" : "unavailable", detail: "later" },
        retryAfter === undefined ? {} : { "retry-after": retryAfter },
        "application/problem+json"
      )
    assert.strictEqual(unreachable(await lookupFailure(busy(429, "7"))).retryAfterMillis, 7_000)
    assert.strictEqual(unreachable(await lookupFailure(busy(503, "0"))).retryAfterMillis, 0)
    assert.strictEqual(unreachable(await lookupFailure(busy(429))).retryAfterMillis, undefined)
    assert.strictEqual(unreachable(await lookupFailure(busy(429, "soon"))).retryAfterMillis, undefined)
    assert.strictEqual(unreachable(await lookupFailure(busy(503, "Thu, 01 Jan 1970 00:00:00 GMT"))).retryAfterMillis, 0)
    const date = unreachable(
      await lookupFailure(busy(503, new Date(Date.now() + 90_000).toUTCString()))
    ).retryAfterMillis!
    assert.isAbove(date, 60_000)
    assert.isBelow(date, 91_000)
  })
})

describe("the clock", () => {
  it("reads the Date header even from a server that is not well", async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(503, {
        "content-type": "application/json",
        date: new Date(Date.now() + 3_600_000).toUTCString()
      })
      response.end("{}")
    })
    const skew = await run(Effect.flatMap(directoryOf(url), (directory) => directory.clockSkewMillis))
    assert.closeTo(skew, 3_600_000, 30_000)
  })
})

describe("sigchains of other servers", () => {
  const eventOf = Effect.gen(function* () {
    const identity = yield* identityOf
    const event = yield* identity.signSigchainEvent({
      after: undefined,
      operation: { op: "add", payload: { subject: "dns:example.org" } },
      createdAt: Date.now()
    })
    return { identity, event, hash: yield* SignedEnvelope.hash(event) }
  })

  it("KEZ-SIG-136 tries /events first, then the chain's own URL, and remembers which it was", async () => {
    const { event, hash, identity } = await run(eventOf)
    for (const refusal of [404, 405]) {
      const { asked, url } = await serve((request, response) => {
        if (request.url?.endsWith("/events") === true)
          response.writeHead(refusal, { "content-type": "text/plain" }).end("no such route")
        else response.writeHead(200, { "content-type": "text/plain" }).end("ok")
      })
      const store = await run(storeOf(url))
      assert.deepStrictEqual(await run(store.append(identity.primary, event)), { seq: 0, hash })
      assert.deepStrictEqual(await run(store.append(identity.primary, event)), { seq: 0, hash })
      const chain = `/v1/sigchains/ed25519/${identity.key.hex}`
      assert.deepStrictEqual(asked, [`POST ${chain}/events`, `POST ${chain}`, `POST ${chain}`])
    }
  })

  it("does not hide a refusal behind the second path", async () => {
    const { event, identity } = await run(eventOf)
    const { asked, url } = await serve(
      json(409, { code: "chain_conflict", detail: "the head is event 3" }, {}, "application/problem+json")
    )
    const store = await run(storeOf(url))
    assert.strictEqual(code(await run(Effect.flip(store.append(identity.primary, event)))), "chain_conflict")
    assert.strictEqual(asked.length, 1)
  })

  it("notices a server that says it stored something else", async () => {
    const { event, identity } = await run(eventOf)
    const { url } = await serve(json(201, { seq: 0, hash: `sha256:${"00".repeat(32)}` }))
    const store = await run(storeOf(url))
    assert.strictEqual(code(await run(Effect.flip(store.append(identity.primary, event)))), "chain_fork")
  })

  it("KEZ-SIG-134 takes 404 and an empty 200 alike, of whatever type", async () => {
    const { identity } = await run(eventOf)
    for (const handler of [
      json(404, "not found", {}, "text/plain"),
      json(404, { code: "chain_not_found", detail: "" }, {}, "application/problem+json"),
      json(200, "", {}, "application/jsonl"),
      json(200, "\n \r\n", {}, "text/plain"),
      ((_, response) => response.writeHead(200).end()) as Handler
    ]) {
      const { url } = await serve(handler)
      const store = await run(storeOf(url))
      assert.deepStrictEqual(await run(store.fetch(identity.primary)), [])
    }
    for (const handler of [json(500, "oops", {}, "text/plain"), json(200, "<html>", {}, "application/jsonl")]) {
      const { url } = await serve(handler)
      const store = await run(storeOf(url))
      unreachable(await run(Effect.flip(store.fetch(identity.primary))))
    }
  })

  it("reads lines strictly, with blank lines and CRLF, and from `since` where the server ignores it", async () => {
    const { event, identity } = await run(eventOf)
    const line = Envelope.encodeText(event)
    const { url } = await serve(json(200, `\r\n${line}\r\n\n  \n${line}`, {}, "application/x-ndjson"))
    const store = await run(storeOf(url))
    assert.deepStrictEqual(await run(store.fetch(identity.primary)), [event, event])
    assert.deepStrictEqual(await run(store.fetch(identity.primary, 1)), [])
    for (const [body, expected] of [
      [`${line}\n{`, "json_malformed"],
      [line.replace('"kez":', '"kez":"claim","kez":'), "json_duplicate_name"],
      [line.replace('"version":1', '"version":1.0'), "json_number"],
      [`${line} ${line}`, "json_malformed"],
      ["[]", "envelope_malformed"],
      [line.replace('"version":1', `"version":1,"x":"${"a".repeat(140_000)}"`), "too_large"]
    ] as const) {
      const bad = await serve(json(200, body, {}, "application/jsonl"))
      const hostile = await run(storeOf(bad.url))
      assert.strictEqual(code(await run(Effect.flip(hostile.fetch(identity.primary)))), expected)
    }
  })

  it("asks where the sig-server is once, when it is first needed, and again after a failure", async () => {
    const { identity } = await run(eventOf)
    const { url } = await serve(json(404, "", {}, "text/plain"))
    let asked = 0
    const where = Effect.suspend(() =>
      ++asked === 1
        ? Effect.fail(new ServerUnreachable({ url: "https://home", detail: "offline" }))
        : Effect.succeed(url)
    )
    const store = await run(storeOf(where))
    assert.strictEqual(asked, 0)
    unreachable(await run(Effect.flip(store.fetch(identity.primary))))
    await run(store.fetch(identity.primary))
    await run(store.fetch(identity.primary))
    assert.strictEqual(asked, 2)
  })

  it("asks no server for a primary that is none", async () => {
    const layer = HttpSigchainStore.layer({ url: "http://127.0.0.1:1" }).pipe(Layer.provide(NodeCrypto.layer))
    const store = await Effect.runPromise(Effect.provide(SigchainStore, layer))
    for (const primary of ["", "ed25519:../../x", "nostr:npub1", `ed25519:${"00".repeat(32)}`]) {
      assert.match(code(await Effect.runPromise(Effect.flip(store.fetch(primary)))), /^key_/)
    }
  })
})

describe("manifests", () => {
  const manifestsOf = (home: string) => Effect.provide(ManifestStore, HttpManifestStore.layer({ home }))
  const hash = `blake3:${"ab".repeat(32)}`
  const failures = (url: string) =>
    run(
      Effect.gen(function* () {
        const { primary } = yield* identityOf
        const store = yield* manifestsOf(url)
        return yield* Effect.all([
          Effect.flip(store.put(primary, Bytes.utf8("{}"))),
          Effect.flip(store.current(primary)),
          Effect.flip(store.byHash(primary, hash))
        ])
      })
    )

  it("sends and takes bytes as they are, at the owner's path", async () => {
    const bytes = Bytes.utf8('{"a":"\u00e9\u0000", "b":[1]}'.replace("\u0000", "\\u0000"))
    const { primary } = await run(identityOf)
    const path = `/v1/manifests/${primary.replace(":", "/")}`
    let received: string | undefined
    const { asked, url } = await serve((request, response, body) => {
      if (request.method === "PUT") {
        received = `${request.headers["content-type"]} ${body}`
        response.writeHead(201, { "content-type": "application/json" }).end("{}")
      } else response.writeHead(200, { "content-type": "application/json" }).end(bytes)
    })
    const found = await run(
      Effect.gen(function* () {
        const store = yield* manifestsOf(`${url}/`)
        yield* store.put(primary, bytes)
        return [yield* store.current(primary), yield* store.byHash(primary, hash)]
      })
    )
    assert.deepStrictEqual(found, [bytes, bytes])
    assert.strictEqual(received, `application/json ${new TextDecoder().decode(bytes)}`)
    assert.deepStrictEqual(asked, [`PUT ${path}`, `GET ${path}`, `GET ${path}/${hash.slice(7)}`])
  })

  it("names the hash it holds, and takes 304 for that alone", async () => {
    const hash = `blake3:${"ab".repeat(32)}`
    const asked: Array<string | undefined> = []
    const { url } = await serve((request, response) => {
      asked.push(request.headers["if-none-match"])
      response.writeHead(304).end()
    })
    assert.isUndefined(await run(Effect.flatMap(manifestsOf(url), (store) => store.current(`ed25519:${known}`, hash))))
    const error = await run(Effect.flatMap(manifestsOf(url), (store) => Effect.flip(store.current(`ed25519:${known}`))))
    unreachable(error)
    assert.deepStrictEqual(asked, [`"${"ab".repeat(32)}"`, undefined])
  })

  it("reads no more than a manifest may have, told or not", async () => {
    const body = `"${"a".repeat(Limits.manifestBytes - 1)}"`
    assert.strictEqual(body.length, Limits.manifestBytes + 1)
    const { url } = await serve(json(200, body))
    for (const error of await failures(url))
      assert.include(unreachable(error).message, "larger than this client accepts")
    const largest = await serve(json(200, body.replace("a", "")))
    const read = await run(Effect.flatMap(manifestsOf(largest.url), (store) => store.current(`ed25519:${known}`)))
    assert.strictEqual(read?.length, Limits.manifestBytes)
  })

  it("tells the server's reasons, its wish for a pause, and answers that are none", async () => {
    const problem = (code: Problem.Code) => json(Problem.codes[code].status, { code }, {}, "application/problem+json")
    for (const expected of ["manifest_conflict", "manifest_not_found", "handle_deleted"] as const) {
      const { url } = await serve(problem(expected))
      for (const error of await failures(url)) assert.strictEqual(code(error), expected)
    }
    const busy = await serve(json(429, { code: "rate_limited" }, { "retry-after": "7" }))
    for (const error of await failures(busy.url)) assert.strictEqual(unreachable(error).retryAfterMillis, 7_000)
    for (const [status, type] of [
      [200, "text/html"],
      [204, "text/plain"],
      [206, "text/plain"],
      [304, "application/json"],
      [502, "text/html"]
    ] as const) {
      const body = type === "text/html" ? "<html></html>" : undefined
      const { url } = await serve((_, response) => response.writeHead(status, { "content-type": type }).end(body))
      for (const error of await failures(url)) unreachable(error)
    }
  })

  it("asks no server for keys or hashes that are none, and sends nothing too large", async () => {
    const { asked, url } = await serve(json(200, "{}"))
    await run(
      Effect.gen(function* () {
        const store = yield* manifestsOf(url)
        const { primary } = yield* identityOf
        const calls = [
          store.current("ed25519:../../x"),
          store.byHash(primary, "blake3:../../x"),
          store.put(primary, new Uint8Array(Limits.manifestBytes + 1))
        ]
        for (const call of calls) code(yield* Effect.flip(call))
      })
    )
    assert.deepStrictEqual(asked, [])
  })
})

const known = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
