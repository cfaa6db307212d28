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
import * as Keys from "../src/broker/login/Keys.ts"
import { type Account, kezId, makeAccount } from "../test/kits/Account.ts"
import { openRaw, type Port } from "../test/kits/RawClient.ts"
import type { TestBrokerOptions } from "../test/kits/TestBroker.ts"

const say = (text: string) => void process.stdout.write(`${text}\n`)
const unlimited = {
  inboxBytes: 2 ** 40,
  selfBytes: 2 ** 40,
  sendBytesPerDay: 2 ** 40,
  selfBytesPerDay: 2 ** 40
}

const percentile = (sorted: ReadonlyArray<number>, p: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0
const spread = (samples: ReadonlyArray<number>): string => {
  const sorted = samples.toSorted((a, b) => a - b)
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((p) => percentile(sorted, p).toFixed(2))
  return `p50 ${p50}  p95 ${p95}  p99 ${p99} ms`
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

const logins = async (home: Home) => {
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
    say(`  login over ${kind}, one at a time          ${spread(one.times)}`)
    const fresh = await measure(1000, 32, (i) => login(200 + i))
    say(`  logins over ${kind}, 32 at a time, new keys   ${fresh.perSecond.toFixed(0)}/s  ${spread(fresh.times)}`)
    const known = await measure(1000, 32, (i) => login(200 + i))
    say(`  logins over ${kind}, 32 at a time, known keys ${known.perSecond.toFixed(0)}/s  ${spread(known.times)}`)
  }
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
  say(`  raw JetStream publish+ack, one at a time    ${one.perSecond.toFixed(0)}/s  ${spread(one.times)}`)
  say(`  raw JetStream publish+ack, 256 at a time    ${many.perSecond.toFixed(0)}/s`)
  await connection.close()
  return {
    one: percentile(
      one.times.toSorted((a, b) => a - b),
      0.5
    ),
    many: many.perSecond
  }
}

const online = (connection: BrokerConnection) =>
  connection.state.pipe(
    Stream.filter(({ _tag }) => _tag === "Online"),
    Stream.runHead
  )

const clients = async (home: Home, raw: { one: number; many: number }) => {
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
        const p50 = percentile(
          one.times.toSorted((x, y) => x - y),
          0.5
        )
        say(
          `  send -> stored, one at a time               ${one.perSecond.toFixed(0)}/s  ${spread(one.times)}  (${(p50 / raw.one).toFixed(2)}x raw p50)`
        )
        const many = yield* Effect.promise(() => measure(10_000, 128, send))
        say(
          `  send -> stored, 128 at a time               ${many.perSecond.toFixed(0)}/s  (${(raw.many / many.perSecond).toFixed(2)}x slower than raw)`
        )
        const signed = yield* Effect.promise(() =>
          measure(10_000, 128, () => Effect.runPromise(a!.send(bob.account, kezId(), frame, true)))
        )
        say(
          `  send -> stored and signed, 128 at a time    ${signed.perSecond.toFixed(0)}/s  (${(many.perSecond / signed.perSecond).toFixed(2)}x slower than unsigned)`
        )

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
          say(`  at ${perSecond}/s: send -> stored                     ${spread(stored)}`)
          say(`  at ${perSecond}/s: send -> delivered live             ${spread(delays)}`)
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
        say(`  catching up on ${frames} frames of 600 B      ${(frames / seconds).toFixed(0)}/s`)
        const last = (yield* c!.fetch(0)).last
        const empty = yield* Effect.promise(() => measure(500, 1, () => Effect.runPromise(c!.fetch(last))))
        say(`  empty fetch                                 ${spread(empty.times)}`)
      })
    )
  )
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
  say(`broker, ${titles[name] ?? `one server, sync_interval ${name}`}`)
  if (name === "logins") await logins(home)
  else await clients(home, await rawPublishes(home))
  await home.stop()
}
