/**
 * What a person waits for, and how it grows from a thousand messages, contacts, shared files, manifest entries or chain
 * events to a hundred thousand, or to the protocol's limit. Each store is written by one process and read by another, so
 * that its memory is that of a program that opened it. An exponent of 1 is linear; below 0.5 it is shown as 0.5.
 *
 *     npm run bench -- --only growth
 */
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { FastBlake3, Identity, SealedManifest, SignedEnvelope, VerifiedChain } from "@kez-chat/sdk/crypto"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Bytes, Encoding, Envelope, Limits, Manifest, type Sigchain, Ticket } from "@kez-chat/sdk/protocol"
import { startParty } from "./chat/Party.ts"
import { type Grown, growth } from "./growth/Fit.ts"
import type { Amounts } from "./growth/FilledDevice.ts"
import type { FullClientCommands, Waited } from "./growth/FullClient.ts"
import { type Figure, median, report } from "./Report.ts"

const counts = [1_000, 10_000, 100_000]
const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
const runtime = ManagedRuntime.make(NodeCrypto.layer)
const run = runtime.runPromise

const inProcess = async <A>(use: (client: ReturnType<typeof startParty<FullClientCommands>>) => Promise<A>) => {
  const client = startParty<FullClientCommands>(new URL("growth/FullClient.ts", import.meta.url))
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const stores: ReadonlyArray<readonly [keyof Amounts, Readonly<Partial<Record<keyof Waited, string>>>]> = [
  ["messages", { open: "open the store", page: "first page of 50", send: "send, until kept" }],
  ["contacts", { open: "open the store", contacts: "list of all contacts", send: "send, until kept" }],
  ["shares", { open: "open the store", shared: "list of all shared files", share: "share 64 KiB" }]
]
for (const [kind, waits] of stores) {
  const found: Array<{ readonly count: number; readonly waited: Waited }> = []
  for (const count of counts) {
    const dir = join(folder, `${kind}-${count}`)
    const amounts = { messages: 10, contacts: 10, shares: 10, [kind]: count }
    await inProcess((client) => client.call("fill", { dir, amounts }))
    found.push({ count, waited: await inProcess((client) => client.call("measure", dir)) })
    rmSync(dir, { recursive: true, force: true })
  }
  const figures = (Object.entries(waits) as Array<[keyof Waited, string]>).map(([what, name]): Figure => {
    return growth(
      name,
      found.map(({ count, waited }) => ({ count, millis: waited[what] }))
    )
  })
  const memory = found.map(({ waited }) => Math.round(waited.rss))
  report(`Growth: ${counts.map((count) => count.toLocaleString("en-US")).join(" / ")} ${kind}`, [
    ...figures,
    { name: "resident memory", value: memory.at(-1) ?? Number.NaN, unit: "MiB", against: `${memory.join(" / ")} MiB` }
  ])
}

const rounds = 5
/** Times the same work on ever more, in turns. */
const inTurns = async <A>(
  cases: ReadonlyArray<{ readonly count: number; readonly given: A }>,
  work: (given: A) => Promise<unknown>
): Promise<Grown> => {
  const times = cases.map((): Array<number> => [])
  for (let round = -1; round < rounds; round++) {
    for (const [i, { given }] of cases.entries()) {
      const began = performance.now()
      await work(given)
      if (round >= 0) times[i]?.push(performance.now() - began)
    }
  }
  return cases.map(({ count }, i) => ({ count, millis: median(times[i] ?? []) }))
}

const hasher = await run(FastBlake3.load)
const owner = await run(Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(31))))
const reader = await run(Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(32))))
const createdAt = Math.floor(Date.now() / 1_000) * 1_000

const sealed = (n: number) =>
  Effect.flatMap(SealedManifest.makeId, (id) => {
    const hash = Uint8Array.from(randomBytes(32))
    return SealedManifest.sealEntry(
      owner,
      id,
      {
        name: `report ${n}.pdf`,
        mediaType: "application/pdf",
        size: 65_536,
        sharedAt: createdAt,
        blobHash: `blake3:${Bytes.toHex(hash)}`,
        ticket: Ticket.encode({ endpoint: owner.key, addresses: [], format: "raw", hash }),
        contentKey: Redacted.make(Uint8Array.from(randomBytes(32)))
      },
      [reader.key]
    )
  })
const first = await run(sealed(0))
/** As many as a manifest can hold, with room for its frame. */
const mostEntries = Math.floor((Limits.manifestBytes - 4_096) / (Manifest.encodeEntry(first).length + 1))
const entries = await run(
  Effect.forEach(
    Array.from({ length: mostEntries }, (_, n) => n),
    sealed
  )
)
const manifests: Array<{ count: number; given: { body: Uint8Array; anchor: Sigchain.SharedFiles } }> = []
for (const count of [Math.floor(mostEntries / 100), Math.floor(mostEntries / 10), mostEntries]) {
  const signed = SealedManifest.sign(owner, { revision: 1, createdAt, entries: entries.slice(0, count) }, hasher)
  const { anchor, body } = await run(signed)
  manifests.push({ count, given: { body, anchor } })
}
const opened = await inTurns(manifests, ({ anchor, body }) =>
  run(
    Effect.flatMap(SealedManifest.verify(body, { owner: owner.key, anchor }, hasher), ({ manifest }) =>
      SealedManifest.open(reader, manifest)
    )
  )
)
report(
  `Growth: ${opened.map(({ count }) => count.toLocaleString("en-US")).join(" / ")} entries of a manifest`,
  [growth("verify and open", opened)],
  [`${mostEntries} entries for one reader are what a manifest of 1 MiB can hold`]
)

/** Events that each name another identity, until the chain is full. */
const chain: Array<Envelope.Envelope> = []
let head: Sigchain.Head | undefined
let bytes = 0
while (bytes < Limits.chainBytes - Limits.chainReserve - 1_024) {
  const operation = { op: "add", payload: { subject: `dns:host${chain.length}.example.org` } } as const
  const event = await run(owner.signSigchainEvent({ after: head, operation, createdAt }))
  head = { seq: chain.length, hash: await run(SignedEnvelope.hash(event)) }
  bytes += Envelope.encode(event).length + 1
  chain.push(event)
}
const chains = [100, 1_000, chain.length].map((count) => ({
  count,
  given: Encoding.encodeLines(chain.slice(0, count))
}))
const verified = await inTurns(chains, (lines) =>
  run(VerifiedChain.verify(owner.primary, Result.getOrThrow(Encoding.decodeLines(lines))))
)
report(
  `Growth: ${verified.map(({ count }) => count.toLocaleString("en-US")).join(" / ")} events of a chain`,
  [
    growth("parse and verify", verified),
    { name: "1,000 events", value: verified[1]?.millis ?? Number.NaN, unit: "ms", against: "", aim: { atMost: 300 } }
  ],
  [`${chain.length} such events are what a chain of 4 MiB can hold`]
)
await runtime.dispose()
rmSync(folder, { recursive: true, force: true })
