/** The metrics behind `/metrics`: requests by route and status, durations, refusals, and the process. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { monitorEventLoopDelay } from "node:perf_hooks"
import packageJson from "../../package.json" with { type: "json" }

/** This server's version, as published. */
export const version: string = packageJson.version

/** Upper bounds of the histogram's buckets, in seconds. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Timing {
  sum: number
  count: number
  readonly buckets: Array<number>
}

// Counted by hand: a lookup takes about 50 microseconds, and Effect's metrics would add a tenth to that.
const requests = new Map<string, { readonly labels: string; count: number }>()
const timings = new Map<string, Timing>()

/** Counts an answered request. `route` is a pattern, so the number of series is bounded. */
export const observeRequest = (route: string, method: string, status: number, millis: number): void => {
  const key = `${status}${method}${route}`
  const series = requests.get(key)
  if (series === undefined) {
    requests.set(key, { labels: `{route="${route}",method="${method}",status="${status}"}`, count: 1 })
  } else series.count++
  let timing = timings.get(route)
  if (timing === undefined) timings.set(route, (timing = emptyTiming()))
  note(timing, millis)
}

const emptyTiming = (): Timing => ({ sum: 0, count: 0, buckets: seconds.map(() => 0) })

const note = (timing: Timing, millis: number): void => {
  timing.sum += millis / 1_000
  timing.count++
  const bucket = seconds.findIndex((bound) => millis <= bound * 1_000)
  if (bucket !== -1) timing.buckets[bucket]!++
}

const sends = new Map<string, Timing>([["", emptyTiming()]])

/** Notes how long a message took from its arrival until it was stored. */
export const observeSend = (millis: number): void => note(sends.get("") as Timing, millis)

const histogramLines = (name: string, help: string, label: string, found: ReadonlyMap<string, Timing>) => {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  for (const [value, { buckets, count, sum }] of found) {
    const own = label === "" ? "" : `${label}="${value}"`
    const labels = own === "" ? "" : `{${own}}`
    let below = 0
    for (const [at, bound] of seconds.entries()) {
      below += buckets[at] as number
      lines.push(`${name}_bucket{${own}${own === "" ? "" : ","}le="${bound}"} ${below}`)
    }
    lines.push(`${name}_bucket{${own}${own === "" ? "" : ","}le="+Inf"} ${count}`)
    lines.push(`${name}_sum${labels} ${sum}`, `${name}_count${labels} ${count}`)
  }
  return lines
}

const requestLines = (): ReadonlyArray<string> => {
  const lines = ["# HELP http_requests_total Requests answered", "# TYPE http_requests_total counter"]
  for (const { count, labels } of requests.values()) lines.push(`http_requests_total${labels} ${count}`)
  const help = "Time from a request's headers to the end of its answer"
  return [...lines, ...histogramLines("http_request_duration_seconds", help, "route", timings)]
}

/** The time of sends, for a server that has a broker. */
export const sendLines = (): ReadonlyArray<string> =>
  histogramLines("kez_send_duration_seconds", "Time from a message's arrival until it is stored", "", sends)

const context = Context.empty()

const count = (name: string, description: string, attributes: Record<string, string>): void =>
  Metric.counter(name, { description, incremental: true, attributes }).updateUnsafe(1, context)

/** Counts a request refused by a rate limit. */
export const observeRateLimited = (limit: string): void =>
  count("http_rate_limited_total", "Requests refused with 429", { limit })

/** Counts a connection that was not taken: its address has all it may, or all together have. */
export const observeConnectionRefused = (limit: "address" | "total"): void =>
  count("http_connections_refused_total", "Connections refused, by the limit they met", { limit })

/** Counts a broker login that was refused, by the reason. */
export const observeLoginRefused = (reason: string): void =>
  count("kez_broker_logins_refused_total", "Broker logins refused, by the reason", { reason })

/** Counts what became of a statement: a registration, a deletion, a sigchain event. */
export const observeStatement = (kind: string, outcome: string): void =>
  count("kez_statements_total", "Signed statements received, by outcome", { kind, outcome })

const loop = monitorEventLoopDelay({ resolution: 20 })
loop.enable()

/**
 * A metric that is only worth reading when somebody asks. The name of a counter, and of nothing else, ends in `_total`.
 */
export interface Sample {
  readonly name: string
  readonly help: string
  /** Values by the labels' text (`{state="active"}`), empty for none. */
  readonly values: Readonly<Record<string, number>>
}

/** A metric without labels. */
export const sample = (name: string, help: string, value: number): Sample => ({ name, help, values: { "": value } })

/** A metric with one label: a sample for each of its values. */
export const byLabel = (
  name: string,
  help: string,
  label: string,
  values: Readonly<Record<string, number>>
): Sample => ({
  name,
  help,
  values: Object.fromEntries(Object.entries(values).map(([value, n]) => [`{${label}="${value}"}`, n]))
})

/** The process itself. */
const processSamples = (): ReadonlyArray<Sample> => {
  const memory = process.memoryUsage()
  const cpu = process.cpuUsage()
  const delay = loop.percentile(99) / 1e9
  loop.reset()
  return [
    sample("process_resident_memory_bytes", "Resident memory", memory.rss),
    sample("nodejs_heap_used_bytes", "Heap in use", memory.heapUsed),
    sample("process_cpu_seconds_total", "CPU time used", (cpu.user + cpu.system) / 1e6),
    sample("process_uptime_seconds", "Time since the start", process.uptime()),
    sample("nodejs_eventloop_delay_p99_seconds", "Event loop delay since the last scrape", delay),
    byLabel("kez_build_info", "Always 1; the label says which version runs", "version", { [version]: 1 })
  ]
}

const sampleLines = ({ help, name, values }: Sample): ReadonlyArray<string> => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}`,
  ...Object.entries(values).map(([labels, value]) => `${name}${labels} ${value}`)
]

/** The answer in Prometheus text: requests, counters, `lines` verbatim, and `samples`. */
export const render = <E>(
  samples: Effect.Effect<ReadonlyArray<Sample>, E>,
  lines: () => ReadonlyArray<string> = () => []
) =>
  Effect.map(Effect.all([PrometheusMetrics.format(), samples]), ([counted, found]) => {
    const sampled = [...processSamples(), ...found].flatMap(sampleLines)
    // `counted` ends in a line feed unless it is empty.
    const text = [...requestLines(), ...lines(), ...sampled, counted].join("\n")
    return HttpServerResponse.text(text, { contentType: "text/plain; version=0.0.4; charset=utf-8" })
  })
