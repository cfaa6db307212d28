import BetterSqlite3 from "better-sqlite3"
import * as fc from "fast-check"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import {
  defaultQuotaLimits,
  minimumChargeBytes,
  type QuotaLimits,
  sharesOf
} from "../../../src/broker/limits/QuotaLimits.ts"
import * as StreamPosition from "../../../src/broker/limits/StreamPosition.ts"
import { migrations } from "../../../src/broker/Tables.ts"
import * as Quotas from "../../../src/broker/limits/Quotas.ts"

const day = 86_400_000
const KiB = 1024
const MiB = 1024 * KiB
const person = (n: number): string => n.toString(16).padStart(64, "0")
const alice = "aa".repeat(32)
const bob = "bb".repeat(32)
const frameBytes = 65_536

describe("the shares of an inbox", () => {
  it("KEZ-LIM-009 are those of the specification by default", () => {
    expect(sharesOf(defaultQuotaLimits)).toEqual({
      strangersBytes: 4 * MiB,
      strangersBytesPerDay: Math.floor((4 * MiB) / 30),
      strangerBytesPerDay: Math.floor(Math.floor((4 * MiB) / 30) / 4),
      senderBytes: 8 * MiB,
      senderBytesPerDay: 4 * MiB
    })
  })

  it("leave strangers one frame a day, however long frames are kept", () => {
    expect(sharesOf({ ...defaultQuotaLimits, retentionDays: 3_650 }).strangersBytesPerDay).toBe(frameBytes)
  })

  it("run out of bytes before the stream's limit of 100,000 frames", () => {
    expect((32 * MiB) / minimumChargeBytes).toBeLessThan(100_000)
  })
})

describe("quotas", () => {
  let sqlite: BetterSqlite3.Database
  let now: number
  const open = (limits: QuotaLimits = defaultQuotaLimits) => openWith(sqlite, limits, "pepper")
  const openWith = (database: BetterSqlite3.Database, limits: QuotaLimits, pepper: string) =>
    Quotas.make(database, {
      limits,
      pepper: Buffer.from(pepper),
      position: StreamPosition.make(database),
      now: () => now
    })
  beforeEach(() => {
    sqlite = new BetterSqlite3(":memory:")
    for (const { sql } of migrations) sqlite.exec(sql)
    now = 20_700 * day
  })
  afterEach(() => void sqlite.close())

  const verdict = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, blocked = false) => {
    const charge = quotas.charge(from, to, bytes, blocked)
    return "code" in charge ? charge.code : "ok"
  }
  const verdicts = (quotas: Quotas.Quotas, from: string, to: string, count: number, bytes = 1_000) =>
    Array.from({ length: count }, () => verdict(quotas, from, to, bytes))
  /** Sends until it is refused; how many bytes got through. */
  const pour = (quotas: Quotas.Quotas, from: string, to: string, bytes: number, blocked = false): number => {
    let sent = 0
    while (verdict(quotas, from, to, bytes, blocked) === "ok") sent += bytes
    return sent
  }
  const nextDay = (quotas: Quotas.Quotas) => {
    quotas.flush()
    now += day
    quotas.flush()
  }

  it("KEZ-LIM-010 25 strangers within every quota cannot fill an inbox, not in 90 days, and a friend gets through on each", () => {
    const quotas = open()
    const friend = person(1_000)
    let highest = 0
    for (let d = 0; d < 90; d++) {
      if (d % 20 === 0) verdict(quotas, bob, friend, 1_000)
      let today = 0
      for (let n = 0; n < 25; n++) today += pour(quotas, person(n), bob, 8 * KiB)
      expect(today).toBeLessThanOrEqual((4 * MiB) / 30)
      highest = Math.max(highest, quotas.usage(bob, "inbox").strangers!.used)
      expect([d, verdict(quotas, friend, bob, 60_000)]).toEqual([d, "ok"])
      nextDay(quotas)
    }
    expect(highest).toBeLessThanOrEqual(4 * MiB)
    expect(highest).toBeGreaterThan(3.5 * MiB)
    const { used, strangers } = quotas.usage(bob, "inbox")
    expect(used - strangers!.used).toBe(30 * 60_000)
  })

  it("KEZ-LIM-010 one stranger gets a quarter of a day's share, so that four are needed to use it up", () => {
    const quotas = open()
    const each = Array.from({ length: 5 }, (_, n) => pour(quotas, person(n), bob, 1_000))
    expect(each.slice(0, 4)).toEqual([34_000, 34_000, 34_000, 34_000])
    expect(each[4]).toBe(3_000)
    nextDay(quotas)
    expect(verdict(quotas, person(9), bob, 1_000)).toBe("ok")
  })

  it("KEZ-LIM-010 a stranger's first frame of a day may be a full one, and is then its only one", () => {
    const quotas = open()
    expect(verdict(quotas, alice, bob, frameBytes)).toBe("ok")
    expect(verdict(quotas, alice, bob, 600)).toBe("slow")
    nextDay(quotas)
    expect(verdict(quotas, alice, bob, frameBytes)).toBe("ok")
  })

  it("KEZ-LIM-011 one known sender gets 4 MiB a day, 8 MiB in all, and the next ones find room", () => {
    const quotas = open()
    const senders = Array.from({ length: 40 }, (_, n) => person(n))
    for (const sender of senders) verdict(quotas, bob, sender, 600)
    const stored = new Map<string, number>()
    const first = [pour(quotas, senders[0]!, bob, 60_000)]
    nextDay(quotas)
    first.push(pour(quotas, senders[0]!, bob, 60_000))
    expect(first).toEqual([69 * 60_000, 69 * 60_000])
    nextDay(quotas)
    for (let d = 0; d < 10; d++) {
      for (const sender of senders) {
        const today = pour(quotas, sender, bob, 60_000)
        expect(today).toBeLessThanOrEqual(4 * MiB)
        stored.set(sender, (stored.get(sender) ?? 0) + today)
      }
      nextDay(quotas)
    }
    expect(stored.get(senders[0]!)! + first[0]! + first[1]!).toBeLessThanOrEqual(8 * MiB)
    for (const bytes of stored.values()) expect(bytes).toBeLessThanOrEqual(8 * MiB)
    const friend = person(1_000)
    verdict(quotas, bob, friend, 600)
    expect(verdict(quotas, friend, bob, 1_000)).toBe("ok")
    expect(verdict(quotas, person(2_000), bob, 1_000)).toBe("ok")
  })

  it("KEZ-LIM-011 one known sender takes at most half the room left", () => {
    const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000, sendBytesPerDay: 2 ** 40 })
    const senders = Array.from({ length: 12 }, (_, n) => person(n))
    for (const sender of senders) verdict(quotas, bob, sender, 600)
    for (let d = 0; d < 4; d++) {
      for (const sender of senders) pour(quotas, sender, bob, 1_000)
      nextDay(quotas)
    }
    const { used } = quotas.usage(bob, "inbox")
    expect(used).toBeGreaterThan(900_000)
    expect(used).toBeLessThan(1_000_000)
    expect(verdict(quotas, senders[0]!, bob, 1_000)).toBe("full")
    const friend = person(1_000)
    verdict(quotas, bob, friend, 600)
    expect(verdict(quotas, friend, bob, 600)).toBe("ok")
  })

  it("KEZ-LIM-012 charges keep the class they were made under", () => {
    const quotas = open()
    expect(pour(quotas, alice, bob, 1_000)).toBe(34_000)
    verdict(quotas, bob, alice, 600)
    expect(verdict(quotas, alice, bob, 1_000)).toBe("ok")
    expect(quotas.usage(bob, "inbox")).toEqual({
      used: 35_000,
      limit: 32 * MiB,
      strangers: { used: 34_000, limit: 4 * MiB }
    })
    // The known share is whole, the strangers' share of the day is still used.
    expect(pour(quotas, alice, bob, 60_000)).toBe(69 * 60_000)
    expect([0, 1, 2, 3].map((n) => pour(quotas, person(n), bob, 1_000))).toEqual([34_000, 34_000, 34_000, 3_000])
  })

  it("KEZ-LIM-013 say slow until the next UTC day, and full without a time", () => {
    const quotas = open()
    now += 5 * 3_600_000
    expect(quotas.charge(alice, bob, frameBytes)).toHaveProperty("entries")
    expect(quotas.charge(alice, bob, 600)).toEqual({ code: "slow", untilMillis: 20_701 * day })
    const small = open({ ...defaultQuotaLimits, inboxBytes: 100_000 })
    expect(small.charge(person(1), person(2), 60_000)).toEqual({ code: "full" })
  })

  it("count by UTC day: the next day begins anew", () => {
    const quotas = open()
    now += day - 1
    expect(pour(quotas, alice, bob, 1_000)).toBe(34_000)
    quotas.flush()
    now += 1
    expect(pour(quotas, alice, bob, 1_000)).toBe(34_000)
  })

  it("count a small frame as 512 bytes", () => {
    const quotas = open()
    verdict(quotas, alice, bob, 1)
    expect(quotas.usage(bob, "inbox").used).toBe(512)
    const sent = pour(quotas, alice, bob, 1)
    expect(sent + 1).toBe(Math.floor(34_952 / 512))
  })

  it("count stored bytes for as long as the frames are kept", () => {
    const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000 })
    verdict(quotas, bob, alice, 600)
    expect(pour(quotas, alice, bob, 10_000)).toBe(120_000)
    nextDay(quotas)
    expect(pour(quotas, alice, bob, 10_000)).toBe(120_000)
    nextDay(quotas)
    expect(pour(quotas, alice, bob, 10_000)).toBe(10_000)
    for (let d = 0; d < 29; d++) {
      nextDay(quotas)
      verdict(quotas, bob, alice, 600)
    }
    expect(quotas.usage(bob, "inbox").used).toBe(130_000)
    expect(pour(quotas, alice, bob, 10_000)).toBe(120_000)
  })

  it("count what a pair stored over every replacement of the secret that retention spans", () => {
    const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000, retentionDays: 100 })
    verdict(quotas, bob, alice, 600)
    expect(pour(quotas, alice, bob, 10_000)).toBe(120_000)
    for (let d = 0; d < 99; d++) {
      nextDay(quotas)
      if (d % 20 === 0) verdict(quotas, bob, alice, 600)
    }
    expect(pour(quotas, alice, bob, 10_000)).toBe(120_000)
    nextDay(quotas)
    expect(pour(quotas, alice, bob, 10_000)).toBe(10_000)
  })

  it("remember that somebody wrote back for one to two months, and then no more", () => {
    const quotas = open()
    verdict(quotas, bob, alice, 600)
    for (let d = 0; d < 29; d++) nextDay(quotas)
    expect(verdicts(quotas, alice, bob, 2, 30_000)).toEqual(["ok", "ok"])
    for (let d = 0; d < 60; d++) nextDay(quotas)
    expect(verdicts(quotas, alice, bob, 2, 30_000)).toEqual(["ok", "slow"])
  })

  it("bound what an account sends to all in a day, and its own copies apart", () => {
    const quotas = open()
    let sent = 0
    for (let n = 0; n < 400; n++) if (verdict(quotas, alice, person(n), frameBytes) === "ok") sent += frameBytes
    expect(sent).toBe(16 * MiB)
    expect(pour(quotas, alice, alice, frameBytes)).toBe(16 * MiB)
    expect(quotas.usage(alice, "self")).toEqual({ used: 16 * MiB, limit: 32 * MiB })
    expect(quotas.usage(alice, "inbox").used).toBe(0)
  })

  it("KEZ-NAT-063 a blocked sender takes no room and meets the limits of an unblocked one", () => {
    const histories = [false, true].map((blocked) => {
      sqlite.exec("DELETE FROM broker_counters")
      now = 20_700 * day
      const quotas = open()
      const history: Array<number> = []
      for (let d = 0; d < 28; d++) {
        if (d === 3) verdict(quotas, bob, alice, 600)
        history.push(pour(quotas, alice, bob, 60_000, blocked))
        nextDay(quotas)
      }
      return { history, used: quotas.usage(bob, "inbox").used }
    })
    expect(histories[1]!.history).toEqual(histories[0]!.history)
    expect(histories[0]!.used).toBeGreaterThan(7 * MiB)
    expect(histories[1]!.used).toBe(0)
  })

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
    const keys = sqlite.prepare("SELECT key FROM broker_counters").pluck().all() as Array<Buffer>
    const pairs = keys.filter((key) => ["k", "u", "v", "w"].includes(String.fromCharCode(key[0]!)))
    expect(pairs).toHaveLength(2)
    for (const key of pairs) {
      expect(key.subarray(1)).not.toEqual(Buffer.from(alice, "hex"))
      expect(key.subarray(1)).not.toEqual(Buffer.from(bob, "hex"))
    }
    const other = openWith(sqlite, defaultQuotaLimits, "another pepper")
    expect(verdicts(other, alice, bob, 2, 32_000)).toEqual(["ok", "slow"])
    now += 120 * day
    quotas.flush()
    expect(sqlite.prepare("SELECT count(*) FROM broker_secrets").pluck().get()).toBe(0)
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
    old.exec(migrations[0]!.sql)
    const add = old.prepare("INSERT INTO broker_counters (key, day, n) VALUES (?, ?, ?)")
    for (const kind of ["s", "o", "b", "n", "p"]) add.run(Buffer.from(kind + bob.slice(0, 31)), 20_700, 7)
    add.run(Buffer.concat([Buffer.from("s"), Buffer.from(bob, "hex")]), 20_699, 31 * MiB)
    for (const { sql } of migrations.slice(1)) old.exec(sql)
    expect(
      old
        .prepare("SELECT DISTINCT CAST(substr(key, 1, 1) AS TEXT) AS kind FROM broker_counters ORDER BY kind")
        .pluck()
        .all()
    ).toEqual(["b", "o", "s"])
    const quotas = openWith(old, defaultQuotaLimits, "pepper")
    expect(quotas.usage(bob, "inbox")).toEqual({
      used: 31 * MiB,
      limit: 32 * MiB,
      strangers: { used: 0, limit: 4 * MiB }
    })
    expect(verdict(quotas, alice, bob, 1_000)).toBe("ok")
    old.close()
  })

  it("keep the highest number seen, over restarts and instances", () => {
    const position = StreamPosition.make(sqlite)
    const quotas = Quotas.make(sqlite, { limits: defaultQuotaLimits, pepper: Buffer.from("pepper"), position })
    for (const seq of [5, 9, 7]) position.noteLast(seq)
    quotas.flush()
    expect(StreamPosition.make(sqlite).knownLast()).toBe(9)
    position.resetLast()
    expect(StreamPosition.make(sqlite).knownLast()).toBe(0)
  })

  it("never let more through than a limit says, in whatever order things happen", () => {
    const limits = { ...defaultQuotaLimits, inboxBytes: 40_000, selfBytes: 3_000, selfBytesPerDay: 2_500 }
    const step = fc.oneof(
      fc.record({
        op: fc.constant("send" as const),
        from: fc.constantFrom(alice, bob),
        to: fc.constantFrom(alice, bob),
        bytes: fc.integer({ min: 512, max: 3_000 })
      }),
      fc.constant({ op: "flush" as const }),
      fc.constant({ op: "restart" as const })
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        sqlite.exec("DELETE FROM broker_counters")
        let quotas = open(limits)
        const stored = { [alice]: 0, [bob]: 0 }
        const own = { [alice]: 0, [bob]: 0 }
        for (const next of steps) {
          if (next.op === "flush") quotas.flush()
          else if (next.op === "restart") {
            quotas.flush()
            quotas = open(limits)
          } else if (verdict(quotas, next.from, next.to, next.bytes) === "ok") {
            if (next.from === next.to) own[next.to]! += next.bytes
            else stored[next.to]! += next.bytes
          }
        }
        for (const hex of [alice, bob]) {
          // As a stranger an eighth of the inbox, as a known sender an eighth more in a day.
          expect(stored[hex]).toBeLessThanOrEqual(10_000)
          expect(own[hex]).toBeLessThanOrEqual(2_500)
          expect(quotas.usage(hex, "inbox").used).toBe(stored[hex])
        }
      })
    )
  })
})
