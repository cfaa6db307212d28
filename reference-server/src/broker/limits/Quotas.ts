/**
 * How much may be sent and stored: durable, shared by all instances of chat-server, settable (docs/broker.md).
 *
 * Quotas protect the recipient. Strangers share a small part of an inbox, so that no number of invented accounts can take
 * the rest; a sender the recipient has written to gets more, and at most half the room left, so that there is always room
 * for another. A charge keeps the class it was made under, stranger or known, by counting under a key of that class.
 *
 * Counters live in memory and are written to the registry's database in batches, so that a message does not cost a
 * disk write of its own; what is lost with the process is at most one batch of counts, never a message. Counters of
 * pairs are kept under a keyed hash whose secret is replaced and forgotten, so the database does not tell who writes
 * to whom.
 */
import type BetterSqlite3 from "better-sqlite3"
import { createHmac, randomBytes } from "node:crypto"
import type { Migration } from "../../storage/Database.ts"
import { minimumChargeBytes, type QuotaLimits, sharesOf } from "./QuotaLimits.ts"

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
  },
  {
    // Counts of messages gave way to bytes by class. Stored bytes of before have no class: they take room in the inbox
    // until they expire, and nobody's share.
    id: "broker-002-quota-classes",
    sql: "DELETE FROM broker_counters WHERE substr(key, 1, 1) IN (x'6e', x'70');"
  },
  {
    id: "broker-003-trims",
    sql: "CREATE TABLE broker_trims (account BLOB PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
  }
]

/** A charge that was made for one message, to be taken back if it is not stored. */
export interface Charge {
  readonly entries: ReadonlyArray<readonly [Counter, number]>
}

/** A limit is met: `full` until stored frames expire, `slow` until `untilMillis` (since the epoch). */
export type QuotaRefusal = { readonly code: "full" } | { readonly code: "slow"; readonly untilMillis: number }

export type Verdict = Charge | QuotaRefusal

export type Box = "inbox" | "self"

/** Bytes of an account's frames that are stored, as far as is known, and how many may be. */
export interface Usage {
  readonly used: number
  readonly limit: number
  /** The part of strangers in an inbox. */
  readonly strangers?: { readonly used: number; readonly limit: number }
}

export interface Quotas {
  /**
   * Charges a message, or says which limit it meets. `bytes` is the frame's length. A frame of a `blocked` sender takes
   * no room, and the sender is charged and refused as if it did.
   */
  charge(sender: string, recipient: string, bytes: number, blocked?: boolean): Verdict
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
  usage(hex: string, box: Box): Usage
  /**
   * Notes that an account's frames are removed now, unless they were after `since`; both in milliseconds since the epoch.
   * Answers with that time, or undefined.
   */
  beginTrim(hex: string, since: number, now: number): number | undefined
  /** It came to nothing, and may be tried again at once. */
  undoTrim(hex: string): void
  /**
   * Frames were removed from an account's box: all of before `firstDay`, that of the oldest one left, or all if none is
   * left. The room is free again, that of strangers from the next day; what each sender has used up stays so.
   */
  trimmed(hex: string, box: Box, firstDay: number | undefined): void
  /** Forgets an account's own counters. */
  forget(hex: string): void
  /** Writes what is pending and reads what others wrote. */
  flush(): void
}

/**
 * Bytes. Of an account: s(tored) in the inbox, strangers' share of it (x), y(ielded) by strangers to a trim and counted
 * until the day ends, taken from strangers in a d(ay), o(wn copies), b(ytes sent). Of a pair: from a k(nown) sender, from
 * an u(nknown) one, v(anished) because blocked. And whether it w(rote) at all, whose day is the last one on which that
 * counts.
 */
type Kind = "s" | "x" | "y" | "d" | "o" | "b" | "k" | "u" | "v" | "w"

/** Counters that matter on their own day only. */
const dailyKinds: ReadonlyArray<Kind> = ["y", "d", "b", "u", "w"]
/** An account's own. */
const accountKinds: ReadonlyArray<Kind> = ["s", "x", "y", "d", "o", "b"]

interface Counter {
  readonly key: Buffer
  readonly day: number
  /** What the database says. */
  base: number
  /** What was added here since. */
  delta: number
}

export const dayMillis = 86_400_000
/** The secret for "has written to" lasts this many days, and the one before it still counts. */
const periodDays = 30

/** `pepper` keeps a copy of the database alone from testing guesses at pairs. `now` in milliseconds since the epoch. */
export const make = (
  sqlite: BetterSqlite3.Database,
  limits: QuotaLimits,
  pepper: Uint8Array,
  now: () => number = Date.now
): Quotas => {
  const shares = sharesOf(limits)
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
  const removeBefore = sqlite.prepare("DELETE FROM broker_counters WHERE key = ? AND day < ?")
  const sumBefore = sqlite
    .prepare<[Buffer, number], number>("SELECT coalesce(sum(n), 0) FROM broker_counters WHERE key = ? AND day < ?")
    .pluck()
  const expire = sqlite.prepare(
    `DELETE FROM broker_counters WHERE day < ? AND (day < ? OR substr(key, 1, 1) IN (${dailyKinds.map(() => "?").join(", ")}))`
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

  const trimAt = sqlite.prepare<[Buffer], number>("SELECT at FROM broker_trims WHERE account = ?").pluck()
  const forgetTrims = sqlite.prepare("DELETE FROM broker_trims WHERE at <= ?")
  const forgetTrim = sqlite.prepare("DELETE FROM broker_trims WHERE account = ?")
  const noteTrim = sqlite.prepare("INSERT INTO broker_trims (account, at) VALUES (?, ?)")
  const beginTrim = sqlite.transaction((account: Buffer, since: number, at: number): number | undefined => {
    forgetTrims.run(since)
    const before = trimAt.get(account)
    if (before === undefined) noteTrim.run(account, at)
    return before
  })

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

  /** The first period whose days still count: that of retention, or the one before this, for who has written. */
  const firstPeriod = (day: number): number =>
    Math.floor((day - Math.max(limits.retentionDays, periodDays)) / periodDays)

  /** What is stored of a pair, over the periods that retention spans, and the counter that is charged today. */
  const storedBetween = (kind: Kind, from: string, to: string, day: number): ReturnType<typeof stored> => {
    const period = Math.floor(day / periodDays)
    const current = stored(of(kind, pairOf(secretOf(period) ?? makeSecret(period), period, from, to)), day)
    let total = current.total
    for (let p = firstPeriod(day); p < period; p++) {
      const secret = secretOf(p)
      if (secret !== undefined) total += stored(of(kind, pairOf(secret, p, from, to)), day).total
    }
    return { total, counter: current.counter }
  }

  const full: QuotaRefusal = { code: "full" }
  const slow = (day: number): QuotaRefusal => ({ code: "slow", untilMillis: (day + 1) * dayMillis })

  const chargeSelf = (hex: string, cost: number, day: number): Verdict => {
    const copies = stored(own("o", hex), day)
    if (copies.total + cost > limits.selfBytes) return full
    if (value(copies.counter) + cost > limits.selfBytesPerDay) return slow(day)
    return apply([[copies.counter, cost]])
  }

  const charge = (sender: string, recipient: string, bytes: number, blocked = false): Verdict => {
    const day = today()
    const cost = Math.max(bytes, minimumChargeBytes)
    if (sender === recipient) return chargeSelf(sender, cost, day)
    const period = Math.floor(day / periodDays)
    const inbox = stored(own("s", recipient), day)
    // What of this sender took no room counts for it alone, so that it meets the limits an unblocked one meets.
    const vanished = storedBetween("v", sender, recipient, day)
    const used = inbox.total + vanished.total
    if (used + cost > limits.inboxBytes) return full
    const sent = counter(own("b", sender), day)
    if (value(sent) + cost > limits.sendBytesPerDay) return slow(day)
    const entries: Array<readonly [Counter, number]> = [
      [sent, cost],
      [blocked ? vanished.counter : inbox.counter, cost]
    ]
    if (hasWritten(recipient, sender, period)) {
      const known = storedBetween("k", sender, recipient, day)
      if (known.total + cost > Math.min(shares.senderBytes, (limits.inboxBytes - used) / 2)) return full
      if (value(known.counter) + cost > shares.senderBytesPerDay) return slow(day)
      entries.push([known.counter, cost])
    } else {
      const strangers = stored(own("x", recipient), day)
      const yielded = value(counter(own("y", recipient), day))
      if (strangers.total + yielded + vanished.total + cost > shares.strangersBytes) return full
      const taken = counter(own("d", recipient), day)
      if (value(taken) + value(vanished.counter) + cost > shares.strangersBytesPerDay) return slow(day)
      const unknown = storedBetween("u", sender, recipient, day).counter
      if (value(unknown) > 0 && value(unknown) + cost > shares.strangerBytesPerDay) return slow(day)
      entries.push([unknown, cost])
      if (!blocked) entries.push([strangers.counter, cost], [taken, cost])
    }
    const secret = secretOf(period) ?? makeSecret(period)
    const wrote = counter(of("w", pairOf(secret, period, sender, recipient)), lastDay(period))
    if (value(wrote) === 0) entries.push([wrote, 1])
    return apply(entries)
  }

  const usage = (hex: string, box: Box): Usage => {
    const day = today()
    if (box === "self") return { used: stored(own("o", hex), day).total, limit: limits.selfBytes }
    const strangers = stored(own("x", hex), day).total + value(counter(own("y", hex), day))
    return {
      used: stored(own("s", hex), day).total,
      limit: limits.inboxBytes,
      strangers: { used: strangers, limit: shares.strangersBytes }
    }
  }

  const removeTrimmed = sqlite.transaction((hex: string, box: Box, before: number, day: number) => {
    removeBefore.run(own(box === "inbox" ? "s" : "o", hex), before)
    if (box === "self") return
    const strangers = own("x", hex)
    const freed = sumBefore.get(strangers, before) ?? 0
    if (freed > 0) add.get(own("y", hex), day, freed)
    removeBefore.run(strangers, before)
  })

  const removeOwn = sqlite.transaction((keys: ReadonlyArray<Buffer>) => {
    for (const key of keys) removeBefore.run(key, Number.MAX_SAFE_INTEGER)
  })

  /** Reads an account's counters anew; what was not written of them is forgotten. */
  const drop = (keys: ReadonlyArray<Buffer>): void => {
    const names = new Set(keys.map((key) => key.toString("latin1")))
    for (const [name, c] of counters) if (names.has(c.key.toString("latin1"))) counters.delete(name)
    for (const name of names) earlier.delete(name)
  }

  const write = sqlite.transaction((pending: ReadonlyArray<Counter>, day: number) => {
    const written = pending.map((c) =>
      c.delta > 0 ? add.get(c.key, c.day, c.delta) : subtract.get(c.delta, c.key, c.day)
    )
    if (last > lastWritten) writeLast.run(last)
    return { written, day }
  })

  const tidy = sqlite.transaction((day: number) => {
    expire.run(day, day - limits.retentionDays, ...dailyKinds.map((kind) => Buffer.from(kind)))
    dropSecrets.run(firstPeriod(day))
  })
  let tidied = 0

  const flush = (): void => {
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
    // Other instances count and trim too: what is not pending is read again when it is needed.
    counters = new Map([...counters].filter(([, c]) => c.delta !== 0))
    earlier = new Map()
    if (tidied !== day) {
      tidy.immediate(day)
      tidied = day
      secrets = new Map()
    }
  }

  return {
    charge,
    refund: ({ entries }) => {
      // The counter may have been written and dropped from memory since it was charged.
      for (const [c, n] of entries) counter(c.key, c.day).delta -= n
    },
    usage,
    beginTrim: (hex, since, at) => beginTrim.immediate(Buffer.from(hex, "hex"), since, at),
    undoTrim: (hex) => void forgetTrim.run(Buffer.from(hex, "hex")),
    trimmed: (hex, box, firstDay) => {
      flush()
      removeTrimmed.immediate(hex, box, firstDay ?? Number.MAX_SAFE_INTEGER, today())
      drop(accountKinds.map((kind) => own(kind, hex)))
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
      const keys = accountKinds.map((kind) => own(kind, hex))
      removeOwn.immediate(keys)
      drop(keys)
    },
    flush
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
