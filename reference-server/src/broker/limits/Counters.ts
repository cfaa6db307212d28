/**
 * Counters by key and day, as one transaction sees and changes them.
 *
 * They are kept in memory from one transaction to the next; the caller clears them when another instance has changed
 * any.
 */
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import { oneOf, rows, type Sql } from "../../storage/Database.ts"

export interface Counter {
  readonly key: Buffer
  /** Days since the epoch. */
  readonly day: number
  n: number
}

/** Today's counter of a key, and the sum over all days that count. */
export interface Stored {
  readonly total: number
  readonly counter: Counter
}

/** Keys that are kept in memory, of some hundred bytes each. */
const mostKeys = 20_000

/**
 * A sum covers today and `retentionDays` before it. `daily` holds the first letters of the keys of counters that matter
 * on their own day only.
 */
export const make = (retentionDays: number, daily: ReadonlyArray<string>) => {
  /** Of every key that was read, all its days. */
  const byKey = new Map<string, Map<number, Counter>>()
  const changed = new Set<Counter>()

  const daysOf = (key: Buffer): Map<number, Counter> => {
    const days = byKey.get(nameOf(key))
    if (days === undefined) throw new Error("a counter was used that was not read")
    return days
  }
  const counter = (key: Buffer, day: number): Counter => {
    const days = daysOf(key)
    let found = days.get(day)
    if (found === undefined) days.set(day, (found = { key, day, n: 0 }))
    return found
  }

  return {
    /** Reads the counters of these keys, which must be done before they are used. */
    read: Effect.fnUntraced(function* (sql: Sql, keys: ReadonlyArray<Buffer>): Effect.fn.Return<void, Problem.Problem> {
      const missing = new Map<string, Buffer>()
      for (const key of keys) if (!byKey.has(nameOf(key))) missing.set(nameOf(key), key)
      if (missing.size === 0) return
      const found = yield* sql<{ key: Buffer; day: number; n: number }>`
        SELECT key, day, n FROM broker_counters WHERE key ${oneOf([...missing.values()])}`
      for (const name of missing.keys()) byKey.set(name, new Map())
      for (const row of found) daysOf(row.key).set(row.day, row)
    }),
    counter,
    stored: (key: Buffer, today: number): Stored => {
      let total = 0
      for (const { day, n } of daysOf(key).values()) if (day >= today - retentionDays) total += n
      return { total, counter: counter(key, today) }
    },
    sumBefore: (key: Buffer, before: number): number => {
      let sum = 0
      for (const { day, n } of daysOf(key).values()) if (day < before) sum += n
      return sum
    },
    add: (to: Counter, n: number) => {
      to.n = Math.max(0, to.n + n)
      changed.add(to)
    },
    removeBefore: Effect.fnUntraced(function* (sql: Sql, keys: ReadonlyArray<Buffer>, before: number) {
      yield* sql`DELETE FROM broker_counters WHERE key ${oneOf(keys)} AND day < ${before}`
      for (const key of keys) {
        const days = daysOf(key)
        for (const [day, each] of days) {
          if (day >= before) continue
          days.delete(day)
          changed.delete(each)
        }
      }
    }),
    /** Writes what was changed. */
    write: Effect.fnUntraced(function* (sql: Sql) {
      if (changed.size === 0) return
      yield* sql`INSERT INTO broker_counters (key, day, n) ${rows([...changed].map(({ key, day, n }) => [key, day, n]))}
        ON CONFLICT (key, day) DO UPDATE SET n = excluded.n`
      changed.clear()
      if (byKey.size > mostKeys) byKey.clear()
    }),
    /** Removes all counters from before retention, and daily ones from before today. */
    expire: (sql: Sql, today: number) =>
      sql`DELETE FROM broker_counters
        WHERE day < ${today} AND (day < ${today - retentionDays} OR substr(key, 1, 1) ${oneOf(
          daily.map((letter) => Buffer.from(letter))
        )})`,
    /** Forgets everything, changes that were not written as well. */
    clear: () => {
      byKey.clear()
      changed.clear()
    }
  }
}

const nameOf = (key: Buffer): string => key.toString("latin1")
