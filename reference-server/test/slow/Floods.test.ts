/** Every kind of flood beside honest users, each in processes of its own: one server on both ports, then three servers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { burst, endure, type FloodOptions, gatewayFalls, plenty } from "../kits/floods/Floods.ts"
import { kinds } from "../kits/floods/Kinds.ts"
import { startTestBroker, type TestBroker } from "../kits/TestBroker.ts"

const limitMillis = 1_000

describe.each([1, 3] as const)("floods on %i server(s)", (servers) => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ servers, limits: plenty, inboxBytes: 2 * 1024 ** 3 })
  })
  afterAll(() => broker.stop())

  const transports = servers === 1 ? (["tcp", "websocket"] as const) : (["tcp"] as const)
  const floods = kinds.flatMap((kind) =>
    transports.map((transport): FloodOptions => ({ kind, transport, connectionsPerAccount: 8, seconds: 2 }))
  )
  const oneConnection: FloodOptions = { kind: "tiny sends", transport: "tcp", perSecond: 30_000, seconds: 3 }
  it.each([oneConnection, ...floods])(
    "KEZ-NAT-049 KEZ-NAT-050 answers honest users within a second beside $kind over $transport",
    async (options) => {
      const report = await endure(broker, options)
      expect(report.sends.count).toBeGreaterThan(10)
      expect([report.sends.unanswered, report.fetches.unanswered, report.honestClosed]).toEqual([0, 0, 0])
      expect([report.sends.refused, report.fetches.refused]).toEqual([{}, {}])
      expect(report.sends.p99).toBeLessThan(limitMillis)
      expect(report.fetches.p99).toBeLessThan(limitMillis)
      expect(await gatewayFalls(broker)).toBe(0)
      expect((await broker.status()).ready).toBe(true)
    }
  )

  it("KEZ-NAT-049 answers everybody beside ten accounts with eight connections each, all of them flooding", async () => {
    const report = await endure(broker, { kind: "tiny sends", accounts: 10, connectionsPerAccount: 8, seconds: 3 })
    expect([report.sends.unanswered, report.fetches.unanswered, report.honestClosed]).toEqual([0, 0, 0])
    expect(await gatewayFalls(broker)).toBe(0)
  })

  it("KEZ-NAT-049 stores 360 full frames that 120 users send at the same moment, before any of them gives up", async () => {
    for (let i = 0; i < 3; i++) {
      const { answers, millis } = await burst(broker, 120, 3)
      expect(answers).toEqual(Array.from({ length: 360 }, () => '{"ok":1}'))
      // What is stored follows the disk: half a second where nothing else uses it. A client waits ten.
      expect(Math.max(...millis)).toBeLessThan(5 * limitMillis)
    }
    expect(await gatewayFalls(broker)).toBe(0)
  })
})
