/** The page's files: the table read from a build, the headers of each, and how one is answered. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib"
import { hasPage, type PageFiles, readPage } from "../../src/http/pages/PageFiles.ts"
import { pageHeaders } from "../../src/http/pages/PageHeaders.ts"
import { sendFile } from "../../src/http/StaticFile.ts"
import { temporaryFolder } from "../kits/Servers.ts"

const reach = {
  publicSigServerUrl: "https://sig.kez.lat/base/",
  publicWsUrls: ["wss://mail.kez.lat:8443", "wss://mail.kez.lat:8443/again", "wss://kez.lat/ws"],
  proofSources: {}
}

const html = `<!doctype html>${"<p>page</p>".repeat(50)}`

/** A build with files that must not be served beside it. */
const build = (folder: string) => {
  const files: Record<string, string | Buffer> = {
    "index.html": html,
    "index.html.br": brotliCompressSync(html),
    "index.html.gz": gzipSync(html),
    "icon-192.png": "png",
    "theme.css": "/* none */",
    "service-worker.js": "self",
    "assets/index-abc.js": "index",
    "assets/account-Xy_9.js": "worker",
    ".vite/manifest.json": "{}",
    "assets/.hidden.js": "hidden"
  }
  mkdirSync(join(folder, "assets"))
  mkdirSync(join(folder, ".vite"))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
}

const readBuild = (own: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(Effect.sync(temporaryFolder), (folder) => Effect.sync(() => folder[Symbol.dispose]())).pipe(
    Effect.tap(({ path }) => Effect.sync(() => build(path))),
    Effect.flatMap(({ path }) => {
      const files = Object.entries(own).map(([served, content]) => {
        const file = join(path, `own${served.replace("/", "-")}`)
        writeFileSync(file, content)
        return [served, file] as const
      })
      return readPage({ folder: path, own: new Map(files), reach })
    })
  )

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Buffer
}

/** One request for a file of the page, over a socket and with nothing decoded. */
const ask = (page: PageFiles, path: string, headers: Readonly<Record<string, string>>, method = "GET") =>
  Effect.promise(
    () =>
      new Promise<Answer>((done, fail) => {
        const server = createServer((incoming, response) => sendFile(incoming, response, page.file(path)!))
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          const asked = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (answer) => {
            const chunks: Array<Buffer> = []
            answer.on("data", (chunk: Buffer) => chunks.push(chunk))
            answer.on("end", () => {
              server.close()
              done({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) })
            })
          })
          asked.on("error", fail)
          asked.end()
        })
      })
  )

describe("reading a build", () => {
  it.live("lists its files and nothing else: no compressed twin, no record of the build, no folder", () =>
    Effect.gen(function* () {
      const page = yield* readBuild()
      assert.sameMembers(
        page.routes.map(({ path }) => path),
        ["/", "/assets/:file", "/icon-192.png", "/service-worker.js", "/theme.css"]
      )
      for (const path of ["/", "/assets/index-abc.js", "/theme.css"]) assert.isDefined(page.file(path))
      for (const path of [
        "",
        "/index.html",
        "/index.html.br",
        "/assets",
        "/assets/",
        "/assets/.hidden.js",
        "/.vite/manifest.json",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "//etc/passwd",
        "/constructor",
        "/__proto__"
      ])
        assert.isUndefined(page.file(path), path)
    }).pipe(Effect.scoped)
  )

  it.live("puts the operator's own files in place of the empty ones", () =>
    Effect.gen(function* () {
      const css = ":root { --accent: red }".repeat(20)
      const page = yield* readBuild({ "/theme.css": css, "/texts.js": "export default {}" })
      const theme = yield* ask(page, "/theme.css", { "accept-encoding": "br" })
      assert.strictEqual(theme.headers["content-encoding"], "br")
      assert.strictEqual(brotliDecompressSync(theme.body).toString(), css)
      const texts = yield* ask(page, "/texts.js", {})
      assert.strictEqual(texts.headers["content-type"], "text/javascript; charset=utf-8")
      assert.strictEqual(texts.body.toString(), "export default {}")
    }).pipe(Effect.scoped)
  )

  it.live("names the file that it cannot read", () =>
    Effect.gen(function* () {
      const folder = temporaryFolder()
      assert.isFalse(hasPage(folder.path))
      build(folder.path)
      assert.isTrue(hasPage(folder.path))
      const own = new Map([["/theme.css", join(folder.path, "missing.css")]])
      const error = yield* Effect.flip(readPage({ folder: folder.path, own, reach }))
      assert.match(error.message, /^cannot read .*missing\.css: ENOENT/)
      folder[Symbol.dispose]()
    })
  )
})

describe("answering a file", () => {
  it.live("sends brotli, else gzip, else the bytes, each under a tag of its own", () =>
    Effect.gen(function* () {
      const page = yield* readBuild()
      const tags = new Set<unknown>()
      for (const [accepted, coding, decode] of [
        ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
        ["br;q=0, GZIP;q=0.5", "gzip", gunzipSync],
        ["br;q=0.000,gzip; q=0", undefined, (bytes: Buffer) => bytes],
        ["brotli, x-gzip", undefined, (bytes: Buffer) => bytes],
        ["", undefined, (bytes: Buffer) => bytes]
      ] as const) {
        const headers = { "accept-encoding": accepted }
        const answer = yield* ask(page, "/", headers)
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.headers["content-encoding"], coding)
        assert.strictEqual(answer.headers["vary"], "Accept-Encoding")
        assert.strictEqual(answer.headers["content-length"], String(answer.body.length))
        assert.strictEqual(decode(answer.body).toString(), html)
        const etag = String(answer.headers["etag"])
        tags.add(etag)
        const held = yield* ask(page, "/", { ...headers, "if-none-match": `"other", W/${etag}` })
        assert.deepEqual([held.status, held.body.length, held.headers["etag"]], [304, 0, etag])
        assert.strictEqual(held.headers["cache-control"], "no-cache")
        const head = yield* ask(page, "/", headers, "HEAD")
        assert.deepEqual([head.status, head.body.length], [200, 0])
        assert.strictEqual(head.headers["content-length"], answer.headers["content-length"])
      }
      assert.strictEqual(tags.size, 3)
      const icon = yield* ask(page, "/icon-192.png", { "accept-encoding": "br" })
      assert.deepEqual([icon.headers["content-type"], icon.headers["vary"]], ["image/png", undefined])
    }).pipe(Effect.scoped)
  )
})

describe("headers of the page", () => {
  it("let the page run its own scripts, connect to its own server and use the camera", () => {
    const headers = pageHeaders("/", reach)
    assert.strictEqual(
      headers["content-security-policy"],
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html kez-chat"
    )
    assert.match(headers["permissions-policy"]!, /^camera=\(self\), .*geolocation=\(\).*microphone=\(\)/)
    assert.strictEqual(headers["cache-control"], "no-cache")
  })

  it("let the account worker connect to its server, the sig-server and the broker, by exact origins", () => {
    assert.strictEqual(
      pageHeaders("/assets/account-Xy_9.js", reach)["content-security-policy"],
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' https://sig.kez.lat wss://mail.kez.lat:8443 wss://kez.lat"
    )
  })

  it("KEZ-REG-111 let the account worker ask the published services for proofs, and the page none of them", () => {
    const asking = {
      ...reach,
      proofSources: {
        dns: "https://dns.example/dns-query",
        nostr: ["wss://relay.example/a", "wss://relay.example/b"],
        bluesky: "https://bsky.example",
        plc: "https://plc.example"
      }
    }
    assert.match(
      pageHeaders("/assets/account-Xy_9.js", asking)["content-security-policy"]!,
      / wss:\/\/kez\.lat https:\/\/dns\.example wss:\/\/relay\.example https:\/\/bsky\.example https:\/\/plc\.example$/
    )
    assert.match(pageHeaders("/", asking)["content-security-policy"]!, /connect-src 'self';/)
  })

  it("keep hashed names for a year and ask again for all others", () => {
    for (const path of ["/assets/index-abc.js", "/assets/account-Xy_9.js"])
      assert.strictEqual(pageHeaders(path, reach)["cache-control"], "public, max-age=31536000, immutable")
    for (const path of ["/service-worker.js", "/manifest.webmanifest", "/icon.svg", "/theme.css", "/texts.js"])
      assert.strictEqual(pageHeaders(path, reach)["cache-control"], "no-cache")
  })

  it("guess no type, send no referrer and lend no file to other sites", () => {
    for (const path of ["/", "/service-worker.js", "/assets/index-abc.js", "/icon.svg", "/odd.xyz"]) {
      const headers = pageHeaders(path, reach)
      assert.strictEqual(headers["x-content-type-options"], "nosniff")
      assert.strictEqual(headers["referrer-policy"], "no-referrer")
      assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
      assert.match(headers["content-security-policy"]!, /^default-src 'none'/)
    }
    assert.strictEqual(pageHeaders("/odd.xyz", reach)["content-type"], "application/octet-stream")
    assert.strictEqual(pageHeaders("/manifest.webmanifest", reach)["content-type"], "application/manifest+json")
  })
})
