/**
 * Files from process to process over Iroh on loopback: what our transport reaches of the compatible binding's raw
 * stream; what it reaches with the native one; and what a client reaches from `share` to `read`. The raw stream is as good as the binding allows: whoever writes gives it
 * the same array every time, whoever reads drops what comes.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import iroh from "@number0/iroh/index.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Identity } from "@kez-chat/sdk/crypto"
import { IrohBlobTransport } from "@kez-chat/sdk/iroh"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { ChunkRanges } from "@kez-chat/sdk/protocol"
import { Pair } from "../test/e2e/FilesBetween.ts"
import { median, report } from "./Report.ts"
import { nativeTransfer } from "./NativeTransfer.ts"
import { bindRaw, providerSeed, rawAlpn, rawPieceBytes, type Said, transportOver } from "./transfer-provider.ts"

const mebibytes = 16
const size = mebibytes * 2 ** 20
const rounds = 5
/** Ours has the next read under way while it works on the last one; alone, that may help the raw stream too. */
const ways = ["one after another", "the next under way"] as const

const provider = fork(fileURLToPath(new URL("transfer-provider.ts", import.meta.url)), [
  String(mebibytes),
  "compatible"
])
const heard = async (): Promise<Said> => (await once(provider, "message"))[0] as Said
const there = await heard()
const { key: peer } = await Effect.runPromise(
  Effect.provide(Identity.fromSeed(Redacted.make(Uint8Array.from(providerSeed))), NodeCrypto.layer)
)

const raw = await bindRaw()
const connection = await raw.connect(
  new iroh.EndpointAddr(iroh.EndpointId.fromBytes([...(there.rawId ?? [])]), undefined, [
    ...(there.rawAddresses ?? [])
  ]),
  [...rawAlpn]
)
const readRaw = async (way: (typeof ways)[number]): Promise<void> => {
  const { recv, send } = await connection.openBi()
  await send.writeAll([1])
  await send.finish()
  const isAhead = way === "the next under way"
  let got = 0
  let next = isAhead ? recv.read(rawPieceBytes) : Promise.resolve<Array<number>>([])
  for (;;) {
    const bytes = await (isAhead ? next : recv.read(rawPieceBytes))
    if (bytes.length === 0) break
    if (isAhead) next = recv.read(rawPieceBytes)
    got += bytes.length
  }
  if (got !== size) throw new Error(`the raw stream brought ${got} bytes`)
}

interface Round {
  readonly seconds: number
  /** Of this process, in seconds. */
  readonly busy: number
}
const timed = async (work: () => Promise<void>): Promise<Round> => {
  const began = performance.now()
  const before = process.cpuUsage()
  await work()
  const { system, user } = process.cpuUsage(before)
  return { seconds: (performance.now() - began) / 1_000, busy: (user + system) / 1e6 }
}

const ours: Array<Round> = []
const raws = ways.map((): Array<Round> => [])
await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const transport = transportOver("compatible")
      const endpoint = yield* transport.open(Redacted.make(new Uint8Array(32).fill(7)))
      const { addresses = { direct: [] }, hash = "" } = there
      const fetched = Effect.gen(function* () {
        let got = 0
        yield* Stream.runForEach(endpoint.fetch({ peer, addresses, hash, size, ranges: ChunkRanges.all }), (items) =>
          Effect.sync(() => {
            for (const item of items) if (item.kind === "leaf") got += item.bytes.length
          })
        )
        if (got !== size) return yield* Effect.die(`${got} bytes were fetched`)
      })
      // The first round of each finds the path's capacity and warms the code.
      for (let round = -1; round < rounds; round++) {
        const samples = [yield* Effect.promise(() => timed(() => Effect.runPromise(fetched)))]
        for (const way of ways) samples.push(yield* Effect.promise(() => timed(() => readRaw(way))))
        if (round < 0) continue
        const [mine, ...others] = samples
        ours.push(mine as Round)
        for (const [i, other] of others.entries()) raws[i]?.push(other)
      }
    })
  )
)
const answer = heard()
provider.send("memory")
const senderPeak = (await answer).peakMiB ?? Number.NaN
const receiverPeak = process.resourceUsage().maxRSS / 1024
connection.close(0n, [])
await raw.close()
const ended = once(provider, "exit")
provider.disconnect()
await ended

const rate = (taken: ReadonlyArray<Round>) => mebibytes / median(taken.map(({ seconds }) => seconds))
const busy = (taken: ReadonlyArray<Round>) => (median(taken.map(({ busy }) => busy)) * 1_000) / mebibytes
const best = raws.reduce((fastest, one) => (rate(one) > rate(fastest) ? one : fastest))
// Neighbours in time are compared, for the machine may be busy with other things.
const ratio = median(ours.map(({ seconds }, i) => (best[i]?.seconds ?? Number.NaN) / seconds))
report(
  `files: ${mebibytes} MiB over @number0/iroh between two processes on loopback, medians of ${rounds} rounds in turns`,
  [
    {
      name: "blob fetched and verified",
      value: ratio,
      unit: "x",
      against: `the binding's raw stream (${rate(ours).toFixed(1)} of ${rate(best).toFixed(1)} MiB/s)`,
      aim: { atLeast: 0.9 }
    },
    ...ways.map((way, i) => ({
      name: `raw, reads ${way}`,
      value: rate(raws[i] ?? []),
      unit: "MiB/s",
      against: `${busy(raws[i] ?? []).toFixed(0)} ms of the receiver's processor a MiB`
    })),
    { name: "ours", value: rate(ours), unit: "MiB/s", against: `${busy(ours).toFixed(0)} ms of it a MiB` },
    { name: "peak memory, sender", value: senderPeak, unit: "MiB", against: `the ${mebibytes} MiB blob included` },
    { name: "peak memory, receiver", value: receiverPeak, unit: "MiB", against: "the whole process" }
  ]
)

await nativeTransfer(peer)

const { binding: bindingHere } = await Effect.runPromise(IrohBlobTransport.available)
const fileMebibytes = bindingHere === "native" ? 256 : mebibytes
const pair = new Pair()
try {
  await pair.open()
  const [alice, bob] = [await pair.start("alice"), await pair.start("bob")]
  alice.send({ do: "serve" })
  const shared: Array<number> = []
  const fetched: Array<number> = []
  const whole: Array<number> = []
  for (let round = -1; round < 3; round++) {
    const name = `round${round + 1}.bin`
    const path = await pair.file(name, round < 0 ? 2 ** 20 : fileMebibytes * 2 ** 20)
    const from = bob.count
    const began = performance.now()
    const sent = alice.count
    alice.send({ do: "share", path, with: "bob" })
    const isShared = alice.answer((said) => said.shared, sent).then(() => performance.now())
    const id = await bob.answer(({ offered }) => (offered?.name === name ? offered.id : undefined), from)
    const offeredAt = performance.now()
    bob.send({ do: "fetch", what: id, folder: join(pair.folder, "saved") })
    await bob.answer(({ saved }) => saved, from)
    const endedAt = performance.now()
    if (round < 0) continue
    shared.push((await isShared) - began)
    fetched.push(endedAt - offeredAt)
    whole.push(endedAt - began)
  }
  const peaks = await Promise.all(
    [alice, bob].map((program) => {
      const from = program.count
      program.send({ do: "memory" })
      return program.answer(({ peakMiB }) => peakMiB, from)
    })
  )
  const perSecond = (millis: ReadonlyArray<number>) => fileMebibytes / (median(millis) / 1_000)
  report(`files: ${fileMebibytes} MiB from one client to another, disk to disk, medians of 3`, [
    { name: "share", value: perSecond(shared), unit: "MiB/s", against: "encrypted, hashed and kept durably" },
    {
      name: "fetch, decrypt and save",
      value: perSecond(fetched),
      unit: "MiB/s",
      against: `over the ${bindingHere} binding; from the offer to the file saved`
    },
    {
      name: "the whole way",
      value: perSecond(whole),
      unit: "MiB/s",
      against: "the command to share to the file saved",
      ...(bindingHere === "native" ? { aim: { atLeast: 80 } } : {})
    },
    { name: "peak memory, sender", value: peaks[0] ?? Number.NaN, unit: "MiB", against: "the whole process" },
    { name: "peak memory, receiver", value: peaks[1] ?? Number.NaN, unit: "MiB", against: "the whole process" }
  ])
} finally {
  await pair.close()
}
