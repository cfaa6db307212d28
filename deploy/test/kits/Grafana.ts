/** The board, the alerts and the scrape configuration of `deploy/grafana`, against what servers really export. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect } from "vitest"
import { parse } from "yaml"
import { root } from "../../tasks/paths.mjs"
import { files } from "./UnitHome.ts"

const read = (name: string) => readFileSync(join(files, "grafana", name), "utf8")

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: ReadonlyArray<{ readonly expr: string }>
}

export interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string }
}

export const board = () =>
  JSON.parse(read("board.json")) as {
    readonly panels: ReadonlyArray<Panel>
    readonly templating: { readonly list: ReadonlyArray<{ readonly name: string }> }
  }

export const rules = (): ReadonlyArray<Rule> =>
  (parse(read("alerts.yml")) as { groups: ReadonlyArray<{ rules: ReadonlyArray<Rule> }> }).groups.flatMap(
    ({ rules }) => rules
  )

export const scrapeJobs = () =>
  (
    parse(read("prometheus.yml")) as {
      scrape_configs: ReadonlyArray<{ job_name: string; static_configs: ReadonlyArray<{ targets: Array<string> }> }>
    }
  ).scrape_configs

export const expressions = (): ReadonlyArray<string> => [
  ...board().panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...rules().map(({ expr }) => expr)
]

/** Metrics and labels in PromQL. Labels are those of matchers and of `by`. */
export const namesIn = (expr: string) => ({
  metrics: [...expr.matchAll(/\b(?:kez|http|process|nodejs)_\w+/g)].map(([name]) => name),
  labels: [
    ...[...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, text = ""]) =>
      [...text.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label)
    ),
    ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, text = ""]) => text.split(/,\s*/))
  ]
})

/** The list of metrics, which its own test holds against the servers. */
const listed = readFileSync(join(root, "reference-server/docs/metrics.md"), "utf8")

/**
 * Fails unless every metric and label that is named was scraped from one of the servers. Counters of what has not happened
 * are not exported yet: the list counts for these.
 */
export const checkBoard = (scraped: { readonly chat: string; readonly sig: string }): void => {
  const text = `${scraped.chat}\n${scraped.sig}`
  const families = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]))
  const series = (name: string) =>
    families.has(name) ||
    families.get(name.replace(/_(?:bucket|sum|count)$/, "")) === "histogram" ||
    (name.endsWith("_total") && listed.includes(`\`${name}\``))
  // Added by Prometheus.
  const labels = new Set(["job", "instance", ...[...text.matchAll(/[{,](\w+)="/g)].map(([, label = ""]) => label)])
  for (const [, label = ""] of listed.matchAll(/by `(\w+)`/g)) labels.add(label)
  for (const expr of expressions()) {
    const named = namesIn(expr)
    for (const name of named.metrics) expect([expr, name, series(name)]).toEqual([expr, name, true])
    for (const label of named.labels) expect([expr, label, labels.has(label)]).toEqual([expr, label, true])
  }
}
