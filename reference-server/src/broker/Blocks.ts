/**
 * Whose frames an account's home is not to keep (spec/broker.md, Block), durable and shared by all instances.
 *
 * The database holds keyed hashes. Their key is not replaced, since an entry stays until it is removed; it is derived
 * from a key that is not in the database, so a copy of that alone tests no guesses at pairs.
 */
import type BetterSqlite3 from "better-sqlite3"
import { createHmac } from "node:crypto"
import { Limits } from "@kez-chat/sdk/protocol"
import type { Migration } from "../Database.ts"

export const migrations: ReadonlyArray<Migration> = [
  {
    id: "broker-004-blocks",
    sql: `
      CREATE TABLE broker_blocks (pair BLOB PRIMARY KEY, owner BLOB NOT NULL) STRICT, WITHOUT ROWID;
      CREATE INDEX broker_blocks_owner ON broker_blocks (owner);
    `
  }
]

export interface Blocks {
  /** Whether `owner` blocks `who`; both 64 hex characters. */
  has(owner: string, who: string): boolean
  /** False where the owner's list is full. */
  add(owner: string, who: string): boolean
  remove(owner: string, who: string): void
  /** Forgets an account's own list. */
  forget(owner: string): void
}

/** `key` must be the same for as long as the entries are to count. */
export const make = (sqlite: BetterSqlite3.Database, key: Uint8Array): Blocks => {
  const find = sqlite.prepare<[Buffer], number>("SELECT 1 FROM broker_blocks WHERE pair = ?").pluck()
  const count = sqlite.prepare<[Buffer], number>("SELECT count(*) FROM broker_blocks WHERE owner = ?").pluck()
  const insert = sqlite.prepare("INSERT INTO broker_blocks (pair, owner) VALUES (?, ?) ON CONFLICT DO NOTHING")
  const drop = sqlite.prepare("DELETE FROM broker_blocks WHERE pair = ?")
  const dropAll = sqlite.prepare("DELETE FROM broker_blocks WHERE owner = ?")
  const tag = (text: string): Buffer => createHmac("sha256", key).update(text).digest()

  const has = (owner: string, who: string): boolean => find.get(tag(owner + who)) !== undefined
  const insertWithin = sqlite.transaction((owner: string, who: string): boolean => {
    if (has(owner, who)) return true
    if ((count.get(tag(owner)) ?? 0) >= Limits.blocks) return false
    insert.run(tag(owner + who), tag(owner))
    return true
  })
  return {
    has,
    // Clients repeat their list to be sure; what is there already costs no write.
    add: (owner, who) => has(owner, who) || insertWithin.immediate(owner, who),
    remove: (owner, who) => {
      if (has(owner, who)) drop.run(tag(owner + who))
    },
    forget: (owner) => void dropAll.run(tag(owner))
  }
}
