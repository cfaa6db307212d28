/** Where a home may send its clients: real sockets that count who connects, and a DNS of our own. */
import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { createServer, type AddressInfo, type Server } from "node:net"
import { afterEach, assert, describe, it } from "vitest"
import { Effect, Redacted, Stream } from "effect"
import { Identity } from "@kez-chat/sdk/crypto"
import { HttpSigchainStore } from "@kez-chat/sdk/http"
import * as Nats from "@kez-chat/sdk/nats"
import * as NatsWebSocket from "@kez-chat/sdk/nats-websocket"
import { HomeNetwork, NodeCrypto } from "@kez-chat/sdk/node"
import { type AddressClass, Problem } from "@kez-chat/sdk/protocol"
import { Broker, type BrokerUnavailable, HomeReach, ServerUnreachable, SigchainStore } from "@kez-chat/sdk/services"

const open = new Set<Server>()
afterEach(() => {
  for (const server of open) server.close()
  open.clear()
})

/** A socket on this machine that closes whatever connects, and counts it. */
const listening = async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.on("error", () => undefined)
    socket.destroy()
  })
  open.add(server)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

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
  Effect.runPromise(
    SigchainStore.use((store) => Effect.flip(store.fetch(known))).pipe(
      Effect.provide(HttpSigchainStore.layer(options)),
      Effect.provide(NodeCrypto.layer)
    )
  )

/** Why a broker that the home named is not connected to. */
const brokerFailure = (layer: ReturnType<typeof Nats.layer>): Promise<BrokerUnavailable> =>
  Effect.runPromise(
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
    }).pipe(Effect.scoped, Effect.provide(layer), Effect.provide(NodeCrypto.layer))
  )

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

describe("a home that lies about where its parts are", () => {
  it("KEZ-REG-031 KEZ-REG-034 has nobody connect to their own machine", async () => {
    const { connections, port } = await listening()
    for (const host of hosts(port)) {
      for (const home of ["public", "private", "shared", "link_local"] as const) {
        const namedBy = reachOf(home)
        isForbidden(await sigFailure({ url: `https://${host}`, namedBy }))
        for (const error of [
          await brokerFailure(Nats.layer({ urls: [`tls://${host}`], namedBy })),
          await brokerFailure(NatsWebSocket.layer({ urls: [`wss://${host}/`], namedBy }))
        ]) {
          assert.strictEqual(error.reason, "forbidden")
          assert.include(error.message, "loopback")
          assert.include(error.message, "home.example")
        }
      }
    }
    const inBrowser = HomeReach.ofUrl("https://chat.example.org")
    const said = isForbidden(await sigFailure({ url: `https://localhost:${port}`, namedBy: inBrowser }))
    assert.include(said.message, "https://chat.example.org names localhost, a loopback address")
    assert.strictEqual(connections(), 0)
  })

  it("KEZ-REG-033 is found out when a name leads there", async () => {
    const { connections, port } = await listening()
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
      isForbidden(await sigFailure({ url: `https://sig.example:${port}`, fetch: network.named, namedBy }))
      const overTcp = await brokerFailure(Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy, resolve }))
      assert.strictEqual(overTcp.reason, "forbidden", address)
      assert.include(overTcp.message, address)
      await brokerFailure(NatsWebSocket.layer({ urls: [`wss://nats.example:${port}/`], namedBy, webSocket }))
      assert.deepStrictEqual(asked, ["sig.example", "nats.example", "nats.example"])
    }
    assert.strictEqual(connections(), 0)
  })

  it("KEZ-REG-033 gains nothing by a second answer of its DNS", async () => {
    const { connections, port } = await listening()
    // The home is on this machine, so that the first answer may be dialled; the others must never be.
    const namedBy = reachOf("loopback")
    const first = dnsOf(["127.0.0.1"], ["127.0.0.2"])
    const network = HomeNetwork.make({ home: "http://127.0.0.1:1", resolve: first.resolve, env: {} })
    assert.instanceOf(
      await sigFailure({ url: `https://sig.example:${port}`, fetch: network.named, namedBy }),
      ServerUnreachable
    )
    assert.strictEqual(first.asked.length, 1)
    assert.strictEqual(connections(), 1)
    const second = dnsOf(["127.0.0.1"], ["127.0.0.2"])
    const error = await brokerFailure(
      Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy, resolve: second.resolve })
    )
    assert.strictEqual(error.reason, "unreachable")
    assert.strictEqual(second.asked.length, 1)
    assert.strictEqual(connections(), 2)
  })

  it("connects to what it may name among what it may not", async () => {
    const { connections, port } = await listening()
    const { resolve } = dnsOf(["0.0.0.0", "192.0.2.1", "127.0.0.1"])
    const error = await brokerFailure(
      Nats.layer({ urls: [`tls://nats.example:${port}`], namedBy: reachOf("loopback"), resolve })
    )
    assert.strictEqual(error.reason, "unreachable")
    assert.strictEqual(connections(), 1)
  })

  it("KEZ-REG-033 never asks the DNS for this machine", async () => {
    const { connections, port } = await listening()
    const { asked, resolve } = dnsOf(["192.0.2.1"])
    const network = HomeNetwork.make({ home: "http://127.0.0.1:1", resolve, env: {} })
    for (const host of ["localhost", "sig.localhost"]) {
      const url = `http://${host}:${port}`
      assert.instanceOf(await sigFailure({ url, fetch: network.named, namedBy: network.reach }), ServerUnreachable)
    }
    await brokerFailure(Nats.layer({ urls: [`nats://nats.localhost:${port}`], namedBy: network.reach, resolve }))
    assert.deepStrictEqual(asked, [])
    assert.strictEqual(connections(), 3)
  })
})

describe("the kind of address of a home", () => {
  it("is that of its URL until it answers, and then that of the answer", async () => {
    assert.strictEqual(HomeNetwork.make({ home: "https://chat.example.org" }).reach.addressClass(), "public")
    assert.strictEqual(HomeNetwork.make({ home: "https://192.168.1.5" }).reach.addressClass(), "private")
    assert.strictEqual(HomeNetwork.make({ home: "https://nas.local" }).reach.addressClass(), "private")
    const { port } = await listening()
    const { resolve } = dnsOf(["127.0.0.1"])
    const network = HomeNetwork.make({ home: `http://home.example:${port}`, resolve, env: {} })
    assert.strictEqual(network.reach.addressClass(), "public")
    await network.fetch(`http://home.example:${port}/`).catch(() => undefined)
    assert.strictEqual(network.reach.addressClass(), "loopback")
  })
})

describe("proxies", () => {
  /** A proxy that notes what it is asked for, and refuses it. */
  const proxy = async () => {
    const asked: Array<string> = []
    const server = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(502).end()
    })
    server.on("connect", (request, socket) => {
      asked.push(`CONNECT ${request.url}`)
      socket.end("HTTP/1.1 502 No\r\n\r\n")
    })
    open.add(server)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
  }

  it("are those of the environment, but not for this machine", async () => {
    const { asked, url } = await proxy()
    const local = await listening()
    const { asked: lookups, resolve } = dnsOf(["127.0.0.1"])
    for (const env of [{ HTTPS_PROXY: url }, { https_proxy: url }, { HTTP_PROXY: url }]) {
      const network = HomeNetwork.make({ home: "https://chat.example.org", env, resolve })
      await network.fetch("https://chat.example.org/v1/healthz").catch(() => undefined)
      await network.named("https://sig.example.org/").catch(() => undefined)
      await network.fetch(`http://127.0.0.1:${local.port}/`).catch(() => undefined)
      await network.fetch(`http://localhost:${local.port}/`).catch(() => undefined)
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
    await network.fetch(`https://chat.example.org:${local.port}/`).catch(() => undefined)
    assert.deepStrictEqual([asked, lookups], [[], ["chat.example.org"]])
    assert.deepStrictEqual(HomeNetwork.proxiesOf({ HTTP_PROXY: "" }), { http: undefined, https: undefined, none: "" })
  })
})
