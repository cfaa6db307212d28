/**
 * A home of three nats-servers with three replicas, two chat-servers and two sig-servers on one PostgreSQL: every
 * process is restarted in turn, and one of each kind is killed, while people send and write sigchains.
 */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import { Broker, type BrokerConnection } from "@kez-chat/sdk/services"
import { Context, Effect, Layer, Stream } from "effect"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readNumbers, sendUntilStored } from "../kits/NumberedFrames.ts"
import { observe } from "../kits/Observer.ts"
import { hasPostgres, type PostgresServer, startPostgres } from "../kits/PostgresServer.ts"
import {
  endpointEvent,
  get,
  type Identity,
  newIdentity,
  post,
  registration,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"
import { startTestBroker, type TestBroker, until } from "../kits/TestBroker.ts"

const pace = { bytes: 600, pauseMillis: 50 }
const plenty = "1000000000000"

describe.skipIf(!hasPostgres())("a home on several servers of each kind", () => {
  let postgres: PostgresServer
  let broker: TestBroker
  const folder = temporaryFolder()
  const chats: Array<Running> = []
  const sigs: Array<Running> = []

  const isOk = async (url: string) => (await get(`${url}/v1/healthz`).catch(() => ({ status: 0 }))).status === 200
  const isHealthy = ({ url }: Running) => until(`${url} is healthy`, () => isOk(url), 60_000)
  const natsUrls = () => broker.nodes.map(({ tcpPort }) => `nats://127.0.0.1:${tcpPort}`)

  const startChatAt = async (i: number) => {
    const stores = ["--db", postgres.url("chat"), "--keys-dir", join(broker.folder, "keys")]
    const nats = ["--nats-url", natsUrls().join(","), "--replicas", "3", "--store-bytes", `${256 * 1024 ** 2}`]
    const quotas = ["--inbox-bytes", plenty, "--send-bytes-per-day", plenty, "--sig-server-url", sigs[0]!.url]
    chats[i] = await startChat(folder.path, [...stores, ...nats, ...quotas])
  }
  const startSigAt = async (i: number) => {
    // The same port again, which the chat-servers watch.
    const port = ["--port", `${sigs[i]?.port ?? 0}`]
    sigs[i] = await startSig(folder.path, [...port, "--db", postgres.url("sig")])
  }
  const replicasAreCurrent = async (node: number) => {
    const observer = await observe(broker, node)
    await until("all replicas are current", () => observer.healthy().catch(() => false), 60_000)
    await observer.close()
  }

  beforeAll(async () => {
    postgres = await startPostgres({ durable: true })
    await Promise.all(["chat", "sig"].map((name) => postgres.create(name)))
    broker = await startTestBroker({ servers: 3, withoutResponders: true })
    for (const i of [0, 1]) await startSigAt(i)
    for (const i of [0, 1]) await startChatAt(i)
    await Promise.all(chats.map(isHealthy))
  })
  afterAll(async () => {
    await Promise.all([...chats, ...sigs].map((server) => server.stop("SIGKILL")))
    await broker?.stop()
    await postgres?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  /** Each step ends when its process serves again, so that never two are away. */
  const restarts: ReadonlyArray<readonly [string, () => Promise<unknown>]> = (["SIGTERM", "SIGKILL"] as const).flatMap(
    (signal) => {
      // In turn; then one of each kind is killed.
      const which = signal === "SIGTERM" ? [0, 1, 2] : [1]
      return [
        ...which.slice(0, 2).map(
          (i) =>
            [
              `chat-server ${i}, ${signal}`,
              async () => {
                await chats[i]!.stop(signal)
                await startChatAt(i)
                await isHealthy(chats[i]!)
              }
            ] as const
        ),
        ...which.slice(0, 2).map(
          (i) =>
            [
              `sig-server ${i}, ${signal}`,
              async () => {
                await sigs[i]!.stop(signal)
                await startSigAt(i)
              }
            ] as const
        ),
        ...which.map(
          (i) =>
            [
              `nats-server ${i}, ${signal}`,
              async () => {
                await broker.nodes[i]!.kill(signal)
                await broker.nodes[i]!.start()
                await replicasAreCurrent((i + 1) % 3)
                await Promise.all(chats.map(isHealthy))
              }
            ] as const
        ),
        [
          `PostgreSQL, ${signal}`,
          async () => {
            await postgres.stop(signal === "SIGTERM" ? "SIGINT" : signal)
            await postgres.start()
            await Promise.all([...chats, ...sigs].map(isHealthy))
          }
        ] as const
      ]
    }
  )

  it("loses and repeats nothing while every process is restarted in turn and one of each kind is killed", async () => {
    const [alice, bob, writer] = [await newIdentity(), await newIdentity(), await newIdentity()]
    for (const [i, identity] of [alice, bob].entries()) {
      const answer = await post(`${chats[i]!.url}/v1/register`, await registration(identity, `person${i}`))
      expect(answer.status).toBe(201)
    }
    const ended = new AbortController()
    const stored = [0, 0]
    const appended: Array<string> = []
    const heard = new Set<number>()

    /** Four lanes of sends, each with the next number once its last is stored. */
    const keepSending = (who: 0 | 1, from: BrokerConnection, to: Identity) => {
      let next = 0
      const lane = Effect.whileLoop({
        while: () => !ended.signal.aborted,
        body: () => Effect.suspend(() => sendUntilStored(from, to.key, next++, pace)),
        step: () => void (stored[who]! += 1)
      })
      return Effect.as(Effect.all([lane, lane, lane, lane], { concurrency: 4, discard: true }), () => next)
    }
    /** Appends to a chain at whichever sig-server answers; an event that may be appended is sent again as it is. */
    const keepWriting = async () => {
      let head: { seq: number; hash: string } | undefined
      for (let i = 0; !ended.signal.aborted;) {
        const event = await endpointEvent(writer, head)
        for (let answered = false; !answered;) {
          const url = `${sigs[i++ % 2]!.url}/v1/sigchains/ed25519/${writer.key.hex}/events`
          const answer = await post(url, event).catch(() => undefined)
          if (answer?.status === 201 || answer?.status === 200) {
            head = answer.json as unknown as NonNullable<typeof head>
            appended.push(head.hash)
            answered = true
          } else {
            if (answer !== undefined) expect([answer.status, answer.json["code"]]).toEqual([503, "unavailable"])
            await new Promise((resolve) => setTimeout(resolve, pace.pauseMillis))
          }
        }
      }
    }

    const work = async () => {
      for (const [name, restart] of restarts) {
        const before = [...stored, appended.length]
        await restart()
        const now = () => [...stored, appended.length]
        await until(`mail and events after ${name}`, () => now().every((n, i) => n > before[i]! + 10), 60_000)
      }
    }
    const writing = keepWriting()
    const working = work().finally(() => ended.abort())
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const layer = Nats.layer({ urls: natsUrls() }).pipe(Layer.provide(NodeCrypto.layer))
          const service = Context.get(yield* Layer.build(layer), Broker)
          const [a, b] = [yield* service.connect(alice.brokerLogin), yield* service.connect(bob.brokerLogin)]
          yield* Effect.forkScoped(
            Stream.runForEach(b.live, ({ frame }) =>
              Effect.sync(() => heard.add(new DataView(frame.buffer, frame.byteOffset).getUint32(0)))
            )
          )
          const counts = yield* Effect.all([keepSending(0, a, bob), keepSending(1, b, alice)], { concurrency: 2 })
          yield* Effect.promise(() => working)
          for (const [i, connection] of [b, a].entries()) {
            yield* Stream.runHead(Stream.filter(connection.state, ({ _tag }) => _tag === "Online"))
            const numbers = (yield* readNumbers(connection)).toSorted((x, y) => x - y)
            expect(numbers).toEqual(Array.from({ length: counts[i]!() }, (_, n) => n))
          }
        })
      )
    )
    await writing
    expect(heard.size).toBeGreaterThan(0)
    const { text } = await get(`${sigs[0]!.url}/v1/sigchains/ed25519/${writer.key.hex}`)
    const seqs = text.trim().split("\n").length
    expect([new Set(appended).size, seqs]).toEqual([appended.length, appended.length])
  })
})
