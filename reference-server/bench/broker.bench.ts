/**
 * What the broker side of a home server manages on this machine: logins, sends, live deliveries, pages, and what the
 * choice of `sync_interval` costs. Ratios are against raw JetStream on the same nats-server in the same run.
 *
 *     npm run bench -- --only broker [logins|always|10s|2m|r3 ...]
 */
import { headers, type NatsConnection } from "@nats-io/nats-core"
import { connect } from "@nats-io/transport-node"
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import { Broker, type BrokerConnection } from "@kez-chat/sdk/services"
import { Context, Effect, Layer, Stream } from "effect"
import { sign } from "node:crypto"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { type Figure, median, percentile, report } from "../../sdk/bench/Report.ts"
import * as Keys from "../src/broker/login/Keys.ts"
import { type Account, kezId, makeAccount } from "../test/kits/Account.ts"
import { openRaw, type Port } from "../test/kits/RawClient.ts"
import type { TestBrokerOptions } from "../test/kits/TestBroker.ts"

const unlimited = {
  inboxBytes: 2 ** 40,
  selfBytes: 2 ** 40,
  sendBytesPerDay: 2 ** 40,
  selfBytesPerDay: 2 ** 40
}

/** The p50 of samples in milliseconds as a figure, with their p95 and p99. */
const times = (name: string, samples: ReadonlyArray<number>): Figure => {
  const [p95, p99] = [0.95, 0.99].map((share) => percentile(samples, share).toFixed(2))
  return { name: `${name}, p50`, value: median(samples), unit: "ms", against: `p95 ${p95}, p99 ${p99} ms` }
}

/** Runs `count` jobs with `width` of them under way; gives each one's time and the rate. */
const measure = async (count: number, width: number, job: (i: number) => Promise<unknown>) => {
  const times: Array<number> = []
  let next = 0
  const began = performance.now()
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) {
        const i = next++
        const start = performance.now()
        await job(i)
        times.push(performance.now() - start)
      }
    })
  )
  return { times, perSecond: count / ((performance.now() - began) / 1000) }
}

interface Home {
  readonly tcp: string
  readonly websocket: string
  readonly keys: Keys.BrokerKeys
  register(accounts: ReadonlyArray<Account>): Promise<void>
  stop(): Promise<void>
}

const startHome = async (options: TestBrokerOptions): Promise<Home> => {
  const worker = new Worker(new URL("./brokerWorker.ts", import.meta.url), { workerData: options })
  const answer = <A>() => new Promise<A>((resolve, reject) => worker.once("message", resolve).once("error", reject))
  const { tcp, websocket, folder } = await answer<{ tcp: string; websocket: string; folder: string }>()
  return {
    tcp,
    websocket,
    keys: await Effect.runPromise(Keys.load(join(folder, "keys"))),
    register: async (accounts) => {
      worker.postMessage({ register: accounts.map(({ hex }) => hex) }, [])
      await answer()
    },
    stop: async () => {
      worker.postMessage({ stop: true }, [])
      await answer()
    }
  }
}

const portOf = (url: string) => Number(new URL(url.replace(/^\w+/, "http")).port)

const logins = async (home: Home): Promise<ReadonlyArray<Figure>> => {
  const figures: Array<Figure> = []
  for (const kind of ["tcp", "websocket"] as Array<Port>) {
    const port = portOf(kind === "tcp" ? home.tcp : home.websocket)
    const accounts = Array.from({ length: 1500 }, makeAccount)
    await home.register(accounts)
    const login = async (i: number) => {
      const client = await openRaw({ kind, port })
      const refused = await client.login(accounts[i % accounts.length]!)
      if (refused !== undefined) throw new Error(refused)
      client.close()
    }
    const one = await measure(200, 1, login)
    figures.push(times(`${kind}, one at a time`, one.times))
    for (const [keys, atLeast] of [
      ["new", 500],
      ["known", 1_000]
    ] as const) {
      const many = await measure(1000, 32, (i) => login(200 + i))
      figures.push({
        name: `${kind}, ${keys} keys`,
        value: many.perSecond,
        unit: "a second",
        against: `32 at a time; p50 ${median(many.times).toFixed(1)}, p99 ${percentile(many.times, 0.99).toFixed(1)} ms`,
        aim: { atLeast }
      })
    }
  }
  return figures
}

const gateway = (home: Home): Promise<NatsConnection> =>
  connect({
    servers: [home.tcp],
    inboxPrefix: "_INBOX_ing.bench",
    noAsyncTraces: true,
    authenticator: (nonce) => ({
      nkey: home.keys.gateway.publicNkey,
      sig: sign(null, Buffer.from(nonce ?? ""), home.keys.gateway.key).toString("base64url")
    })
  })

const rawPublishes = async (home: Home) => {
  const connection = await gateway(home)
  const frame = new Uint8Array(300)
  const [account] = [makeAccount()]
  const publish = () => {
    const header = headers()
    header.set("Nats-Msg-Id", kezId())
    return connection.request(`kez.inbox.${account.hex}`, frame, { timeout: 10_000, headers: header })
  }
  await measure(200, 1, publish)
  const one = await measure(1000, 1, publish)
  const many = await measure(10_000, 256, publish)
  await connection.close()
  return { one: median(one.times), many: many.perSecond, times: one.times }
}

const online = (connection: BrokerConnection) =>
  connection.state.pipe(
    Stream.filter(({ _tag }) => _tag === "Online"),
    Stream.runHead
  )

const clients = async (home: Home): Promise<ReadonlyArray<Figure>> => {
  const raw = await rawPublishes(home)
  const figures = [
    times("raw publish and ack, one at a time", raw.times),
    { name: "raw publish and ack", value: raw.many, unit: "a second", against: "256 at a time" }
  ]
  const layer = Nats.layer({ urls: [home.tcp] }).pipe(Layer.provide(NodeCrypto.layer))
  const [alice, bob, carol] = [makeAccount(), makeAccount(), makeAccount()]
  await home.register([alice, bob, carol])
  await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const broker = Context.get(yield* Layer.build(layer), Broker)
        const [a, b, c] = yield* Effect.forEach([alice, bob, carol], (login) => broker.connect(login))
        yield* Effect.forEach([a!, b!, c!], online)
        const frame = new Uint8Array(300)
        const send = () => Effect.runPromise(a!.send(bob.account, kezId(), frame))
        yield* Effect.promise(() => measure(500, 1, send))
        const one = yield* Effect.promise(() => measure(1000, 1, send))
        figures.push({
          name: "send to stored, one at a time",
          value: median(one.times) / raw.one,
          unit: "x",
          against: `raw, p50 (${median(one.times).toFixed(2)} against ${raw.one.toFixed(2)} ms)`,
          aim: { atMost: 4 }
        })
        const many = yield* Effect.promise(() => measure(10_000, 128, send))
        figures.push({
          name: "send to stored",
          value: many.perSecond,
          unit: "a second",
          against: `128 at a time, ${(many.perSecond / raw.many).toFixed(2)} of raw`
        })
        const signed = yield* Effect.promise(() =>
          measure(10_000, 128, () => Effect.runPromise(a!.send(bob.account, kezId(), frame, true)))
        )
        figures.push({
          name: "send to stored and signed",
          value: signed.perSecond,
          unit: "a second",
          against: `128 at a time, ${(signed.perSecond / many.perSecond).toFixed(2)} of unsigned`
        })

        for (const perSecond of [100, 250]) {
          const count = perSecond * 8
          const sent = new Map<number, number>()
          const delays: Array<number> = []
          const live = b!.live
          const done = Effect.runPromise(
            Stream.runForEach(Stream.take(live, count), ({ frame: bytes }) =>
              Effect.sync(() => {
                const i = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
                delays.push(performance.now() - sent.get(i)!)
              })
            )
          )
          const stored: Array<number> = []
          const began = performance.now()
          yield* Effect.promise(async () => {
            const pending: Array<Promise<void>> = []
            for (let i = 0; i < count; i++) {
              const due = began + (i * 1000) / perSecond
              const wait = due - performance.now()
              if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
              const bytes = new Uint8Array(300)
              new DataView(bytes.buffer).setUint32(0, i)
              const start = performance.now()
              sent.set(i, start)
              pending.push(
                Effect.runPromise(a!.send(bob.account, kezId(), bytes)).then(
                  () => void stored.push(performance.now() - start)
                )
              )
            }
            await Promise.all(pending)
            await done
          })
          figures.push(
            times(`send to stored at ${perSecond} a second`, stored),
            times(`send to delivered at ${perSecond} a second`, delays)
          )
        }

        const backlog = 20_000
        const large = new Uint8Array(600)
        yield* Effect.promise(() =>
          measure(backlog, 128, () => Effect.runPromise(c!.send(carol.account, kezId(), large)))
        )
        const began = performance.now()
        let frames = 0
        for (let after = 0; ;) {
          const page = yield* c!.fetch(after)
          if (page.frames.length === 0) break
          frames += page.frames.length
          after = page.frames.at(-1)!.seq
        }
        const seconds = (performance.now() - began) / 1000
        figures.push({
          name: "catching up",
          value: frames / seconds,
          unit: "frames a second",
          against: `${frames} frames of 600 bytes`
        })
        const last = (yield* c!.fetch(0)).last
        const empty = yield* Effect.promise(() => measure(500, 1, () => Effect.runPromise(c!.fetch(last))))
        figures.push(times("empty fetch", empty.times))
      })
    )
  )
  return figures
}

const variants: Readonly<Record<string, TestBrokerOptions>> = {
  logins: {},
  always: { syncInterval: "always" },
  "10s": { syncInterval: "10s" },
  "2m": { syncInterval: "2m" },
  r3: { servers: 3 }
}

const titles: Readonly<Record<string, string>> = { logins: "logins", r3: "three servers, three replicas" }

const chosen = process.argv.slice(2)
for (const name of chosen.length > 0 ? chosen : ["logins", "always"]) {
  const home = await startHome({ ...variants[name], limits: unlimited, inboxBytes: 1024 ** 3 })
  const figures = await (name === "logins" ? logins(home) : clients(home))
  report(`Broker, ${titles[name] ?? `one server, sync_interval ${name}`}`, figures)
  await home.stop()
}
