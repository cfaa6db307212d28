/** The counters of quotas in the database: kept, shared between instances, freed by trims, and without names. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaultQuotaLimits } from "../../../src/broker/limits/QuotaLimits.ts"
import * as Quotas from "../../../src/broker/limits/Quotas.ts"
import * as StreamPosition from "../../../src/broker/limits/StreamPosition.ts"
import {
  alice,
  bench,
  charge,
  database,
  bob,
  day,
  frameBytes,
  nextDay,
  open,
  person,
  pour,
  useFreshBench,
  verdict,
  verdicts
} from "./QuotaBench.ts"
import type { TestDatabases } from "./TestDatabases.ts"

export const quotaCountersKit = (databases: TestDatabases) => {
  useFreshBench(databases)

  describe("the counters of quotas", () => {
    describe("after a trim", () => {
      it.live(
        "KEZ-LIM-014 free the room at once, the strangers' share from the next day, and no sender's own share",
        Effect.fnUntraced(function* () {
          const quotas = open({ ...defaultQuotaLimits, inboxBytes: 1_000_000 })
          yield* verdict(quotas, bob, alice, 600)
          for (let d = 0; d < 2; d++) {
            yield* pour(quotas, alice, bob, 10_000)
            for (let n = 0; n < 9; n++) yield* pour(quotas, person(n), bob, 16_000)
            yield* nextDay(quotas)
          }
          const strangers = (yield* quotas.usage(bob, "inbox")).strangers!.used
          expect(strangers).toBeGreaterThan(100_000)
          expect(yield* verdict(quotas, person(10), bob, 20_000)).toBe("full")
          yield* quotas.trimmed(bob, "inbox", undefined)
          expect(yield* quotas.usage(bob, "inbox")).toEqual({
            used: 0,
            limit: 1_000_000,
            strangers: { used: strangers, limit: 125_000 }
          })
          expect(yield* verdict(quotas, person(10), bob, 20_000)).toBe("full")
          expect(yield* pour(quotas, alice, bob, 10_000)).toBe(10_000)
          yield* nextDay(quotas)
          expect(yield* verdict(quotas, person(10), bob, 20_000)).toBe("ok")
          expect(yield* verdict(quotas, alice, bob, 10_000)).toBe("full")
        })
      )

      it.live(
        "keep the days of frames that are left",
        Effect.fnUntraced(function* () {
          const quotas = open()
          yield* verdict(quotas, bob, alice, 600)
          for (let d = 0; d < 3; d++) {
            expect(yield* verdict(quotas, alice, bob, 10_000)).toBe("ok")
            expect(yield* verdict(quotas, alice, alice, 1_000)).toBe("ok")
            yield* nextDay(quotas)
          }
          yield* quotas.trimmed(bob, "inbox", 20_702 * day)
          expect((yield* quotas.usage(bob, "inbox")).used).toBe(10_000)
          yield* quotas.trimmed(alice, "self", 20_701 * day + 1)
          expect((yield* quotas.usage(alice, "self")).used).toBe(2_000)
        })
      )

      it.live(
        "are shared with other instances",
        Effect.fnUntraced(function* () {
          const [one, two] = [open(), open()]
          yield* verdict(one, bob, alice, 600)
          yield* one.flush
          expect(yield* verdict(two, alice, bob, 10_000)).toBe("ok")
          yield* nextDay(two)
          expect((yield* two.usage(bob, "inbox")).used).toBe(10_000)
          yield* one.trimmed(bob, "inbox", undefined)
          yield* two.flush
          expect((yield* two.usage(bob, "inbox")).used).toBe(0)
        })
      )
    })

    it.live(
      "name no pair in the database, not even for who knows both keys and reads the secret",
      Effect.fnUntraced(function* () {
        const quotas = open()
        yield* verdicts(quotas, alice, bob, 2)
        yield* quotas.flush
        const keys = (yield* database().sql<{ key: Buffer }>`SELECT key FROM broker_counters`).map(({ key }) => key)
        const pairs = keys.filter((key) => ["k", "u", "v", "w"].includes(String.fromCharCode(key[0]!)))
        expect(pairs).toHaveLength(2)
        for (const key of pairs) {
          expect(key.subarray(1)).not.toEqual(Buffer.from(alice, "hex"))
          expect(key.subarray(1)).not.toEqual(Buffer.from(bob, "hex"))
        }
        const other = open(defaultQuotaLimits, "another pepper")
        expect(yield* verdicts(other, alice, bob, 2, 32_000)).toEqual(["ok", "slow"])
        bench.now += 120 * day
        yield* quotas.flush
        expect(yield* database().sql`SELECT secret FROM broker_secrets`).toEqual([])
      })
    )

    it.live(
      "are shared: what one instance charged counts for the others at once",
      Effect.fnUntraced(function* () {
        const [one, two] = [open(), open()]
        expect(yield* verdicts(one, alice, bob, 2, 15_000)).toEqual(["ok", "ok"])
        expect(yield* verdicts(two, alice, bob, 2, 4_000)).toEqual(["ok", "slow"])
        expect(yield* verdicts(one, alice, bob, 1)).toEqual(["slow"])
      })
    )

    it.live(
      "take a charge back, also after it was written down",
      Effect.fnUntraced(function* () {
        const quotas = open()
        const early = yield* charge(quotas, alice, bob, 20_000)
        yield* quotas.flush
        const late = yield* charge(quotas, alice, bob, 10_000)
        if ("code" in early || "code" in late) throw new Error("refused")
        expect(yield* verdict(quotas, alice, bob, 10_000)).toBe("slow")
        quotas.refund(early)
        quotas.refund(late)
        yield* quotas.flush
        expect(yield* quotas.usage(bob, "inbox")).toMatchObject({ used: 0, strangers: { used: 0 } })
        expect(yield* verdict(quotas, alice, bob, frameBytes)).toBe("ok")
      })
    )

    it.live(
      "forget an account's own counters",
      Effect.fnUntraced(function* () {
        const quotas = open()
        yield* verdict(quotas, alice, bob, 10_000)
        yield* quotas.flush
        yield* quotas.forget(bob)
        expect(yield* quotas.usage(bob, "inbox")).toMatchObject({ used: 0, strangers: { used: 0 } })
      })
    )

    it.live(
      "keep the highest number seen, over restarts and instances",
      Effect.fnUntraced(function* () {
        const positions = [0, 1].map((stream) => StreamPosition.make(database(), stream))
        const [first, second] = positions as [StreamPosition.StreamPosition, StreamPosition.StreamPosition]
        const known = Effect.forEach([0, 1], (stream) => StreamPosition.make(database(), stream).knownLast)
        const quotas = Quotas.make(database(), { limits: defaultQuotaLimits, pepper: Buffer.from("pepper"), positions })
        for (const seq of [5, 9, 7]) first.noteLast(seq)
        second.noteLast(3)
        yield* quotas.flush
        expect(yield* known).toEqual([9, 3])
        yield* first.resetLast
        expect(yield* known).toEqual([0, 3])
      })
    )
  })
}
