import { mkdtempSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { isBuilt } from "../tasks/BuildStamp.ts"
import { answers, startHome } from "../local/Home.ts"
import type { Home, HomeDeath } from "../local/Home.ts"
import { isAlive } from "../tasks/processes.mjs"
import { readRun } from "../local/RunFile.ts"

const source = !isBuilt()

const deaths: HomeDeath[] = []
let home: Home

beforeAll(async () => {
  const data = mkdtempSync(join(tmpdir(), "kez-home-"))
  home = await startHome({ data, source, onDeath: (death) => deaths.push(death) })
})
afterAll(() => home?.remove())

const health = () => ({
  nats: `${home.urls.monitoring}/healthz`,
  sig: `${home.urls.sigServer}/v1/healthz`,
  chat: `${home.urls.home}/v1/healthz`
})

describe("startHome", () => {
  it("resolves when all three answer, and announces its own addresses", async () => {
    for (const url of Object.values(health())) assert.isTrue(await answers(url), url)
    const wellKnown = (await (await fetch(`${home.urls.home}/.well-known/kez-chat`)).json()) as {
      server: string
      broker: { tcp: string[]; websocket: string[] }
      sig_server: string
      limits: Record<string, number>
    }
    assert.strictEqual(wellKnown.server, home.serverName)
    assert.deepEqual(wellKnown.broker, { tcp: [home.urls.nats], websocket: [home.urls.websocket] })
    assert.strictEqual(wellKnown.sig_server, home.urls.sigServer)
    assert.isAtLeast(wellKnown.limits["registrations_per_hour"]!, 1000, "all on this machine share one address")
  })

  it.skipIf(process.platform === "win32")("gives only the owner access to keys and logs", () => {
    assert.strictEqual(statSync(join(home.data, "keys")).mode & 0o077, 0)
    for (const log of [home.processes.chat.log, home.processes.nats.log])
      assert.strictEqual(statSync(log).mode & 0o077, 0)
  })

  it.each(["nats", "sig", "chat"] as const)(
    "restarts %s on its ports after SIGKILL, and does not report a death",
    async (name) => {
      const before = home.processes[name].pid
      assert.isNumber(before)
      await home.processes[name].kill("SIGKILL")
      assert.isUndefined(home.processes[name].pid)
      assert.isFalse(isAlive(before!))
      assert.isFalse(await answers(health()[name]))
      await home.processes[name].restart()
      assert.notStrictEqual(home.processes[name].pid, before)
      assert.isTrue(await answers(health()[name]))
      assert.strictEqual(readRun(home.data)?.processes[name]?.pid, home.processes[name].pid)
      assert.deepEqual(deaths, [])
    }
  )

  it("reports a process that ends unasked, with its last lines", async () => {
    process.kill(home.processes.sig.pid!, "SIGTERM")
    while (deaths.length === 0) await new Promise((done) => setImmediate(done))
    assert.strictEqual(deaths[0]?.name, "sig-server")
    assert.include(deaths[0]?.tail, "listening")
    await home.processes.sig.restart()
  })

  it("refuses flags that a server does not know, and quotes the server", async () => {
    const data = mkdtempSync(join(tmpdir(), "kez-home-"))
    const message = await startHome({ data, only: "sig", source, flags: { sig: ["--no-such-flag"] } }).then(
      (started) => started.remove().then(() => "started"),
      (error: Error) => error.message
    )
    assert.match(message, /^sig-server ended while starting \(exit code \d+\); its last lines, from /)
    assert.include(message, "no-such-flag")
  })
})
