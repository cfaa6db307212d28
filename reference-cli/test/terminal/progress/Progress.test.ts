import { stripVTControlCharacters } from "node:util"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Columns from "../../../src/terminal/output/Columns.ts"
import { erase } from "../../../src/terminal/progress/LiveLine.ts"
import * as Progress from "../../../src/terminal/progress/Progress.ts"
import * as Style from "../../../src/terminal/output/Style.ts"

const receiving: Progress.Transfer = {
  label: "report.pdf",
  phase: "receiving",
  kind: "bytes",
  doneBytes: 12_000_000,
  totalBytes: 28_000_000
}
const waiting: Progress.Transfer = {
  ...receiving,
  phase: "waiting for bob@home",
  kind: "wait",
  reason: "their device does not answer; asked again in 1 min"
}
const line = (value: Progress.Transfer, columns: number, rate: number | undefined = 4_000_000) =>
  Progress.line(value, rate, columns, Style.uncoloured)

describe("line", () => {
  it("has name, bar, percent, amount, rate and time left where there is room", () => {
    expect(line(receiving, 100)).toBe(
      `report.pdf  ${"█".repeat(12)}${"░".repeat(18)}   42%  12/28 MB  4.0 MB/s  0:04 left`
    )
  })

  it("leaves out what there is no room for, the percent last", () => {
    expect(line(receiving, 52)).toMatch(/^report\.pdf {2}[█░]{10,} {3}42% {2}12\/28 MB {2}4\.0 MB\/s$/)
    expect(line(receiving, 34)).toMatch(/^report\.pdf {2}[█░]{10,} {3}42%$/)
    expect(line(receiving, 20)).toMatch(/^report\.pdf {3}42%$/)
  })

  it("says what is waited for, and how much is here", () => {
    expect(line(waiting, 120)).toBe(
      "report.pdf  waiting for bob@home: their device does not answer; asked again in 1 min (42% here)"
    )
    expect(line(waiting, 60)).toBe("report.pdf  their device does not answer; asked again in 1…")
    expect(line({ ...waiting, reason: undefined, doneBytes: 0 }, 120)).toBe("report.pdf  waiting for bob@home")
  })

  it("is always shorter than the terminal is wide, whatever the name", () => {
    const transfer = fc.record({
      label: fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("写真.jpg".repeat(20), "👩‍👩‍👧‍👦".repeat(30), "")),
      phase: fc.constantFrom("receiving", "waiting for bob@home"),
      kind: fc.constantFrom("bytes" as const, "step" as const, "wait" as const),
      reason: fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
      doneBytes: fc.nat(),
      totalBytes: fc.nat()
    })
    fc.assert(
      fc.property(
        transfer,
        fc.option(fc.nat(), { nil: undefined }),
        fc.integer({ min: 1, max: 200 }),
        (value, rate, columns) => {
          const drawn = Progress.line(value, rate, columns, Style.coloured)
          expect(Columns.width(stripVTControlCharacters(drawn))).toBeLessThanOrEqual(Math.max(1, columns - 1))
        }
      )
    )
  })
})

describe("plain", () => {
  it("has no bar and no time left", () => {
    expect(Progress.plain(receiving, 4_000_000)).toBe("report.pdf  receiving  42%  12/28 MB  4.0 MB/s")
    expect(Progress.plain(waiting, undefined)).toBe(
      "report.pdf  waiting for bob@home: their device does not answer; asked again in 1 min"
    )
  })
})

describe("cut", () => {
  it("keeps to the columns and breaks no character", () => {
    expect(Columns.cut("report.pdf", 10)).toBe("report.pdf")
    expect(Columns.cut("report.pdf", 9)).toBe("report.p…")
    expect(Columns.cut("写真写真", 5)).toBe("写真…")
    expect(Columns.cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 9)).toBe("👩‍👩‍👧‍👦…")
    expect(Columns.cut("x", 0)).toBe("")
  })
})

describe("erase", () => {
  it("takes away the rows that a line became when the terminal grew narrower", () => {
    expect(erase(79, 80)).toBe("\r\u001b[J")
    expect(erase(79, 40)).toBe("\r\u001b[1A\u001b[J")
    expect(erase(79, 20)).toBe("\r\u001b[3A\u001b[J")
  })
})
