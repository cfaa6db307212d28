/**
 * Senders whose frames an account's home does not keep (spec/broker.md, Block); durable and shared by all instances.
 *
 * The database holds keyed hashes. Their key is never replaced, since entries last until they are removed. It is
 * derived from a key outside the database, so that a copy of the database alone cannot confirm guesses at pairs.
 */
import type BetterSqlite3 from "better-sqlite3"
import { createHmac } from "node:crypto"
import { Limits } from "@kez-chat/sdk/protocol"

/** `owner` blocks or unblocks `who`; both 64 hex characters. */
interface Change {
  readonly op: "add" | "remove"
  readonly owner: string
  readonly who: string
}

export type Blocks = ReturnType<typeof make>

/** `key` must stay the same, or existing entries are not found. */
export const make = (sqlite: BetterSqlite3.Database, key: Uint8Array) => {
  const find = sqlite.prepare<[Buffer], number>("SELECT 1 FROM broker_blocks WHERE pair = ?").pluck()
  const count = sqlite.prepare<[Buffer], number>("SELECT count(*) FROM broker_blocks WHERE owner = ?").pluck()
  const insert = sqlite.prepare("INSERT INTO broker_blocks (pair, owner) VALUES (?, ?) ON CONFLICT DO NOTHING")
  const drop = sqlite.prepare("DELETE FROM broker_blocks WHERE pair = ?")
  const dropAll = sqlite.prepare("DELETE FROM broker_blocks WHERE owner = ?")
  const tag = (text: string): Buffer => createHmac("sha256", key).update(text).digest()

  const has = (owner: string, who: string): boolean => find.get(tag(owner + who)) !== undefined
  const isMade = ({ op, owner, who }: Change): boolean => has(owner, who) === (op === "add")
  const makeAll = sqlite.transaction((changes: ReadonlyArray<Change>) => {
    // Counted once: counting a long list takes as long as many changes.
    const lengths = new Map<string, number>()
    return changes.map((change) => {
      const { op, owner, who } = change
      if (isMade(change)) return true
      const length = lengths.get(owner) ?? count.get(tag(owner)) ?? 0
      if (op === "add" && length >= Limits.blocks) return false
      if (op === "add") insert.run(tag(owner + who), tag(owner))
      else drop.run(tag(owner + who))
      lengths.set(owner, op === "add" ? length + 1 : length - 1)
      return true
    })
  })
  return {
    has,
    /** Makes changes in order with one disk write; for each, false if the owner's list is full. */
    change: (changes: ReadonlyArray<Change>) =>
      // Clients repeat their list to be sure; entries that exist cost no write.
      changes.every(isMade) ? changes.map(() => true) : makeAll.immediate(changes),
    /** Forgets an account's own list. */
    forget: (owner: string) => void dropAll.run(tag(owner))
  }
}
