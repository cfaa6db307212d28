import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { linkCheck } from "../tasks/checks/Links.ts"

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kez-links-"))
  mkdirSync(join(folder, "docs"))
  writeFileSync(join(folder, "main.ts"), "export {}\n")
  writeFileSync(join(folder, "docs", "other.md"), "# Other\n\n## A `second` part\n")
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Checks a page with this text beside `docs/other.md`. */
const check = (text: string) => {
  writeFileSync(join(folder, "page.md"), text)
  return spawnSync(process.execPath, linkCheck(["page.md", "docs/other.md"]), { cwd: folder, encoding: "utf8" })
}

describe("the link check", () => {
  it("accepts files, folders, anchors and other hosts", () => {
    const { status, stdout, stderr } = check(
      "# Page\n\n[a](docs/other.md) [b](docs) [c](main.ts) [d](#page) [e](docs/other.md#a-second-part) [f](https://kez.invalid/)\n"
    )
    assert.strictEqual(status, 0, stdout + stderr)
  })

  it.each([
    ["a missing file", "[a](docs/gone.md)", "docs/gone.md"],
    ["a missing image", "![a](gone.png)", "gone.png"],
    ["a missing reference", "[a][b]\n\n[b]: gone.ts", "gone.ts"],
    ["a missing anchor", "[a](#gone)", "page.md#gone"],
    ["a missing anchor elsewhere", "[a](docs/other.md#gone)", "docs/other.md#gone"]
  ])("refuses %s", (_name, text, expected) => {
    const { status, stdout, stderr } = check(`# Page\n\n${text}\n`)
    assert.strictEqual(status, 1)
    assert.include(stdout + stderr, expected)
  })
})
