/**
 * Two accounts on a real home: how long until a message is stored, until it is shown, and how fast a backlog is taken
 * in, each against the raw thing on the same broker or the same processor in the same run.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { connect, headers, nkeyAuthenticator, type NatsConnection } from "@nats-io/transport-node"
import { Identity, SealedMessage } from "@kez-chat/sdk/crypto"
import { MemoryVault } from "@kez-chat/sdk/memory"
import { NodeCrypto, openNode } from "@kez-chat/sdk/node"
import type { KezChatClient } from "@kez-chat/sdk/promise"
import { Bytes, Mnemonic, Subject } from "@kez-chat/sdk/protocol"
import { startHome } from "../../deploy/local/Home.ts"
import { median, percentile, report } from "./Report.ts"

const live = 600
const perSecond = 100
const backlog = Number(process.env["KEZ_BENCH_BACKLOG"] ?? 20_000)

const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
const plenty = "1000000000000"
const home = await startHome({
  data: join(folder, "home"),
  ports: "auto",
  flags: {
    chat: [
      ...["--inbox-bytes", plenty, "--self-bytes", plenty, "--send-bytes-per-day", plenty],
      ...["--self-bytes-per-day", plenty, "--max-frames", "1000000"]
    ]
  }
})
const opened: Array<KezChatClient> = []
const account = async (name: string, device = name) => {
  const client = await openNode({ home: home.urls.home, dir: join(folder, device), vault: MemoryVault.layer })
  opened.push(client)
  return client
}
const seeds = { alice: new Uint8Array(32).fill(11), bob: new Uint8Array(32).fill(12) }
const alice = await account("alice")
const bob = await account("bob")
await alice.create({ handle: "alice", words: Mnemonic.fromSeed(seeds.alice) })
await bob.create({ handle: "bob", words: Mnemonic.fromSeed(seeds.bob) })
await alice.addContact("bob")
await bob.addContact("alice")

/** Starts `count` pieces of work at an even rate and waits for all. */
const paced = async (count: number, rate: number, work: (index: number) => Promise<void>) => {
  const start = performance.now()
  const all: Array<Promise<void>> = []
  for (let index = 0; index < count; index++) {
    const due = start + (index * 1000) / rate
    while (performance.now() < due) await new Promise((next) => setTimeout(next, Math.max(0, due - performance.now())))
    all.push(work(index))
  }
  await Promise.all(all)
}

// What a message is on the wire, for the raw side.
const runtime = ManagedRuntime.make(NodeCrypto.layer)
const identities = await runtime.runPromise(
  Effect.all({
    alice: Identity.fromSeed(Redacted.make(seeds.alice)),
    bob: Identity.fromSeed(Redacted.make(seeds.bob))
  })
)
const text = "Shall we meet at the station at nine? ".repeat(8)
const drafted = (seq: number) =>
  Effect.flatMap(
    SealedMessage.encrypt(identities.alice, {
      id: Bytes.toBase64Url(Uint8Array.from({ length: 16 }, (_, i) => (seq >> (i * 4)) & 255)),
      device: "AAAAAAAAAAAAAAAAAAAAAA",
      to: identities.bob.key,
      seq,
      createdAt: Date.now(),
      body: { type: "text", text, chain: { seq: 0, hash: `sha256:${"0".repeat(64)}` } }
    }),
    ({ encoded }) => SealedMessage.sealFrame(encoded, identities.bob.key)
  )
const frame = await runtime.runPromise(drafted(0))

/** A third account, connected raw, that only watches its delivery subject; the gateway's key may publish to the stream. */
const carolSeed = new Uint8Array(32).fill(13)
const carol = await account("carol")
await carol.create({ handle: "carol", words: Mnemonic.fromSeed(carolSeed) })
await carol.close()
const carolId = await runtime.runPromise(Identity.fromSeed(Redacted.make(carolSeed)))
const keys = join(home.data, "keys")
const gateway: NatsConnection = await connect({
  servers: home.urls.nats,
  authenticator: nkeyAuthenticator(Bytes.utf8(readFileSync(join(keys, "gateway.nk"), "utf8").trim())),
  inboxPrefix: "_INBOX_ing.bench"
})
const { nkey, sign } = carolId.brokerLogin
const watcher = await connect({
  servers: home.urls.nats,
  authenticator: (nonce) => ({ nkey, sig: Bytes.toBase64Url(sign("127.0.0.1", nonce ?? "")) }),
  inboxPrefix: `_INBOX_${carolId.key.hex}`
})

const raw = { stored: [] as Array<number>, displayed: [] as Array<number> }
const sentAt = new Map<number, number>()
let rawSeen = 0
const rawDone = Promise.withResolvers<void>()
watcher.subscribe(Subject.delivery(carolId.key.hex), {
  callback: (_, message) => {
    const index = new DataView(message.data.buffer, message.data.byteOffset).getUint32(0)
    raw.displayed.push(performance.now() - (sentAt.get(index) ?? Number.NaN))
    if (++rawSeen === live) rawDone.resolve()
  }
})
await watcher.flush()
const runRaw = async () => {
  await paced(live, perSecond, async (index) => {
    const bytes = frame.slice()
    new DataView(bytes.buffer).setUint32(0, index)
    const header = headers()
    header.set("Nats-Msg-Id", `bench-${index}`)
    const start = performance.now()
    sentAt.set(index, start)
    await gateway.request(Subject.inbox(carolId.key.hex), bytes, { headers: header, timeout: 10_000 })
    raw.stored.push(performance.now() - start)
  })
  await rawDone.promise
}

const ours = { queued: [] as Array<number>, stored: [] as Array<number>, displayed: [] as Array<number> }
const runOurs = async () => {
  const started = new Map<string, number>()
  const storedAt = new Map<string, number>()
  const shownAt = new Map<string, number>()
  const stop = new AbortController()
  const done = Promise.withResolvers<void>()
  const check = () => {
    if (storedAt.size >= live && shownAt.size >= live) done.resolve()
  }
  const watch = async (
    client: KezChatClient,
    seen: (event: { _tag: string; message?: { id: string; state?: string } }) => void
  ) => {
    try {
      for await (const event of client.events({ signal: stop.signal })) seen(event as never)
    } catch {
      // aborted below
    }
  }
  const watching = [
    watch(alice, ({ _tag, message }) => {
      if (_tag === "State" && message?.state !== undefined && message.state !== "queued" && !storedAt.has(message.id)) {
        storedAt.set(message.id, performance.now())
        check()
      }
    }),
    watch(bob, ({ _tag, message }) => {
      if (_tag === "Message" && message !== undefined) {
        shownAt.set(message.id, performance.now())
        check()
      }
    })
  ]
  await alice.send("bob", "warm-up")
  await alice.flush()
  await bob.sync()
  storedAt.clear()
  shownAt.clear()
  await paced(live, perSecond, async () => {
    const start = performance.now()
    const { id } = await alice.send("bob", text)
    ours.queued.push(performance.now() - start)
    started.set(id, start)
  })
  await done.promise
  stop.abort()
  await Promise.all(watching)
  for (const [id, start] of started) {
    ours.stored.push((storedAt.get(id) ?? Number.NaN) - start)
    ours.displayed.push((shownAt.get(id) ?? Number.NaN) - start)
  }
}

await runRaw()
await runOurs()

const figures = (name: string, mine: ReadonlyArray<number>, base: ReadonlyArray<number>) => [
  {
    name: `${name}, p50`,
    value: median(mine) / median(base),
    unit: "x",
    against: `raw JetStream (${median(mine).toFixed(2)} against ${median(base).toFixed(2)} ms)`,
    aim: { atMost: 2.5 }
  },
  {
    name: `${name}, p99`,
    value: percentile(mine, 0.99),
    unit: "ms",
    against: `raw JetStream has ${percentile(base, 0.99).toFixed(2)} ms`,
    aim: { atMost: 50 }
  }
]
report(
  `chat: ${perSecond} messages a second, TCP, one home on this machine`,
  [
    {
      name: "send to queued, p50",
      value: median(ours.queued),
      unit: "ms",
      against: "encrypted, sealed twice and synchronised to disk here"
    },
    ...figures("send to stored", ours.stored, raw.stored),
    ...figures("send to shown", ours.displayed, raw.displayed)
  ],
  [
    "what holds it back: disk synchronisations in a row, where raw JetStream waits for one: the sender's store, the",
    "broker's, the sender's again for the state, or the receiver's before it shows; all of them on one disk here"
  ]
)

// A backlog: frames are sealed beforehand and stored raw, then a second store of bob's takes them all in.
await bob.close()
const frames: Array<Uint8Array> = []
for (let seq = 0; seq < backlog; seq++) frames.push(await runtime.runPromise(drafted(1_000_000 + seq)))
let inFlight: Array<Promise<unknown>> = []
for (const [index, bytes] of frames.entries()) {
  const header = headers()
  header.set("Nats-Msg-Id", `backlog-${index}`)
  inFlight.push(gateway.request(Subject.inbox(identities.bob.key.hex), bytes, { headers: header, timeout: 30_000 }))
  if (inFlight.length === 256) {
    await Promise.all(inFlight)
    inFlight = []
  }
}
await Promise.all(inFlight)

const sample = frames.slice(0, 500)
const openAll = Effect.forEach(sample, (bytes) => SealedMessage.openFrame(identities.bob, bytes), { discard: true })
await runtime.runPromise(openAll)
const cryptoStart = performance.now()
await runtime.runPromise(openAll)
const cryptoRate = sample.length / ((performance.now() - cryptoStart) / 1000)
frames.length = 0

const second = await account("bob", "bob-again")
globalThis.gc?.()
const before = process.memoryUsage().rss
let peak = before
const meter = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50)
const drainStart = performance.now()
await second.restore({ words: Mnemonic.fromSeed(seeds.bob) })
await second.sync()
const drainSeconds = (performance.now() - drainStart) / 1000
clearInterval(meter)
const held = (await second.history("alice", { limit: 1 })).length
if (held !== 1) throw new Error("the backlog was not taken in")
const drained = backlog + live
report(`chat: a backlog of ${drained.toLocaleString("en-US")} messages into an empty SQLite store`, [
  {
    name: "drain",
    value: drained / drainSeconds / cryptoRate,
    unit: "x",
    against: `opening frames alone (${Math.round(drained / drainSeconds)} of ${Math.round(cryptoRate)} a second)`,
    aim: { atLeast: 0.7 }
  },
  {
    name: "memory growth at its peak",
    value: (peak - before) / 1024 / 1024,
    unit: "MiB",
    against: "resident set before the drain"
  }
])

await gateway.close()
await watcher.close()
for (const client of opened) await client.close()
await runtime.dispose()
await home.stop()
rmSync(folder, { recursive: true, force: true })
