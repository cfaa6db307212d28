/** The steps of the conformance suite's GitHub action and image, run as a shell, with the package as it is published. */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { parse } from "yaml"
import { afterAll, assert, beforeAll, describe, it } from "vitest"

const suite = join(import.meta.dirname, "..", "..")

interface Step {
  readonly uses?: string
  readonly if?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}

const { inputs, runs } = parse(readFileSync(join(suite, "action.yml"), "utf8")) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string; readonly required?: boolean }>>
  readonly runs: { readonly using: string; readonly steps: readonly Step[] }
}

let folder: string
let tarball: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kez-action-"))
  const packed = execFileSync("npm", ["pack", suite, "--json", "--pack-destination", folder], {
    cwd: folder,
    encoding: "utf8"
  })
  const [{ filename }] = Object.values(JSON.parse(packed) as Array<{ filename: string }>) as [{ filename: string }]
  tarball = join(folder, filename)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the action's own commands in order, as a runner does, until one fails; the exit code. */
const act = (name: string, given: Readonly<Record<string, string>>) => {
  const temp = join(folder, name)
  const summary = join(folder, `${name}.md`)
  const value = (text: string) => text.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, input: string) => given[input] ?? "")
  let output = ""
  for (const { env = {}, run } of runs.steps) {
    if (run === undefined) continue
    const { status, stderr, stdout } = spawnSync("bash", ["-e", "-o", "pipefail", "-c", run], {
      cwd: folder,
      encoding: "utf8",
      env: {
        ...process.env,
        PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
        RUNNER_TEMP: temp,
        GITHUB_STEP_SUMMARY: summary,
        ...Object.fromEntries(Object.entries(env).map(([key, text]) => [key, value(text)]))
      }
    })
    output += stdout + stderr
    if (status !== 0) return { status, output, reports: join(temp, "kez-reports"), summary }
  }
  return { status: 0, output, reports: join(temp, "kez-reports"), summary }
}

const shim = "kez-conformance reference-shim"

describe("the action", () => {
  it("has one input that must be given, and uses the newest package by itself", () => {
    assert.strictEqual(runs.using, "composite")
    assert.deepStrictEqual(
      Object.entries(inputs).map(([name, { default: otherwise, required }]) => [name, required === true, otherwise]),
      [
        ["run", true, undefined],
        ["package", false, "@kez-chat/conformance"]
      ]
    )
  })

  it("installs the suite, runs it, and leaves all reports and a summary", () => {
    const run = `vectors --only "json/hex.*" --shim "${shim}"`
    const { output, reports, status, summary } = act("green", { run, package: tarball })
    assert.strictEqual(status, 0, output)
    for (const name of ["report.json", "junit.xml", "report.html", "badge.json"])
      assert.isTrue(existsSync(join(reports, name)), name)
    assert.match(output, /^CONFORMS: /m)
    assert.match(readFileSync(summary, "utf8"), /^```\n[^]*^CONFORMS: [^]*```\n$/m)
  })

  it("fails with the suite's own exit code, and expands nothing", () => {
    const touched = join(folder, "touched")
    const { output, reports, status } = act("red", {
      run: `vectors --only "$(touch ${touched})" --shim "${shim}"`,
      package: tarball
    })
    assert.strictEqual(status, 3, output)
    assert.isFalse(existsSync(touched))
    assert.strictEqual(readFileSync(join(reports, "exit-code"), "utf8").trim(), "3")
  })

  it("keeps the folder that it wrote the reports to, also when they are bad", () => {
    const { if: when, with: kept } = runs.steps.at(-1)!
    assert.deepStrictEqual([when, kept?.["path"]], ["always()", "${{ runner.temp }}/kez-reports"])
  })
})

it("the image starts the suite as it is installed there", () => {
  const lines = readFileSync(join(suite, "Containerfile"), "utf8").split("\n")
  const after = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? ""
  const prefix = join(folder, "image")
  const install = after("RUN")
    .replace("/tmp/kez-conformance.tgz", tarball)
    .replace("--global", `--global --prefix ${prefix}`)
  execFileSync("bash", ["-e", "-c", install], { stdio: "ignore" })
  const [program = ""] = JSON.parse(after("ENTRYPOINT")) as string[]
  assert.match(after("FROM"), /\/node:24-/)
  assert.include(
    execFileSync(process.execPath, [join(prefix, "bin", program), "--version"], { encoding: "utf8" }),
    "kez-conformance"
  )
})
