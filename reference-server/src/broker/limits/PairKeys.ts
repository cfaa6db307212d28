/**
 * Keys for the counters of a sender and a recipient: keyed hashes whose secret is replaced every period and then
 * deleted, so that the database does not reveal who writes to whom.
 */
import * as Effect from "effect/Effect"
import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto"
import type { Sql } from "../../storage/Database.ts"

/** Days for which a secret is used. The previous one still counts for "has written to". */
export const periodDays = 30

/** Hashes that are remembered. */
const mostHashes = 20_000

/** `pepper` keeps a copy of the database alone from testing guesses at pairs. */
export const make = (pepper: Uint8Array) => {
  const secrets = new Map<number, KeyObject>()
  const hashes = new Map<string, Buffer>()

  const remember = ({ period, secret }: { readonly period: number; readonly secret: Uint8Array }): void =>
    void secrets.set(period, createSecretKey(createHmac("sha256", pepper).update(secret).digest()))

  return {
    /** Reads the secrets from `first` on, and makes that of `period` if need be. */
    read: Effect.fnUntraced(function* (sql: Sql, first: number, period: number) {
      if (secrets.has(period)) return
      const found = yield* sql<{ period: number; secret: Buffer }>`
        SELECT period, secret FROM broker_secrets WHERE period >= ${first}`
      found.forEach(remember)
      if (secrets.has(period)) return
      const secret = randomBytes(32)
      yield* sql`INSERT INTO broker_secrets (period, secret) VALUES (${period}, ${secret})`
      remember({ period, secret })
    }),
    /** `from` writing to `to`, 32 bytes; undefined where the period has no secret, and so no counters. */
    find: (period: number, from: string, to: string): Buffer | undefined => {
      const secret = secrets.get(period)
      if (secret === undefined) return undefined
      const name = `${period}${from}${to}`
      let found = hashes.get(name)
      if (found === undefined) {
        if (hashes.size > mostHashes) hashes.clear()
        found = createHmac("sha256", secret)
          .update(from + to)
          .digest()
        hashes.set(name, found)
      }
      return found
    },
    /** Removes the secrets of earlier periods, for all instances. */
    expire: (sql: Sql, firstPeriod: number) => sql`DELETE FROM broker_secrets WHERE period < ${firstPeriod}`,
    /** Forgets what was read. */
    clear: () => {
      secrets.clear()
      hashes.clear()
    }
  }
}
