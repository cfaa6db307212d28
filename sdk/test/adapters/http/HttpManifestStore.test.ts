/** The manifest store against servers that answer wrongly. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { HttpManifestStore } from "@kez-chat/sdk/http"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Limits, Problem } from "@kez-chat/sdk/protocol"
import { ManifestStore } from "@kez-chat/sdk/services"
import { code, identityOf, json, serve, unreachable } from "./ToldServer.ts"

const known = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"

layer(NodeCrypto.layer, { excludeTestServices: true })("manifests", (it) => {
  const manifestsOf = (home: string) => Effect.provide(ManifestStore, HttpManifestStore.layer({ home }))
  const hash = `blake3:${"ab".repeat(32)}`
  const failures = Effect.fnUntraced(function* (url: string) {
    const { primary } = yield* identityOf
    const store = yield* manifestsOf(url)
    return yield* Effect.all([
      Effect.flip(store.put(primary, Bytes.utf8("{}"))),
      Effect.flip(store.current(primary)),
      Effect.flip(store.byHash(primary, hash))
    ])
  })

  it.effect("sends and takes bytes as they are, at the owner's path", () =>
    Effect.gen(function* () {
      const bytes = Bytes.utf8('{"a":"\u00e9\u0000", "b":[1]}'.replace("\u0000", "\\u0000"))
      const { primary } = yield* identityOf
      const path = `/v1/manifests/${primary.replace(":", "/")}`
      let received: string | undefined
      const { asked, url } = yield* serve((request, response, body) => {
        if (request.method === "PUT") {
          received = `${request.headers["content-type"]} ${body}`
          response.writeHead(201, { "content-type": "application/json" }).end("{}")
        } else response.writeHead(200, { "content-type": "application/json" }).end(bytes)
      })
      const found = yield* Effect.gen(function* () {
        const store = yield* manifestsOf(`${url}/`)
        yield* store.put(primary, bytes)
        return [yield* store.current(primary), yield* store.byHash(primary, hash)]
      })
      assert.deepStrictEqual(found, [bytes, bytes])
      assert.strictEqual(received, `application/json ${new TextDecoder().decode(bytes)}`)
      assert.deepStrictEqual(asked, [`PUT ${path}`, `GET ${path}`, `GET ${path}/${hash.slice(7)}`])
    })
  )

  it.effect("names the hash it holds, and takes 304 for that alone", () =>
    Effect.gen(function* () {
      const hash = `blake3:${"ab".repeat(32)}`
      const asked: Array<string | undefined> = []
      const { url } = yield* serve((request, response) => {
        asked.push(request.headers["if-none-match"])
        response.writeHead(304).end()
      })
      assert.isUndefined(yield* Effect.flatMap(manifestsOf(url), (store) => store.current(`ed25519:${known}`, hash)))
      const error = yield* Effect.flatMap(manifestsOf(url), (store) => Effect.flip(store.current(`ed25519:${known}`)))
      unreachable(error)
      assert.deepStrictEqual(asked, [`"${"ab".repeat(32)}"`, undefined])
    })
  )

  it.effect("reads no more than a manifest may have, told or not", () =>
    Effect.gen(function* () {
      const body = `"${"a".repeat(Limits.manifestBytes - 1)}"`
      assert.strictEqual(body.length, Limits.manifestBytes + 1)
      const { url } = yield* serve(json(200, body))
      for (const error of yield* failures(url))
        assert.include(unreachable(error).message, "larger than this client accepts")
      const largest = yield* serve(json(200, body.replace("a", "")))
      const read = yield* Effect.flatMap(manifestsOf(largest.url), (store) => store.current(`ed25519:${known}`))
      assert.strictEqual(read?.length, Limits.manifestBytes)
    })
  )

  it.effect("tells the server's reasons, its wish for a pause, and answers that are none", () =>
    Effect.gen(function* () {
      const problem = (code: Problem.Code) => json(Problem.codes[code].status, { code }, {}, "application/problem+json")
      for (const expected of ["manifest_conflict", "manifest_not_found", "handle_deleted"] as const) {
        const { url } = yield* serve(problem(expected))
        for (const error of yield* failures(url)) assert.strictEqual(code(error), expected)
      }
      const busy = yield* serve(json(429, { code: "rate_limited" }, { "retry-after": "7" }))
      for (const error of yield* failures(busy.url)) assert.strictEqual(unreachable(error).retryAfterMillis, 7_000)
      for (const [status, type] of [
        [200, "text/html"],
        [204, "text/plain"],
        [206, "text/plain"],
        [304, "application/json"],
        [502, "text/html"]
      ] as const) {
        const body = type === "text/html" ? "<html></html>" : undefined
        const { url } = yield* serve((_, response) => response.writeHead(status, { "content-type": type }).end(body))
        for (const error of yield* failures(url)) unreachable(error)
      }
    })
  )

  it.effect("asks no server for keys or hashes that are none, and sends nothing too large", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* serve(json(200, "{}"))
      yield* Effect.gen(function* () {
        const store = yield* manifestsOf(url)
        const { primary } = yield* identityOf
        const calls = [
          store.current("ed25519:../../x"),
          store.byHash(primary, "blake3:../../x"),
          store.put(primary, new Uint8Array(Limits.manifestBytes + 1))
        ]
        for (const call of calls) code(yield* Effect.flip(call))
      })
      assert.deepStrictEqual(asked, [])
    })
  )
})
