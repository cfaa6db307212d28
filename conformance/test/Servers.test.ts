/** The checks of servers: our own pass them all, and every check notices a server that is wrong. */
import { mkdtempSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../deploy/local/Home.ts"
import { server } from "../src/commands/Server.ts"
import { signing } from "../src/reference/Signer.ts"
import { homeChecks, sigChecks } from "../src/servers/AllChecks.ts"
import type { ServerCheck } from "../src/servers/Check.ts"
import { HomeVisit } from "../src/servers/home/HomeVisit.ts"
import { runServer } from "../src/servers/Run.ts"
import { sigFacts } from "../src/servers/sig/SigFacts.ts"
import { SigVisit } from "../src/servers/sig/SigVisit.ts"
import { Target, TargetUnusable } from "../src/servers/Target.ts"
import { selected } from "../src/suite/Checks.ts"
import { requirements } from "../src/suite/Data.ts"
import { homeMutants } from "./HomeMutants.ts"
import { type Mutant, startMutant } from "./MutantProxy.ts"
import { sigMutants } from "./SigMutants.ts"

const timeoutMillis = 30_000
let own: Home

beforeAll(async () => {
  own = await startHome({ data: mkdtempSync(join(tmpdir(), "kez-conformance-")), source: true })
})
afterAll(() => own.remove())

const visitHome = (url: string) => HomeVisit.begin(new Target(url, timeoutMillis), signing, { reserved: "admin" })
const visitSig = (url: string) => SigVisit.begin(new Target(url, timeoutMillis), signing)

describe("the reference servers", () => {
  it("home: pass every check, and nothing is left", async () => {
    const visit = await visitHome(own.urls.home)
    const results = await runServer(homeChecks, visit, { seed: 1 })
    expect(results.filter(({ verdict }) => verdict !== "pass").map(({ id, message }) => [id, message])).toEqual([
      ["server/registration#invite-required", expect.stringContaining('"open"')],
      ["server/registration#closed", expect.stringContaining('"open"')],
      ["server/errors#retry-after", expect.stringContaining("no request of this run was limited")]
    ])
    expect(await visit.cleanUp()).toEqual([])
  })

  it("sig-server: pass every check", async () => {
    const results = await runServer(sigChecks, await visitSig(own.urls.sigServer), { seed: 1 })
    expect(results.filter(({ verdict }) => verdict !== "pass").map(({ id, message }) => [id, message])).toEqual([
      ["sig-server/errors#retry-after", expect.stringContaining("no request of this run was limited")]
    ])
  })
})

describe("the checks", () => {
  const all = [...homeChecks, ...sigChecks]

  it("have ids of their own, and name requirements that exist", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
    const known = new Set(requirements().map(({ id }) => id))
    expect(all.flatMap((check) => check.requirements).filter((id) => !known.has(id))).toEqual([])
  })

  it("each notice a server that is wrong", () => {
    const killed = new Set(
      selected(
        all,
        [...homeMutants, ...sigMutants].flatMap(({ kills }) => kills)
      ).map(({ id }) => id)
    )
    expect(all.map(({ id }) => id).filter((id) => !killed.has(id))).toEqual([])
  })
})

/** The checks that a mutant is for, all of which must fail. */
const kill = async <V, Fact extends string>(
  url: string,
  mutant: Mutant,
  checks: ReadonlyArray<ServerCheck<V, Fact>>,
  visit: (url: string) => Promise<V>
) => {
  const proxy = await startMutant(url, mutant)
  try {
    const run = selected(checks, [...mutant.kills, ...(mutant.also ?? [])])
    const reached = proxy.url.replace("127.0.0.1", mutant.host ?? "127.0.0.1")
    const results = await runServer(run, await visit(reached), { seed: 1 })
    const meant = new Set(selected(checks, mutant.kills).map(({ id }) => id))
    expect(meant.size).toBeGreaterThan(0)
    expect(results.filter(({ id, verdict }) => meant.has(id) && verdict !== "fail")).toEqual([])
  } finally {
    await proxy.stop()
  }
}

describe("a home server that", () => {
  it.each(homeMutants.map((mutant) => [mutant.name, mutant] as const))("%s", (_, mutant) =>
    kill(own.urls.home, mutant, homeChecks, visitHome)
  )
})

describe("a sig-server that", () => {
  it.each(sigMutants.map((mutant) => [mutant.name, mutant] as const))("%s", (_, mutant) =>
    kill(own.urls.sigServer, mutant, sigChecks, visitSig)
  )
})

describe("what is known of KEZ's sig-server", () => {
  const judge = async (mutant: Pick<Mutant, "ask" | "answer">, only: ReadonlyArray<string> = []) => {
    const proxy = await startMutant(own.urls.sigServer, mutant)
    try {
      const visit = await visitSig(proxy.url)
      return await runServer(selected(sigChecks, only), visit, { seed: 1, facts: sigFacts })
    } finally {
      await proxy.stop()
    }
  }

  it("is looked at fact by fact, and all of it holds", async () => {
    const results = await judge({ answer: () => undefined })
    const looked = results.flatMap(({ facts = [] }) => facts)
    expect(looked.filter(({ holds }) => !holds)).toEqual([])
    expect([...new Set(looked.map(({ fact }) => fact))].toSorted()).toEqual(Object.keys(sigFacts).toSorted())
  })

  it("is what the documentation says", () => {
    const page = readFileSync(new URL("../docs/sig-server.md", import.meta.url), "utf8")
    const rows = [...page.matchAll(/^\| `([\w-]+)` +\| (\w+) +\| (.+?) +\|$/gm)]
    expect(rows.map(([, fact, mark, text]) => [fact, mark, text])).toEqual(
      Object.entries(sigFacts).map(([fact, { mark, text }]) => [fact, mark.toLowerCase(), text])
    )
  })

  it("is a failure where it is SEEN and otherwise a finding", async () => {
    const verdicts = async (name: string, ...only: ReadonlyArray<string>) => {
      const mutant = sigMutants.find((one) => one.name === name)!
      return Object.fromEntries((await judge(mutant, only)).map(({ id, verdict }) => [id.replace(/^.*#/, ""), verdict]))
    }
    expect(await verdicts("accepts signature_invalid", "*#forged", "*#rotate-forged")).toEqual({
      forged: "fail",
      "rotate-forged": "finding"
    })
    expect(await verdicts("withholds the last event", "*#chain", "*#since")).toEqual({
      chain: "fail",
      since: "finding"
    })
    expect(await verdicts("lets no page read anything", "*#cors-chain")).toEqual({ "cors-chain": "fail" })
    expect(await verdicts("lets no page read heads", "*#cors-chain")).toEqual({ "cors-chain": "finding" })
    expect(await verdicts("sends errors as plain JSON", "*#forged", "*#unknown-path")).toEqual({
      forged: "finding",
      "unknown-path": "finding"
    })
  })
})

describe("a target", () => {
  it("that is not on this machine is only read, unless its owner says otherwise", async () => {
    await expect(server(["--url", "http://192.0.2.1"])).rejects.toThrow("--read-only")
  })

  it("that does not answer cannot be checked", async () => {
    await expect(visitHome("http://127.0.0.1:65534")).rejects.toBeInstanceOf(TargetUnusable)
    await expect(visitSig("http://127.0.0.1:65534")).rejects.toBeInstanceOf(TargetUnusable)
  })

  it("that is something else cannot be checked", async () => {
    await expect(visitHome(own.urls.sigServer)).rejects.toBeInstanceOf(TargetUnusable)
    await expect(visitSig(own.urls.home)).rejects.toBeInstanceOf(TargetUnusable)
  })

  it("keeps no account of a run that cannot begin", async () => {
    const done: Array<string> = []
    const proxy = await startMutant(own.urls.home, {
      answer: ({ status }, { method, path }) => {
        if (method === "POST") done.push(`${path} ${status}`)
        return undefined
      }
    })
    const run = server(["--url", proxy.url, "--invite", "any", "--nats", "nats://127.0.0.1:65534"])
    await expect(run).rejects.toBeInstanceOf(TargetUnusable)
    await proxy.stop()
    expect(done).toEqual(["/v1/register 201", "/v1/delete 204"])
  })

  it("keeps no account whose registration is under way when the run is interrupted", async () => {
    const visit = await visitHome(own.urls.home)
    const account = visit.newAccount()
    expect(await visit.cleanUp()).toEqual([])
    expect((await visit.record(await account)).status).toBe(410)
    await expect(visit.newAccount()).rejects.toThrow("the run has ended")
  })

  it("is not written to with --read-only", async () => {
    const asked: Array<string> = []
    const proxy = await startMutant(own.urls.home, {
      answer: ({ status }, { method, path }) => {
        if (method !== "GET" && status < 400) asked.push(`${method} ${path}`)
        return undefined
      }
    })
    const reading = homeChecks.filter(({ reads }) => reads)
    const results = await runServer(reading, await visitHome(proxy.url), { seed: 1 })
    await proxy.stop()
    expect(results.filter(({ verdict }) => verdict === "fail")).toEqual([])
    expect(asked.filter((line) => !line.startsWith("OPTIONS"))).toEqual([])
  })
})
