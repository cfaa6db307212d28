import { describe, expect, it } from "vitest"
import { Rate } from "../../../src/terminal/progress/Rate.ts"

describe("Rate", () => {
  it("says nothing before it knows enough", () => {
    const rate = new Rate()
    expect(rate.at(0)).toBeUndefined()
    rate.note(0, 0)
    rate.note(1_000, 400)
    expect(rate.at(400)).toBeUndefined()
    expect(rate.at(500)).toBe(2_000)
  })

  it("counts what comes, not what was here before", () => {
    const rate = new Rate()
    rate.note(700_000_000, 0)
    rate.note(701_000_000, 1_000)
    expect(rate.at(1_000)).toBe(1_000_000)
  })

  it("forgets old times, and falls while nothing comes", () => {
    const rate = new Rate()
    for (let second = 0; second <= 10; second++) rate.note(second * 1_000, second * 1_000)
    for (let second = 11; second <= 20; second++) rate.note(10_000 + (second - 10) * 5_000, second * 1_000)
    expect(rate.at(20_000)).toBe(5_000)
    const later = [22_000, 25_000, 40_000].map((now) => rate.at(now)!)
    expect(later.toSorted((a, b) => b - a)).toEqual(later)
    expect(later[2]).toBeLessThan(1_000)
  })

  it("begins anew when less is here than before", () => {
    const rate = new Rate()
    rate.note(1_000, 0)
    rate.note(0, 1_000)
    rate.note(500, 2_000)
    expect(rate.at(2_000)).toBe(500)
  })
})
