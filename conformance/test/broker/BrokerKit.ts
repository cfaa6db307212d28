/** Runs of the broker's checks, against a home server of the test and against one that is wrong. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { signing } from "../../src/reference/Signer.ts"
import { brokerChecks } from "../../src/servers/AllChecks.ts"
import { BrokerVisit, type BrokerOptions } from "../../src/servers/broker/BrokerVisit.ts"
import { HomeVisit } from "../../src/servers/home/HomeVisit.ts"
import { runServer } from "../../src/servers/Run.ts"
import { Target } from "../../src/servers/Target.ts"
import { selected } from "../../src/suite/Checks.ts"
import type { CheckResult } from "../../src/suite/Verdict.ts"
import { startMutant } from "../MutantProxy.ts"
import type { MutantMaker } from "./Faults.ts"
import { startBrokerProxy } from "./BrokerProxy.ts"

/** Of an answer, in milliseconds. */
const timeoutMillis = 30_000
/** How long a mutant may keep a check waiting for what does not come. */
const mutantMillis = 3_000

/** A home server with inboxes that a check can fill. */
export const startSmallHome = (): Promise<Home> =>
  startHome({
    data: mkdtempSync(join(tmpdir(), "kez-conformance-")),
    source: true,
    flags: { chat: ["--inbox-bytes", "1048576"] }
  })

/** Ends the broker and chat-server without warning, and starts them again. */
export const killAndStart = async ({ processes }: Home): Promise<void> => {
  await Promise.all([processes.chat.kill(), processes.nats.kill()])
  await processes.nats.restart()
  await processes.chat.restart()
}

interface Run extends Partial<BrokerOptions> {
  readonly url: string
  readonly seed?: number
}

/** Runs checks whose ids fit, and removes what they made; the results, and the handles that are left. */
export const runBroker = async (patterns: ReadonlyArray<string>, { seed = 1, url, ...options }: Run) => {
  const home = await HomeVisit.begin(new Target(url, timeoutMillis), signing)
  const visit = await BrokerVisit.begin(home, { urls: [], timeoutMillis, ...options })
  const results = await runServer(selected(brokerChecks, patterns), visit, { seed })
  visit.end()
  return { results, left: await home.cleanUp() }
}

/** What did not pass. */
export const notPassed = (results: ReadonlyArray<CheckResult>) =>
  results
    .filter(({ verdict }) => verdict !== "pass")
    // Whether sends wait for each other at all depends on the machine: where none does, the check says so.
    .filter(({ id, verdict }) => id !== "broker/connections#turns" || verdict !== "not-applicable")
    .map(({ actual, id, message }) => [id, message, actual])

/** All checks that a mutant is for fail at it. */
export const killBroker = async (home: Home, make: MutantMaker): Promise<void> => {
  const mutant = make()
  const { websocket, nats } = home.urls
  const proxy = await startBrokerProxy(mutant.port === "websocket" ? websocket : nats, mutant)
  const front = await startMutant(home.urls.home, {
    answer: (answered, asked) => (proxy.isRestarted ? mutant.afterRestart?.(answered, asked) : undefined)
  })
  try {
    const urls = mutant.port === "websocket" ? [nats, proxy.url] : [proxy.url, websocket]
    const { results } = await runBroker([...mutant.kills, ...(mutant.also ?? [])], {
      url: front.url,
      urls,
      timeoutMillis: mutantMillis,
      restart: async () => proxy.restart()
    })
    const meant = new Set(selected(brokerChecks, mutant.kills).map(({ id }) => id))
    expect(meant.size).toBeGreaterThan(0)
    expect(results.filter(({ id, verdict }) => meant.has(id) && verdict !== "fail")).toEqual([])
  } finally {
    await front.stop()
    await proxy.stop()
  }
}
