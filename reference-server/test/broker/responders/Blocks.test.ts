import { describe, expect, it } from "vitest"
import * as BlockedSends from "../../../src/broker/responders/BlockedSends.ts"
import * as RequestBudget from "../../../src/broker/limits/RequestBudget.ts"
import { blocksKit } from "../../kits/stores/BlocksKit.ts"
import { sqliteDatabases } from "../../kits/stores/TestDatabases.ts"

const alice = "aa".repeat(32)
const bob = "bb".repeat(32)

describe("over SQLite", () => {
  blocksKit(sqliteDatabases)
})

describe("answers to blocked senders", () => {
  it("KEZ-NAT-063 take as long as stores take at the time", () => {
    let [now, at] = [0, 0]
    const sends = BlockedSends.make(
      () => now,
      () => (at++ % 4) / 4
    )
    const delays = () => [sends.delay(), sends.delay(), sends.delay(), sends.delay()]
    expect(sends.delay()).toBeGreaterThan(0)
    for (const millis of [2, 5, 9, 40]) sends.noteStore(millis)
    at = 0
    expect(delays()).toEqual([2, 5, 9, 40])
    // What follows a burst, and what follows an idle hour after it, does not take as long as the burst did.
    for (let i = 0; i < 200; i++) sends.noteStore(160)
    for (let i = 0; i < 16; i++) sends.noteStore(7)
    expect(delays()).toEqual([7, 7, 7, 7])
    now = 3_600_000
    at = 0
    expect(sends.delay()).toBe(2)
    sends.noteStore(8)
    expect(delays()).toEqual([8, 8, 8, 8])
  })

  it("know a repetition for two minutes", () => {
    let now = 0
    const sends = BlockedSends.make(() => now)
    expect([sends.isRepeated("a"), sends.isRepeated("a"), sends.isRepeated("b")]).toEqual([false, true, false])
    now = 120_001
    expect(sends.isRepeated("a")).toBe(false)
  })
})

describe("budgets of requests", () => {
  it("give a burst and then one at a time, to each account", () => {
    let now = 0
    const budget = RequestBudget.make(3, 1_000, () => now)
    const take = (hex: string) => Array.from({ length: 4 }, () => budget.take(hex))
    expect(take(alice)).toEqual([true, true, true, false])
    expect(take(bob)).toEqual([true, true, true, false])
    now = 1_000
    expect(take(alice)).toEqual([true, false, false, false])
    now = 100_000
    expect(take(alice)).toEqual([true, true, true, false])
  })
})
