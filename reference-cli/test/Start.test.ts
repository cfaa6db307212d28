/** What a start loads, and when: a test counts modules, since times say little on a busy machine. */
import { FileVault } from "@kez-chat/sdk/node"
import { Effect, Redacted } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundled } from "../../deploy/local/Bundles.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-start-"))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

let program: string
beforeAll(async () => {
  program = await bundled("kez-chat")
}, 120_000)

/** Notes every file that is loaded, and when a key is derived. */
const noted = path.join(folder, "noted.txt")
const watcher = path.join(folder, "watcher.mjs")
fs.writeFileSync(
  watcher,
  `import crypto from "node:crypto"
   import fs from "node:fs"
   import { registerHooks, syncBuiltinESMExports } from "node:module"
   const note = (line) => fs.appendFileSync(${JSON.stringify(noted)}, line + "\\n")
   registerHooks({ load: (url, context, next) => (note(url), next(url, context)) })
   const scrypt = crypto.scrypt
   crypto.scrypt = (...args) => {
     const done = args.pop()
     note("scrypt begins")
     scrypt(...args, (...result) => (note("scrypt ends"), done(...result)))
   }
   syncBuiltinESMExports()`
)

const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}, file = program) => {
  fs.rmSync(noted, { force: true })
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", pathToFileURL(watcher).href, file, ...args],
    {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: folder, KEZ_CHAT_DIR: path.join(folder, "kez"), ...env }
    }
  )
  const lines = fs.readFileSync(noted, "utf8").trim().split("\n")
  return { status, stdout, stderr, lines, files: lines.filter((line) => line.startsWith("file:")) }
}

describe("the program's start", () => {
  it("loads next to nothing to say its version", () => {
    const { files, status, stdout } = run(["--version"])
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^kez-chat \d+\.\d+\.\d+\n$/)])
    expect(files.reduce((sum, url) => sum + fs.statSync(new URL(url)).size, 0)).toBeLessThan(10_000)
    expect(run(["--version", "--json", "x"]).status).toBe(2)
  })

  it("derives the key of a passphrase while it loads the rest", async () => {
    const profile = path.join(folder, "kez", "profiles", "default")
    fs.mkdirSync(profile, { recursive: true, mode: 0o700 })
    const passphrase = path.join(folder, "passphrase")
    fs.writeFileSync(passphrase, "correct horse", { mode: 0o600 })
    const vault = FileVault.make({
      path: path.join(profile, "seed.json"),
      passphrase: () => Effect.succeed(Redacted.make("correct horse"))
    })
    await Effect.runPromise(vault.save(Redacted.make(new Uint8Array(32).fill(7))))
    const account = { handle: "alice@kez.lat", primary: `ed25519:${"0".repeat(64)}`, home: "http://127.0.0.1:9" }
    const row = { version: 1, ...account, step: "published", vault: { kind: "file" } }
    fs.writeFileSync(path.join(profile, "profile.json"), JSON.stringify(row))
    const { lines } = run(["history", "bob"], { KEZ_PASSPHRASE_FILE: passphrase })
    const [begins, ends] = [lines.indexOf("scrypt begins"), lines.indexOf("scrypt ends")]
    expect(begins).toBeGreaterThan(0)
    for (const part of ["LocalKezChat", "HttpStack"]) {
      const loaded = lines.findIndex((line) => line.includes(part))
      expect(loaded > begins && loaded < ends, `${part} is loaded meanwhile`).toBe(true)
    }
  })
})

describe.skipIf(process.platform === "win32")("what is compiled", () => {
  it("is kept for the next start where nobody else can write, and nowhere else", () => {
    const bin = path.join(folder, "installed", "bin", "kez-chat.js")
    fs.mkdirSync(path.dirname(bin), { recursive: true })
    fs.copyFileSync(path.join(import.meta.dirname, "..", "bin", "kez-chat.js"), bin)
    fs.symlinkSync(path.dirname(program), path.join(folder, "installed", "dist"))
    const cache = path.join(folder, "cache")
    const kept = path.join(cache, "kez-chat", "compiled")
    const start = () => run(["whoami"], { XDG_CACHE_HOME: cache }, bin).status
    const count = () => fs.readdirSync(kept, { recursive: true }).length
    const status = start()
    expect(fs.statSync(kept).mode & 0o777).toBe(0o700)
    const first = count()
    expect(first).toBeGreaterThan(10)
    expect([start(), count()]).toEqual([status, first])

    fs.rmSync(kept, { recursive: true })
    fs.mkdirSync(kept)
    fs.chmodSync(kept, 0o777)
    expect([start(), count()]).toEqual([status, 0])
    // A folder that cannot be made.
    fs.rmSync(cache, { recursive: true })
    fs.writeFileSync(cache, "")
    expect(start()).toBe(status)
  })
})
