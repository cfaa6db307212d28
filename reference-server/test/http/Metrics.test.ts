/** `/metrics` of both servers, read as strictly as the exposition format is written. */
import { readFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Home, startHome } from "../../../deploy/local/Home.ts"
import { endpointEvent, get, newIdentity, post, registration, startSig, temporaryFolder } from "../kits/Servers.ts"

interface Family {
  readonly type: string
  readonly help: string
  readonly samples: Map<string, number>
}

const sampleForm =
  /^([a-z_:][a-z0-9_:]*)(\{((?:[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/i

/** Reads Prometheus's text format; every deviation is an error. */
const parse = (text: string): Map<string, Family> => {
  expect(text.endsWith("\n")).toBe(true)
  const families = new Map<string, Family>()
  let current: { readonly name: string; readonly family: Family } | undefined
  let help: { readonly name: string; readonly text: string } | undefined
  for (const line of text.slice(0, -1).split("\n")) {
    const described = /^# HELP (\S+) (\S.*)$/.exec(line)
    if (described !== null) {
      help = { name: described[1]!, text: described[2]! }
      continue
    }
    const typed = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line)
    if (typed !== null) {
      const [, name, type] = typed as unknown as [string, string, string]
      expect([line, help?.name]).toEqual([line, name])
      expect([line, families.has(name)]).toEqual([line, false])
      current = { name, family: { type, help: help!.text, samples: new Map() } }
      families.set(name, current.family)
      continue
    }
    const found = sampleForm.exec(line)
    if (found === null || current === undefined) throw new Error(`not a sample: ${line}`)
    const [, name, labels = "", , value] = found
    const suffixes = current.family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    expect([line, suffixes.map((suffix) => current!.name + suffix).includes(name!)]).toEqual([line, true])
    expect([line, current.family.samples.has(name! + labels)]).toEqual([line, false])
    current.family.samples.set(name! + labels, Number(value))
  }
  return families
}

const check = (families: ReadonlyMap<string, Family>) => {
  for (const [name, { samples, type }] of families) {
    expect([name, type === "counter"]).toEqual([name, name.endsWith("_total")])
    expect([name, [...samples.values()].every((value) => Number.isFinite(value) && value >= 0)]).toEqual([name, true])
    if (type === "histogram") {
      const series = [...samples].filter(([key]) => key.startsWith(`${name}_bucket`))
      const bySeries = Map.groupBy(series, ([key]) => key.replace(/,?le="[^"]*"/, "").slice(`${name}_bucket`.length))
      expect(bySeries.size).toBeGreaterThan(0)
      for (const [labels, buckets] of bySeries) {
        const counts = buckets.map(([, count]) => count)
        expect(counts).toEqual(counts.toSorted((a, b) => a - b))
        expect(buckets.at(-1)![0]).toContain('le="+Inf"')
        expect(samples.get(`${name}_count${labels === "{}" ? "" : labels}`)).toBe(counts.at(-1))
      }
    }
  }
}

/** What only appears once there was something to count. */
const lateCounters = ["http_rate_limited_total", "http_connections_refused_total", "kez_broker_logins_refused_total"]

/** Every metric has a row in docs/metrics.md under its server, and every row is a metric. */
const checkDocumented = (server: "chat" | "sig", families: ReadonlyMap<string, Family>) => {
  const page = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8")
  const rows = [...page.matchAll(/^\| `([a-z0-9_]+)` +\| (✓?) +\| (✓?) +\| (.+?) +\| (.+?) +\|$/gm)]
  const documented = rows.filter(([, , chat, sig]) => (server === "chat" ? chat : sig) === "✓").map(([, name]) => name!)
  const exported = new Set([...families.keys(), ...lateCounters.filter((name) => documented.includes(name))])
  expect(documented.toSorted()).toEqual([...exported].toSorted())
}

describe("chat-server's metrics", () => {
  const folder = temporaryFolder()
  let home: Home
  beforeAll(async () => {
    home = await startHome({ data: folder.path, source: true })
  })
  afterAll(async () => {
    await home.stop()
    folder[Symbol.dispose]()
  })

  it("are in the exposition format, counters and only counters end in _total, and all that operators need is there", async () => {
    const url = `${home.urls.home}/v1/register`
    expect((await post(url, await registration(await newIdentity(), "counted"))).status).toBe(201)
    expect((await post(url, "{}")).status).toBe(400)
    const { headers, text } = await get(`${home.urls.internal}/metrics`)
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const families = parse(text)
    check(families)
    const value = (name: string, labels = "") => families.get(name)?.samples.get(name + labels)
    expect(value("kez_broker_ready")).toBe(1)
    expect(value("kez_broker_storing")).toBe(1)
    expect(value("kez_database_working")).toBe(1)
    expect(value("kez_accounts", '{state="active"}')).toBe(1)
    expect(value("kez_statements_total", '{kind="handle_registration",outcome="accepted"}')).toBe(1)
    expect(value("kez_removals_pending")).toBe(0)
    expect(value("kez_broker_user_connections")).toBe(0)
    expect(value("kez_broker_connected_users")).toBe(0)
    expect(value("kez_sig_server_working")).toBe(1)
    expect(value("kez_stream_limit_bytes")).toBeGreaterThan(0)
    expect(value("kez_broker_logins_total", '{outcome="accepted"}')).toBe(0)
    expect(value("kez_broker_sends_total", '{outcome="stored"}')).toBe(0)
    expect(families.get("kez_send_duration_seconds")?.type).toBe("histogram")
    expect(value("kez_database_bytes")).toBeGreaterThan(10_000)
    expect(value("kez_disk_free_bytes")).toBeGreaterThan(0)
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0)
    // Asked twice, counters do not go back and no series is lost.
    const again = parse((await get(`${home.urls.internal}/metrics`)).text)
    check(again)
    checkDocumented("chat", again)
    for (const [name, { samples, type }] of families) {
      for (const [key, before] of samples) {
        expect([key, again.get(name)?.samples.has(key)]).toEqual([key, true])
        if (type === "counter") expect(again.get(name)!.samples.get(key)).toBeGreaterThanOrEqual(before)
      }
    }
  })
})

describe("sig-server's metrics", () => {
  it("are in the exposition format and tell of its store", async () => {
    using folder = temporaryFolder()
    const server = await startSig(folder.path)
    try {
      const identity = await newIdentity()
      const url = `${server.url}/v1/sigchains/ed25519/${identity.key.hex}/events`
      expect((await post(url, await endpointEvent(identity))).status).toBe(201)
      const families = parse((await get(`${server.internal}/metrics`)).text)
      check(families)
      const value = (name: string) => families.get(name)?.samples.get(name)
      expect([value("kez_chains"), value("kez_chain_events")]).toEqual([1, 1])
      expect(value("kez_chain_bytes")).toBeGreaterThan(100)
      expect(value("kez_database_bytes")).toBeGreaterThan(10_000)
      expect(value("kez_database_working")).toBe(1)
      checkDocumented("sig", families)
      expect((await get(`${server.internal}/v1/healthz`)).json).toMatchObject({ status: "ok", database: "ok" })
    } finally {
      await server.stop()
    }
  })
})
