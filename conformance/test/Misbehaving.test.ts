/** Shims that misbehave: each gets a verdict and an explanation, and nothing of it is left behind. */
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { main } from "../src/main.ts"
import { selected, vectorChecks } from "../src/suite/Checks.ts"
import { ShimUnusable } from "../src/shim/Start.ts"
import { runVectors } from "../src/vectors/Run.ts"

const folder = mkdtempSync(join(tmpdir(), "kez-shim-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hello = `{ protocol: 1, implementation: { name: "x", version: "1", language: "JavaScript" }, profiles: ["identity"], ops: ["hex.*"] }`

/** A shim whose answers, to all but `start` and `stop`, are these statements; `seq`, `n` and `write` are at hand. */
const shim = (name: string, statements: string, start = hello): ReadonlyArray<string> => {
  const path = join(folder, `${name.replace(/\W+/g, "-")}.mjs`)
  writeFileSync(
    path,
    `import { createInterface } from "node:readline"
import { writeFileSync } from "node:fs"
const write = (value) => process.stdout.write((typeof value === "string" ? value : JSON.stringify(value)) + "\\n")
let n = 0
for await (const line of createInterface({ input: process.stdin })) {
  const { seq, cmd, args } = JSON.parse(line)
  n += 1
  if (cmd === "start") write({ seq, ok: ${start} })
  else if (cmd === "stop") { write({ seq, ok: {} }); process.exit(0) }
  else { ${statements} }
}
`
  )
  return [process.execPath, path]
}

const checks = selected(vectorChecks(), ["json/hex.*"])
const run = (command: ReadonlyArray<string>, timeoutMillis = 20_000) =>
  runVectors(checks, { command, seed: 1, timeoutMillis })

const messages = async (command: ReadonlyArray<string>, timeoutMillis?: number) =>
  (await run(command, timeoutMillis)).results.map(({ message, verdict }) => `${verdict}: ${message ?? ""}`).join("\n")

describe("a shim that", () => {
  it.each([
    ["answers in time with what is no JSON", `write("hello")`, "a line of output is not JSON: hello"],
    ["answers with a number", `write(7)`, "a response does not fit its schema"],
    ["answers with two members", `write({ seq, ok: 1, unsupported: true })`, "a response does not fit its schema"],
    ["answers a question that nobody asked", `write({ seq: 99, ok: 1 })`, "which no open request has"],
    ["answers twice", `write({ seq, ok: "" }); write({ seq, ok: "" })`, "which no open request has"],
    [
      "answers twice at once",
      `const line = JSON.stringify({ seq, ok: "" }); write(line + "\\n" + line)`,
      "which no open request has"
    ],
    ["dies", `console.error("out of luck"); process.exit(3)`, "exit code 3; its last words: out of luck"],
    ["is killed", `process.kill(process.pid, "SIGKILL")`, "the shim ended by SIGKILL"],
    [
      "floods",
      `for (;;) await new Promise((resolve) => process.stdout.write("x".repeat(65536), resolve))`,
      "longer than 8388608 bytes"
    ],
    [
      "says that it failed",
      `write({ seq, internal: { message: "null pointer" } })`,
      "failed unexpectedly: null pointer"
    ],
    ["supports nothing", `write({ seq, unsupported: true })`, "untestable: the shim does not support hex.decode"],
    ["refuses everything", `write({ seq, error: { code: "nonsense" } })`, "the right code is"],
    ["accepts everything", `write({ seq, ok: "AA" })`, "accepted; it must be refused"]
  ])("%s", async (name, statements, explanation) => {
    expect(await messages(shim(name, statements))).toContain(explanation)
  })

  it("does not answer", async () => {
    expect(await messages(shim("silent", ""), 2_000)).toContain("no response to hex.decode within 2 s")
  })

  it("dies once is asked on", async () => {
    const marker = join(folder, "died")
    const command = shim(
      "once",
      `const { existsSync } = await import("node:fs")
      if (n === 3 && !existsSync(${JSON.stringify(marker)})) { writeFileSync(${JSON.stringify(marker)}, ""); process.exit(1) }
      write({ seq, unsupported: true })`
    )
    const { results } = await run(command)
    expect(results.filter(({ verdict }) => verdict === "fail")).toHaveLength(1)
    expect(results.filter(({ verdict }) => verdict === "untestable")).toHaveLength(checks.length - 1)
  })

  it("leaves a process behind loses that too", async () => {
    const path = join(folder, "child")
    await run(
      shim(
        "parent",
        `const { spawn } = await import("node:child_process")
        if (n === 2) writeFileSync(${JSON.stringify(path)}, String(spawn("sleep", ["600"]).pid))
        write({ seq, unsupported: true })`
      )
    )
    const child = Number(readFileSync(path, "utf8"))
    await expect.poll(() => isAlive(child)).toBe(false)
  })

  it.each([
    ["is not there", ["/nonexistent/shim"], "there is no program /nonexistent/shim"],
    ["ends at once", [process.execPath, "-e", ""], "the shim ended with exit code 0"],
    ["speaks another version", shim("version", "", hello.replace("protocol: 1", "protocol: 2")), "/protocol must be"],
    ["claims what does not exist", shim("profile", "", hello.replace("identity", "wizard")), "/profiles/0 must be"]
  ])("%s cannot be used", async (_, command, explanation) => {
    const failure = await run(command).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ShimUnusable)
    expect((failure as Error).message).toContain(explanation)
  })
})

describe("a run that is interrupted", () => {
  it("leaves no shim and no folder", async () => {
    const place = mkdtempSync(join(folder, "interrupted-"))
    const chat = hello.replace("identity", "chat").replace("hex.*", "client.*")
    // It never answers, and does not care that nobody asks any more.
    const [node = "", path = ""] = shim(
      "stubborn",
      `writeFileSync(${JSON.stringify(join(place, "pid"))}, String(process.pid))
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => undefined)
      setInterval(() => undefined, 1_000)`,
      chat
    )
    const temporary = join(place, "tmp")
    mkdirSync(temporary)
    const suite = spawn(
      process.execPath,
      [
        "--conditions=kez-source",
        join(import.meta.dirname, "../src/kez-conformance.ts"),
        ...["client", "--only", "client/sending#both-ways", "--shim", `${node} ${path}`]
      ],
      { env: { ...process.env, TMPDIR: temporary }, stdio: "ignore" }
    )
    const ended = new Promise((resolve) => suite.on("close", resolve))
    const pid = () => Number(existsSync(join(place, "pid")) && readFileSync(join(place, "pid"), "utf8"))
    await expect.poll(pid, { timeout: 60_000 }).toBeGreaterThan(0)
    expect(readdirSync(temporary)).not.toEqual([])
    suite.kill("SIGINT")
    expect(await ended).toBe(128 + constants.signals.SIGINT)
    await expect.poll(() => isAlive(pid())).toBe(false)
    expect(readdirSync(temporary)).toEqual([])
  })
})

describe("a shim that claims none of what is checked", () => {
  it("is no pass", async () => {
    const command = shim("other", "")
      .map((word) => JSON.stringify(word))
      .join(" ")
    expect(await main(["client", "--only", "client/sending#both-ways", "--shim", command])).toBe(3)
  })
})

const isAlive = (pid: number): boolean => {
  try {
    // A killed child of nobody stays a zombie until it is reaped.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}
