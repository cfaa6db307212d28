/** Two accounts, a stream of messages between their processes, and a kill of anything in the middle. */
import { spawn, type ChildProcess } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { assert } from "vitest"
import { openNode } from "@kez-chat/sdk/node"
import { Mnemonic } from "@kez-chat/sdk/protocol"
import { type Home, startHome } from "../../../deploy/local/Home.ts"

export type Victim = "nats" | "chat" | "sig" | "sender" | "receiver"

const script = fileURLToPath(new URL("AccountProcess.ts", import.meta.url))
const plenty = "1000000000000"

/** Limits out of the way: what is tested here is loss. */
export const unlimited = [
  ...["--inbox-bytes", plenty, "--self-bytes", plenty, "--send-bytes-per-day", plenty],
  ...["--self-bytes-per-day", plenty]
]

interface Line {
  readonly began?: number | boolean
  readonly queued?: number
  readonly flushed?: number
  readonly shown?: string
  readonly missed?: number
}

class AccountProcess {
  readonly #args: ReadonlyArray<string>
  readonly #onLine: (line: Line) => void
  #child: ChildProcess | undefined
  #stderr = ""
  constructor(args: ReadonlyArray<string>, onLine: (line: Line) => void) {
    this.#args = args
    this.#onLine = onLine
  }
  start(): void {
    const child = spawn(process.execPath, ["--conditions=kez-source", script, ...this.#args], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#child = child
    createInterface({ input: child.stdout }).on("line", (line) => this.#onLine(JSON.parse(line) as Line))
    child.stderr.on("data", (chunk: Buffer) => (this.#stderr += chunk.toString()))
  }
  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((done) => child.once("close", done))
    child.kill(signal)
    await ended
  }
  get stderr(): string {
    return this.#stderr
  }
}

/** Kills of the two clients, `count` of them at random points of a stream. */
export const atRandom = (count: number): ReadonlyArray<Kill> =>
  Array.from({ length: count }, (): Kill => [Math.random(), Math.random() < 0.5 ? "sender" : "receiver"]).toSorted(
    ([a], [b]) => a - b
  )

/** Who is killed when this share of the stream was sent, from 0 to 1. */
export type Kill = readonly [share: number, victim: Victim]

/** Kills of these, one after the other, spread over the stream. */
const spread = (victims: ReadonlyArray<Victim>): ReadonlyArray<Kill> =>
  victims.map((victim, index) => [(index + 1) / (victims.length + 1), victim])

/**
 * Sends `count` numbered texts from one process to another and kills each victim once, spread over the stream. Every
 * text must be in the receiver's history exactly once, in order where no server was killed, and no text may be shown twice.
 */
export const stream = (count: number, victims: ReadonlyArray<Victim>): Promise<void> => kill(count, spread(victims))

/** As {@link stream}, with `burst` texts at once and kills at any points. */
export const kill = async (count: number, kills: ReadonlyArray<Kill>, burst = 1): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "kez-kill-"))
  let home: Home | undefined
  const processes: Array<AccountProcess> = []
  try {
    home = await startHome({ data: join(folder, "home"), ports: "auto", source: true, flags: { chat: unlimited } })
    const { processes: servers, urls } = home
    const dirs = { alice: join(folder, "alice"), bob: join(folder, "bob") }
    for (const [index, handle] of (["alice", "bob"] as const).entries()) {
      const client = await openNode({ home: urls.home, dir: dirs[handle], passphrase: `only for ${handle}` })
      await client.create({ handle, words: Mnemonic.fromSeed(new Uint8Array(32).fill(90 + index)) })
      await client.close()
    }
    for (const [own, peer] of [
      ["alice", "bob"],
      ["bob", "alice"]
    ] as const) {
      const client = await openNode({ home: urls.home, dir: dirs[own], passphrase: `only for ${own}` })
      await client.addContact(peer)
      await client.close()
    }

    const shown = new Map<string, number>()
    let queued = -1
    const flushed = Promise.withResolvers<void>()
    const waiting: Array<{ readonly at: number; readonly reached: () => void }> = []
    const sender = new AccountProcess(
      ["send", urls.home, dirs.alice, "alice", "bob", `${count}`, `${burst}`],
      (line) => {
        if (line.queued !== undefined) queued = Math.max(queued, line.queued)
        if (typeof line.began === "number") queued = Math.max(queued, line.began - 1)
        for (const { at, reached } of waiting) if (queued >= at) reached()
        if (line.flushed === count) flushed.resolve()
      }
    )
    const receiver = new AccountProcess(["receive", urls.home, dirs.bob, "bob", "alice", "0"], (line) => {
      if (line.shown !== undefined) shown.set(line.shown, (shown.get(line.shown) ?? 0) + 1)
    })
    processes.push(sender, receiver)
    receiver.start()
    sender.start()

    const reach = (at: number) =>
      new Promise<void>((reached) => {
        if (queued >= at) reached()
        else waiting.push({ at, reached })
      })
    for (const [share, victim] of kills) {
      await reach(Math.floor(count * share))
      if (victim === "sender" || victim === "receiver") {
        const process = victim === "sender" ? sender : receiver
        await process.end("SIGKILL")
        process.start()
      } else {
        await servers[victim].kill("SIGKILL")
        await servers[victim].restart()
      }
    }
    await flushed.promise
    await sender.end("SIGTERM")
    await receiver.end("SIGTERM")

    const bob = await openNode({ home: urls.home, dir: dirs.bob, passphrase: "only for bob" })
    try {
      await bob.sync()
      const messages = await bob.history("alice", { limit: count + 100 })
      const texts = messages.map(({ text }) => text)
      const expected = Array.from({ length: count }, (_, index) => `m${index}`)
      const areClients = kills.every(([, victim]) => victim === "sender" || victim === "receiver")
      const inOrder = areClients ? texts : texts.toSorted(byNumber)
      assert.deepStrictEqual(inOrder, expected, "every text once in the receiver's history")
      const marked = messages.filter(({ fork, gap }) => fork === true || (areClients && gap !== undefined))
      assert.deepStrictEqual(marked, [], "no number used twice, and none missing")
      assert.deepStrictEqual(
        [...shown].filter(([, times]) => times > 1),
        [],
        "no text shown twice"
      )
    } finally {
      await bob.close()
    }
    const alice = await openNode({ home: urls.home, dir: dirs.alice, passphrase: "only for alice" })
    try {
      await alice.sync()
      const left = (await alice.history("bob", { limit: count + 100 })).filter(({ state }) => state === "queued")
      assert.deepStrictEqual(left, [], "nothing of the sender's still queued")
    } finally {
      await alice.close()
    }
    assert.strictEqual(sender.stderr + receiver.stderr, "")
  } finally {
    for (const process of processes) await process.end("SIGKILL")
    await home?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const byNumber = (a: string, b: string): number => Number(a.slice(1)) - Number(b.slice(1))
