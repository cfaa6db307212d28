/** How much room whose frames may take. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { defaultQuotaLimits, minimumChargeBytes, sharesOf } from "../../../src/broker/limits/QuotaLimits.ts"
import {
  alice,
  bench,
  charge,
  database,
  bob,
  day,
  firstDay,
  frameBytes,
  MiB,
  nextDay,
  open,
  person,
  pour,
  useFreshBench,
  verdict,
  verdicts
} from "./QuotaBench.ts"
import type { TestDatabases } from "./TestDatabases.ts"

export const quotasKit = (databases: TestDatabases) => {
  useFreshBench(databases)

  describe("the shares of an inbox", () => {
    it.live(
      "KEZ-LIM-009 are those of the specification by default",
      Effect.fnUntraced(function* () {
        expect(sharesOf(defaultQuotaLimits)).toEqual({
          strangersBytes: 4 * MiB,
          strangersBytesPerDay: Math.floor((4 * MiB) / 30),
          strangerBytesPerDay: Math.floor(Math.floor((4 * MiB) / 30) / 4),
          senderBytes: 8 * MiB,
          senderBytesPerDay: 4 * MiB
        })
      })
    )

    it.live(
      "leave strangers one frame a day, however long frames are kept",
      Effect.fnUntraced(function* () {
        expect(sharesOf({ ...defaultQuotaLimits, retentionDays: 3_650 }).strangersBytesPerDay).toBe(frameBytes)
      })
    )

    it.live(
      "run out of bytes before the stream's limit of 100,000 frames",
      Effect.fnUntraced(function* () {
        expect((32 * MiB) / minimumChargeBytes).toBeLessThan(100_000)
      })
    )
  })

  describe("quotas", () => {
    it.live(
      "KEZ-LIM-010 25 strangers within every quota cannot fill an inbox, not in 90 days, and a friend gets through on each",
      Effect.fnUntraced(function* () {
        const quotas = open()
        const friend = person(1_000)
        let highest = 0
        for (let d = 0; d < 90; d++) {
          if (d % 20 === 0) yield* verdict(quotas, bob, friend, 1_000)
          let today = 0
          for (let n = 0; n < 25; n++) today += yield* pour(quotas, person(n), bob, 8 * 1024)
          expect(today).toBeLessThanOrEqual((4 * MiB) / 30)
          highest = Math.max(highest, (yield* quotas.usage(bob, "inbox")).strangers!.used)
          expect([d, yield* verdict(quotas, friend, bob, 60_000)]).toEqual([d, "ok"])
          yield* nextDay(quotas)
        }
        expect(highest).toBeLessThanOrEqual(4 * MiB)
        expect(highest).toBeGreaterThan(3.5 * MiB)
        const { used, strangers } = yield* quotas.usage(bob, "inbox")
        expect(used - strangers!.used).toBe(30 * 60_000)
      })
    )

    it.live(
      "KEZ-LIM-010 one stranger gets a quarter of a day's share, so that four are needed to use it up",
      Effect.fnUntraced(function* () {
        const quotas = open()
        const each = yield* Effect.forEach([0, 1, 2, 3, 4], (n) => pour(quotas, person(n), bob, 1_000))
        expect(each.slice(0, 4)).toEqual([34_000, 34_000, 34_000, 34_000])
        expect(each[4]).toBe(3_000)
        yield* nextDay(quotas)
        expect(yield* verdict(quotas, person(9), bob, 1_000)).toBe("ok")
      })
    )

    it.live(
      "KEZ-LIM-010 a stranger's first frame of a day may be a full one, and is then its only one",
      Effect.fnUntraced(function* () {
        const quotas = open()
        expect(yield* verdict(quotas, alice, bob, frameBytes)).toBe("ok")
        expect(yield* verdict(quotas, alice, bob, 600)).toBe("slow")
        yield* nextDay(quotas)
        expect(yield* verdict(quotas, alice, bob, frameBytes)).toBe("ok")
      })
    )

    it.live(
      "KEZ-LIM-011 one known sender gets 4 MiB a day, 8 MiB in all, and the next ones find room",
      Effect.fnUntraced(function* () {
        const quotas = open()
        const senders = Array.from({ length: 40 }, (_, n) => person(n))
        for (const sender of senders) yield* verdict(quotas, bob, sender, 600)
        const stored = new Map<string, number>()
        const first = [yield* pour(quotas, senders[0]!, bob, 60_000)]
        yield* nextDay(quotas)
        first.push(yield* pour(quotas, senders[0]!, bob, 60_000))
        expect(first).toEqual([69 * 60_000, 69 * 60_000])
        yield* nextDay(quotas)
        for (let d = 0; d < 10; d++) {
          for (const sender of senders) {
            const today = yield* pour(quotas, sender, bob, 60_000)
            expect(today).toBeLessThanOrEqual(4 * MiB)
            stored.set(sender, (stored.get(sender) ?? 0) + today)
          }
          yield* nextDay(quotas)
        }
        expect(stored.get(senders[0]!)! + first[0]! + first[1]!).toBeLessThanOrEqual(8 * MiB)
        for (const bytes of stored.values()) expect(bytes).toBeLessThanOrEqual(8 * MiB)
        const friend = person(1_000)
        yield* verdict(quotas, bob, friend, 600)
        expect(yield* verdict(quotas, friend, bob, 1_000)).toBe("ok")
        expect(yield* verdict(quotas, person(2_000), bob, 1_000)).toBe("ok")
      })
    )

    it.live(
      "KEZ-LIM-011 one known sender takes at most half the room left",
      Effect.fnUntraced(function* () {
        const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000, sendBytesPerDay: 2 ** 40 })
        const senders = Array.from({ length: 12 }, (_, n) => person(n))
        for (const sender of senders) yield* verdict(quotas, bob, sender, 600)
        for (let d = 0; d < 4; d++) {
          for (const sender of senders) yield* pour(quotas, sender, bob, 1_000)
          yield* nextDay(quotas)
        }
        const { used } = yield* quotas.usage(bob, "inbox")
        expect(used).toBeGreaterThan(900_000)
        expect(used).toBeLessThan(1_000_000)
        expect(yield* verdict(quotas, senders[0]!, bob, 1_000)).toBe("full")
        const friend = person(1_000)
        yield* verdict(quotas, bob, friend, 600)
        expect(yield* verdict(quotas, friend, bob, 600)).toBe("ok")
      })
    )

    it.live(
      "KEZ-LIM-012 charges keep the class they were made under",
      Effect.fnUntraced(function* () {
        const quotas = open()
        expect(yield* pour(quotas, alice, bob, 1_000)).toBe(34_000)
        yield* verdict(quotas, bob, alice, 600)
        expect(yield* verdict(quotas, alice, bob, 1_000)).toBe("ok")
        expect(yield* quotas.usage(bob, "inbox")).toEqual({
          used: 35_000,
          limit: 32 * MiB,
          strangers: { used: 34_000, limit: 4 * MiB }
        })
        // The known share is whole, the strangers' share of the day is still used.
        expect(yield* pour(quotas, alice, bob, 60_000)).toBe(69 * 60_000)
        expect(yield* Effect.forEach([0, 1, 2, 3], (n) => pour(quotas, person(n), bob, 1_000))).toEqual([
          34_000, 34_000, 34_000, 3_000
        ])
      })
    )

    it.live(
      "KEZ-LIM-013 say slow until the next UTC day, and full without a time",
      Effect.fnUntraced(function* () {
        const quotas = open()
        bench.now += 5 * 3_600_000
        expect(yield* charge(quotas, alice, bob, frameBytes)).toHaveProperty("entries")
        expect(yield* charge(quotas, alice, bob, 600)).toEqual({ code: "slow", untilMillis: 20_701 * day })
        const small = open({ ...defaultQuotaLimits, inboxBytes: 100_000 })
        expect(yield* charge(small, person(1), person(2), 60_000)).toEqual({ code: "full" })
      })
    )

    it.live(
      "count by UTC day: the next day begins anew",
      Effect.fnUntraced(function* () {
        const quotas = open()
        bench.now += day - 1
        expect(yield* pour(quotas, alice, bob, 1_000)).toBe(34_000)
        yield* quotas.flush
        bench.now += 1
        expect(yield* pour(quotas, alice, bob, 1_000)).toBe(34_000)
      })
    )

    it.live(
      "count a small frame as 512 bytes",
      Effect.fnUntraced(function* () {
        const quotas = open()
        yield* verdict(quotas, alice, bob, 1)
        expect((yield* quotas.usage(bob, "inbox")).used).toBe(512)
        const sent = yield* pour(quotas, alice, bob, 1)
        expect(sent + 1).toBe(Math.floor(34_952 / 512))
      })
    )

    it.live(
      "count stored bytes for as long as the frames are kept",
      Effect.fnUntraced(function* () {
        const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000 })
        yield* verdict(quotas, bob, alice, 600)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(120_000)
        yield* nextDay(quotas)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(120_000)
        yield* nextDay(quotas)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(10_000)
        for (let d = 0; d < 29; d++) {
          yield* nextDay(quotas)
          yield* verdict(quotas, bob, alice, 600)
        }
        expect((yield* quotas.usage(bob, "inbox")).used).toBe(130_000)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(120_000)
      })
    )

    it.live(
      "count what a pair stored over every replacement of the secret that retention spans",
      Effect.fnUntraced(function* () {
        const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000, retentionDays: 100 })
        yield* verdict(quotas, bob, alice, 600)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(120_000)
        for (let d = 0; d < 99; d++) {
          yield* nextDay(quotas)
          if (d % 20 === 0) yield* verdict(quotas, bob, alice, 600)
        }
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(120_000)
        yield* nextDay(quotas)
        expect(yield* pour(quotas, alice, bob, 10_000)).toBe(10_000)
      })
    )

    it.live(
      "remember that somebody wrote back for one to two months, and then no more",
      Effect.fnUntraced(function* () {
        const quotas = open()
        yield* verdict(quotas, bob, alice, 600)
        for (let d = 0; d < 29; d++) yield* nextDay(quotas)
        expect(yield* verdicts(quotas, alice, bob, 2, 30_000)).toEqual(["ok", "ok"])
        for (let d = 0; d < 60; d++) yield* nextDay(quotas)
        expect(yield* verdicts(quotas, alice, bob, 2, 30_000)).toEqual(["ok", "slow"])
      })
    )

    it.live(
      "bound what an account sends to all in a day, and its own copies apart",
      Effect.fnUntraced(function* () {
        const quotas = open()
        let sent = 0
        for (let n = 0; n < 400; n++)
          if ((yield* verdict(quotas, alice, person(n), frameBytes)) === "ok") sent += frameBytes
        expect(sent).toBe(16 * MiB)
        expect(yield* pour(quotas, alice, alice, frameBytes)).toBe(16 * MiB)
        expect(yield* quotas.usage(alice, "self")).toEqual({ used: 16 * MiB, limit: 32 * MiB })
        expect((yield* quotas.usage(alice, "inbox")).used).toBe(0)
      })
    )

    it.live(
      "KEZ-NAT-063 a blocked sender takes no room and meets the limits of an unblocked one",
      Effect.fnUntraced(function* () {
        const histories = yield* Effect.forEach(
          [false, true],
          Effect.fnUntraced(function* (blocked) {
            yield* database().sql`DELETE FROM broker_counters`
            bench.now = firstDay * day
            const quotas = open()
            const history: Array<number> = []
            for (let d = 0; d < 28; d++) {
              if (d === 3) yield* verdict(quotas, bob, alice, 600)
              history.push(yield* pour(quotas, alice, bob, 60_000, blocked))
              yield* nextDay(quotas)
            }
            return { history, used: (yield* quotas.usage(bob, "inbox")).used }
          })
        )
        expect(histories[1]!.history).toEqual(histories[0]!.history)
        expect(histories[0]!.used).toBeGreaterThan(7 * MiB)
        expect(histories[1]!.used).toBe(0)
      })
    )

    it.live(
      "never let more through than a limit says, in whatever order things happen",
      Effect.fnUntraced(function* () {
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
        type Step = typeof step extends fc.Arbitrary<infer A> ? A : never
        const holds = Effect.fnUntraced(function* (steps: ReadonlyArray<Step>) {
          yield* database().sql`DELETE FROM broker_counters`
          let quotas = open(limits)
          const stored = { [alice]: 0, [bob]: 0 }
          const own = { [alice]: 0, [bob]: 0 }
          for (const next of steps) {
            if (next.op === "flush") yield* quotas.flush
            else if (next.op === "restart") {
              yield* quotas.flush
              quotas = open(limits)
            } else if ((yield* verdict(quotas, next.from, next.to, next.bytes)) === "ok") {
              if (next.from === next.to) own[next.to]! += next.bytes
              else stored[next.to]! += next.bytes
            }
          }
          for (const hex of [alice, bob]) {
            // As a stranger an eighth of the inbox, as a known sender an eighth more in a day.
            expect(stored[hex]).toBeLessThanOrEqual(10_000)
            expect(own[hex]).toBeLessThanOrEqual(2_500)
            expect((yield* quotas.usage(hex, "inbox")).used).toBe(stored[hex])
          }
        })
        yield* Effect.promise(() =>
          fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => Effect.runPromise(holds(steps))))
        )
      })
    )
  })
}
