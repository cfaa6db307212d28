/**
 * How much may be sent and stored: durable, shared by all instances of chat-server, settable (docs/broker.md).
 *
 * Counters live in memory and are written to the registry's database in batches, so that a message does not cost a
 * disk write of its own; what is lost with the process is at most one batch of counts, never a message. Counters of
 * pairs are kept under a keyed hash whose secret is replaced and forgotten, so the database does not tell who writes
 * to whom.
 */
import type BetterSqlite3 from "better-sqlite3"
import { createHmac, randomBytes } from "node:crypto"
import type { Migration } from "../Database.ts"
import type { QuotaLimits } from "./QuotaLimits.ts"

/** `key` is a kind letter and an account's or a pair's 32 bytes; `day` counts days since the epoch. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: "broker-001-quotas",
    sql: `
      CREATE TABLE broker_counters (
        key BLOB NOT NULL,
        day INTEGER NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (key, day)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX broker_counters_day ON broker_counters (day);
      CREATE TABLE broker_secrets (period INTEGER PRIMARY KEY, secret BLOB NOT NULL) STRICT;
      CREATE TABLE broker_state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    `
  }
]

/** A charge that was made for one message, to be taken back if it is not stored. */
export interface Charge {
  readonly entries: ReadonlyArray<readonly [Counter, number]>
}

export type Verdict = Charge | "full" | "slow"

export interface Quotas {
  /** Charges a message, or says which limit it meets. `bytes` is the frame's length. */
  charge(sender: string, recipient: string, bytes: number): Verdict
  /** Takes a charge back: the message was a repetition or could not be stored. */
  refund(charge: Charge): void
  /** Notes the highest stream sequence number seen. */
  noteLast(seq: number): void
  /** The highest one that was ever written down, by any instance. */
  readonly knownLast: () => number
  /** Forgets what this process has seen of them; what is written down stays. */
  dropLast(): void
  /** Starts counting the stream's numbers anew, for all instances. */
  resetLast(): void
  /** Forgets an account's own counters. */
  forget(hex: string): void
  /** Writes what is pending and reads what others wrote. */
  flush(): void
}

/**
 * Of an account: mail s(tored) and o(wn copies) in bytes, b(ytes sent), n(ew senders' messages). Of a pair: messages
 * p(er day), and w(rote at all), whose day is the last one on which it counts.
 */
type Kind = "s" | "o" | "b" | "n" | "p" | "w"

interface Counter {
  readonly key: Buffer
  readonly day: number
  /** What the database says. */
  base: number
  /** What was added here since. */
  delta: number
}

const dayMillis = 86_400_000
/** The secret for "has written to" lasts this many days, and the one before it still counts. */
const periodDays = 30

/** `pepper` keeps a copy of the database alone from testing guesses at pairs. `now` in milliseconds since the epoch. */
export const make = (
  sqlite: BetterSqlite3.Database,
  limits: QuotaLimits,
  pepper: Uint8Array,
  now: () => number = Date.now
): Quotas => {
  const read = sqlite.prepare<[Buffer, number], { n: number }>(
    "SELECT n FROM broker_counters WHERE key = ? AND day = ?"
  )
  const sumFrom = sqlite.prepare<[Buffer, number], { n: number }>(
    "SELECT coalesce(sum(n), 0) AS n FROM broker_counters WHERE key = ? AND day >= ?"
  )
  const add = sqlite.prepare<[Buffer, number, number], { n: number }>(
    `INSERT INTO broker_counters (key, day, n) VALUES (?, ?, max(?, 0))
     ON CONFLICT (key, day) DO UPDATE SET n = max(n + excluded.n, 0) RETURNING n`
  )
  const subtract = sqlite.prepare<[number, Buffer, number], { n: number }>(
    "UPDATE broker_counters SET n = max(n + ?, 0) WHERE key = ? AND day = ? RETURNING n"
  )
  const removeOwn = sqlite.prepare("DELETE FROM broker_counters WHERE key IN (?, ?, ?, ?)")
  const expire = sqlite.prepare(
    "DELETE FROM broker_counters WHERE day < ? AND (day < ? OR substr(key, 1, 1) IN (?, ?, ?, ?))"
  )
  const readSecret = sqlite.prepare<[number], { secret: Buffer }>("SELECT secret FROM broker_secrets WHERE period = ?")
  const writeSecret = sqlite.prepare("INSERT INTO broker_secrets (period, secret) VALUES (?, ?) ON CONFLICT DO NOTHING")
  const dropSecrets = sqlite.prepare("DELETE FROM broker_secrets WHERE period < ?")
  const readLast = sqlite.prepare<[], { value: number }>("SELECT value FROM broker_state WHERE name = 'last'")
  const writeLast = sqlite.prepare(
    `INSERT INTO broker_state (name, value) VALUES ('last', ?)
     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`
  )
  const zeroLast = sqlite.prepare("DELETE FROM broker_state WHERE name = 'last'")

  const today = () => Math.floor(now() / dayMillis)
  let counters = new Map<string, Counter>()
  /** Sums over the days of retention before today; they change only by expiry. */
  let earlier = new Map<string, number>()
  let earlierDay = today()
  /** Null where there is none. */
  let secrets = new Map<number, Buffer | null>()
  let pairs = new Map<string, Buffer>()
  let last = 0
  let lastWritten = readLast.get()?.value ?? 0

  const counter = (key: Buffer, day: number): Counter => {
    const name = `${day}${key.toString("latin1")}`
    let found = counters.get(name)
    if (found === undefined) {
      found = { key, day, base: read.get(key, day)?.n ?? 0, delta: 0 }
      counters.set(name, found)
    }
    return found
  }

  const stored = (key: Buffer, day: number): { total: number; counter: Counter } => {
    if (earlierDay !== day) {
      earlier = new Map()
      earlierDay = day
    }
    const name = key.toString("latin1")
    let before = earlier.get(name)
    if (before === undefined) {
      before = (sumFrom.get(key, day - limits.retentionDays)?.n ?? 0) - (read.get(key, day)?.n ?? 0)
      earlier.set(name, before)
    }
    const current = counter(key, day)
    return { total: before + value(current), counter: current }
  }

  const secretOf = (period: number): Buffer | undefined => {
    let found = secrets.get(period)
    if (found === undefined) {
      const row = readSecret.get(period)
      found = row === undefined ? null : createHmac("sha256", pepper).update(row.secret).digest()
      secrets.set(period, found)
    }
    return found ?? undefined
  }
  const makeSecret = (period: number): Buffer => {
    writeSecret.run(period, randomBytes(32))
    secrets.delete(period)
    const made = secretOf(period)
    if (made === undefined) throw new Error("the secret of the pair counters is gone")
    return made
  }
  /** `from` writing to `to`, as the database may know it. */
  const pairOf = (secret: Buffer, period: number, from: string, to: string): Buffer => {
    const name = `${period}${from}${to}`
    let digest = pairs.get(name)
    if (digest === undefined) {
      digest = createHmac("sha256", secret)
        .update(from + to)
        .digest()
      pairs.set(name, digest)
    }
    return digest
  }

  /** Whether `from` wrote to `to` in this or the last period. */
  const hasWritten = (from: string, to: string, period: number): boolean =>
    [period, period - 1].some((p) => {
      const secret = secretOf(p)
      return secret !== undefined && value(counter(of("w", pairOf(secret, p, from, to)), lastDay(p))) > 0
    })

  const charge = (sender: string, recipient: string, bytes: number): Verdict => {
    const day = today()
    if (sender === recipient) {
      const copies = stored(own("o", sender), day)
      if (copies.total + bytes > limits.selfBytes) return "full"
      if (value(copies.counter) + bytes > limits.selfBytesPerDay) return "slow"
      return apply([[copies.counter, bytes]])
    }
    const period = Math.floor(day / periodDays)
    const secret = secretOf(period) ?? makeSecret(period)
    const pair = pairOf(secret, period, sender, recipient)
    const inbox = stored(own("s", recipient), day)
    if (inbox.total + bytes > limits.inboxBytes) return "full"
    const sent = counter(own("b", sender), day)
    if (value(sent) + bytes > limits.sendBytesPerDay) return "slow"
    const answered = hasWritten(recipient, sender, period)
    const between = counter(of("p", pair), day)
    if (value(between) + 1 > (answered ? limits.peerMessagesPerDay : limits.strangerMessagesPerDay)) return "slow"
    const entries: Array<readonly [Counter, number]> = [
      [inbox.counter, bytes],
      [sent, bytes],
      [between, 1]
    ]
    if (!answered) {
      const strangers = counter(own("n", recipient), day)
      if (value(strangers) + 1 > limits.inboxStrangerMessagesPerDay) return "slow"
      entries.push([strangers, 1])
    }
    const wrote = counter(of("w", pair), lastDay(period))
    if (value(wrote) === 0) entries.push([wrote, 1])
    return apply(entries)
  }

  const write = sqlite.transaction((pending: ReadonlyArray<Counter>, day: number) => {
    const written = pending.map((c) =>
      c.delta > 0 ? add.get(c.key, c.day, c.delta) : subtract.get(c.delta, c.key, c.day)
    )
    if (last > lastWritten) writeLast.run(last)
    return { written, day }
  })

  const tidy = sqlite.transaction((day: number) => {
    const kinds = ["b", "p", "n", "w"].map((kind) => Buffer.from(kind))
    expire.run(day, day - limits.retentionDays, ...kinds)
    dropSecrets.run(Math.floor(day / periodDays) - 1)
  })
  let tidied = 0

  return {
    charge,
    refund: ({ entries }) => {
      // The counter may have been written and dropped from memory since it was charged.
      for (const [c, n] of entries) counter(c.key, c.day).delta -= n
    },
    noteLast: (seq) => {
      if (seq > last) last = seq
    },
    knownLast: () => Math.max(last, readLast.get()?.value ?? 0),
    dropLast: () => {
      last = 0
      lastWritten = 0
    },
    resetLast: () => {
      last = 0
      lastWritten = 0
      zeroLast.run()
    },
    forget: (hex) => {
      const keys = (["o", "s", "b", "n"] as const).map((kind) => own(kind, hex))
      removeOwn.run(...keys)
      const names = new Set(keys.map((key) => key.toString("latin1")))
      for (const [name, c] of counters) if (names.has(c.key.toString("latin1"))) counters.delete(name)
      for (const name of names) earlier.delete(name)
    },
    flush: () => {
      const day = today()
      const pending = [...counters.values()].filter((c) => c.delta !== 0)
      if (pending.length > 0 || last > lastWritten) {
        const deltas = pending.map((c) => c.delta)
        const { written } = write.immediate(pending, day)
        for (const [i, c] of pending.entries()) {
          c.base = written[i]?.n ?? 0
          c.delta -= deltas[i] as number
        }
        lastWritten = Math.max(last, lastWritten)
      }
      pairs = new Map()
      // Other instances count too: what is not pending is read again when it is needed.
      counters = new Map([...counters].filter(([, c]) => c.delta !== 0))
      if (tidied !== day) {
        tidy.immediate(day)
        tidied = day
        earlier = new Map()
        secrets = new Map()
      }
    }
  }
}

/** A counter's key: what it counts, and for whom. */
const of = (kind: Kind, whom: Buffer): Buffer => {
  const key = Buffer.allocUnsafe(1 + whom.length)
  key[0] = kind.charCodeAt(0)
  key.set(whom, 1)
  return key
}

const own = (kind: Kind, hex: string): Buffer => of(kind, Buffer.from(hex, "hex"))

/** After this day a period's entries count no more. */
const lastDay = (period: number): number => (period + 2) * periodDays

const value = (c: Counter): number => c.base + c.delta

const apply = (entries: Charge["entries"]): Charge => {
  for (const [c, n] of entries) c.delta += n
  return { entries }
}
