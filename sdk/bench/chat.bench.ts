/**
 * Two accounts on a real home: how long until a message is stored and until it is shown, alone and at 100 a second; how
 * many a second go through; and how fast and in how much memory a backlog is taken in. Sender, receiver and the raw
 * JetStream baseline are processes of their own and take turns, round by round.
 *
 *     npm run bench -- --only chat [--rounds 5] [--backlog 2000]
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startHome } from "../../deploy/local/Home.ts"
import type { ChatClientCommands } from "./chat/ChatClient.ts"
import type { Pace } from "./chat/Pace.ts"
import { type Party, startParty } from "./chat/Party.ts"
import type { RawJetStreamCommands } from "./chat/RawJetStream.ts"
import { type Figure, median, percentile, ratioInRounds, report } from "./Report.ts"

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, backlog: { type: "string", default: "2000" } }
})
const [rounds, backlog] = [Number(values.rounds), Number(values.backlog)]
if (!(Number.isInteger(rounds) && rounds > 0 && Number.isInteger(backlog) && backlog > 0))
  throw new Error("--rounds and --backlog are whole numbers from 1 on")
const drainRounds = Math.min(3, rounds)
const perSecond = 100
const paces = {
  rest: { count: 30, way: "rest" },
  paced: { count: 300, way: { rate: perSecond } },
  flood: { count: 500, way: { width: 64 } }
} as const satisfies Record<string, Pace>
const text = "Shall we meet at the station at nine? ".repeat(8)
const seeds = { alice: 11, bob: 12, carol: 13, dave: 14 }

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
const parties: Array<{ end(): Promise<void> }> = []
const openClient = async (device: string): Promise<Party<ChatClientCommands>> => {
  const party = startParty<ChatClientCommands>(new URL("chat/ChatClient.ts", import.meta.url))
  parties.push(party)
  await party.call("open", { home: home.urls.home, dir: join(folder, device) })
  return party
}
const account = async (handle: keyof typeof seeds) => {
  const party = await openClient(handle)
  await party.call("create", { handle, seed: seeds[handle] })
  return party
}

/** What one way of sending took in one round, in milliseconds. */
interface Sample {
  readonly queued: ReadonlyArray<number>
  readonly stored: ReadonlyArray<number>
  readonly shown: ReadonlyArray<number>
  /** Messages shown a second, from the first `send` to the last one shown. */
  readonly rate: number
}
const toSample = (
  sent: ReadonlyArray<{
    readonly start: number
    readonly queued: number
    readonly stored: number
    readonly shown: number
  }>
): Sample => ({
  queued: sent.map(({ queued, start }) => queued - start),
  stored: sent.map(({ start, stored }) => stored - start),
  shown: sent.map(({ shown, start }) => shown - start),
  rate:
    (sent.length * 1_000) / (Math.max(...sent.map(({ shown }) => shown)) - Math.min(...sent.map(({ start }) => start)))
})

try {
  const [alice, bob, carol, dave] = [
    await account("alice"),
    await account("bob"),
    await account("carol"),
    await account("dave")
  ]
  await alice.call("add", "bob")
  await bob.call("add", "alice")
  await dave.call("add", "alice")
  for (const party of [carol, dave]) {
    await party.call("close", undefined)
    await party.end()
  }
  const raw = startParty<RawJetStreamCommands>(new URL("chat/RawJetStream.ts", import.meta.url))
  parties.push(raw)
  await raw.call("open", { nats: home.urls.nats, keys: join(home.data, "keys"), seed: seeds.carol, text })

  const sendRaw = async (pace: Pace) =>
    toSample((await raw.call("send", pace)).map((sent) => ({ ...sent, queued: sent.start })))
  const sendOurs = async (pace: Pace) => {
    const sent = await alice.call("send", { to: "bob", text, pace })
    const shown = await bob.call(
      "shown",
      sent.map(({ id }) => id)
    )
    return toSample(sent.map((one, i) => ({ ...one, shown: shown[i] ?? Number.NaN })))
  }
  type Side = Record<keyof typeof paces, Array<Sample>>
  const ours: Side = { rest: [], paced: [], flood: [] }
  const base: Side = { rest: [], paced: [], flood: [] }
  // The first round warms the code.
  for (let round = -1; round < rounds; round++)
    for (const name of ["rest", "paced", "flood"] as const) {
      const [theirs, mine] = [await sendRaw(paces[name]), await sendOurs(paces[name])]
      if (round < 0) continue
      base[name].push(theirs)
      ours[name].push(mine)
    }

  const each = (samples: ReadonlyArray<Sample>, step: "queued" | "stored" | "shown", share: number) =>
    samples.map((sample) => (share === 0.5 ? median(sample[step]) : percentile(sample[step], share)))
  const baseline = { stored: "raw publish and acknowledgement", shown: "raw publish to delivery" }
  const half = (name: "rest" | "paced", step: "stored" | "shown", atMost: number): Figure =>
    ratioInRounds({
      name: `send to ${step}, p50`,
      mine: each(ours[name], step, 0.5),
      base: each(base[name], step, 0.5),
      unit: "ms",
      baseline: baseline[step],
      aim: { atMost }
    })
  const tail = (step: "stored" | "shown"): Figure => {
    const mine = each(ours.paced, step, 0.99)
    return {
      name: `send to ${step}, p99`,
      value: median(mine),
      unit: "ms",
      against: `raw has ${median(each(base.paced, step, 0.99)).toFixed(1)} ms; worst round ${Math.max(...mine).toFixed(1)} ms`,
      aim: { atMost: 50 }
    }
  }
  report(`chat: one message at a time, medians of rounds`, [half("rest", "stored", 4), half("rest", "shown", 5)])
  report(`chat: ${perSecond} messages a second, medians of rounds`, [
    {
      name: "send to queued, p50",
      value: median(each(ours.paced, "queued", 0.5)),
      unit: "ms",
      against: "encrypted, sealed and kept durably here"
    },
    half("paced", "stored", 4),
    tail("stored"),
    half("paced", "shown", 5),
    tail("shown")
  ])
  const rates = { mine: ours.flood.map(({ rate }) => rate), base: base.flood.map(({ rate }) => rate) }
  report(`chat: as fast as they go, ${paces.flood.way.width} under way, medians of rounds`, [
    { name: "sustained", value: median(rates.mine), unit: "messages/s", against: "from send to shown" },
    ratioInRounds({
      name: "the same",
      ...rates,
      unit: "messages/s",
      baseline: "raw publish to delivery"
    })
  ])
  await bob.call("close", undefined)
  await alice.call("close", undefined)

  // Every round restores the account into an empty store of a new device, in a new process.
  await raw.call("backlog", { from: seeds.alice, to: seeds.dave, count: backlog, text })
  await raw.call("opening", seeds.dave)
  const drained = { rate: [] as Array<number>, opening: [] as Array<number>, growth: [] as Array<number> }
  for (let round = 0; round < drainRounds; round++) {
    drained.opening.push(await raw.call("opening", seeds.dave))
    const device = await openClient(`dave-${round}`)
    const { growthMiB, held, seconds } = await device.call("drain", { seed: seeds.dave, from: "alice" })
    if (held !== backlog) throw new Error(`${held} of ${backlog} messages were taken in`)
    drained.rate.push(backlog / seconds)
    drained.growth.push(growthMiB)
    await device.call("close", undefined)
    await device.end()
  }
  report(
    `chat: a backlog of ${backlog.toLocaleString("en-US")} messages restored into an empty store, medians of rounds`,
    [
      { name: "drain", value: median(drained.rate), unit: "messages/s", against: "restore and sync, kept durably" },
      ratioInRounds({
        name: "the same",
        mine: drained.rate,
        base: drained.opening,
        unit: "messages/s",
        baseline: "opening frames alone",
        aim: { atLeast: 0.7 }
      }),
      {
        name: "memory growth at its peak",
        value: median(drained.growth),
        unit: "MiB",
        against: "resident set before the drain"
      }
    ]
  )
  await raw.call("close", undefined)
} finally {
  for (const party of parties) await party.end()
  await home.stop()
  rmSync(folder, { recursive: true, force: true })
}
