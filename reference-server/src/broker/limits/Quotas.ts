/**
 * Quotas of sends and storage: durable, shared by all instances of chat-server, configurable (docs/broker.md).
 *
 * Quotas protect the recipient. Strangers share a small part of an inbox, so that no number of invented accounts can
 * take the rest; a sender the recipient has written to gets more, and at most half the room left, so that there is
 * always room for another. A charge keeps the class it was made under, stranger or known, by counting under a key of
 * that class.
 *
 * Plain and synchronous, since every message passes through it.
 */
import type BetterSqlite3 from "better-sqlite3"
import type { Trim } from "@kez-chat/sdk/protocol"
import * as Counters from "./Counters.ts"
import { type Counter, type Stored, valueOf } from "./Counters.ts"
import * as PairKeys from "./PairKeys.ts"
import { minimumChargeBytes, type QuotaLimits, sharesOf } from "./QuotaLimits.ts"
import type { StreamPosition } from "./StreamPosition.ts"

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
  /** Written down together with the counters. */
  readonly position: StreamPosition
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

const dayMillis = 86_400_000
const { periodDays } = PairKeys

export const make = (sqlite: BetterSqlite3.Database, options: QuotasOptions) => {
  const { limits, now = Date.now, position } = options
  const shares = sharesOf(limits)
  const counters = Counters.make(sqlite, limits.retentionDays, dailyKinds)
  const { counter, stored } = counters
  const pairs = PairKeys.make(sqlite, options.pepper)
  const today = () => Math.floor(now() / dayMillis)

  /** Whether `from` wrote to `to` in this or the last period. */
  const hasWritten = (from: string, to: string, period: number): boolean =>
    [period, period - 1].some((each) => {
      const pair = pairs.find(each, from, to)
      return pair !== undefined && valueOf(counter(keyOf("w", pair), lastDay(each))) > 0
    })

  /** The first period whose days still count: that of retention, or the one before this, for who has written. */
  const firstPeriod = (day: number): number =>
    Math.floor((day - Math.max(limits.retentionDays, periodDays)) / periodDays)

  /** What is stored of a pair, over the periods that retention spans, and the counter that is charged today. */
  const storedBetween = (kind: Kind, from: string, to: string, day: number): Stored => {
    const period = Math.floor(day / periodDays)
    const current = stored(keyOf(kind, pairs.make(period, from, to)), day)
    let total = current.total
    for (let each = firstPeriod(day); each < period; each++) {
      const pair = pairs.find(each, from, to)
      if (pair !== undefined) total += stored(keyOf(kind, pair), day).total
    }
    return { total, counter: current.counter }
  }

  const full: QuotaRefusal = { code: "full" }
  const slow = (day: number): QuotaRefusal => ({ code: "slow", untilMillis: (day + 1) * dayMillis })

  const chargeSelf = (hex: string, cost: number, day: number): Verdict => {
    const copies = stored(own("o", hex), day)
    if (copies.total + cost > limits.selfBytes) return full
    if (valueOf(copies.counter) + cost > limits.selfBytesPerDay) return slow(day)
    return apply([[copies.counter, cost]])
  }

  /**
   * Charges a message, or says which limit it meets. `bytes` is the frame's length. A frame of a `blocked` sender takes
   * no room, and the sender is charged and refused as if it did.
   */
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
    if (valueOf(sent) + cost > limits.sendBytesPerDay) return slow(day)
    const entries: Array<readonly [Counter, number]> = [
      [sent, cost],
      [blocked ? vanished.counter : inbox.counter, cost]
    ]
    if (hasWritten(recipient, sender, period)) {
      const known = storedBetween("k", sender, recipient, day)
      if (known.total + cost > Math.min(shares.senderBytes, (limits.inboxBytes - used) / 2)) return full
      if (valueOf(known.counter) + cost > shares.senderBytesPerDay) return slow(day)
      entries.push([known.counter, cost])
    } else {
      const strangers = stored(own("x", recipient), day)
      const yielded = valueOf(counter(own("y", recipient), day))
      if (strangers.total + yielded + vanished.total + cost > shares.strangersBytes) return full
      const taken = counter(own("d", recipient), day)
      if (valueOf(taken) + valueOf(vanished.counter) + cost > shares.strangersBytesPerDay) return slow(day)
      const unknown = storedBetween("u", sender, recipient, day).counter
      if (valueOf(unknown) > 0 && valueOf(unknown) + cost > shares.strangerBytesPerDay) return slow(day)
      entries.push([unknown, cost])
      if (!blocked) entries.push([strangers.counter, cost], [taken, cost])
    }
    const wrote = counter(keyOf("w", pairs.make(period, sender, recipient)), lastDay(period))
    if (valueOf(wrote) === 0) entries.push([wrote, 1])
    return apply(entries)
  }

  const usage = (hex: string, box: Trim.Box): Usage => {
    const day = today()
    if (box === "self") return { used: stored(own("o", hex), day).total, limit: limits.selfBytes }
    const strangers = stored(own("x", hex), day).total + valueOf(counter(own("y", hex), day))
    return {
      used: stored(own("s", hex), day).total,
      limit: limits.inboxBytes,
      strangers: { used: strangers, limit: shares.strangersBytes }
    }
  }

  let expired = 0
  /** Writes pending counts and reads those of other instances. */
  const flush = (): void => {
    const day = today()
    counters.flush(position)
    pairs.clear()
    if (expired === day) return
    counters.expire(day)
    pairs.expire(firstPeriod(day))
    expired = day
  }

  return {
    charge,
    /** Takes a charge back: the message was a repetition or could not be stored. */
    refund: ({ entries }: Charge) => {
      // The counter may have been written and dropped from memory since it was charged.
      for (const [{ day, key }, n] of entries) counter(key, day).delta -= n
    },
    usage,
    /**
     * Frames were removed from an account's box: those stored before `oldestMillis`, when the oldest one left was
     * stored, or all if none is left. The room is free again, that of strangers from the next day; the use of each
     * sender is not given back.
     */
    trimmed: (hex: string, box: Trim.Box, oldestMillis: number | undefined) => {
      const day = today()
      const before = oldestMillis === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(oldestMillis / dayMillis)
      flush()
      counters.change(ownKeys(hex), (database) => {
        database.removeBefore(own(box === "inbox" ? "s" : "o", hex), before)
        if (box === "self") return
        const strangers = own("x", hex)
        const freed = database.sumBefore(strangers, before)
        if (freed > 0) database.add(own("y", hex), day, freed)
        database.removeBefore(strangers, before)
      })
    },
    /** Forgets an account's own counters. */
    forget: (hex: string) => {
      const keys = ownKeys(hex)
      counters.change(keys, (database) => {
        for (const key of keys) database.removeBefore(key, Number.MAX_SAFE_INTEGER)
      })
    },
    flush
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

const apply = (entries: Charge["entries"]): Charge => {
  for (const [each, n] of entries) each.delta += n
  return { entries }
}
