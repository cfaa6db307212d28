import BetterSqlite3 from "better-sqlite3"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import * as BlockedSends from "../../../src/broker/responders/BlockedSends.ts"
import { brokerTables as migrations } from "../../../src/storage/tables/BrokerTables.ts"
import * as Blocks from "../../../src/broker/responders/Blocks.ts"
import * as RequestBudget from "../../../src/broker/limits/RequestBudget.ts"

const alice = "aa".repeat(32)
const bob = "bb".repeat(32)
const person = (n: number): string => n.toString(16).padStart(64, "0")

describe("block lists", () => {
  let sqlite: BetterSqlite3.Database
  const open = (key = "key") => {
    const blocks = Blocks.make(sqlite, Buffer.from(key))
    return {
      ...blocks,
      add: (owner: string, who: string) => blocks.change([{ op: "add", owner, who }])[0],
      remove: (owner: string, who: string) => blocks.change([{ op: "remove", owner, who }])[0]
    }
  }
  beforeEach(() => {
    sqlite = new BetterSqlite3(":memory:")
    for (const { sqlite: sql } of migrations) sqlite.exec(sql)
  })
  afterEach(() => void sqlite.close())

  it("KEZ-NAT-062 go one way, are idempotent and stay until they are removed", () => {
    const blocks = open()
    expect([blocks.add(alice, bob), blocks.add(alice, bob)]).toEqual([true, true])
    expect([blocks.has(alice, bob), blocks.has(bob, alice), open().has(alice, bob)]).toEqual([true, false, true])
    blocks.remove(alice, bob)
    blocks.remove(alice, bob)
    expect(blocks.has(alice, bob)).toBe(false)
  })

  it("KEZ-NAT-062 hold 10,000 accounts, and then only those", () => {
    const blocks = open()
    const all = Array.from({ length: 10_001 }, (_, n) => ({ op: "add" as const, owner: alice, who: person(n) }))
    expect(blocks.change(all).indexOf(false)).toBe(10_000)
    expect([blocks.add(alice, bob), blocks.has(alice, bob), blocks.add(alice, person(0))]).toEqual([false, false, true])
    expect(blocks.add(bob, alice)).toBe(true)
    blocks.remove(alice, person(5))
    expect(blocks.add(alice, bob)).toBe(true)
    blocks.forget(alice)
    expect([blocks.has(alice, bob), blocks.has(bob, alice)]).toEqual([false, true])
  })

  it("make what comes together in its order and in one transaction", () => {
    const blocks = open()
    const change = (op: "add" | "remove") => ({ op, owner: alice, who: bob })
    expect(blocks.change([change("add"), change("remove"), change("add")])).toEqual([true, true, true])
    expect(blocks.has(alice, bob)).toBe(true)
    blocks.change([change("remove"), change("add"), change("remove")])
    expect(blocks.has(alice, bob)).toBe(false)
    sqlite.exec("CREATE TRIGGER no BEFORE DELETE ON broker_blocks BEGIN SELECT RAISE(ABORT, 'no'); END")
    expect(() => blocks.change([change("add"), change("remove")])).toThrow("no")
    expect(blocks.has(alice, bob)).toBe(false)
  })

  it("KEZ-NAT-064 are keyed hashes: the database names nobody, and another key finds nothing", () => {
    open().add(alice, bob)
    const rows = sqlite.prepare("SELECT hex(pair) || hex(owner) FROM broker_blocks").pluck().all().join().toLowerCase()
    expect(rows).not.toContain("aaaaaaaa")
    expect(rows).not.toContain("bbbbbbbb")
    expect(open("another key").has(alice, bob)).toBe(false)
  })
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
