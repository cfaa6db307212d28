/**
 * Keys for the counters of a sender and a recipient: keyed hashes whose secret is replaced every period and then
 * deleted, so that the database does not reveal who writes to whom.
 */
import type BetterSqlite3 from "better-sqlite3"
import { createHmac, randomBytes } from "node:crypto"

/** Days for which a secret is used. The previous one still counts for "has written to". */
export const periodDays = 30

/** `pepper` keeps a copy of the database alone from testing guesses at pairs. */
export const make = (sqlite: BetterSqlite3.Database, pepper: Uint8Array) => {
  const read = sqlite.prepare<[number], { secret: Buffer }>("SELECT secret FROM broker_secrets WHERE period = ?")
  const write = sqlite.prepare("INSERT INTO broker_secrets (period, secret) VALUES (?, ?) ON CONFLICT DO NOTHING")
  const drop = sqlite.prepare("DELETE FROM broker_secrets WHERE period < ?")
  /** Null where there is none. */
  const secrets = new Map<number, Buffer | null>()
  const hashes = new Map<string, Buffer>()

  const secretOf = (period: number): Buffer | undefined => {
    let found = secrets.get(period)
    if (found === undefined) {
      const row = read.get(period)
      found = row === undefined ? null : createHmac("sha256", pepper).update(row.secret).digest()
      secrets.set(period, found)
    }
    return found ?? undefined
  }
  const makeSecret = (period: number): Buffer => {
    write.run(period, randomBytes(32))
    secrets.delete(period)
    const made = secretOf(period)
    if (made === undefined) throw new Error("the secret of the pair counters is gone")
    return made
  }
  const hash = (secret: Buffer, period: number, from: string, to: string): Buffer => {
    const name = `${period}${from}${to}`
    let found = hashes.get(name)
    if (found === undefined) {
      found = createHmac("sha256", secret)
        .update(from + to)
        .digest()
      hashes.set(name, found)
    }
    return found
  }
  return {
    /** `from` writing to `to`, 32 bytes; undefined where the period has no secret, and so no counters. */
    find: (period: number, from: string, to: string) => {
      const secret = secretOf(period)
      return secret === undefined ? undefined : hash(secret, period, from, to)
    },
    /** The same; makes the period's secret if need be. */
    make: (period: number, from: string, to: string) => hash(secretOf(period) ?? makeSecret(period), period, from, to),
    /** Forgets the computed hashes, to bound memory. */
    clear: () => hashes.clear(),
    /** Removes the secrets of earlier periods, for all instances. */
    expire: (firstPeriod: number) => {
      drop.run(firstPeriod)
      secrets.clear()
    }
  }
}
