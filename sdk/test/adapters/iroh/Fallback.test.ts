/** What becomes of an addon that is not there, does not load, or is not the one that the SDK was made for. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath, pathToFileURL } from "node:url"
import { Effect } from "effect"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as Binding from "../../../src/adapters/iroh/Binding.ts"

const loader = fileURLToPath(new URL("../../../native/index.js", import.meta.url))
const system = `${process.platform}-${process.arch}`
// On Linux the package for musl is looked for after that for glibc.
const names = process.platform === "linux" ? [`${system}-gnu`, `${system}-musl`] : [system]
const version = (number: number) => `exports.INTERFACE_VERSION = ${number}`

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "kez-addon-"))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The package's own loader beside a file of this content as the addon, and with these packages for the system. */
const place = (name: string, addon: string | undefined, packages: Readonly<Record<string, string>> = {}) => {
  const home = join(folder, name)
  mkdirSync(home)
  copyFileSync(loader, join(home, "index.js"))
  if (addon !== undefined) writeFileSync(join(home, "iroh-native.node"), addon)
  for (const [system, script] of Object.entries(packages)) {
    const of = join(home, "node_modules", "@kez-chat", `iroh-native-${system}`)
    mkdirSync(of, { recursive: true })
    writeFileSync(join(of, "index.js"), script)
  }
  const load = async () => ((await import(pathToFileURL(join(home, "index.js")).href)) as { default: unknown }).default
  return Effect.runPromise(Binding.load(undefined, load))
}

describe("the native addon", () => {
  it("is not missed where there is none", async () => {
    const { fault, kind } = await place("none", undefined)
    assert.deepEqual({ fault, kind }, { fault: undefined, kind: "compatible" })
  })

  it("is left aside, and it is said why, where it does not load", async () => {
    const { fault, kind } = await place("junk", "junk")
    assert.strictEqual(kind, "compatible")
    assert.match(fault ?? "", /^the native addon does not load: .*iroh-native\.node/)
    assert.notInclude(fault, "\n")
  })

  it("is left aside, and it is said why, where it is of another version", async () => {
    for (const [script, found] of [
      ["", 0],
      [version(0), 0],
      [version(2), 2]
    ] as const) {
      const { fault, kind } = await place(`version ${script}`, undefined, { [names[0]!]: script })
      assert.deepEqual({ fault, kind }, { fault: `the native addon has interface ${found}, not 1`, kind: "compatible" })
    }
  })

  it("is used where another one, for another C library, does not load", async () => {
    const broken = `throw Object.assign(new Error("no such library"), { code: "ERR_DLOPEN_FAILED" })`
    const packages = { [names[0]!]: broken, [names.at(-1)!]: version(1) }
    assert.strictEqual((await place("libraries", "junk", packages)).kind, "native")
  })
})
