/** The board and the alerts by themselves; `test/slow/CaddyHome.test.ts` holds them against scraped metrics. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { root } from "../../tasks/paths.mjs"
import { board, expressions, namesIn, rules, scrapeJobs } from "../kits/Grafana.ts"

it("the board's panels have names of their own, do not overlap, and use the variables that it has", () => {
  const { panels, templating } = board()
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  const taken = new Set<string>()
  for (const { gridPos, title } of panels) {
    expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true])
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect([title, taken.has(`${x},${y}`)]).toEqual([title, false])
        taken.add(`${x},${y}`)
      }
  }
  const variables = new Set([...templating.list.map(({ name }) => name), "__rate_interval"])
  for (const expr of expressions())
    for (const [, name = ""] of expr.matchAll(/\$(\w+)/g)) expect([expr, variables.has(name)]).toEqual([expr, true])
})

it("every alert says what is wrong, how urgent it is, and about a metric of the list; every job is one of the board", () => {
  const listed = readFileSync(join(root, "reference-server/docs/metrics.md"), "utf8")
  for (const { alert, annotations, expr, labels } of rules()) {
    expect([alert, annotations.summary.length > 20, ["page", "ticket"].includes(labels.severity)]).toEqual([
      alert,
      true,
      true
    ])
    for (const name of namesIn(expr).metrics) expect(listed).toContain(`\`${name.replace(/_bucket$/, "")}\``)
  }
  for (const { job_name } of scrapeJobs()) expect(job_name).toMatch(/^kez-/)
  // Counters only ever grow: what is asked of them is a rate.
  for (const expr of expressions())
    for (const name of namesIn(expr).metrics.filter((name) => name.endsWith("_total")))
      expect(expr).toMatch(new RegExp(`(rate|increase)\\(${name}`))
})
