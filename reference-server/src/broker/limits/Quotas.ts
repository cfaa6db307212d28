/**
 * Quotas of sends and storage: durable, shared by all instances of chat-server, configurable (docs/broker.md).
 *
 * Quotas protect the recipient. Strangers share a small part of an inbox, so that no number of invented accounts can
 * take the rest; a sender the recipient has written to gets more, and at most half the room left, so that there is
 * always room for another. A charge keeps the class it was made under, stranger or known, by counting under a key of
 * that class.
 *
 * Messages are charged in batches, one transaction for each: what counts is exact over all instances, and is never less
 * than what the stream holds, whichever process is killed.
 */
import type { Problem, Trim } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Database, rows, type Sql } from "../../storage/Database.ts"
import * as Counters from "./Counters.ts"
import type { Counter, Stored } from "./Counters.ts"
import * as PairKeys from "./PairKeys.ts"
import { minimumChargeBytes, type QuotaLimits, sharesOf } from "./QuotaLimits.ts"
import type { StreamPosition } from "./StreamPosition.ts"

/** A message to be charged. */
export interface Attempt {
  readonly sender: string
  readonly recipient: string
  /** The frame's length. */
  readonly bytes: number
  /** A frame of a blocked sender takes no room; the sender is charged and refused as if it did. */
  readonly isBlocked: boolean
}

/** A charge that was made for one message, to be taken back if it is not stored. */
export type Charge = { readonly entries: ReadonlyArray<readonly [Counter, number]> }

/** A limit is met: `full` until stored frames expire, `slow` until `untilMillis` (since the epoch). */
export type QuotaRefusal = { readonly code: "full" } | { readonly code: "slow"; readonly untilMillis: number }

export type Verdict = Charge | QuotaRefusal

/** Bytes of an account's stored frames, as far as known, and their limit; in an inbox also the part of strangers. */
type Usage = Omit<Trim.Report, "epoch" | "oldestMillis">

export type Quotas = ReturnType<typeof make>

export interface QuotasOptions {
  readonly limits: QuotaLimits
  /** Keeps a copy of the database alone from testing guesses at pairs; the same for all instances. */
  readonly pepper: Uint8Array
  /** Of each stream; written down together with the counters. */
  readonly positions: ReadonlyArray<StreamPosition>
  /** In milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Bytes. Of an account: s(tored) in the inbox, strangers' share of it (x), y(ielded) by strangers to a trim and counted
 * until the day ends, taken from strangers in a d(ay), o(wn copies), b(ytes sent). Of a pair: from a k(nown) sender,
 * from an u(nknown) one, v(anished) because blocked. And whether it w(rote) at all, whose day is the last one on which
 * that counts.
 */
type Kind = "s" | "x" | "y" | "d" | "o" | "b" | "k" | "u" | "v" | "w"

/** Counters that matter only on their own day. */
const dailyKinds: ReadonlyArray<Kind> = ["y", "d", "b", "u", "w"]
/** Kinds counted for an account; the others are counted for a pair. */
const accountKinds: ReadonlyArray<Kind> = ["s", "x", "y", "d", "o", "b"]

/** A stream's position to write down. */
interface Last {
  readonly position: StreamPosition
  readonly seq: number
}

/** Counts the changes of all instances, in the table `broker_state`. */
const changes = "quotas"

const dayMillis = 86_400_000
const { periodDays } = PairKeys

export const make = (database: Database["Service"], options: QuotasOptions) => {
  const { limits, now = Date.now, positions } = options
  const shares = sharesOf(limits)
  const counters = Counters.make(limits.retentionDays, dailyKinds)
  const { add, counter, stored } = counters
  const pairs = PairKeys.make(options.pepper)
  const today = () => Math.floor(now() / dayMillis)

  /** The last change that this process made, or knows of. */
  let revision = 0
  let expired = 0
  let refunds: ReadonlyArray<Charge> = []

  /** In the database and in memory, as of the last change of any instance; writes the positions down as well. */
  const catchUp = Effect.fnUntraced(function* (sql: Sql, last: ReadonlyArray<Last>) {
    const values = [[changes, 1], ...last.map(({ position, seq }) => [position.name, seq])]
    // One statement, as every one is a round trip to PostgreSQL.
    const states = yield* sql<{ name: string; value: number }>`INSERT INTO broker_state (name, value) ${rows(values)}
      ON CONFLICT (name) DO UPDATE SET value = CASE
        WHEN excluded.name = ${changes} THEN broker_state.value + 1
        WHEN excluded.value > broker_state.value THEN excluded.value ELSE broker_state.value END
      RETURNING name, value`
    const value = states.find(({ name }) => name === changes)?.value
    if (value !== revision + 1) forgetAll()
    revision = value ?? 0
  })

  const forgetAll = (): void => {
    counters.clear()
    pairs.clear()
  }

  const expire = Effect.fnUntraced(function* (sql: Sql, day: number) {
    yield* counters.expire(sql, day)
    yield* pairs.expire(sql, firstPeriod(day))
    forgetAll()
    expired = day
  })

  /** Runs `f` on counters that no other instance changes meanwhile, and writes what it changed. */
  const exclusively = <A>(f: (sql: Sql) => Effect.Effect<A, Problem.Problem>): Effect.Effect<A, Problem.Problem> =>
    Effect.suspend(() => {
      const taken = refunds
      const last = positions.flatMap((position) => {
        const seq = position.pending()
        return seq === undefined ? [] : [{ position, seq }]
      })
      const run = Effect.fnUntraced(function* (sql: Sql) {
        yield* catchUp(sql, last)
        if (expired !== today()) yield* expire(sql, today())
        const entries = taken.flatMap((charge) => charge.entries)
        yield* counters.read(
          sql,
          entries.map(([{ key }]) => key)
        )
        for (const [{ day, key }, n] of entries) add(counter(key, day), -n)
        const result = yield* f(sql)
        yield* counters.write(sql)
        return result
      })
      return Effect.onExit(database.transaction({ lock: "quotas", isSynced: false }, run), (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) {
            refunds = refunds.slice(taken.length)
            for (const { position, seq } of last) position.written(seq)
          } else {
            forgetAll()
            revision = 0
            expired = 0
          }
        })
      )
    })

  /** Whether `from` wrote to `to` in this or the last period. */
  const hasWritten = (from: string, to: string, period: number): boolean =>
    [period, period - 1].some((each) => {
      const pair = pairs.find(each, from, to)
      return pair !== undefined && counter(keyOf("w", pair), lastDay(each)).n > 0
    })

  /** The first period whose days still count: that of retention, or the one before this, for who has written. */
  const firstPeriod = (day: number): number =>
    Math.floor((day - Math.max(limits.retentionDays, periodDays)) / periodDays)

  /** The keys of a pair's counters of a kind, this period's last. */
  const pairKeys = (kind: Kind, from: string, to: string, day: number): ReadonlyArray<Buffer> => {
    const found: Array<Buffer> = []
    for (let period = firstPeriod(day); period <= Math.floor(day / periodDays); period++) {
      const pair = pairs.find(period, from, to)
      if (pair !== undefined) found.push(keyOf(kind, pair))
    }
    return found
  }

  /** What is stored of a pair, over the periods that retention spans, and the counter that is charged today. */
  const storedBetween = (kind: Kind, from: string, to: string, day: number): Stored => {
    let found: Stored | undefined
    for (const key of pairKeys(kind, from, to, day)) {
      const each = stored(key, day)
      found = { total: (found?.total ?? 0) + each.total, counter: each.counter }
    }
    if (found === undefined) throw new Error("the secret of the pair counters is gone")
    return found
  }

  const full: QuotaRefusal = { code: "full" }
  const slow = (day: number): QuotaRefusal => ({ code: "slow", untilMillis: (day + 1) * dayMillis })

  const apply = (entries: Charge["entries"]): Charge => {
    for (const [each, n] of entries) add(each, n)
    return { entries }
  }

  /** The keys of all counters that may decide about a message. */
  const keysFor = ({ recipient, sender }: Attempt, day: number): ReadonlyArray<Buffer> =>
    sender === recipient
      ? [own("o", sender)]
      : [
          own("b", sender),
          ...(["s", "x", "y", "d"] as const).map((kind) => own(kind, recipient)),
          ...(["v", "k", "u", "w"] as const).flatMap((kind) => pairKeys(kind, sender, recipient, day)),
          ...pairKeys("w", recipient, sender, day)
        ]

  const chargeSelf = (hex: string, cost: number, day: number): Verdict => {
    const copies = stored(own("o", hex), day)
    if (copies.total + cost > limits.selfBytes) return full
    if (copies.counter.n + cost > limits.selfBytesPerDay) return slow(day)
    return apply([[copies.counter, cost]])
  }

  /** Charges a message, or says which limit it meets. */
  const charge = ({ bytes, isBlocked, recipient, sender }: Attempt, day: number): Verdict => {
    const cost = Math.max(bytes, minimumChargeBytes)
    if (sender === recipient) return chargeSelf(sender, cost, day)
    const period = Math.floor(day / periodDays)
    const inbox = stored(own("s", recipient), day)
    // What of this sender took no room counts for it alone, so that it meets the limits an unblocked one meets.
    const vanished = storedBetween("v", sender, recipient, day)
    const used = inbox.total + vanished.total
    if (used + cost > limits.inboxBytes) return full
    const sent = counter(own("b", sender), day)
    if (sent.n + cost > limits.sendBytesPerDay) return slow(day)
    const entries: Array<readonly [Counter, number]> = [
      [sent, cost],
      [isBlocked ? vanished.counter : inbox.counter, cost]
    ]
    if (hasWritten(recipient, sender, period)) {
      const known = storedBetween("k", sender, recipient, day)
      if (known.total + cost > Math.min(shares.senderBytes, (limits.inboxBytes - used) / 2)) return full
      if (known.counter.n + cost > shares.senderBytesPerDay) return slow(day)
      entries.push([known.counter, cost])
    } else {
      const strangers = stored(own("x", recipient), day)
      const yielded = counter(own("y", recipient), day).n
      if (strangers.total + yielded + vanished.total + cost > shares.strangersBytes) return full
      const taken = counter(own("d", recipient), day)
      if (taken.n + vanished.counter.n + cost > shares.strangersBytesPerDay) return slow(day)
      const unknown = storedBetween("u", sender, recipient, day).counter
      if (unknown.n > 0 && unknown.n + cost > shares.strangerBytesPerDay) return slow(day)
      entries.push([unknown, cost])
      if (!isBlocked) entries.push([strangers.counter, cost], [taken, cost])
    }
    const pair = pairKeys("w", sender, recipient, day).at(-1)
    const wrote = pair === undefined ? undefined : counter(pair, lastDay(period))
    if (wrote?.n === 0) entries.push([wrote, 1])
    return apply(entries)
  }

  return {
    /**
     * Charges messages in their order, or says which limit each meets. When it returns, the charges are committed: no
     * crash of any process takes them back.
     */
    charge: (attempts: ReadonlyArray<Attempt>) =>
      exclusively(
        Effect.fnUntraced(function* (sql) {
          const day = today()
          yield* pairs.read(sql, firstPeriod(day), Math.floor(day / periodDays))
          yield* counters.read(
            sql,
            attempts.flatMap((attempt) => keysFor(attempt, day))
          )
          return attempts.map((attempt) => charge(attempt, day))
        })
      ),
    /** Takes a charge back with the next change: the message was a repetition or could not be stored. */
    refund: (charge: Charge) => {
      refunds = [...refunds, charge]
    },
    usage: (hex: string, box: Trim.Box) =>
      exclusively(
        Effect.fnUntraced(function* (sql): Effect.fn.Return<Usage, Problem.Problem> {
          const day = today()
          yield* counters.read(sql, ownKeys(hex))
          if (box === "self") return { used: stored(own("o", hex), day).total, limit: limits.selfBytes }
          const strangers = stored(own("x", hex), day).total + counter(own("y", hex), day).n
          return {
            used: stored(own("s", hex), day).total,
            limit: limits.inboxBytes,
            strangers: { used: strangers, limit: shares.strangersBytes }
          }
        })
      ),
    /**
     * Frames were removed from an account's box: those stored before `oldestMillis`, when the oldest one left was
     * stored, or all if none is left. The room is free again, that of strangers from the next day; the use of each
     * sender is not given back.
     */
    trimmed: (hex: string, box: Trim.Box, oldestMillis: number | undefined) =>
      exclusively(
        Effect.fnUntraced(function* (sql) {
          const before = oldestMillis === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(oldestMillis / dayMillis)
          yield* counters.read(sql, ownKeys(hex))
          if (box === "self") return yield* counters.removeBefore(sql, [own("o", hex)], before)
          const strangers = own("x", hex)
          const freed = counters.sumBefore(strangers, before)
          yield* counters.removeBefore(sql, [own("s", hex), strangers], before)
          if (freed > 0) add(counter(own("y", hex), today()), freed)
        })
      ),
    /** Forgets an account's own counters. */
    forget: (hex: string) =>
      exclusively(
        Effect.fnUntraced(function* (sql) {
          yield* counters.read(sql, ownKeys(hex))
          yield* counters.removeBefore(sql, ownKeys(hex), Number.MAX_SAFE_INTEGER)
        })
      ),
    /** Writes what is pending: refunds, the stream's position; and once a day removes what no longer counts. */
    flush: Effect.suspend(() =>
      refunds.length > 0 || positions.some((position) => position.pending() !== undefined) || expired !== today()
        ? exclusively(() => Effect.void)
        : Effect.void
    )
  }
}

/** A counter's key: its kind, and its account or pair. */
const keyOf = (kind: Kind, owner: Buffer): Buffer => {
  const key = Buffer.allocUnsafe(1 + owner.length)
  key[0] = kind.charCodeAt(0)
  key.set(owner, 1)
  return key
}

const own = (kind: Kind, hex: string): Buffer => keyOf(kind, Buffer.from(hex, "hex"))
const ownKeys = (hex: string): ReadonlyArray<Buffer> => accountKinds.map((kind) => own(kind, hex))

/** After this day a period's entries count no more. */
const lastDay = (period: number): number => (period + 2) * periodDays
