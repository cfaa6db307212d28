/** A home that asks for invites, and what its operator is told: by the operator's own commands. */
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { main } from "../../src/main.ts"

interface Row {
  readonly id: string
  readonly code: string
  readonly messages: number
  readonly shown: ReadonlyArray<{ readonly body: { readonly text: string } }>
}

const folder = mkdtempSync(join(tmpdir(), "kez-operated-test-"))
let home: Home

beforeAll(async () => {
  home = await startHome({ data: join(folder, "home"), source: true, env: { REGISTRATION: "invite" } })
})
afterAll(async () => {
  await home.remove()
  rmSync(folder, { recursive: true, force: true })
})

/** What a command of the operator prints, a row a line. */
const operator = async (...command: ReadonlyArray<string>): Promise<ReadonlyArray<Row>> => {
  const args = ["admin", ...command, "--db", join(home.data, "chat.sqlite"), "--json"]
  const { stdout } = await promisify(execFile)(process.execPath, [await bundled("chat-server"), ...args])
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Row]))
}

const check = (...more: ReadonlyArray<string>) =>
  main(["server", "--url", home.urls.home, "--only", "server/*", ...more])

describe("a home that registers only who has an invite", () => {
  it("is not checked without one, nor with one that lets nobody in", async () => {
    expect(await check()).toBe(3)
    expect(await check("--invite", "never-made")).toBe(3)
    expect(await main(["interop", "--url", home.urls.home, "--shim", "never-started"])).toBe(3)
    expect(await check("--read-only")).toBe(0)
  })

  it("is checked with one, and its operator reads the messages of a report", async () => {
    const [invite] = await operator("invite", "create", "--uses", "100")
    const report = join(folder, "report.json")
    expect(await check("--invite", invite!.code, "--report", report)).toBe(0)
    const { checks } = JSON.parse(readFileSync(report, "utf8")) as {
      readonly checks: ReadonlyArray<{ readonly id: string; readonly verdict: string }>
    }
    expect(checks.filter(({ verdict }) => verdict !== "pass").map(({ id }) => id)).toEqual([
      "server/registration#invited",
      "server/registration#closed",
      "server/errors#retry-after"
    ])
    const reports = await operator("report", "list")
    const proven = reports.find(({ messages }) => messages === 2)!
    const [shown] = await operator("report", "show", proven.id)
    expect(shown!.shown.map(({ body }) => body.text)).toEqual(["one", "two"])
  })
})
