/**
 * What servers write durably over HTTP: registrations, first events of chains, and manifests of 1 MiB. On SQLite; the
 * baseline is the one synchronisation of the disk that none of them can do without.
 */
import { FastBlake3, SealedManifest } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Envelope, Limits, Manifest, Ticket } from "@kez-chat/sdk/protocol"
import { Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import { fdatasyncSync, openSync, writeSync } from "node:fs"
import { Agent, request } from "node:http"
import { join } from "node:path"
import { type Figure, median, percentile, report } from "../../sdk/bench/Report.ts"
import { endpointEvent, newIdentity, registration, startChat, startSig, temporaryFolder } from "../test/kits/Servers.ts"

const count = 1_000
const manifestCount = 30
/** Requests under way at once. */
const width = 64

/** Runs `jobs` with `width` of them under way: the time of each in milliseconds, and how many a second. */
const measure = async (jobs: ReadonlyArray<() => Promise<{ readonly status: number }>>, atOnce: number) => {
  const times: Array<number> = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
        const at = performance.now()
        const { status } = await job()
        if (status !== 201) throw new Error(`answered ${status}`)
        times.push(performance.now() - at)
      }
    })
  )
  return { times, perSecond: jobs.length / ((performance.now() - began) / 1_000) }
}

const agent = new Agent({ keepAlive: true })
const send = (method: string, url: string, body: string | Uint8Array) =>
  new Promise<{ readonly status: number }>((done, fail) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    const asked = request(url, { method, agent, headers }, (answer) => {
      answer.resume()
      answer.on("end", () => done({ status: answer.statusCode ?? 0 }))
    })
    asked.on("error", fail)
    asked.end(body)
  })

const folder = temporaryFolder()
const chat = await startChat(folder.path)
const sig = await startSig(folder.path)
const identities = await Promise.all(Array.from({ length: 2 * count }, newIdentity))
const statements = await Promise.all(identities.map((identity, n) => registration(identity, `bench${n}`)))
const events = await Promise.all(identities.map((identity) => endpointEvent(identity)))

const registrations = statements.map(
  (statement) => () => send("POST", `${chat.url}/v1/register`, Envelope.encodeText(statement))
)
const appends = events.map(
  (event, n) => () =>
    send(
      "POST",
      `${sig.url}/v1/sigchains/ed25519/${(identities[n] as (typeof identities)[number]).key.hex}/events`,
      Envelope.encodeText(event)
    )
)
// A server that is busy takes one new connection a turn of its event loop, and those still waiting for it would count.
await Promise.all(
  [chat, sig].flatMap(({ url }) => Array.from({ length: width }, () => send("GET", `${url}/v1/healthz`, "")))
)
const half = <A>(list: ReadonlyArray<A>, n: 0 | 1) => list.slice(n * count, (n + 1) * count)
const found = {
  registerAlone: await measure(half(registrations, 0), 1),
  register: await measure(half(registrations, 1), width),
  appendAlone: await measure(half(appends, 0), 1),
  append: await measure(half(appends, 1), width)
}

const owner = identities[0] as (typeof identities)[number]
/** Entries of one reader until the body has almost a mebibyte, the most that a home takes. */
const manifest = await Effect.runPromise(
  Effect.gen(function* () {
    const hasher = yield* FastBlake3.load
    const createdAt = Math.floor(Date.now() / 1_000) * 1_000
    const sealed = (n: number) =>
      Effect.flatMap(SealedManifest.makeId, (id) => {
        const hash = Uint8Array.from(randomBytes(32))
        const file = {
          name: `report ${n}.pdf`,
          mediaType: "application/pdf",
          size: 65_536,
          sharedAt: createdAt,
          blobHash: `blake3:${Bytes.toHex(hash)}`,
          ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash }),
          contentKey: Redacted.make(Uint8Array.from(randomBytes(32)))
        }
        return SealedManifest.sealEntry(owner, id, file, [(identities[1] as typeof owner).key])
      })
    const entryBytes = Manifest.encodeEntry(yield* sealed(0)).length + 1
    const most = Math.floor((Limits.manifestBytes - 4_096) / entryBytes)
    const entries = yield* Effect.forEach(
      Array.from({ length: most }, (_, n) => n),
      sealed
    )
    return yield* Effect.forEach(
      Array.from({ length: manifestCount }, (_, n) => n + 1),
      (revision) => Effect.map(SealedManifest.sign(owner, { revision, createdAt, entries }, hasher), ({ body }) => body)
    )
  }).pipe(Effect.provide(NodeCrypto.layer))
)
const manifestPath = `/v1/manifests/ed25519/${owner.key.hex}`
const manifests = await measure(
  manifest.map((body) => () => send("PUT", `${chat.url}${manifestPath}`, body)),
  1
)

const file = openSync(join(folder.path, "sync"), "w")
const syncs = Array.from({ length: 200 }, () => {
  writeSync(file, randomBytes(4_096), 0)
  const at = performance.now()
  fdatasyncSync(file)
  return performance.now() - at
})
agent.destroy()
await chat.stop()
await sig.stop()
folder[Symbol.dispose]()
const rate = (name: string, { perSecond, times }: (typeof found)["append"], atOnce: number): Figure => ({
  name,
  value: perSecond,
  unit: "a second",
  against: `${atOnce} at a time; p50 ${median(times).toFixed(1)}, p99 ${percentile(times, 0.99).toFixed(1)} ms`
})
report("Writes of the servers", [
  { name: "fdatasync", value: median(syncs), unit: "ms", against: "4 KiB" },
  rate("register, alone", found.registerAlone, 1),
  rate("register", found.register, width),
  rate("append, alone", found.appendAlone, 1),
  rate("append", found.append, width),
  {
    name: "manifest, put",
    value: median(manifests.times),
    unit: "ms",
    against: `${manifest[0]?.length} bytes, one at a time; p99 ${percentile(manifests.times, 0.99).toFixed(0)} ms`,
    aim: { atMost: 60 }
  }
])
