/** Nobody is dialled whom a stranger may not name: the vectors of targets, with every attempt to connect counted. */
import { EventEmitter } from "node:events"
import * as fs from "node:fs"
import { Socket } from "node:net"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NodeProofs } from "@kez-chat/sdk/node"
import { type Tools, Unreachable } from "@kez-chat/sdk/proofs"
import { proofServers } from "../../kits/proofs/ProofServers.ts"
import { serve } from "../../kits/proofs/HttpsHosts.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly input: { readonly url: string; readonly addresses?: ReadonlyArray<string> }
  readonly result?: ReadonlyArray<string> | null
}

const casesOf = (name: string): ReadonlyArray<Case> => {
  const file = path.resolve(import.meta.dirname, `../../../../spec/vectors/proofs/target.${name}.json`)
  return (JSON.parse(fs.readFileSync(file, "utf8")) as { readonly cases: ReadonlyArray<Case> }).cases
}

/** Addresses that a socket of this process tries to connect to while the scope is open. */
const attempts = Effect.acquireRelease(
  Effect.sync(() => {
    const dialled: Array<string> = []
    Object.defineProperty(Socket.prototype, "emit", {
      configurable: true,
      value(this: Socket, event: string, ...args: ReadonlyArray<unknown>) {
        if (event === "connectionAttempt") dialled.push(String(args[0]))
        return EventEmitter.prototype.emit.call(this, event, ...args)
      }
    })
    return dialled
  }),
  () => Effect.sync(() => Reflect.deleteProperty(Socket.prototype, "emit"))
)

const found = (addresses: ReadonlyArray<string>) =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))

/** Tools whose every name has these addresses, the next ones at each lookup. */
const toolsAt = (...lookups: ReadonlyArray<ReadonlyArray<string>>): Tools & { readonly lookups: () => number } => {
  let count = 0
  const tools = NodeProofs.tools({
    env: {},
    resolve: () => Promise.resolve(found(lookups[Math.min(count++, lookups.length - 1)] ?? []))
  })
  return { ...tools, lookups: () => count }
}

const asRelay = (url: string, addresses: ReadonlyArray<string>) =>
  NodeProofs.tools({
    env: {},
    relays: [url.replace(/^http/, "ws")],
    resolve: () => Promise.resolve(found(addresses))
  }).events([{}])

describe("targets of fetching", () => {
  it.live("KEZ-PRF-110 KEZ-PRF-111 of strangers who lie: none is dialled", () =>
    Effect.gen(function* () {
      const dialled = yield* attempts
      const cases = casesOf("invalid")
      assert.isAtLeast(cases.length, 60)
      for (const { id, input, why } of cases) {
        const { addresses = ["127.0.0.1"], url } = input
        const error = yield* Effect.flip(toolsAt(addresses).get(url))
        assert.strictEqual(error.reason, "forbidden", `${id}: ${why}`)
        const [relay] = yield* asRelay(url, addresses)
        if (!(relay instanceof Unreachable)) return assert.fail(`${id}: it was asked`)
        // A URL of no relay may also be refused as malformed.
        assert.include(["forbidden", "network"], relay.reason, `${id}: ${why}`)
        assert.deepStrictEqual(dialled, [], `${id}: ${why}`)
      }
    })
  )

  it.live("KEZ-PRF-111 a name is looked up once, and a public address of it is dialled", () =>
    Effect.gen(function* () {
      const dialled = yield* attempts
      // The public address among them is one that nobody has been assigned.
      const { input, result } = casesOf("valid").find(({ id }) => id === "some") ?? assert.fail()
      const tools = toolsAt(input.addresses ?? [], ["127.0.0.1"])
      yield* Effect.ignore(Effect.timeout(tools.get(input.url), "300 millis"))
      assert.strictEqual(tools.lookups(), 1)
      assert.deepStrictEqual(dialled, result)
    })
  )

  it.live("the count of dialled addresses counts", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      serve(servers.https, "site.kez.test", (_, response) => response.end("{}"))
      const dialled = yield* attempts
      yield* NodeProofs.tools(servers.options()).get("https://site.kez.test/")
      assert.deepStrictEqual(dialled, ["127.0.0.1"])
    })
  )

  it.live("KEZ-PRF-111 a certificate does not help an address inside", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      serve(servers.https, "site.kez.test", (_, response) => response.end("{}"))
      const { ca } = servers.options()
      if (ca === undefined) return assert.fail()
      const tools = NodeProofs.tools({ ca, env: {}, resolve: () => Promise.resolve(found(["127.0.0.1"])) })
      const error = yield* Effect.flip(tools.get(`https://site.kez.test:${servers.https.port}/`))
      assert.strictEqual(error.reason, "forbidden")
      assert.deepStrictEqual(servers.https.requests, [])
    })
  )

  it.live("names of a local network are not looked up", () =>
    Effect.gen(function* () {
      const servers = yield* proofServers
      const { txt } = NodeProofs.tools(servers.options())
      for (const name of ["_kez.nas.local", "_kez.a.internal", "_kez.host.localhost", "_kez.gateway.lan"]) {
        assert.strictEqual((yield* Effect.flip(txt(name))).reason, "forbidden")
      }
      assert.deepStrictEqual(servers.dns.asked, [])
    })
  )
})
