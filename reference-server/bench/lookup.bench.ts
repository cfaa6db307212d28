/**
 * Handle lookups against the least that can answer them, on the same registry, in turns.
 *
 * Three servers: the baseline (see lookupBaseline.ts); chat-server as it is, with logs, metrics and limits; and the
 * same route through the contract's general way, which `chris@localhost` takes and a plain `chris` does not.
 */
import { Identity } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Effect, Redacted } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import type { Readable } from "node:stream"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { median, report } from "../../sdk/bench/Report.ts"
import * as Keys from "../src/broker/login/Keys.ts"
import { registryLayer } from "../src/chat/ChatServer.ts"
import { Registry } from "../src/storage/Registry.ts"

const handles = 1_000
const connections = 32
const rounds = 9
const roundMillis = 1_500
const warmUp = 30_000

const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
const db = join(folder, "registry.db")
const keys = join(folder, "keys")
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

await Effect.runPromise(
  Effect.gen(function* () {
    yield* Keys.create(keys)
    const registry = yield* Registry
    for (let n = 0; n < handles; n++) {
      const identity = yield* Identity.fromSeed(Redacted.make(new Uint8Array(randomBytes(32))))
      yield* registry.register(
        yield* identity.signRegistration({ handle: `bench${n}`, server: "localhost", createdAt: Date.now() })
      )
    }
  }).pipe(Effect.provide(registryLayer("localhost", { db: db }, false)), Effect.provide(NodeCrypto.layer))
)

const children: Array<ChildProcess> = []
const startProgram = (path: string, args: ReadonlyArray<string>, stdout: "pipe" | number) => {
  const child = spawn(process.execPath, ["--conditions=kez-source", file(path), ...args], {
    stdio: ["ignore", stdout, "inherit"]
  })
  children.push(child)
  return child
}

const baseline = startProgram("./lookupBaseline.ts", [db], "pipe")
const [line] = (await once(baseline.stdout as Readable, "data")) as [Buffer]
const baselinePort = Number(line.toString().trim())

// Its log goes to a file, as it would in service: a pipe would make this process read it.
const log = join(folder, "chat.log")
startProgram(
  "../src/chat-server.ts",
  [
    "--port",
    "0",
    "--internal-port",
    "0",
    "--db",
    db,
    "--keys-dir",
    keys,
    "--nats-url",
    "nats://127.0.0.1:1",
    "--reads-per-minute",
    "1000000000"
  ],
  openSync(log, "w")
)
const chatPort = async (): Promise<number> => {
  for (;;) {
    const found = /"msg":"listening","url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(readFileSync(log, "utf8"))
    if (found !== null) return Number(found[1])
    await new Promise((done) => setTimeout(done, 50))
  }
}
const port = await chatPort()

/** Lookups a second over keep-alive connections, one request in flight on each. */
const load = (target: number, suffix: string): Promise<number> =>
  new Promise((done, fail) => {
    let answered = 0
    let running = true
    const from = performance.now()
    for (let n = 0; n < connections; n++) {
      const socket = connect(target, "127.0.0.1")
      socket.setNoDelay(true)
      let pending = ""
      const ask = () =>
        socket.write(
          `GET /v1/u/bench${Math.floor(Math.random() * handles)}${suffix} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n`
        )
      socket.on("connect", ask)
      socket.on("error", fail)
      socket.on("data", (data) => {
        pending += data.toString("latin1")
        const head = pending.indexOf("\r\n\r\n")
        const length = /content-length: (\d+)/i.exec(pending)?.[1]
        if (head === -1 || length === undefined || pending.length < head + 4 + Number(length)) return
        if (!pending.startsWith("HTTP/1.1 200")) fail(new Error(pending))
        pending = ""
        answered++
        if (running) ask()
        else socket.end()
      })
    }
    setTimeout(() => {
      running = false
      done((answered * 1_000) / (performance.now() - from))
    }, roundMillis)
  })

const targets = {
  baseline: () => load(baselinePort, ""),
  prepared: () => load(port, ""),
  general: () => load(port, "@localhost")
}
const rates: Record<keyof typeof targets, Array<number>> = { baseline: [], prepared: [], general: [] }
// Code is compiled while it runs: each side answers this many before anything counts.
for (const target of Object.values(targets)) {
  for (let answered = 0; answered < warmUp;) answered += ((await target()) * roundMillis) / 1_000
}
for (let round = 0; round < rounds; round++) {
  for (const name of ["baseline", "prepared", "general"] as const) rates[name].push(await targets[name]())
}
for (const child of children) child.kill()
await Promise.all(children.map((child) => once(child, "close")))
rmSync(folder, { recursive: true, force: true })

// Rounds are paired, so that what else the machine does in a round weighs on both sides of its ratio.
const ratio = (name: "prepared" | "general") => median(rates[name].map((rate, round) => rate / rates.baseline[round]!))
report(
  "Handle lookup, GET /v1/u/<handle>",
  [
    {
      name: "baseline",
      value: median(rates.baseline),
      unit: "a second",
      against: "node:http + better-sqlite3, nothing else"
    },
    {
      name: "chat-server",
      value: median(rates.prepared),
      unit: "a second",
      against: "logs, metrics and rate limits on"
    },
    {
      name: "ratio",
      value: ratio("prepared"),
      unit: "",
      against: "chat-server / baseline, paired rounds",
      aim: { atLeast: 0.85 }
    },
    { name: "ratio, general way", value: ratio("general"), unit: "", against: "the same through HttpApi" }
  ],
  [`${connections} keep-alive connections, ${handles} handles; the load runs on the same cores`]
)
