/** Floods beside honest users, short; test/slow/floods.test.ts has every kind, on both ports and on three servers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { burst, endure, type FloodOptions, gatewayFalls, plenty } from "../../kits/floods/Floods.ts"
import { startTestBroker, type TestBroker } from "../../kits/TestBroker.ts"

describe("one account cannot hold up others", () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startTestBroker({ limits: plenty, inboxBytes: 2 * 1024 ** 3 })
  })
  afterAll(() => broker.stop())

  const floods: ReadonlyArray<FloodOptions> = [
    { kind: "tiny sends", perSecond: 30_000, seconds: 2 },
    { kind: "full frames", transport: "websocket", connectionsPerAccount: 8, seconds: 2 },
    { kind: "fetches", connectionsPerAccount: 8, seconds: 2 },
    { kind: "long headers", connectionsPerAccount: 2, seconds: 2 }
  ]
  it.each(floods)("KEZ-NAT-049 KEZ-NAT-050 answers honest users beside $kind", async (options) => {
    const report = await endure(broker, options)
    expect(report.sends.count).toBeGreaterThan(10)
    expect([report.sends.unanswered, report.fetches.unanswered, report.honestClosed]).toEqual([0, 0, 0])
    expect([report.sends.refused, report.fetches.refused]).toEqual([{}, {}])
    // One second is what the slow tests hold it to; here other tests run at the same time.
    expect(Math.max(report.sends.p99, report.fetches.p99)).toBeLessThan(5_000)
    expect(report.flood.refusedLogins).toBeGreaterThan(0)
    expect(await gatewayFalls(broker)).toBe(0)
    expect((await broker.status()).ready).toBe(true)
  })

  it("KEZ-NAT-049 stores 360 full frames that 120 users send at the same moment", async () => {
    const { answers } = await burst(broker, 120, 3)
    expect(answers).toEqual(Array.from({ length: 360 }, () => '{"ok":1}'))
    expect(await gatewayFalls(broker)).toBe(0)
  })
})
