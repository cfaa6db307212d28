/** Files between two devices on all kinds of networks, each host and router a network namespace of this machine. */
import * as process from "node:process"
import { Effect } from "effect"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { buildPeer, irohPeer, whyNoPeer } from "../../../deploy/tasks/RustPeers.ts"
import { makeNetwork, type Place, whyNoNetworks } from "../kits/networks/Hosts.ts"
import { give, type Outcome, startRelay, take } from "../kits/networks/Transfers.ts"

const why = whyNoNetworks() ?? (await whyNoPeer(irohPeer))
if (why !== undefined) process.stderr.write(`No tests of networks: ${why}.\n`)
if (why !== undefined && process.env["KEZ_NO_SKIP"]) throw new Error(`no tests of networks: ${why}`)

const mebibyte = 1024 * 1024
const size = 2 * mebibyte

interface Case {
  readonly name: string
  readonly owner?: Place
  readonly reader?: Place
  /** Both devices use no relay. */
  readonly withoutRelay?: true
  /** How the bytes come; a sentence if they cannot. */
  readonly path: "direct" | "relayed" | RegExp
}

const cone: Place = { nat: "cone" }
const symmetric: Place = { nat: "symmetric" }
const noUdp: Place = { blocksUdp: true, nat: "cone" }
const hint = /did not answer within 10 s: without a relay, firewalls and routers/

const cases: ReadonlyArray<Case> = [
  { name: "two public addresses", path: "direct" },
  { name: "two public addresses, no relay", withoutRelay: true, path: "direct" },
  { name: "the owner behind a cone NAT", owner: cone, path: "direct" },
  { name: "the reader behind a cone NAT", reader: cone, path: "direct" },
  { name: "the owner behind a symmetric NAT", owner: symmetric, path: "direct" },
  { name: "the reader behind a symmetric NAT", reader: symmetric, path: "direct" },
  { name: "both behind cone NATs", owner: cone, reader: cone, path: "relayed" },
  { name: "both behind symmetric NATs", owner: symmetric, reader: symmetric, path: "relayed" },
  { name: "the owner behind a NAT, no relay", owner: cone, withoutRelay: true, path: hint },
  { name: "no UDP at the owner", owner: noUdp, path: "relayed" },
  { name: "no UDP at the reader", reader: noUdp, path: "relayed" },
  { name: "no UDP at the reader, no relay", reader: noUdp, withoutRelay: true, path: hint },
  { name: "IPv6 alone", owner: { onlyV6: true }, reader: { onlyV6: true }, path: "direct" },
  { name: "packets of 1,280 bytes", owner: { mtu: 1280 }, reader: { mtu: 1280 }, path: "direct" },
  { name: "5 % of all packets lost", owner: { lossPercent: 5 }, reader: { lossPercent: 5 }, path: "direct" },
  { name: "30 ms each way", reader: { delayMillis: 30 }, path: "direct" }
]

describe.skipIf(why !== undefined)("files between devices", { concurrent: true, timeout: 120_000 }, () => {
  let peer: string
  beforeAll(async () => void (peer = await buildPeer(irohPeer)), 2_700_000)

  /** Two devices and a relay; what became of a fetch, and how many bytes came over the relay meanwhile. */
  const transfer = Effect.fnUntraced(function* ({
    owner = {},
    reader = {},
    withoutRelay
  }: Omit<Case, "name" | "path">) {
    const network = yield* makeNetwork
    // The first host of a network has the number 10.
    const relayHost = yield* network.host("relay")
    const port = yield* startRelay(peer, relayHost)
    const address = owner.onlyV6 === true ? "[2001:db8::10]" : "203.0.113.10"
    const relay = withoutRelay === true ? "direct" : `http://${address}:${port}/`
    const giver = yield* network.host("owner", owner)
    const taker = yield* network.host("reader", reader)
    const addresses = yield* give(giver, size, relay)
    const before = relayHost.received()
    const outcome = yield* take(taker, size, relay, addresses)
    return { outcome, relayed: relayHost.received() - before }
  }, Effect.scoped)

  for (const { name, path, ...places } of cases) {
    it.live(name, () =>
      Effect.gen(function* () {
        const { outcome, relayed } = yield* transfer(places)
        if (path instanceof RegExp) {
          assert.match(outcome.error ?? "", path)
          assert.isBelow(outcome.millis ?? Infinity, 30_000)
          return
        }
        assert.deepInclude(outcome, { whole: true, path } satisfies Outcome)
        // What the transport says is what the relay saw.
        if (path === "relayed") assert.isAtLeast(relayed, size)
        else assert.isBelow(relayed, size / 4)
      })
    )
  }

  it.live("a reader that changes its network in the middle of a transfer", () =>
    Effect.gen(function* () {
      const network = yield* makeNetwork
      const giver = yield* network.host("owner")
      const taker = yield* network.host("reader")
      const large = 24 * mebibyte
      const addresses = yield* give(giver, large, "direct")
      let hasMoved = false
      const outcome = yield* take(taker, large, "direct", addresses, () => {
        if (!hasMoved) network.moves(taker)
        hasMoved = true
      })
      assert.isTrue(hasMoved)
      assert.deepInclude(outcome, { whole: true })
    }).pipe(Effect.scoped)
  )
})
