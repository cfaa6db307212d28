/** The examples of the documentation, against a real home. */
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { whoIs } from "../../examples/verify-sigchain.ts"

const examples = resolve(import.meta.dirname, "../../examples")

describe("the examples", () => {
  let folder: string
  let home: Home
  const running = new Set<ChildProcess>()
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "kez-examples-"))
    home = await startHome({ data: join(folder, "home"), ports: "auto", source: true })
  })
  afterAll(async () => {
    for (const child of running) child.kill("SIGKILL")
    await home.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (name: string, env: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, ["--conditions=kez-source", join(examples, name)], {
      env: { ...process.env, KEZ_HOME: home.urls.home, TMPDIR: folder, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    running.add(child)
    child.once("exit", () => running.delete(child))
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text))
    return { child, output: () => output, ended: once(child, "exit") as Promise<[number | null, string | null]> }
  }

  it.each(["chat.ts", "chat-promise.ts"])("%s: a message arrives and the program ends", async (name) => {
    const { ended, output } = start(name)
    assert.deepStrictEqual(await ended, [0, null], output())
    assert.match(output(), /^alice-[0-9a-f]{8}@localhost: hello, bob\n$/)
  })

  it.each([
    ["files.ts", /^connecting: 0 bytes are here\n(?:.+\n)*complete: 27 bytes are here\nbob reads: all is well\n$/],
    ["files-promise.ts", /^bob is offered report\.txt, 11 bytes\nsaved as .*report-[0-9a-f]{8}\.txt, 11 bytes\n$/]
  ])("%s: a file arrives and the program ends", async (name, said) => {
    const { ended, output } = start(name)
    assert.deepStrictEqual(await ended, [0, null], output())
    assert.match(output(), said)
  })

  it("echo-bot.ts: answers everybody with their own words, and goes on after a restart", async () => {
    const env = { BOT_DIR: join(folder, "bot"), BOT_HANDLE: "echo-bot" }
    await using alice = await openNode({ home: home.urls.home, dir: join(folder, "alice"), passphrase: "alice's own" })
    await alice.create({ handle: "bot-user", words: Mnemonic.generate(randomBytes(32)) })
    for (const text of ["first", "second"]) {
      const bot = start("echo-bot.ts", env)
      const heard = (async () => {
        for await (const event of alice.events({ signal: AbortSignal.timeout(50_000) })) {
          if (event._tag === "Message" && event.message.direction === "in") return event.message.text
        }
      })()
      while (!bot.output().includes("listens")) await once(bot.child.stdout!, "data")
      await alice.addContact("echo-bot")
      await alice.send("echo-bot", text)
      assert.strictEqual(await heard, text)
      bot.child.kill("SIGTERM")
      assert.deepStrictEqual(await bot.ended, [0, null], bot.output())
    }
  })

  it("verify-sigchain.ts: says who a handle belongs to", async () => {
    await using carol = await openNode({ home: home.urls.home, dir: join(folder, "carol"), passphrase: "carol's own" })
    const account = await carol.create({ handle: "carol", words: Mnemonic.generate(randomBytes(32)) })
    const found = await Effect.runPromise(whoIs(home.urls.home, "@carol"))
    assert.strictEqual(found.primary, account.primary)
    assert.strictEqual(found.handle, "carol@localhost")
    assert.strictEqual(found.state.endpoints[0]?.protocol, "nats")
  })
})
