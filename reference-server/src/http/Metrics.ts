/** What `/metrics` tells: requests by route and status, time taken, refusals, and the process itself. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { monitorEventLoopDelay } from "node:perf_hooks"
import packageJson from "../../package.json" with { type: "json" }

/** This server's version, as published. */
export const version: string = packageJson.version

/** Upper bounds of the histogram's buckets, in seconds. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Series {
  readonly labels: string
  readonly route: string
  count: number
}

interface Timing {
  sum: number
  count: number
  readonly buckets: Array<number>
}

// Counted by hand: a lookup is answered in some 50 microseconds, and the general metrics would take a tenth of that.
const requests = new Map<string, Series>()
const timings = new Map<string, Timing>()

/** Counts an answered request. `route` is a pattern, so the number of series is bounded. */
export const observeRequest = (route: string, method: string, status: number, millis: number): void => {
  const key = `${status}${method}${route}`
  const series = requests.get(key)
  if (series === undefined) {
    requests.set(key, { labels: `{route="${route}",method="${method}",status="${status}"}`, route, count: 1 })
  } else series.count++
  let timing = timings.get(route)
  if (timing === undefined) timings.set(route, (timing = { sum: 0, count: 0, buckets: seconds.map(() => 0) }))
  timing.sum += millis / 1_000
  timing.count++
  const bucket = seconds.findIndex((bound) => millis <= bound * 1_000)
  if (bucket !== -1) timing.buckets[bucket]!++
}

const requestLines = (): ReadonlyArray<string> => {
  const lines = ["# HELP http_requests_total Requests answered", "# TYPE http_requests_total counter"]
  for (const { count, labels } of requests.values()) lines.push(`http_requests_total${labels} ${count}`)
  const name = "http_request_duration_seconds"
  lines.push(`# HELP ${name} Time from a request's headers to the end of its answer`, `# TYPE ${name} histogram`)
  for (const [route, { buckets, count, sum }] of timings) {
    let below = 0
    for (const [at, bound] of seconds.entries()) {
      below += buckets[at] as number
      lines.push(`${name}_bucket{route="${route}",le="${bound}"} ${below}`)
    }
    lines.push(`${name}_bucket{route="${route}",le="+Inf"} ${count}`)
    lines.push(`${name}_sum{route="${route}"} ${sum}`, `${name}_count{route="${route}"} ${count}`)
  }
  return lines
}

const context = Context.empty()

const count = (name: string, description: string, attributes: Record<string, string>): void =>
  Metric.counter(name, { description, incremental: true, attributes }).updateUnsafe(1, context)

/** Counts a request refused by a rate limit. */
export const observeRateLimited = (limit: string): void =>
  count("http_rate_limited_total", "Requests refused with 429", { limit })

/** Counts a connection that was not taken: its address has all it may, or all together have. */
export const observeConnectionRefused = (limit: "address" | "total"): void =>
  count("http_connections_refused_total", "Connections refused, by the limit they met", { limit })

/** Counts what became of a statement: a registration, a deletion, a sigchain event. */
export const observeStatement = (kind: string, outcome: string): void =>
  count("kez_statements_total", "Signed statements received, by outcome", { kind, outcome })

const gauge = (name: string, description: string, value: number, attributes: Record<string, string> = {}): void =>
  Metric.gauge(name, { description, attributes }).updateUnsafe(value, context)

const loop = monitorEventLoopDelay({ resolution: 20 })
loop.enable()

/** The Prometheus text; `sample` sets gauges that are only worth reading when somebody asks. */
export const render = (sample: () => Readonly<Record<string, readonly [number, string]>>): Effect.Effect<string> =>
  Effect.suspend(() => {
    const memory = process.memoryUsage()
    const cpu = process.cpuUsage()
    gauge("process_resident_memory_bytes", "Resident memory", memory.rss)
    gauge("nodejs_heap_used_bytes", "Heap in use", memory.heapUsed)
    gauge("process_cpu_seconds", "CPU time used", (cpu.user + cpu.system) / 1e6)
    gauge("process_uptime_seconds", "Time since the start", process.uptime())
    gauge("nodejs_eventloop_delay_p99_seconds", "Event loop delay since the last scrape", loop.percentile(99) / 1e9)
    loop.reset()
    gauge("kez_build_info", "Always 1; the label says which version runs", 1, { version })
    for (const [name, [value, description]] of Object.entries(sample())) gauge(name, description, value)
    return Effect.map(PrometheusMetrics.format(), (rest) => `${requestLines().join("\n")}\n${rest}`)
  })
