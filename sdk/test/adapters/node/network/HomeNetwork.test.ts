/** Where a home may send its clients: real sockets that count who connects, and a DNS of our own. */
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer, type Server } from "node:net"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { Identity } from "@kez-chat/sdk/crypto"
import { HttpHomes, HttpSigchainStore } from "@kez-chat/sdk/http"
import * as Nats from "@kez-chat/sdk/nats"
import * as NatsWebSocket from "@kez-chat/sdk/nats-websocket"
import { HomeNetwork, NodeCrypto } from "@kez-chat/sdk/node"
import { type AddressClass, Problem } from "@kez-chat/sdk/protocol"
import { Broker, HomeReach, Homes, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"

/** Listens on a port of this machine until the scope closes. */
const bound = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

/** Waits for a request, whatever comes of it. */
const ignored = (request: () => Promise<unknown>) => Effect.ignore(Effect.tryPromise(request))

/** A socket on this machine that closes whatever connects, and counts it. */
const listening = Effect.suspend(() => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on("error", () => undefined)
    socket.destroy()
  })
  return Effect.map(bound(server), (port) => ({ port, connections: () => connections }))
})

/** A DNS that answers in turn, the last answer again and again. */
const dnsOf = (...answers: ReadonlyArray<ReadonlyArray<string>>) => {
  const asked: Array<string> = []
  const resolve = (host: string) => {
    asked.push(host)
    const found = answers[Math.min(asked.length, answers.length) - 1] ?? []
    return Promise.resolve(found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))
  }
  return { asked, resolve }
}

const reachOf = (addressClass: AddressClass.AddressClass): HomeReach.HomeReach => ({
  home: "https://home.example",
  addressClass: () => addressClass
})

const known = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"

/** How asking a sig-server fails that the home named. */
const sigFailure = (options: HttpSigchainStore.HttpSigchainStoreOptions) =>
  SigchainStore.use((store) => Effect.flip(store.fetch(known))).pipe(Effect.provide(HttpSigchainStore.layer(options)))

/** Why a broker that the home named is not connected to. */
const brokerFailure = (broker: ReturnType<typeof Nats.layer>) =>
  Effect.gen(function* () {
    const identity = yield* Identity.fromSeed(Redacted.make(new Uint8Array(32).fill(7)))
    const broker = yield* Broker
    const connection = yield* broker.connect(identity.brokerLogin)
    const states = yield* connection.state.pipe(
      Stream.filter(({ _tag }) => _tag === "Offline"),
      Stream.take(1),
      Stream.runCollect
    )
    const [state] = states
    if (state?._tag !== "Offline") throw new Error("it did not fail")
    return state.error
  }).pipe(Effect.scoped, Effect.provide(broker))

const isForbidden = (error: unknown) => {
  assert.instanceOf(error, Problem.Problem)
  assert.strictEqual((error as Problem.Problem).code, "address_forbidden")
  return error as Problem.Problem
}

const hosts = (port: number) => [
  `127.0.0.1:${port}`,
  `localhost:${port}`,
  `127.1:${port}`,
  `[::ffff:127.0.0.1]:${port}`
]

layer(NodeCrypto.layer, { excludeTestServices: true })("a home that lies about where its parts are", (it) => {
  it.effect("KEZ-REG-031 KEZ-REG-034 has nobody connect to their own machine", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      for (const host of hosts(port)) {
        for (const home of ["public", "private", "shared", "link_local"] as const) {
          const namedBy = reachOf(home)
          isForbidden(yield* sigFailure({ url: `https://${host}`, namedBy }))
          for (const error of [
            yield* brokerFailure(Nats.layer({ urls: [`tls://${host}`], namedBy })),
            yield* brokerFailure(NatsWebSocket.layer({ urls: [`wss://${host}/`], namedBy }))
          ]) {
            assert.strictEqual(error.reason, "forbidden")
            assert.include(error.message, "loopback")
            assert.include(error.message, "home.example")
          }
        }
      }
      const inBrowser = HomeReach.ofUrl("https://chat.example.org")
      const said = isForbidden(yield* sigFailure({ url: `https://localhost:${port}`, namedBy: inBrowser }))
      assert.include(said.message, "https://chat.example.org names localhost, a loopback address")
      assert.strictEqual(connections(), 0)
    })
  )

  it.effect("KEZ-REG-033 is found out when a name leads there", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      for (const address of [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "192.0.2.1"
      ]) {
        const { asked, resolve } = dnsOf([address])
        const namedBy = reachOf("public")
        const network = HomeNetwork.make({ home: "https://home.example", resolve, env: {} })
        const { webSocket } = network
        isForbidden(yield* sigFailure({ url: `https://sig.example:${port}`, fetch: network.named, namedBy }))
        const overTcp = yield* brokerFailure(Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy, resolve }))
        assert.strictEqual(overTcp.reason, "forbidden", address)
        assert.include(overTcp.message, address)
        yield* brokerFailure(NatsWebSocket.layer({ urls: [`wss://nats.example:${port}/`], namedBy, webSocket }))
        assert.deepStrictEqual(asked, ["sig.example", "nats.example", "nats.example"])
      }
      assert.strictEqual(connections(), 0)
    })
  )

  it.effect("KEZ-REG-033 gains nothing by a second answer of its DNS", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      // The home is on this machine, so that the first answer may be dialled; the others must never be.
      const namedBy = reachOf("loopback")
      const first = dnsOf(["127.0.0.1"], ["127.0.0.2"])
      const network = HomeNetwork.make({ home: "http://127.0.0.1:1", resolve: first.resolve, env: {} })
      assert.instanceOf(
        yield* sigFailure({ url: `https://sig.example:${port}`, fetch: network.named, namedBy }),
        ServerUnreachable
      )
      assert.strictEqual(first.asked.length, 1)
      assert.strictEqual(connections(), 1)
      const second = dnsOf(["127.0.0.1"], ["127.0.0.2"])
      const error = yield* brokerFailure(
        Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy, resolve: second.resolve })
      )
      assert.strictEqual(error.reason, "unreachable")
      assert.strictEqual(second.asked.length, 1)
      assert.strictEqual(connections(), 2)
    })
  )

  it.effect("connects to what it may name among what it may not", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      const { resolve } = dnsOf(["0.0.0.0", "192.0.2.1", "127.0.0.1"])
      const error = yield* brokerFailure(
        Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy: reachOf("loopback"), resolve })
      )
      assert.strictEqual(error.reason, "unreachable")
      assert.strictEqual(connections(), 1)
    })
  )

  it.effect("KEZ-REG-033 never asks the DNS for this machine", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      const { asked, resolve } = dnsOf(["192.0.2.1"])
      const network = HomeNetwork.make({ home: "http://127.0.0.1:1", resolve, env: {} })
      for (const host of ["localhost", "sig.localhost"]) {
        const url = `http://${host}:${port}`
        assert.instanceOf(yield* sigFailure({ url, fetch: network.named, namedBy: network.reach }), ServerUnreachable)
      }
      yield* brokerFailure(Nats.layer({ urls: [`nats://nats.localhost:${port}`], namedBy: network.reach, resolve }))
      assert.deepStrictEqual(asked, [])
      assert.strictEqual(connections(), 3)
    })
  )
})

layer(NodeCrypto.layer, { excludeTestServices: true })("the kind of address of a home", (it) => {
  it.effect("is that of its URL until it answers, and then that of the answer", () =>
    Effect.gen(function* () {
      assert.strictEqual(HomeNetwork.make({ home: "https://chat.example.org" }).reach.addressClass(), "public")
      assert.strictEqual(HomeNetwork.make({ home: "https://192.168.1.5" }).reach.addressClass(), "private")
      assert.strictEqual(HomeNetwork.make({ home: "https://nas.local" }).reach.addressClass(), "private")
      const { port } = yield* listening
      const { resolve } = dnsOf(["127.0.0.1"])
      const network = HomeNetwork.make({ home: `http://home.example:${port}`, resolve, env: {} })
      assert.strictEqual(network.reach.addressClass(), "public")
      yield* ignored(() => network.fetch(`http://home.example:${port}/`))
      assert.strictEqual(network.reach.addressClass(), "loopback")
    })
  )
})

layer(NodeCrypto.layer, { excludeTestServices: true })("homes of other people", (it) => {
  it.effect("KEZ-REG-102 are dialled at public addresses only, looked up once", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      const addresses = [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "0.0.0.0",
        "::",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255"
      ]
      for (const address of addresses) {
        const { asked, resolve } = dnsOf([address], ["93.184.215.14"])
        const layer = HttpHomes.layer({ network: HomeNetwork.others({ resolve, env: {} }) })
        const home = Homes.use((homes) => Effect.flip(homes.at("b.example"))).pipe(Effect.provide(layer))
        const { message } = isForbidden(yield* home)
        assert.include(message, `b.example (${address})`)
        assert.deepStrictEqual(asked, ["b.example"])
        // A port of its own, as no handle can have it: what a home names can.
        const { fetch } = HomeNetwork.others({ resolve: dnsOf([address]).resolve, env: {} })("b.example", undefined)
        const failure = yield* Effect.flip(Effect.tryPromise(() => fetch(`https://sig.example:${port}/`)))
        assert.instanceOf((failure.cause as Error).cause, Problem.Problem)
      }
      assert.strictEqual(connections(), 0)
    })
  )

  it.effect("that the user says are here are dialled here", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* listening
      const { resolve } = dnsOf(["127.0.0.1"])
      const network = HomeNetwork.others({ resolve, env: {} })
      const layer = HttpHomes.layer({ urls: { "b.example": `https://b.lan:${port}` }, network })
      const failure = yield* Homes.use((homes) => Effect.flip(homes.at("b.example"))).pipe(Effect.provide(layer))
      assert.instanceOf(failure, ServerUnreachable)
      assert.strictEqual(connections(), 1)
    })
  )
})

layer(NodeCrypto.layer, { excludeTestServices: true })("proxies", (it) => {
  /** A proxy that notes what it is asked for, and refuses it. */
  const proxy = Effect.suspend(() => {
    const asked: Array<string> = []
    const server = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(502).end()
    })
    server.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`)
      socket.end("HTTP/1.1 502 No\r\n\r\n")
    })
    return Effect.map(bound(server), (port) => ({ url: `http://127.0.0.1:${port}`, asked }))
  })

  it.effect("are those of the environment, but not for this machine", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* proxy
      const local = yield* listening
      const { asked: lookups, resolve } = dnsOf(["127.0.0.1"])
      for (const env of [{ HTTPS_PROXY: url }, { https_proxy: url }, { HTTP_PROXY: url }]) {
        const network = HomeNetwork.make({ home: "https://chat.example.org", env, resolve })
        yield* ignored(() => network.fetch("https://chat.example.org/v1/healthz"))
        yield* ignored(() => network.named("https://sig.example.org/"))
        yield* ignored(() => network.fetch(`http://127.0.0.1:${local.port}/`))
        yield* ignored(() => network.fetch(`http://localhost:${local.port}/`))
        assert.deepStrictEqual(asked.splice(0), ["CONNECT chat.example.org:443", "CONNECT sig.example.org:443"])
        // Behind a proxy nothing is learned of the home's address.
        assert.strictEqual(network.reach.addressClass(), "public")
      }
      assert.strictEqual(local.connections(), 6)
      assert.deepStrictEqual(lookups, [])
      const network = HomeNetwork.make({
        home: "https://chat.example.org",
        env: { HTTPS_PROXY: url, NO_PROXY: "other.test, .example.org" },
        resolve
      })
      yield* ignored(() => network.fetch(`https://chat.example.org:${local.port}/`))
      assert.deepStrictEqual([asked, lookups], [[], ["chat.example.org"]])
      assert.deepStrictEqual(HomeNetwork.proxiesOf({ HTTP_PROXY: "" }), { http: undefined, https: undefined, none: "" })
    })
  )
})
