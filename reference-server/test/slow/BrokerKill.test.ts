/** What the broker acknowledged survives kill -9 of nats-server and of chat-server in mid-stream, once. */
import { NodeCrypto } from "@kez-chat/sdk/node"
import * as Nats from "@kez-chat/sdk/nats"
import * as NatsWebSocket from "@kez-chat/sdk/nats-websocket"
import { Broker } from "@kez-chat/sdk/services"
import { Context, Effect, Layer, Stream } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { makeAccount } from "../kits/Account.ts"
import { readNumbers, sendUntilStored } from "../kits/NumberedFrames.ts"
import { startTestBroker, until } from "../kits/TestBroker.ts"
import { newIdentity, post, registration, temporaryFolder } from "../kits/Servers.ts"

const count = 2_000

const pace = { bytes: 600, pauseMillis: 50 }

const once = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)
const all = Array.from({ length: count }, (_, i) => i)

describe("kill -9 in mid-stream", () => {
  let home: Home
  const folder = temporaryFolder()
  beforeAll(async () => {
    const plenty = "1000000000000"
    const more = ["--inbox-bytes", plenty, "--send-bytes-per-day", plenty]
    home = await startHome({ data: folder.path, ports: "auto", source: true, flags: { chat: more } })
  })
  afterAll(async () => {
    await home.remove()
    folder[Symbol.dispose]()
  })

  it.each(["nats", "chat"] as const)(
    "loses and repeats nothing of 2,000 sends when %s is killed three times",
    async (which) => {
      const [alice, bob] = [await newIdentity(), await newIdentity()]
      for (const [name, identity] of [
        ["alice", alice],
        ["bobby", bob]
      ] as const) {
        const answer = await post(`${home.urls.home}/v1/register`, await registration(identity, `${name}-${which}`))
        expect(answer.status).toBe(201)
      }
      const over = {
        nats: () => Nats.layer({ urls: [home.urls.nats] }),
        chat: () => NatsWebSocket.layer({ urls: [home.urls.websocket] })
      }
      let stored = 0
      const kills = (async () => {
        for (let i = 1; i <= 3; i++) {
          await until("so many are stored", () => stored > (count / 4) * i, 300_000)
          await home.processes[which].kill("SIGKILL")
          await home.processes[which].restart()
        }
      })()
      const heard = new Set<number>()
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const broker = Context.get(yield* Layer.build(over[which]().pipe(Layer.provide(NodeCrypto.layer))), Broker)
            const [a, b] = [yield* broker.connect(alice.brokerLogin), yield* broker.connect(bob.brokerLogin)]
            yield* Effect.forkScoped(
              Stream.runForEach(b.live, ({ frame }) =>
                Effect.sync(() => heard.add(new DataView(frame.buffer, frame.byteOffset).getUint32(0)))
              )
            )
            yield* Effect.forEach(
              all,
              (i) => Effect.tap(sendUntilStored(a, bob.key, i, pace), () => Effect.sync(() => void (stored += 1))),
              { concurrency: 16 }
            )
            yield* Effect.promise(() => kills)
            yield* Stream.runHead(Stream.filter(b.state, ({ _tag }) => _tag === "Online"))
            expect(once(yield* readNumbers(b))).toEqual(all)
          })
        )
      )
      expect(heard.size).toBeGreaterThan(0)
    }
  )
})

describe("three replicas", () => {
  it("lose and repeat nothing when one server after the other is killed in mid-stream", async () => {
    const unlimited = { selfBytes: 2 ** 40, selfBytesPerDay: 2 ** 40 }
    const broker = await startTestBroker({ servers: 3, limits: unlimited })
    try {
      const account = makeAccount()
      broker.register(account.hex)
      let stored = 0
      const kills = (async () => {
        for (const [i, node] of broker.nodes.entries()) {
          await until("so many are stored", () => stored > (count / 4) * (i + 1), 300_000)
          await node.kill("SIGKILL")
          await node.start()
        }
      })()
      const urls = broker.nodes.map(({ tcpPort }) => `nats://127.0.0.1:${tcpPort}`)
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const service = Context.get(
              yield* Layer.build(Nats.layer({ urls }).pipe(Layer.provide(NodeCrypto.layer))),
              Broker
            )
            const connection = yield* service.connect(account)
            yield* Effect.forEach(
              all,
              (i) =>
                Effect.tap(sendUntilStored(connection, account.account, i, pace), () =>
                  Effect.sync(() => void (stored += 1))
                ),
              { concurrency: 16 }
            )
            yield* Effect.promise(() => kills)
            yield* Stream.runHead(Stream.filter(connection.state, ({ _tag }) => _tag === "Online"))
            yield* Effect.promise(() => broker.ready())
            expect(once(yield* readNumbers(connection))).toEqual(all)
          })
        )
      )
    } finally {
      await broker.stop()
    }
  })
})
