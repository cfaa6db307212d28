/** The reports of a run: each in its format, the same for the same seed, and nothing in them that a page would fetch. */
import { Ajv2020 } from "ajv/dist/2020.js"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import schema from "../schemas/report.schema.json" with { type: "json" }
import { vectors } from "../src/commands/Vectors.ts"
import type { Report } from "../src/report/Report.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-report-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string) => join(folder, name)
const text = (name: string) => readFileSync(path(name), "utf8")

/** Takes capitals as hexadecimal, and says so in words that are not plain. */
const shim = `
import { createInterface } from "node:readline"
const start = { protocol: 1, implementation: { name: "<b>x & y</b>", version: "1", language: "JavaScript" },
  profiles: ["identity"], ops: ["hex.*"] }
for await (const line of createInterface({ input: process.stdin })) {
  const { seq, cmd, args } = JSON.parse(line)
  const answer = cmd === "start" ? { ok: start } : cmd === "stop" ? { ok: {} }
    : /^([0-9a-fA-F]{2})*$/.test(args.text) ? { ok: Buffer.from(args.text, "hex").toString("base64url") }
    : { error: { code: "encoding_malformed", message: "\\u001b]0;<script>alert(1)</script>" } }
  process.stdout.write(JSON.stringify({ seq, ...answer }) + "\\n")
  if (cmd === "stop") break
}`

const run = async (name: string, ...more: ReadonlyArray<string>) => {
  const spy = vi.spyOn(process.stdout, "write").mockReturnValue(true)
  try {
    return await vectors([
      ...["--shim", `"${process.execPath}" "${path("shim.mjs")}"`, "--only", "json/hex.*", "--seed", "7"],
      ...["--deterministic", "--report", path(`${name}.json`), "--junit", path(`${name}.xml`)],
      ...["--html", path(`${name}.html`), "--badge", path(`${name}.badge`), ...more]
    ])
  } finally {
    spy.mockRestore()
  }
}

beforeAll(async () => {
  writeFileSync(path("shim.mjs"), shim)
  expect(await run("first")).toBe(1)
})

describe("a report", () => {
  it("is what its schema says", () => {
    const validate = new Ajv2020({ strict: true, strictRequired: false, formats: { "date-time": true } }).compile(
      schema
    )
    const report = JSON.parse(text("first.json")) as Report
    expect([validate(report), validate.errors]).toEqual([true, null])
    expect(report.checks.filter(({ verdict }) => verdict === "fail").map(({ id }) => id)).toEqual([
      "json/hex.invalid.json#upper-case"
    ])
    expect(report.must).toEqual({ passed: 0, checked: 1 })
  })

  it("is the same for the same seed", async () => {
    await run("second")
    for (const kind of ["json", "xml", "html", "badge"]) expect(text(`second.${kind}`)).toBe(text(`first.${kind}`))
  })

  it("names in JUnit XML the requirement that fails and the check", () => {
    expect(text("first.xml")).toMatch(/<testsuite name="KEZ-CAN" tests="1" failures="1" skipped="0">/)
    expect(text("first.xml")).toMatch(
      /<testcase .*name="KEZ-CAN-\d{3}"><failure [^]*json\/hex\.invalid\.json#upper-case/
    )
  })

  it("is one page that loads nothing and shows what a shim said as text", () => {
    const page = text("first.html")
    expect(page).not.toMatch(/<(?:script|link|img|iframe)[^>]+(?:src|href)=|url\(|@import/)
    expect(page).toContain("default-src 'none'")
    expect(page).toContain("&lt;b&gt;x &amp; y&lt;/b&gt;")
    expect(page).not.toContain("<b>x")
    expect(page).not.toContain("<script>alert")
  })

  it("is a badge", () => {
    expect(JSON.parse(text("first.badge"))).toEqual({
      schemaVersion: 1,
      label: "KEZ 0.1",
      message: "identity 0/1 MUST",
      color: "red"
    })
  })

  it("excuses what the baseline names, and fails for an entry that excuses nothing", async () => {
    const entry = (id: string) => `- id: ${id}\n  reason: capitals come from an old library\n`
    writeFileSync(path("known.yml"), entry("json/hex.invalid.json#upper-case"))
    expect(await run("excused", "--baseline", path("known.yml"))).toBe(0)
    expect(JSON.parse(text("excused.badge"))).toMatchObject({ color: "yellow" })
    expect(text("excused.xml")).toContain(`<skipped message="excused"/>`)
    writeFileSync(path("broken.yml"), "- id: [\n")
    await expect(run("broken", "--baseline", path("broken.yml"))).rejects.toThrow(/broken\.yml cannot be read/)
  })

  it("is made against the version of the specification that was meant", async () => {
    await expect(run("later", "--spec", "9.9")).rejects.toThrow(/not 9\.9/)
    expect(await run("same", "--spec", JSON.parse(text("first.json")).spec)).toBe(1)
  })
})
