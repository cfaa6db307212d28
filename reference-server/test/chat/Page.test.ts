/** The page as chat-server serves it, from the build that `npm run build` makes. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { builtPage, hasPage } from "../../src/http/pages/PageFiles.ts"
import { get, raw, run, type Running, startChat, temporaryFolder } from "../kits/Servers.ts"

const folder = temporaryFolder()
let server: Running

beforeAll(async () => {
  if (!hasPage(builtPage)) throw new Error(`${builtPage} holds no page: npm run build makes it`)
  server = await startChat(folder.path, ["--reads-per-minute", "40"])
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

const status = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])

describe("the page", () => {
  it("is at / with every file that it names, and reads nothing from elsewhere", async () => {
    const page = await get(`${server.url}/`)
    expect(page.status).toBe(200)
    expect(page.text).toContain("<kez-app>")
    expect(page.headers.get("access-control-allow-origin")).toBeNull()
    expect(page.headers.get("content-security-policy")).toContain("require-trusted-types-for 'script'")
    const names = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(5)
    for (const name of [...names, "./service-worker.js", "./THIRD-PARTY-NOTICES.txt"]) {
      expect(name).toMatch(/^\.\//)
      const answer = await get(new URL(name, `${server.url}/`).href)
      expect([name, answer.status]).toEqual([name, 200])
    }
    expect(page.text.indexOf("./theme.css")).toBeGreaterThan(page.text.search(/\.\/assets\/[^"]+\.css/))
    expect((await get(`${server.url}/theme.css`)).text).toMatch(/^\/\*[^*]*\*\/\s*$/)
    expect((await get(`${server.url}/texts.js`)).text).toMatch(/^\/\/.*\nexport default \{\}\s*$/)
  })

  it("leaves every other path the problem document of a 404", async () => {
    for (const path of [
      "/index.html",
      "/index.html.br",
      "/assets/",
      "/assets/index-00000000.js",
      "/assets/../index.html",
      "/assets/..%2findex.html",
      "/assets/..%2f..%2fpackage.json",
      "/..%2f..%2f..%2f..%2fetc%2fpasswd",
      "/%2e%2e/package.json",
      "/.vite/manifest.json",
      "/.env",
      "//",
      "/Assets/"
    ]) {
      const answer = await raw(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect([path, status(answer)]).toEqual([path, 404])
      expect(answer).toContain('"code":"not_found"')
    }
  })

  it("takes GET, HEAD and OPTIONS, and no body", async () => {
    expect((await get(`${server.url}/`, { method: "HEAD" })).status).toBe(200)
    expect((await get(`${server.url}/`, { method: "OPTIONS" })).status).toBe(204)
    const refused = await get(`${server.url}/theme.css`, { method: "PUT", body: "x" })
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
    const body = await raw(server.port, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx")
    expect(status(body)).toBe(400)
  })

  it("counts its files apart from lookups, and all hashed ones as one route", async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(`${server.url}/icon.svg`)))
    expect(answers.some(({ status }) => status === 429)).toBe(true)
    expect((await get(`${server.url}/.well-known/kez-chat`)).status).toBe(200)
    const metrics = (await get(`${server.internal}/metrics`)).text
    expect(metrics).toMatch(/route="\/assets\/:file",method="GET",status="200"/)
    expect(metrics).toMatch(/limit="page"/)
    expect(metrics).not.toMatch(/route="[^"]*assets\/[^:]/)
  })
})

describe("a server that was built without the page", () => {
  it("says so when it starts, and shows a plain page", async () => {
    const built = dirname(await bundled("chat-server"))
    // Beside the bundle, where it finds the packages that are not in it.
    const bare = mkdtempSync(`${built}-bare-`)
    try {
      cpSync(join(built, "chat-server.js"), join(bare, "chat-server.js"))
      cpSync(join(built, "pages"), join(bare, "pages"), { recursive: true, dereference: true })
      const plain = await startChat(join(folder.path, "bare"), [], {}, join(bare, "chat-server.js"))
      try {
        const said = plain.logs.find(({ msg }) => String(msg).includes("without the web client"))
        expect(said).toMatchObject({
          level: "warn",
          msg: "this server was built without the web client; / is a plain page"
        })
        expect((await get(`${plain.url}/`)).text).toContain("This home server has no web client.")
      } finally {
        await plain.stop()
      }
    } finally {
      rmSync(bare, { recursive: true, force: true })
    }
  })
})

describe("the operator's switches", () => {
  it("--page off shows a plain page that says what the server is", async () => {
    const plain = await startChat(join(folder.path, "off"), ["--page", "off"])
    try {
      const { text } = await get(`${plain.url}/`)
      expect(text).toContain("This home server has no web client.")
      expect((await get(`${plain.url}/theme.css`)).status).toBe(404)
    } finally {
      await plain.stop()
    }
  })

  it("--page-theme and --page-texts serve the operator's files", async () => {
    const theme = join(folder.path, "theme.css")
    const texts = join(folder.path, "texts.js")
    writeFileSync(theme, ":root { --accent: #123456 }")
    writeFileSync(texts, 'export default { common: { ok: "Fine" } }')
    const own = await startChat(join(folder.path, "own"), ["--page-theme", theme], { PAGE_TEXTS: texts })
    try {
      expect((await get(`${own.url}/theme.css`)).text).toBe(":root { --accent: #123456 }")
      expect((await get(`${own.url}/texts.js`)).text).toContain("Fine")
    } finally {
      await own.stop()
    }
  })

  it("refuse to start with a file that cannot be read, and name it", async () => {
    const missing = join(folder.path, "missing.css")
    const { code, stdout } = await run("chat-server", ["--page-theme", missing])
    expect(code).toBe(1)
    expect(stdout).toContain(`cannot read ${missing}: ENOENT`)
  })
})
