/**
 * Counters by key and day, durable and shared by all instances of chat-server.
 *
 * They live in memory and are written to the registry's database in batches, so that a message does not cost a disk
 * write of its own; a crash loses at most one batch of counts, never a message.
 */
import type BetterSqlite3 from "better-sqlite3"
import type { StreamPosition } from "./StreamPosition.ts"

export interface Counter {
  readonly key: Buffer
  /** Days since the epoch. */
  readonly day: number
  /** The value in the database. */
  base: number
  /** What was added here since. */
  delta: number
}

export const valueOf = (counter: Counter): number => counter.base + counter.delta

/** Today's counter of a key, and the sum over all days that count. */
export interface Stored {
  readonly total: number
  readonly counter: Counter
}

/**
 * A sum covers today and `retentionDays` before it. `daily` holds the first letters of the keys of counters that matter
 * on their own day only.
 */
export const make = (sqlite: BetterSqlite3.Database, retentionDays: number, daily: ReadonlyArray<string>) => {
  const read = sqlite
    .prepare<[Buffer, number], number>("SELECT n FROM broker_counters WHERE key = ? AND day = ?")
    .pluck()
  const sumFrom = sqlite
    .prepare<[Buffer, number], number>("SELECT coalesce(sum(n), 0) FROM broker_counters WHERE key = ? AND day >= ?")
    .pluck()
  const sumBefore = sqlite
    .prepare<[Buffer, number], number>("SELECT coalesce(sum(n), 0) FROM broker_counters WHERE key = ? AND day < ?")
    .pluck()
  const add = sqlite
    .prepare<[Buffer, number, number], number>(
      `INSERT INTO broker_counters (key, day, n) VALUES (?, ?, max(?, 0))
       ON CONFLICT (key, day) DO UPDATE SET n = max(n + excluded.n, 0) RETURNING n`
    )
    .pluck()
  const subtract = sqlite
    .prepare<[number, Buffer, number], number>(
      "UPDATE broker_counters SET n = max(n + ?, 0) WHERE key = ? AND day = ? RETURNING n"
    )
    .pluck()
  const removeBefore = sqlite.prepare("DELETE FROM broker_counters WHERE key = ? AND day < ?")
  const expire = sqlite.prepare(
    `DELETE FROM broker_counters WHERE day < ? AND (day < ? OR substr(key, 1, 1) IN (${daily.map(() => "?").join(", ")}))`
  )
  /** Counters that are pending in memory are not in it. */
  const database = {
    add: (key: Buffer, day: number, n: number) => void add.get(key, day, n),
    sumBefore: (key: Buffer, day: number) => sumBefore.get(key, day) ?? 0,
    removeBefore: (key: Buffer, day: number) => void removeBefore.run(key, day)
  }
  type Change = (to: typeof database) => void
  const change = sqlite.transaction((f: Change) => f(database))

  let counters = new Map<string, Counter>()
  /** Sums over the days before today; they change by expiry and removal only. */
  let earlier = new Map<string, number>()
  let earlierDay = 0

  const counter = (key: Buffer, day: number): Counter => {
    const name = `${day}${nameOf(key)}`
    let found = counters.get(name)
    if (found === undefined) {
      found = { key, day, base: read.get(key, day) ?? 0, delta: 0 }
      counters.set(name, found)
    }
    return found
  }

  const write = sqlite.transaction((pending: ReadonlyArray<Counter>, position: StreamPosition, last?: number) => {
    if (last !== undefined) position.write(last)
    return pending.map(({ day, delta, key }) => (delta > 0 ? add.get(key, day, delta) : subtract.get(delta, key, day)))
  })

  return {
    counter,
    stored: (key: Buffer, today: number): Stored => {
      if (earlierDay !== today) {
        earlier = new Map()
        earlierDay = today
      }
      const name = nameOf(key)
      let before = earlier.get(name)
      if (before === undefined) {
        before = (sumFrom.get(key, today - retentionDays) ?? 0) - (read.get(key, today) ?? 0)
        earlier.set(name, before)
      }
      const current = counter(key, today)
      return { total: before + valueOf(current), counter: current }
    },
    /** Runs changes in one transaction, for all instances, and then reads the counters of `keys` anew. */
    change: (keys: ReadonlyArray<Buffer>, f: Change) => {
      change.immediate(f)
      const names = new Set(keys.map(nameOf))
      for (const [name, { key }] of counters) if (names.has(nameOf(key))) counters.delete(name)
      for (const name of names) earlier.delete(name)
    },
    /** Writes pending counts, with the stream's position in the same transaction, and reads those of other instances. */
    flush: (position: StreamPosition) => {
      const pending = [...counters.values()].filter(({ delta }) => delta !== 0)
      const last = position.pending()
      if (pending.length > 0 || last !== undefined) {
        const written = write.immediate(pending, position, last)
        for (const [i, each] of pending.entries()) {
          each.base = written[i] ?? 0
          each.delta = 0
        }
        if (last !== undefined) position.written(last)
      }
      // Other instances count and trim too: what is not pending is read again when it is needed.
      counters = new Map()
      earlier = new Map()
    },
    /** Removes all counters from before retention, and daily ones from before today. */
    expire: (today: number) =>
      void expire.run(today, today - retentionDays, ...daily.map((letter) => Buffer.from(letter)))
  }
}

const nameOf = (key: Buffer): string => key.toString("latin1")
