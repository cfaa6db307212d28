/** What `/metrics` tells: requests by route and status, time taken, refusals, and the process itself. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { monitorEventLoopDelay } from "node:perf_hooks"
import packageJson from "../../package.json" with { type: "json" }

/** This server's version, as published. */
export const version: string = packageJson.version

const context = Context.empty()
const series = new Map<string, (value: number) => void>()

/** One series of a metric, found again by its labels without building it anew for each request. */
const cached = (key: string, make: () => Metric.Metric<number, unknown>): ((value: number) => void) => {
  let update = series.get(key)
  if (update === undefined) {
    const metric = make()
    update = (value) => metric.updateUnsafe(value, context)
    series.set(key, update)
  }
  return update
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counts an answered request. `route` is a pattern, so the number of series is bounded. */
export const observeRequest = (route: string, method: string, status: number, millis: number): void => {
  cached(`r ${route} ${method} ${status}`, () =>
    Metric.counter("http_requests_total", {
      description: "Requests answered",
      incremental: true,
      attributes: { route, method, status: String(status) }
    })
  )(1)
  cached(`d ${route}`, () =>
    Metric.histogram("http_request_duration_seconds", {
      description: "Time from a request's headers to the end of its answer",
      boundaries: seconds,
      attributes: { route }
    })
  )(millis / 1_000)
}

/** Counts a request refused by a rate limit. */
export const observeRateLimited = (limit: string): void =>
  cached(`l ${limit}`, () =>
    Metric.counter("http_rate_limited_total", {
      description: "Requests refused with 429",
      incremental: true,
      attributes: { limit }
    })
  )(1)

/** Counts what became of a statement: a registration, a deletion, a sigchain event. */
export const observeStatement = (kind: string, outcome: string): void =>
  cached(`s ${kind} ${outcome}`, () =>
    Metric.counter("kez_statements_total", {
      description: "Signed statements received, by outcome",
      incremental: true,
      attributes: { kind, outcome }
    })
  )(1)

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
    return PrometheusMetrics.format()
  })
