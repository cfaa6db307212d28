import BetterSqlite3 from "better-sqlite3"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { QuotaLimits } from "../../src/broker/QuotaLimits.ts"
import * as Quotas from "../../src/broker/Quotas.ts"

const day = 86_400_000
const alice = "aa".repeat(32)
const bob = "bb".repeat(32)
const limits: QuotaLimits = {
  inboxBytes: 1_000,
  selfBytes: 1_000,
  sendBytesPerDay: 800,
  selfBytesPerDay: 800,
  strangerMessagesPerDay: 3,
  peerMessagesPerDay: 6,
  inboxStrangerMessagesPerDay: 5,
  retentionDays: 30
}

describe("quotas", () => {
  let sqlite: BetterSqlite3.Database
  let now: number
  const open = () => Quotas.make(sqlite, limits, Buffer.from("pepper"), () => now)
  beforeEach(() => {
    sqlite = new BetterSqlite3(":memory:")
    for (const { sql } of Quotas.migrations) sqlite.exec(sql)
    now = 20_700 * day
  })
  afterEach(() => void sqlite.close())

  const verdicts = (quotas: Quotas.Quotas, from: string, to: string, count: number, bytes = 10) =>
    Array.from({ length: count }, () => {
      const verdict = quotas.charge(from, to, bytes)
      return typeof verdict === "string" ? verdict : "ok"
    })

  it("count by day: the next day begins anew", () => {
    const quotas = open()
    expect(verdicts(quotas, alice, bob, 4)).toEqual(["ok", "ok", "ok", "slow"])
    quotas.flush()
    now += day
    expect(verdicts(quotas, alice, bob, 2)).toEqual(["ok", "ok"])
  })

  it("count stored bytes for as long as the frames are kept", () => {
    const quotas = open()
    expect(verdicts(quotas, alice, bob, 1, 700)).toEqual(["ok"])
    quotas.flush()
    now += day
    expect(verdicts(quotas, alice, bob, 1, 400)).toEqual(["full"])
    expect(verdicts(quotas, alice, bob, 1, 300)).toEqual(["ok"])
    quotas.flush()
    now += 30 * day
    quotas.flush()
    expect(verdicts(quotas, alice, bob, 1, 600)).toEqual(["ok"])
    expect(verdicts(quotas, alice, bob, 1, 101)).toEqual(["full"])
  })

  it("remember that somebody wrote back for one to two months, and then no more", () => {
    const quotas = open()
    expect(verdicts(quotas, bob, alice, 1)).toEqual(["ok"])
    quotas.flush()
    now += 29 * day
    expect(verdicts(quotas, alice, bob, 4)).toEqual(["ok", "ok", "ok", "ok"])
    quotas.flush()
    now += 60 * day
    quotas.flush()
    expect(verdicts(quotas, alice, bob, 4)).toEqual(["ok", "ok", "ok", "slow"])
  })

  it("name no pair in the database, not even for who knows both keys and reads the secret", () => {
    const quotas = open()
    verdicts(quotas, alice, bob, 2)
    quotas.flush()
    const keys = sqlite.prepare("SELECT key FROM broker_counters").pluck().all() as Array<Buffer>
    const pairs = keys.filter((key) => ["p", "w"].includes(String.fromCharCode(key[0]!)))
    expect(pairs).toHaveLength(2)
    for (const key of pairs) {
      expect(key.subarray(1)).not.toEqual(Buffer.from(alice, "hex"))
      expect(key.subarray(1)).not.toEqual(Buffer.from(bob, "hex"))
    }
    const other = Quotas.make(sqlite, limits, Buffer.from("another pepper"), () => now)
    expect(verdicts(other, alice, bob, 3)).toEqual(["ok", "ok", "ok"])
    now += 90 * day
    quotas.flush()
    expect(sqlite.prepare("SELECT count(*) FROM broker_secrets").pluck().get()).toBe(0)
  })

  it("are shared: what one instance wrote down counts for the others", () => {
    const [one, two] = [open(), open()]
    expect(verdicts(one, alice, bob, 2)).toEqual(["ok", "ok"])
    one.flush()
    expect(verdicts(two, alice, bob, 2)).toEqual(["ok", "slow"])
    two.flush()
    one.flush()
    expect(verdicts(one, alice, bob, 1)).toEqual(["slow"])
  })

  it("take a charge back, also after it was written down", () => {
    const quotas = open()
    const early = quotas.charge(alice, bob, 500)
    quotas.flush()
    const late = quotas.charge(alice, bob, 300)
    if (typeof early === "string" || typeof late === "string") throw new Error("refused")
    expect(verdicts(quotas, alice, bob, 1, 300)).toEqual(["full"])
    quotas.refund(early)
    quotas.refund(late)
    quotas.flush()
    expect(verdicts(quotas, alice, bob, 1, 800)).toEqual(["ok"])
  })

  it("forget an account's own counters", () => {
    const quotas = open()
    verdicts(quotas, alice, bob, 1, 800)
    quotas.flush()
    quotas.forget(bob)
    expect(verdicts(quotas, "cc".repeat(32), bob, 1, 800)).toEqual(["ok"])
  })

  it("keep the highest number seen, over restarts and instances", () => {
    const quotas = open()
    for (const seq of [5, 9, 7]) quotas.noteLast(seq)
    quotas.flush()
    expect(open().knownLast()).toBe(9)
    quotas.resetLast()
    expect(open().knownLast()).toBe(0)
  })

  it("never let more through than a limit says, in whatever order things happen", () => {
    const step = fc.oneof(
      fc.record({
        op: fc.constant("send" as const),
        from: fc.constantFrom(alice, bob),
        to: fc.constantFrom(alice, bob),
        bytes: fc.integer({ min: 1, max: 400 })
      }),
      fc.constant({ op: "flush" as const }),
      fc.constant({ op: "restart" as const })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        sqlite.exec("DELETE FROM broker_counters")
        let quotas = open()
        const stored = { [alice]: 0, [bob]: 0 }
        const own = { [alice]: 0, [bob]: 0 }
        for (const next of steps) {
          if (next.op === "flush") quotas.flush()
          else if (next.op === "restart") {
            quotas.flush()
            quotas = open()
          } else if (typeof quotas.charge(next.from, next.to, next.bytes) !== "string") {
            if (next.from === next.to) own[next.to]! += next.bytes
            else stored[next.to]! += next.bytes
          }
        }
        for (const hex of [alice, bob]) {
          expect(stored[hex]).toBeLessThanOrEqual(800)
          expect(own[hex]).toBeLessThanOrEqual(800)
        }
      })
    )
  })
})
