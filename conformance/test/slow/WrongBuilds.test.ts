/**
 * A build of each of our own programs that verifies no signatures: the suite ends with exit code 1, and names the
 * requirement that does not hold.
 */
import { execFile } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, describe, expect, it } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { startHome } from "../../../deploy/local/Home.ts"
import { without } from "../wrong/Without.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-wrong-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const node = [process.execPath, "--conditions=kez-source"]
const suite = here("../../src/kez-conformance.ts")

/** The line of the SDK that every verification ends in. */
const unsigned = (file: string) => without({ file, edits: [["if (!signatureHolds)", "if (false)"]] })

/** Runs the suite; its exit code, and what it says. */
const run = (...args: ReadonlyArray<string>): Promise<{ readonly code: number; readonly said: string }> =>
  new Promise((resolve) => {
    const [program = "", ...first] = [...node, suite, ...args]
    const child = execFile(program, first, { timeout: 240_000, maxBuffer: 64 * 1024 * 1024 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, said: stdout + stderr })
    )
  })

/** The file of a build that has a piece of text. */
const fileWith = (built: string, text: string): string => {
  const files = readdirSync(dirname(built)).filter((name) => name.endsWith(".js"))
  const found = files.find((name) => readFileSync(join(dirname(built), name), "utf8").includes(text))
  if (found === undefined) throw new Error(`no file beside ${built} has: ${text}`)
  return found
}

const line = (command: ReadonlyArray<string>) => command.map((word) => JSON.stringify(word)).join(" ")

describe("a build that verifies no signatures is caught:", { timeout: 300_000 }, () => {
  it("the SDK", async () => {
    const shim = line([...node, unsigned("sdk/src/crypto/SignedEnvelope.ts"), suite, "reference-shim"])
    const { code, said } = await run("vectors", "--shim", shim, "--only", "envelope/*")
    expect([code, said]).toEqual([1, expect.stringMatching(/FAIL {2}KEZ-SIG-011 \(MUST/)])
  })

  it("the CLI", async () => {
    const built = await bundled("kez-chat")
    // The command's own file, or the part of it that has the line.
    const wrong = unsigned(fileWith(built, "if (!signatureHolds)"))
    const shim = line([...node, here("../../shims/cli/shim.ts"), process.execPath, wrong, built])
    const { code, said } = await run("client", "--shim", shim, "--only", "client/frames#forged-author-fetched")
    expect([code, said]).toEqual([1, expect.stringMatching(/FAIL {2}KEZ-SIG-011 \(MUST/)])
  })

  it("chat-server and sig-server", async () => {
    const home = await startHome({
      data: join(folder, "home"),
      source: true,
      env: { NODE_OPTIONS: `${unsigned("dist/chat-server.js")} ${unsigned("dist/sig-server.js")}` }
    })
    try {
      const server = await run("server", "--url", home.urls.home, "--only", "server/registration#forged")
      expect([server.code, server.said]).toEqual([1, expect.stringMatching(/FAIL {2}KEZ-SIG-011 \(MUST/)])
      const sig = await run("sig-server", "--url", home.urls.sigServer, "--only", "sig-server/append#forged")
      expect([sig.code, sig.said]).toEqual([1, expect.stringMatching(/FAIL {2}KEZ-SIG-011 \(MUST/)])
    } finally {
      await home.remove()
    }
  })
})
