import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Quantity from "../../../src/terminal/output/Quantity.ts"

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [9_949, "9.9 kB"],
    [9_950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [28_400_000, "28 MB"],
    [1_073_741_824, "1.1 GB"]
  ])("%i is %s", (count, text) => {
    expect(Quantity.bytes(count)).toBe(text)
  })

  it("never takes more than seven characters below an exabyte, and never writes four digits", () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat()), (count) => {
        const text = Quantity.bytes(count)
        expect(text.length).toBeLessThanOrEqual(7)
        expect(text).not.toMatch(/\d{4}/)
      })
    )
  })
})

describe("span", () => {
  it.each([
    [0, "0:00"],
    [0.2, "0:01"],
    [59.9, "1:00"],
    [754, "12:34"],
    [3_600, "1:00:00"],
    [86_400, "24:00:00"],
    [300_000, "3 days"]
  ])("%d s is %s", (seconds, text) => {
    expect(Quantity.span(seconds)).toBe(text)
  })
})

describe("percent", () => {
  it("is 100 only when it is all", () => {
    expect(Quantity.percent(999_999, 1_000_000)).toBe(99)
    expect(Quantity.percent(1_000_000, 1_000_000)).toBe(100)
    expect(Quantity.percent(0, 0)).toBe(100)
    expect(Quantity.percent(0, 5)).toBe(0)
  })
})
