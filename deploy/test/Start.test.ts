import { spawn, spawnSync } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { isBuilt } from "../tasks/BuildStamp.ts"
import { answers } from "../local/Home.ts"
import { isAlive } from "../tasks/processes.mjs"
import { readRun } from "../local/RunFile.ts"

// These tests are about the runner. The servers start several times faster from a build, if there is one.
const source = isBuilt() ? [] : ["--source"]

class Runner {
  output = ""
  readonly child: ChildProcess
  readonly ended: Promise<number | null>

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, {
      cwd: join(import.meta.dirname, "..", ".."),
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" }
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk) => (this.output += String(chunk)))
    this.ended = new Promise((done) => this.child.once("close", done))
  }

  /** Resolves once the output contains `text`; rejects if the program ends first. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`ended without saying "${text}":\n${this.output}`)
      await pause(20)
    }
  }
}

let data: string
let runners: Runner[]

const run = (command: string, ...args: string[]) => {
  const runner = new Runner(command, args)
  runners.push(runner)
  return runner
}

/** `npm start`, as the npm script runs it after set-up. */
const start = (...args: string[]) =>
  run(process.execPath, join(import.meta.dirname, "..", "local", "start.ts"), ...source, "--data", data, ...args)

const up = async (...args: string[]) => {
  const runner = start(...args)
  await runner.says("Ctrl-C stops")
  return runner
}

const runFile = () => readRun(data) ?? assert.fail("there is no run.json")

const gone = async (pids: readonly number[]) => {
  while (pids.some(isAlive)) await pause(20)
}

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "kez-start-"))
  runners = []
})

afterEach(async () => {
  for (const { child, ended } of runners) {
    child.kill("SIGTERM")
    await ended
  }
  rmSync(data, { recursive: true, force: true, maxRetries: 5 })
})

describe("npm start", () => {
  it("starts three processes, is found by a second start, and stops all on Ctrl-C", async () => {
    const first = await up("--ports", "auto")
    const { urls, processes } = runFile()
    assert.sameMembers(Object.keys(processes), ["nats", "sig", "chat"])
    for (const url of Object.values(urls)) assert.include(first.output, url)
    assert.include(first.output, "--profile alice")
    const page = urls.home.replace("127.0.0.1", "localhost")
    assert.match(first.output, new RegExp(`^  page +${page}/ .*\n  home `, "m"))
    assert.include(first.output, `in a browser at ${page}/`)
    assert.isTrue(await answers(`${page}/`))
    assert.isTrue(await answers(`${urls.home}/v1/healthz`))
    assert.isTrue(await answers(`${urls.sigServer}/v1/healthz`))

    const second = start()
    assert.strictEqual(await second.ended, 0, second.output)
    assert.include(second.output, "already running")
    assert.include(second.output, urls.home)

    const refused = start("--reset")
    assert.strictEqual(await refused.ended, 1)
    assert.match(refused.output, /A home runs on .* stop it with Ctrl-C there, then start with --reset again\./)

    first.child.kill("SIGINT")
    assert.strictEqual(await first.ended, 0, first.output)
    assert.include(first.output, "stopped; the data stays")
    await gone(Object.values(processes).map(({ pid }) => pid))
    assert.isFalse(existsSync(join(data, "run.json")))
  })

  it("--origin lets pages of other origins connect to the broker, and refuses what is none", async () => {
    const wrong = start("--origin", "localhost:5173")
    assert.strictEqual(await wrong.ended, 1)
    assert.include(wrong.output, '--origin takes an origin like http://localhost:5173, not "localhost:5173".')
    const origins = ["http://localhost:5173", "http://127.0.0.1:5173"]
    await up("--ports", "auto", "--only", "nats", ...origins.flatMap((origin) => ["--origin", origin]))
    const { home } = runFile().urls
    const allowed = /allowed_origins: (\[.*\])/.exec(readFileSync(join(data, "nats.conf"), "utf8"))?.[1] ?? "[]"
    assert.deepEqual(JSON.parse(allowed), [home, home.replace("127.0.0.1", "localhost"), ...origins])
  })

  it("stops the rest when one dies, and shows its last lines", async () => {
    const runner = await up("--ports", "auto")
    const { processes } = runFile()
    process.kill(processes["sig"]!.pid, "SIGKILL")
    assert.strictEqual(await runner.ended, 1)
    assert.include(runner.output, "sig-server ended (killed by SIGKILL), so the rest is stopped too")
    assert.include(runner.output, "listening")
    await gone(Object.values(processes).map(({ pid }) => pid))
  })

  it("leaves no process behind when it is killed, and starts again despite the stale run file", async () => {
    const killed = await up("--ports", "auto")
    const { processes } = runFile()
    killed.child.kill("SIGKILL")
    await killed.ended
    await gone(Object.values(processes).map(({ pid }) => pid))
    assert.isTrue(existsSync(join(data, "run.json")), "a killed runner cannot tidy up")
    const again = await up("--ports", "auto")
    assert.notInclude(again.output, "already running")
  })

  it("ignores a run file whose process ids belong to other programs", async () => {
    const stale = {
      version: 1,
      serverName: "localhost",
      urls: {},
      processes: { nats: { pid: process.pid, runner: process.pid } }
    }
    writeFileSync(join(data, "run.json"), JSON.stringify(stale))
    const runner = await up("--ports", "auto", "--only", "sig")
    assert.deepEqual(Object.keys(runFile().processes), ["sig"])
    runner.child.kill("SIGTERM")
    assert.strictEqual(await runner.ended, 0)
  })

  it("keeps its data over a restart; --reset removes its data and nothing else", async () => {
    const first = await up("--ports", "auto", "--only", "nats")
    const key = () => readFileSync(join(data, "nats.conf"), "utf8").match(/issuer:? *"?(A[A-Z0-9]{55})/)?.[1]
    const before = key()
    assert.isString(before)
    first.child.kill("SIGINT")
    await first.ended
    writeFileSync(join(data, "mine.txt"), "keep")

    const second = await up("--ports", "auto", "--only", "nats")
    assert.strictEqual(key(), before)
    second.child.kill("SIGINT")
    await second.ended

    const third = await up("--ports", "auto", "--only", "nats", "--reset")
    assert.notStrictEqual(key(), before)
    assert.strictEqual(readFileSync(join(data, "mine.txt"), "utf8"), "keep")
    third.child.kill("SIGINT")
    await third.ended
  })

  it("--reset removes nothing from a folder that was never a home", async () => {
    writeFileSync(join(data, "mine.txt"), "keep")
    mkdirSync(join(data, "keys"))
    writeFileSync(join(data, "keys", "mine.key"), "keep")
    const runner = start("--reset")
    assert.strictEqual(await runner.ended, 1)
    assert.include(runner.output, "--reset removed nothing")
    assert.strictEqual(readFileSync(join(data, "keys", "mine.key"), "utf8"), "keep")
  })

  it("runs one part alone, and others beside it in the same folder", async () => {
    const nats = await up("--ports", "auto", "--only", "nats")
    assert.deepEqual(Object.keys(runFile().processes), ["nats"])
    const { urls } = runFile()
    await up("--only", "sig")
    assert.sameMembers(Object.keys(runFile().processes), ["nats", "sig"])
    assert.deepEqual(runFile().urls, urls)

    const whole = start()
    assert.strictEqual(await whole.ended, 1)
    assert.include(whole.output, "--only chat")

    nats.child.kill("SIGINT")
    await nats.ended
    assert.deepEqual(Object.keys(runFile().processes), ["sig"])
  })

  it("says which port is taken, by whom, and what to do", async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
    const { port } = server.address() as AddressInfo
    const runner = start("--only", "sig", "--ports", `sigServer=${port}`)
    assert.strictEqual(await runner.ended, 1)
    assert.include(runner.output, `Port ${port} (sigServer) is taken`)
    assert.include(runner.output, "--ports auto")
    if (process.platform === "linux") assert.include(runner.output, `process ${process.pid}`)
    await new Promise((done) => server.close(done))
  })

  it.each([
    [["--prots", "auto"], "--prots"],
    [["--only", "web"], '--only takes nats, sig or chat, not "web".'],
    [["--ports", "8080"], "--ports takes"]
  ])("answers %j with one sentence", async (args, expected) => {
    const runner = start(...args)
    assert.strictEqual(await runner.ended, 1)
    assert.include(runner.output, expected)
    assert.strictEqual(runner.output.trim().split("\n").length, 1)
  })

  // Between npm and the servers are npm's shell, which passes no signal on, and run.mjs.
  describe.skipIf(process.platform === "win32")("ends with npm", () => {
    const words = ["start", "--", ...source, "--ports", "auto", "--only", "sig"]

    it.each(["SIGTERM", "SIGHUP", "SIGKILL"] as const)("that gets %s", async (signal) => {
      const npm = run("npm", ...words, "--data", data)
      await npm.says("Ctrl-C stops")
      const { processes } = runFile()
      npm.child.kill(signal)
      await gone(Object.values(processes).flatMap(({ pid, runner }) => [pid, runner]))
      assert.isFalse(existsSync(join(data, "run.json")), "it stopped in order")
    })

    // util-linux's script provides the terminal; macOS has another program of that name.
    it.skipIf(spawnSync("script", ["--version"]).status !== 0)("whose terminal is closed", async () => {
      const terminal = run("script", "-qefc", `npm ${words.join(" ")} --data '${data}'`, "/dev/null")
      await terminal.says("Ctrl-C stops")
      const { processes } = runFile()
      terminal.child.kill("SIGKILL")
      await gone(Object.values(processes).flatMap(({ pid, runner }) => [pid, runner]))
      assert.isFalse(existsSync(join(data, "run.json")), "it stopped in order")
    })
  })

  it("prints its options", async () => {
    const runner = start("--help")
    assert.strictEqual(await runner.ended, 0)
    for (const flag of ["--data", "--ports", "--only", "--reset"]) assert.include(runner.output, flag)
  })
})
