/** The checks of a broker: our own passes them, and nothing of them stays. Mutants are in the slow tests. */
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Home } from "../../../deploy/local/Home.ts"
import { brokerChecks } from "../../src/servers/AllChecks.ts"
import { TargetUnusable } from "../../src/servers/Target.ts"
import { selected } from "../../src/suite/Checks.ts"
import { requirements } from "../../src/suite/Data.ts"
import { startMutant } from "../MutantProxy.ts"
import { notPassed, runBroker, startSmallHome } from "./BrokerKit.ts"
import { brokerMutants } from "./BrokerMutants.ts"
import { startBrokerProxy } from "./BrokerProxy.ts"

let own: Home
beforeAll(async () => {
  own = await startSmallHome()
})
afterAll(() => own.remove())

/** All but what ends the server's processes or waits until it gives a connection up. */
const quick = brokerChecks
  .map(({ id }) => id)
  .filter((id) => !id.startsWith("broker/restart#") && id !== "broker/connections#slow-reader")

describe("the broker of the reference server", () => {
  it("passes every check, and nothing is left", async () => {
    const { left, results } = await runBroker(quick, { url: own.urls.home })
    expect(notPassed(results)).toEqual([])
    expect(left).toEqual([])
  })

  it("is not restarted where nobody says how", async () => {
    const { results } = await runBroker(["broker/restart#*"], { url: own.urls.home })
    expect(new Set(results.map(({ verdict }) => verdict))).toEqual(new Set(["not-applicable"]))
  })

  it("is not written to with --read-only", async () => {
    const asked: Array<string> = []
    const proxy = await startMutant(own.urls.home, {
      answer: (_, { method, path }) => {
        if (method !== "GET") asked.push(`${method} ${path}`)
        return undefined
      }
    })
    const published: Array<string> = []
    const broker = await startBrokerProxy(own.urls.nats, {
      up: ({ verb, words }) => {
        if (verb === "PUB") published.push(words.join(" "))
        return undefined
      }
    })
    const reading = brokerChecks.filter(({ reads }) => reads).map(({ id }) => id)
    const { results } = await runBroker(reading, { url: proxy.url, urls: [broker.url, own.urls.websocket] })
    await Promise.all([proxy.stop(), broker.stop()])
    expect(notPassed(results)).toEqual([])
    expect([asked, published]).toEqual([[], []])
  })

  it("that does not answer cannot be checked", async () => {
    const run = runBroker(["broker/login#nonce"], { url: own.urls.home, urls: ["nats://127.0.0.1:1"] })
    await expect(run).rejects.toBeInstanceOf(TargetUnusable)
  })
})

describe("the checks of a broker", () => {
  it("have ids of their own, and name requirements that exist", () => {
    expect(new Set(brokerChecks.map(({ id }) => id)).size).toBe(brokerChecks.length)
    const known = new Set(requirements().map(({ id }) => id))
    expect(brokerChecks.flatMap((check) => check.requirements).filter((id) => !known.has(id))).toEqual([])
  })

  it("each have a broker that is wrong", () => {
    const killed = new Set(
      selected(
        brokerChecks,
        brokerMutants.flatMap((make) => make().kills)
      ).map(({ id }) => id)
    )
    expect(brokerChecks.map(({ id }) => id).filter((id) => !killed.has(id))).toEqual([])
  })
})
