/** Pairs of implementations at a whole home, and pairs of which one is wrong. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import schema from "../../schemas/interop-report.schema.json" with { type: "json" }
import { interop } from "../../src/commands/Interop.ts"
import { Implementation } from "../../src/interop/Implementation.ts"
import type { InteropReport } from "../../src/interop/Matrix.ts"
import { Meeting, runInterop } from "../../src/interop/Run.ts"
import { steps } from "../../src/interop/Steps.ts"
import { buildMillis, commandOf } from "./ShimKit.ts"

const timeoutMillis = 60_000
const folder = mkdtempSync(join(tmpdir(), "kez-interop-test-"))
const here = (path: string) => join(import.meta.dirname, path)
const node = [process.execPath, "--conditions=kez-source"]
const reference = [...node, here("../../src/kez-conformance.ts"), "reference-shim"]
let home: Home

beforeAll(async () => {
  home = await startHome({ data: join(folder, "home"), source: true })
})
afterAll(async () => {
  await home.remove()
  rmSync(folder, { recursive: true, force: true })
})

const line = (command: ReadonlyArray<string>) => command.map((word) => JSON.stringify(word)).join(" ")

/** Runs the command; the report. */
const meet = async (name: string, shims: ReadonlyArray<ReadonlyArray<string>>): Promise<InteropReport> => {
  const [file, page] = [join(folder, `${name}.json`), join(folder, `${name}.html`)]
  const options = shims.flatMap((command) => ["--shim", line(command)])
  const code = await interop(["--url", home.urls.home, ...options, "--report", file, "--html", page])
  const report = JSON.parse(readFileSync(file, "utf8")) as InteropReport
  const validate = new Ajv2020({ strict: true, formats: { "date-time": true } }).compile(schema)
  expect([validate(report), validate.errors]).toEqual([true, null])
  expect(report.pairs.flatMap((pair) => pair.steps.filter(({ verdict }) => verdict !== "pass"))).toEqual([])
  const all = shims.length ** 2
  expect(report.counts).toEqual({ passed: all, all })
  expect(readFileSync(page, "utf8")).toContain(`${all} of ${all} pairs pass every step`)
  expect(code).toBe(0)
  return report
}

describe("everything is done with each other by", () => {
  it("the SDK and the CLI", { timeout: 600_000 }, async () => {
    const cli = [...node, here("../../shims/cli/shim.ts"), ...node, await bundled("kez-chat")]
    const { implementations } = await meet("cli", [reference, cli])
    expect(implementations.map(({ name }) => name)).toEqual(["@kez-chat/sdk", "kez-chat"])
  })

  it("the SDK, Python and Rust", { timeout: buildMillis + 600_000 }, async ({ skip }) => {
    await meet("others", [reference, await commandOf("python", skip), await commandOf("rust", skip)])
  })
})

describe("an implementation that is wrong fails", () => {
  // `restore` and `block` fail with faults of the others: what they compare are texts.
  const named = steps.map(({ name }) => name).filter((name) => name !== "restore" && name !== "block")

  it.each(named)("%s", { timeout: 300_000 }, async (fault) => {
    const meeting = await Meeting.begin(home.urls.home, timeoutMillis)
    const broken = await Implementation.start({ command: [...node, here("BrokenShim.ts"), fault], timeoutMillis })
    try {
      const [pair] = await runInterop([broken], meeting, () => undefined)
      expect(pair?.steps.find(({ verdict }) => verdict === "fail")).toMatchObject({ step: fault })
    } finally {
      await broken.stop()
      expect(await meeting.end()).toEqual([])
    }
  })
})
