import * as Nats from "@kez-chat/sdk/nats"
import * as NatsWebSocket from "@kez-chat/sdk/nats-websocket"
import { NodeCrypto } from "@kez-chat/sdk/node"
import { Broker, type ConnectionState } from "@kez-chat/sdk/services"
import { Context, Effect, Exit, Layer, Scope, Stream } from "effect"
import { createServer } from "node:net"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { kezId, makeAccount } from "../../kits/Account.ts"
import { cutsAfterLogin } from "../../kits/CutConnections.ts"
import { startTestBroker, type TestBroker, until } from "../../kits/TestBroker.ts"

const transports = {
  tcp: (url: string) => Nats.layer({ urls: [url] }),
  websocket: (url: string) => NatsWebSocket.layer({ urls: [url] })
} as const

describe.each(["tcp", "websocket"] as const)("a client's session over %s", (kind) => {
  let broker: TestBroker
  const scopes: Array<Scope.Closeable> = []
  beforeAll(async () => {
    broker = await startTestBroker({ sessionSeconds: 2 })
  })
  afterEach(async () => {
    for (const scope of scopes.splice(0)) await Effect.runPromise(Scope.close(scope, Exit.void))
  })
  afterAll(() => broker.stop())

  /** A connection that lives until the test ends, with every state it went through. */
  const connect = async (
    account: ReturnType<typeof makeAccount>,
    url = kind === "tcp" ? broker.tcp : broker.websocket
  ) => {
    const scope = await Effect.runPromise(Scope.make())
    scopes.push(scope)
    const layer = transports[kind](url).pipe(Layer.provide(NodeCrypto.layer))
    const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
    const connection = await Effect.runPromise(Scope.provide(Context.get(context, Broker).connect(account), scope))
    const states: Array<ConnectionState> = []
    Effect.runFork(Stream.runForEach(connection.state, (state) => Effect.sync(() => states.push(state))))
    return { connection, states, tags: () => states.map(({ _tag }) => _tag) }
  }
  const registered = () => {
    const account = makeAccount()
    broker.register(account.hex)
    return account
  }

  it("KEZ-NAT-053 comes back when the home closes it, and after the third time waits and says why", async () => {
    const account = makeAccount()
    broker.register(account.hex)
    const { states, tags } = await connect(account)
    for (let time = 1; time <= 3; time++) {
      await until("it is online", () => tags().filter((tag) => tag === "Online").length === time)
      await broker.kick(account.hex)
    }
    await until("it says why", () => states.at(-1)!._tag === "Offline")
    const last = states.at(-1)!
    expect(last._tag === "Offline" && last.error.reason).toBe("evicted")
    expect(last._tag === "Offline" && last.error.detail).toMatch(/closed the connection three times.*ten minutes/)
    const { accepted } = (await broker.status()).logins
    const other = makeAccount()
    broker.register(other.hex)
    const bystander = await connect(other)
    await until("another comes online meanwhile", () => bystander.tags().includes("Online"))
    expect((await broker.status()).logins.accepted).toBe(accepted + 1)
    expect(states.at(-1)).toBe(last)
  })

  it("KEZ-NAT-007 KEZ-NAT-014 logs in again when a login runs out, without an outage in between", async () => {
    const account = registered()
    const { connection, states, tags } = await connect(account)
    await until("three logins", () => tags().filter((tag) => tag === "Online").length >= 3)
    expect(tags()).not.toContain("Offline")
    const online = states.filter(({ _tag }) => _tag === "Online")
    expect(online[1]!.since - online[0]!.since).toBeGreaterThan(1_000)
    await Effect.runPromise(
      connection.send(account.account, kezId(), Uint8Array.of(1)).pipe(Effect.retry({ times: 5 }))
    )
  })

  it("does not hammer a server that refuses it", async () => {
    const before = (await broker.status()).logins.refused
    const { tags } = await connect(makeAccount())
    await until("refused", () => tags().includes("Offline"))
    const other = await connect(registered())
    await until("another client had two logins", () => other.tags().filter((tag) => tag === "Online").length >= 2)
    expect((await broker.status()).logins.refused - before).toBe(1)
  })

  it("calls a login that nobody answers an outage, not a refusal", async () => {
    await broker.stopResponders()
    const account = registered()
    const { states, tags } = await connect(account)
    await until("offline", () => tags().includes("Offline"))
    expect(states.find(({ _tag }) => _tag === "Offline")).toMatchObject({ error: { reason: "timeout" } })
    await broker.startResponders()
    await broker.ready()
    await until("online", () => tags().includes("Online"))
  })

  it("says that nobody answers when chat-server is away", async () => {
    const account = registered()
    const { connection, tags } = await connect(account)
    await until("online", () => tags().includes("Online"))
    await broker.stopResponders()
    const error = await Effect.runPromise(Effect.flip(connection.send(account.account, kezId(), Uint8Array.of(1))))
    expect(error).toMatchObject({ _tag: "BrokerUnavailable" })
    await broker.startResponders()
    await broker.ready()
  })

  it("is offline, with a sentence, where nothing listens or something else does", async () => {
    const scheme = kind === "tcp" ? "nats" : "ws"
    const sink = createServer((socket) => {
      socket.on("error", () => undefined)
      socket.end("SSH-2.0-OpenSSH_9.6\r\n", () => socket.destroy())
    })
    await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve))
    const { port } = sink.address() as { port: number }
    const wrong = await connect(makeAccount(), `${scheme}://127.0.0.1:${port}`)
    await until("offline", () => wrong.tags().includes("Offline"))
    await new Promise((resolve) => sink.close(resolve))
    const nobody = await connect(makeAccount(), `${scheme}://127.0.0.1:${port}`)
    await until("offline", () => nobody.tags().includes("Offline"))
    const strange = await connect(makeAccount(), "https://127.0.0.1")
    await until("offline", () => strange.tags().includes("Offline"))
    for (const { states } of [wrong, nobody, strange]) {
      const offline = states.find(({ _tag }) => _tag === "Offline")
      expect(offline).toMatchObject({ error: { reason: "unreachable" } })
      expect(offline?._tag === "Offline" && offline.error.detail.length > 5).toBe(true)
    }
  })

  if (kind === "tcp") {
    it("dials again when a connection is lost between its login and its first subscription", async () => {
      const { dials, url, [Symbol.asyncDispose]: stop } = await cutsAfterLogin()
      const { tags } = await connect(makeAccount(), url)
      await until("dialled again", () => dials() > 1)
      expect(tags()).not.toContain("Online")
      await stop()
    })

    it("KEZ-NAT-002 KEZ-NAT-003 signs nothing for a broker with a strange nonce and does not stay connected", async () => {
      const heard: Array<string> = []
      const hostile = createServer((socket) => {
        socket.on("error", () => undefined)
        socket.write(
          `INFO ${JSON.stringify({ server_id: "x", version: "2.15.1", proto: 1, headers: true, max_payload: 1_048_576, nonce: "kez.chat.handle_registration" })}\r\n`
        )
        socket.on("data", (bytes) => {
          heard.push(bytes.toString())
          if (bytes.includes("PING")) socket.write("PONG\r\n")
        })
      })
      await new Promise<void>((resolve) => hostile.listen(0, "127.0.0.1", resolve))
      const { port } = hostile.address() as { port: number }
      const { states, tags } = await connect(makeAccount(), `nats://127.0.0.1:${port}`)
      await until("offline", () => tags().includes("Offline"))
      expect(states.find(({ _tag }) => _tag === "Offline")).toMatchObject({ error: { reason: "unauthorized" } })
      expect(tags()).not.toContain("Online")
      expect(heard.join("")).toContain("CONNECT")
      expect(heard.join("")).not.toMatch(/"sig"|"nkey"|"name"/)
      await new Promise((resolve) => hostile.close(resolve))
    })
  }
})

describe("several chat-servers", () => {
  it("share logins, sends and fetches, and outlive each other", async () => {
    const broker = await startTestBroker()
    try {
      const second = await broker.startAnother()
      const account = makeAccount()
      broker.register(account.hex)
      const layer = Nats.layer({ urls: [broker.tcp] }).pipe(Layer.provide(NodeCrypto.layer))
      await Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const service = Context.get(yield* Layer.build(layer), Broker)
            const connections = yield* Effect.forEach(Array.from({ length: 8 }), () => service.connect(account))
            yield* Effect.forEach(connections, ({ state }) =>
              state.pipe(
                Stream.filter(({ _tag }) => _tag === "Online"),
                Stream.runHead
              )
            )
            const [connection] = connections
            const store = (count: number) =>
              Effect.forEach(
                Array.from({ length: count }),
                () => connection!.send(account.account, kezId(), Uint8Array.of(1)).pipe(Effect.retry({ times: 20 })),
                { concurrency: 8 }
              )
            yield* store(60)
            expect((yield* connection!.fetch(0)).frames).toHaveLength(60)
            const first = yield* Effect.promise(() => broker.status())
            const other = yield* Effect.promise(() => second.status())
            expect(first.sends.stored + other.sends.stored).toBe(60)
            expect(first.sends.stored).toBeGreaterThan(0)
            expect(other.sends.stored).toBeGreaterThan(0)
            expect(first.logins.accepted + other.logins.accepted).toBe(8)
            // A cursor that one instance made known to the client means something to the other.
            for (let i = 0; i < 10; i++) {
              yield* store(1)
              const page = yield* connection!.fetch(0)
              const last = page.frames.at(-1)!.seq
              for (let j = 0; j < 4; j++)
                expect((yield* connection!.fetch(last, page.epoch)).last).toBeGreaterThanOrEqual(last)
            }
            yield* Effect.promise(() => broker.stopResponders())
            yield* store(20)
            expect((yield* connection!.fetch(0)).frames).toHaveLength(90)
          })
        )
      )
      // The one that is left closes what the other let in.
      broker.unregister(account.hex)
      await second.kick(account.hex)
      await second.stop()
    } finally {
      await broker.stop()
    }
  })
})
