/** Every check of a broker notices one that is wrong; and our own survives its end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Home } from "../../../deploy/local/Home.ts"
import { killAndStart, killBroker, notPassed, runBroker, startSmallHome } from "../broker/BrokerKit.ts"
import { brokerMutants } from "../broker/BrokerMutants.ts"

let own: Home
beforeAll(async () => {
  own = await startSmallHome()
})
afterAll(() => own.remove())

describe("a broker that", () => {
  it.each(brokerMutants.map((make) => [make().name, make] as const))("%s", (_, make) => killBroker(own, make))
})

describe("the broker of the reference server", () => {
  it.each([1, 2, 3])("passes every check in the order of seed %d, killed and started again", async (seed) => {
    const { left, results } = await runBroker([], { url: own.urls.home, seed, restart: () => killAndStart(own) })
    expect(notPassed(results)).toEqual([])
    expect(left).toEqual([])
  })
})
