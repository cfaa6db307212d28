import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"

let data: string

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "kez-dev-"))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** `npm run dev` where it must not get as far as Vite: its exit code and what it says. */
const refused = (...args: string[]) =>
  new Promise<string>((done) => {
    const dev = join(import.meta.dirname, "..", "local", "dev.ts")
    execFile(process.execPath, [dev, ...args], { env: { ...process.env, NO_COLOR: "1" } }, (error, stdout) =>
      done(`${error?.code ?? 0}${stdout.trim()}`)
    )
  })

const command = "npm start -- --origin http://localhost:5173"

describe("npm run dev", () => {
  it("says what to start where no home runs", async () => {
    assert.strictEqual(await refused("--data", data), `1✗ No home runs on ${data}: start one with ${command}.`)
    assert.match(await refused("--port", "1"), /^1✗ npm run dev takes one option, --data DIR/)
  })

  it("says how to start a home whose broker admits the page", async () => {
    const home = createServer((_, response) => response.end("{}"))
    await new Promise<void>((done) => home.listen(0, "127.0.0.1", done))
    const url = `http://127.0.0.1:${(home.address() as AddressInfo).port}`
    writeFileSync(join(data, "run.json"), JSON.stringify({ version: 1, urls: { home: url }, processes: {} }))
    writeFileSync(join(data, "nats.conf"), `websocket { allowed_origins: ["${url}", "http://localhost:51730"] }`)
    assert.strictEqual(
      await refused("--data", data),
      `1✗ The broker of the running home refuses pages from http://localhost:5173: start it again with ${command}.`
    )
    await new Promise((done) => home.close(done))
  })
})
