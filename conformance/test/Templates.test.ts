/** The templates of shims pass what they claim, as they are. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest"
import { main } from "../src/main.ts"
import { wordsOf } from "../src/shim/ShimProcess.ts"
import { selected, vectorChecks } from "../src/suite/Checks.ts"
import { runVectors } from "../src/vectors/Run.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-templates-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a command line prints, and its exit code. */
const run = async (...args: ReadonlyArray<string>) => {
  let text = ""
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((chunk) => {
      text += String(chunk)
      return true
    })
  )
  try {
    return { code: await main(args), text }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

/** Without the tool a template cannot run here. */
const has = (tool: string): boolean => {
  if (spawnSync(tool, ["--version"]).error === undefined) return true
  process.stderr.write(`no ${tool} here: its template is not run\n`)
  return false
}

const tools = { python: "python3", typescript: "node", go: "go" } as const

describe.each(Object.entries(tools))("new-shim --lang %s", (lang, tool) => {
  const to = join(folder, lang)
  let text = ""

  beforeAll(async () => {
    const made = await run("new-shim", "--lang", lang, "--to", to)
    expect(made.code).toBe(0)
    text = made.text
  })

  it.runIf(has(tool))("passes the checks it names", { timeout: 300_000 }, async () => {
    const command = /--shim "(.*)"/.exec(text)?.[1] ?? ""
    const checks = selected(vectorChecks(), ["json/hex.*"])
    const { results } = await runVectors(checks, { command: wordsOf(command), seed: 1, timeoutMillis: 60_000 })
    expect(results.map(({ message, verdict }) => [verdict, message])).toEqual(checks.map(() => ["pass", undefined]))
  })

  it("writes over nothing", async () => {
    expect(await run("new-shim", "--lang", lang, "--to", to)).toMatchObject({ code: 3 })
  })
})

it("names the languages that there are", async () => {
  const { code, text } = await run("new-shim", "--lang", "cobol")
  expect(code).toBe(3)
  expect(text).toContain("go, python, rust, swift, typescript")
})
