/** What a reader of a bench relies on: its medians, its refusal of a busy machine, and the names of what got worse. */
import { expect, it } from "vitest"
import { compare, type Measured, type Run, tolerance, toRecord } from "../../sdk/bench/History.ts"
import { busyShare, type Machine, quietShare, refusal } from "../../sdk/bench/Machine.ts"
import { lowerIsBetter, median, percentile } from "../../sdk/bench/Report.ts"

it("takes medians and percentiles of values in any order", () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(percentile(hundred, 0.5)).toBe(51)
  expect(percentile(hundred, 0.99)).toBe(100)
  expect(percentile(hundred, 1)).toBe(100)
})

it("knows the share of the processors that other work takes", () => {
  expect(busyShare(6_000, 3_000, 2)).toBe(0)
  expect(busyShare(1_500, 3_000, 2)).toBe(0.75)
  expect(busyShare(0, 3_000, 2)).toBe(1)
  expect(busyShare(6_100, 3_000, 2)).toBe(0)
})

it("refuses a busy machine unless told otherwise, and never records on one", () => {
  const plain = { anyway: false, record: false }
  expect(refusal(quietShare, plain)).toBeUndefined()
  expect(refusal(0.87, plain)).toContain("87 % of the processors busy")
  expect(refusal(0.87, plain)).toContain("--anyway")
  expect(refusal(0.87, { anyway: true, record: false })).toBeUndefined()
  expect(refusal(0.87, { anyway: true, record: true })).toContain("before you record")
  expect(refusal(0.02, { anyway: false, record: true })).toBeUndefined()
})

const machine: Machine = {
  processor: "Xeon",
  cores: 2,
  memory: 24,
  kernel: "Linux 6",
  node: "v24.0.0",
  fdatasyncMillis: 3
}
const figure = (name: string, value: number, unit: string, aim?: Measured["aim"]): Measured => ({
  bench: "chat",
  report: "chat at rest",
  name,
  value,
  unit,
  against: "raw",
  ...(aim === undefined ? {} : { aim })
})
const run = (at: string, figures: ReadonlyArray<Measured>, on = machine): Run => ({
  at,
  commit: "abc1234",
  machine: on,
  load: 0.01,
  busy: false,
  figures
})

it("takes the better way from the aim, and else from the unit", () => {
  expect(lowerIsBetter(figure("cost", 2, "x", { atMost: 4 }))).toBe(true)
  expect(lowerIsBetter(figure("share of the best", 0.8, "x", { atLeast: 0.8 }))).toBe(false)
  expect(lowerIsBetter(figure("time", 2, "ms"))).toBe(true)
  expect(lowerIsBetter(figure("rate", 2, "MiB/s"))).toBe(false)
})

it("names what got worse than in the last recorded run on such a machine, the worst first", () => {
  const older = run("2026-01-01T00:00:00Z", [figure("time", 1, "ms"), figure("rate", 1_000, "messages/s")])
  const newer = run("2026-02-01T00:00:00Z", [figure("time", 10, "ms")])
  const elsewhere = run("2026-03-01T00:00:00Z", [figure("time", 0.1, "ms")], { ...machine, cores: 64 })
  const history = [older, newer, elsewhere].map(toRecord)

  const within = 10 * (1 + tolerance * 0.9)
  expect(compare(run("2026-04-01T00:00:00Z", [figure("time", within, "ms")]), history)).toEqual({
    compared: 1,
    worse: []
  })

  const { compared, worse } = compare(
    run(
      "2026-04-01T00:00:00Z",
      [figure("rate", 500, "messages/s"), figure("time", 20, "ms"), figure("unknown", 1, "ms")],
      { ...machine, kernel: "Linux 7", node: "v26.0.0" }
    ),
    history
  )
  expect(compared).toBe(2)
  expect(worse).toEqual([
    "chat: time: 20.0 ms, 100 % worse than 10.0 of 2026-02-01 (abc1234)",
    "chat: rate: 500 messages/s, 50 % worse than 1,000 of 2026-01-01 (abc1234)"
  ])
})

it("names a figure that is no longer a number", () => {
  const history = [toRecord(run("2026-01-01T00:00:00Z", [figure("time", 1, "ms")]))]
  expect(compare(run("2026-02-01T00:00:00Z", [figure("time", Number.NaN, "ms")]), history).worse).toHaveLength(1)
})
