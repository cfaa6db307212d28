/** The counters of quotas in the database: kept, shared between instances, freed by trims, and without names. */
import BetterSqlite3 from "better-sqlite3"
import { describe, expect, it } from "vitest"
import { defaultQuotaLimits } from "../../../src/broker/limits/QuotaLimits.ts"
import * as Quotas from "../../../src/broker/limits/Quotas.ts"
import * as StreamPosition from "../../../src/broker/limits/StreamPosition.ts"
import { brokerTables as migrations } from "../../../src/storage/tables/BrokerTables.ts"
import {
  alice,
  bench,
  bob,
  day,
  frameBytes,
  MiB,
  nextDay,
  open,
  person,
  pour,
  useFreshBench,
  verdict,
  verdicts
} from "../../kits/QuotaKit.ts"

useFreshBench()

describe("the counters of quotas", () => {
  describe("after a trim", () => {
    it("KEZ-LIM-014 free the room at once, the strangers' share from the next day, and no sender's own share", () => {
      const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000 })
      verdict(quotas, bob, alice, 600)
      for (let d = 0; d < 2; d++) {
        pour(quotas, alice, bob, 10_000)
        for (let n = 0; n < 9; n++) pour(quotas, person(n), bob, 16_000)
        nextDay(quotas)
      }
      const strangers = quotas.usage(bob, "inbox").strangers!.used
      expect(strangers).toBeGreaterThan(100_000)
      expect(verdict(quotas, person(10), bob, 20_000)).toBe("full")
      quotas.trimmed(bob, "inbox", undefined)
      expect(quotas.usage(bob, "inbox")).toEqual({
        used: 0,
        limit: 1_000_000,
        strangers: { used: strangers, limit: 125_000 }
      })
      expect(verdict(quotas, person(10), bob, 20_000)).toBe("full")
      expect(pour(quotas, alice, bob, 10_000)).toBe(10_000)
      nextDay(quotas)
      expect(verdict(quotas, person(10), bob, 20_000)).toBe("ok")
      expect(verdict(quotas, alice, bob, 10_000)).toBe("full")
    })

    it("keep the days of frames that are left", () => {
      const quotas = open()
      verdict(quotas, bob, alice, 600)
      for (let d = 0; d < 3; d++) {
        expect(verdict(quotas, alice, bob, 10_000)).toBe("ok")
        expect(verdict(quotas, alice, alice, 1_000)).toBe("ok")
        nextDay(quotas)
      }
      quotas.trimmed(bob, "inbox", 20_702 * day)
      expect(quotas.usage(bob, "inbox").used).toBe(10_000)
      quotas.trimmed(alice, "self", 20_701 * day + 1)
      expect(quotas.usage(alice, "self").used).toBe(2_000)
    })

    it("are shared with other instances", () => {
      const [one, two] = [open(), open()]
      verdict(one, bob, alice, 600)
      one.flush()
      expect(verdict(two, alice, bob, 10_000)).toBe("ok")
      nextDay(two)
      expect(two.usage(bob, "inbox").used).toBe(10_000)
      one.trimmed(bob, "inbox", undefined)
      two.flush()
      expect(two.usage(bob, "inbox").used).toBe(0)
    })
  })

  it("name no pair in the database, not even for who knows both keys and reads the secret", () => {
    const quotas = open()
    verdicts(quotas, alice, bob, 2)
    quotas.flush()
    const keys = bench.sqlite.prepare("SELECT key FROM broker_counters").pluck().all() as Array<Buffer>
    const pairs = keys.filter((key) => ["k", "u", "v", "w"].includes(String.fromCharCode(key[0]!)))
    expect(pairs).toHaveLength(2)
    for (const key of pairs) {
      expect(key.subarray(1)).not.toEqual(Buffer.from(alice, "hex"))
      expect(key.subarray(1)).not.toEqual(Buffer.from(bob, "hex"))
    }
    const other = open(defaultQuotaLimits, bench.sqlite, "another pepper")
    expect(verdicts(other, alice, bob, 2, 32_000)).toEqual(["ok", "slow"])
    bench.now += 120 * day
    quotas.flush()
    expect(bench.sqlite.prepare("SELECT count(*) FROM broker_secrets").pluck().get()).toBe(0)
  })

  it("are shared: what one instance wrote down counts for the others", () => {
    const [one, two] = [open(), open()]
    expect(verdicts(one, alice, bob, 2, 15_000)).toEqual(["ok", "ok"])
    one.flush()
    expect(verdicts(two, alice, bob, 2, 4_000)).toEqual(["ok", "slow"])
    two.flush()
    one.flush()
    expect(verdicts(one, alice, bob, 1)).toEqual(["slow"])
  })

  it("take a charge back, also after it was written down", () => {
    const quotas = open()
    const early = quotas.charge(alice, bob, 20_000)
    quotas.flush()
    const late = quotas.charge(alice, bob, 10_000)
    if ("code" in early || "code" in late) throw new Error("refused")
    expect(verdict(quotas, alice, bob, 10_000)).toBe("slow")
    quotas.refund(early)
    quotas.refund(late)
    quotas.flush()
    expect(quotas.usage(bob, "inbox")).toMatchObject({ used: 0, strangers: { used: 0 } })
    expect(verdict(quotas, alice, bob, frameBytes)).toBe("ok")
  })

  it("forget an account's own counters", () => {
    const quotas = open()
    verdict(quotas, alice, bob, 10_000)
    quotas.flush()
    quotas.forget(bob)
    expect(quotas.usage(bob, "inbox")).toMatchObject({ used: 0, strangers: { used: 0 } })
  })

  it("read a database of before: stored bytes take room and belong to no class, counts of messages are gone", () => {
    const old = new BetterSqlite3(":memory:")
    old.exec(migrations[0]!.sqlite)
    const add = old.prepare("INSERT INTO broker_counters (key, day, n) VALUES (?, ?, ?)")
    for (const kind of ["s", "o", "b", "n", "p"]) add.run(Buffer.from(kind + bob.slice(0, 31)), 20_700, 7)
    add.run(Buffer.concat([Buffer.from("s"), Buffer.from(bob, "hex")]), 20_699, 31 * MiB)
    for (const { sqlite: sql } of migrations.slice(1)) old.exec(sql)
    expect(
      old
        .prepare("SELECT DISTINCT CAST(substr(key, 1, 1) AS TEXT) AS kind FROM broker_counters ORDER BY kind")
        .pluck()
        .all()
    ).toEqual(["b", "o", "s"])
    const quotas = open(defaultQuotaLimits, old)
    expect(quotas.usage(bob, "inbox")).toEqual({
      used: 31 * MiB,
      limit: 32 * MiB,
      strangers: { used: 0, limit: 4 * MiB }
    })
    expect(verdict(quotas, alice, bob, 1_000)).toBe("ok")
    old.close()
  })

  it("keep the highest number seen, over restarts and instances", () => {
    const position = StreamPosition.make(bench.sqlite)
    const quotas = Quotas.make(bench.sqlite, { limits: defaultQuotaLimits, pepper: Buffer.from("pepper"), position })
    for (const seq of [5, 9, 7]) position.noteLast(seq)
    quotas.flush()
    expect(StreamPosition.make(bench.sqlite).knownLast()).toBe(9)
    position.resetLast()
    expect(StreamPosition.make(bench.sqlite).knownLast()).toBe(0)
  })
})
