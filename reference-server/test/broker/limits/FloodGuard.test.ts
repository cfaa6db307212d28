import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as FloodGuard from "../../../src/broker/limits/FloodGuard.ts"

describe("FloodGuard", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }))
  afterEach(() => void vi.useRealTimers())

  const make = () => {
    const closed: Array<string> = []
    const guard = FloodGuard.make({
      burst: 100,
      perSecond: 10,
      shutOutMillis: 60_000,
      onFlood: (hex) => closed.push(hex)
    })
    const refuse = (hex: string, count: number, bytes = 0) => {
      for (let i = 0; i < count; i++) guard.refused(hex, bytes)
    }
    return { guard, closed, refuse }
  }

  it("KEZ-NAT-050 closes an account that goes on beyond its budget, once, and shuts it out for a while", () => {
    const { closed, guard, refuse } = make()
    refuse("a", 99)
    expect([closed, guard.isShutOut("a")]).toEqual([[], false])
    refuse("a", 1_000)
    refuse("b", 50)
    expect([closed, guard.isShutOut("a"), guard.isShutOut("b")]).toEqual([["a"], true, false])
    vi.advanceTimersByTime(59_999)
    expect(guard.isShutOut("a")).toBe(true)
    vi.advanceTimersByTime(1)
    expect(guard.isShutOut("a")).toBe(false)
    expect(guard.floods()).toBe(1)
  })

  it("closes again what still arrives from a shut-out account, and the time begins anew", () => {
    const { closed, guard, refuse } = make()
    refuse("a", 200)
    vi.advanceTimersByTime(30_000)
    refuse("a", 5)
    expect(closed).toEqual(["a", "a"])
    vi.advanceTimersByTime(59_999)
    expect(guard.isShutOut("a")).toBe(true)
    expect(guard.floods()).toBe(1)
  })

  it("gives the budget back over time, so that somebody refused now and then is never shut out", () => {
    const { closed, refuse } = make()
    for (let i = 0; i < 1_000; i++) {
      refuse("a", 9)
      vi.advanceTimersByTime(1_000)
    }
    expect(closed).toEqual([])
  })

  it("counts large requests as several", () => {
    const { closed, refuse } = make()
    refuse("a", 11, 65_536)
    expect(closed).toEqual([])
    refuse("a", 1, 65_536)
    expect(closed).toEqual(["a"])
  })

  it("forgets who has the whole budget, and nobody who is shut out", () => {
    const { guard, refuse } = make()
    refuse("a", 200)
    vi.advanceTimersByTime(30_000)
    guard.prune()
    expect(guard.isShutOut("a")).toBe(true)
  })
})
