import { execFile, execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const run = promisify(execFile)
const root = join(import.meta.dirname, "..", "..", "..")

interface Manifest {
  readonly name: string
  readonly version: string
  readonly bin?: Record<string, string>
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  /** Those that are optional. */
  readonly peerDependenciesMeta?: Record<string, unknown>
}

let folder: string

/** Packs a package as npm would publish it, and installs it into `folder` with links to its dependencies. */
const install = async (name: string, withOptional = true): Promise<string> => {
  const { stdout } = await run("npm", ["pack", join(root, name), "--json", "--pack-destination", folder], {
    cwd: folder
  })
  const [{ filename }] = Object.values(JSON.parse(stdout) as Array<{ filename: string }>) as [{ filename: string }]
  const manifest = JSON.parse(readFileSync(join(root, name, "package.json"), "utf8")) as Manifest
  const home = join(folder, "node_modules", manifest.name)
  mkdirSync(home, { recursive: true })
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", home, "--strip-components=1"])
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const link = join(folder, "node_modules", dependency)
    mkdirSync(dirname(link), { recursive: true })
    rmSync(link, { force: true })
    if (peerDependenciesMeta?.[dependency] === undefined || withOptional)
      symlinkSync(join(root, "node_modules", dependency), link, "junction")
  }
  return home
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kez-packages-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("published packages", () => {
  it("the SDK: installs, runs and type-checks without its optional packages for a program that imports it", async () => {
    const home = await install("sdk", false)
    assert.includeMembers(readdirSync(home), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist", "src"])
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`)
    const program = `
      import type { IrohBlobTransport } from "@kez-chat/sdk/iroh"
      import type { NodeOptions } from "@kez-chat/sdk/node"
      import { Handle, Mnemonic } from "@kez-chat/sdk/protocol"
      import * as Result from "effect/Result"
      const handle = Result.getOrThrow(Handle.parse("chris@kez.lat"))
      const binding: (NodeOptions & IrohBlobTransport.IrohOptions)["binding"] = "compatible"
      const words: string = Mnemonic.generate(new Uint8Array(32))
      console.log(handle.local, words.split(" ").length)
    `
    writeFileSync(join(folder, "program.ts"), program)
    const { stdout } = await run(process.execPath, ["program.ts"], { cwd: folder })
    assert.strictEqual(stdout.trim(), "chris 24")
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node"]
    const typeRoots = ["--typeRoots", join(root, "node_modules/@types")]
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    await run(process.execPath, [tsc, ...options, ...typeRoots, "program.ts"], { cwd: folder }).catch(
      (error: { stdout: string }) => assert.fail(error.stdout)
    )
  })

  it("the SDK: every entry loads", async () => {
    const home = await install("sdk")
    const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
      exports: Record<string, unknown>
    }
    const names = Object.keys(exports).map((subpath) => `@kez-chat/sdk${subpath.slice(1)}`)
    const program = `for (const name of ${JSON.stringify(names)}) await import(name)\nconsole.log("loaded")`
    writeFileSync(join(folder, "entries.mjs"), program)
    const { stdout } = await run(process.execPath, ["entries.mjs"], { cwd: folder })
    assert.strictEqual(stdout.trim(), "loaded")
  })

  it.each(["reference-server", "reference-cli", "conformance"])(
    "%s: its programs start and carry the notices of what they contain",
    async (name) => {
      const home = await install(name)
      const { bin, version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as Manifest
      assert.includeMembers(readdirSync(home), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist"])
      assert.include(readFileSync(join(home, "dist", "THIRD-PARTY-NOTICES.txt"), "utf8"), "@noble/curves")
      for (const program of Object.values(bin ?? {})) {
        const { stdout } = await run(process.execPath, [join(home, program), "--version"])
        assert.include(stdout, version)
      }
    }
  )

  it("conformance: needs nothing beside itself", async () => {
    const program = join(await install("conformance"), "bin", "kez-conformance.js")
    const shim = `"${process.execPath}" "${program}" reference-shim`
    const { stdout } = await run(process.execPath, [program, "vectors", "--shim", shim], { cwd: folder })
    assert.match(stdout, /^CONFORMS: /m)
    // The reference shim's store is the one package that a bundle cannot hold.
    const clients = ["client", "--shim", shim, "--only", "client/frames#replayed"]
    const whole = await run(process.execPath, [program, ...clients], { cwd: folder })
    assert.match(whole.stdout, /^CONFORMS: /m)
  })

  it("reference-server: contains the page, compressed and with the notices of what is in it", async () => {
    const page = join(await install("reference-server"), "dist", "page")
    const names = ["index.html", "service-worker.js", "manifest.webmanifest", "theme.css", "texts.js"]
    assert.includeMembers(readdirSync(page), [...names, ...names.map((name) => `${name}.br`)])
    assert.isTrue(readdirSync(join(page, "assets")).some((name) => /^page-.*\.js$/.test(name)))
    assert.include(readFileSync(join(page, "THIRD-PARTY-NOTICES.txt"), "utf8"), "lit-element")
    assert.isFalse(readdirSync(page).some((name) => name.startsWith(".")))
  })
})
