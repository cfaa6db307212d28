/**
 * Senders whose frames an account's home does not keep (spec/broker.md, Block); durable and shared by all instances.
 *
 * The database holds keyed hashes. Their key is never replaced, since entries last until they are removed. It is
 * derived from a key outside the database, so that a copy of the database alone cannot confirm guesses at pairs.
 */
import { createHmac, createSecretKey } from "node:crypto"
import { Limits } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import { type Database, oneOf, rows, type Sql } from "../../storage/Database.ts"

/** `owner` blocks `who`; both 64 hex characters. */
interface Pair {
  readonly owner: string
  readonly who: string
}

interface Change extends Pair {
  readonly op: "add" | "remove"
}

export type Blocks = ReturnType<typeof make>

/** `key` must stay the same, or existing entries are not found. */
export const make = ({ sql, transaction }: Database["Service"], key: Uint8Array) => {
  // A key in bytes takes Node five times as long to use.
  const secret = createSecretKey(key)
  const hash = (text: string): Buffer => createHmac("sha256", secret).update(text).digest()
  const tagOf = ({ owner, who }: Pair): Buffer => hash(owner + who)

  /** Those of the entries that exist, by `nameOf`. */
  const existing = (tags: ReadonlyArray<Buffer>, within: Sql = sql) =>
    Effect.map(
      within<{ pair: Buffer }>`SELECT pair FROM broker_blocks WHERE pair ${oneOf(tags)}`,
      (found) => new Set(found.map(({ pair }) => nameOf(pair)))
    )

  const isBlocked = Effect.fnUntraced(function* (pairs: ReadonlyArray<Pair>) {
    if (pairs.length === 0) return []
    const tags = pairs.map(tagOf)
    const found = yield* existing(tags)
    return tags.map((tag) => found.has(nameOf(tag)))
  })

  const makeAll = Effect.fnUntraced(function* (within: Sql, changes: ReadonlyArray<Change>) {
    const tags = changes.map(tagOf)
    const before = yield* existing(tags, within)
    const owners = new Map(changes.map(({ owner }) => [owner, hash(owner)]))
    const counted = yield* within<{ owner: Buffer; n: number }>`
      SELECT owner, count(*) AS n FROM broker_blocks WHERE owner ${oneOf([...owners.values()])} GROUP BY owner`
    const lengths = new Map(counted.map(({ n, owner }) => [nameOf(owner), n]))
    const after = new Map<string, { readonly tag: Buffer; readonly owner: Buffer; isThere: boolean }>()
    const made = changes.map(({ op, owner }, i) => {
      const tag = tags[i] as Buffer
      const name = nameOf(tag)
      const entry = after.get(name) ?? { tag, owner: owners.get(owner) as Buffer, isThere: before.has(name) }
      const length = lengths.get(nameOf(entry.owner)) ?? 0
      if (entry.isThere === (op === "add")) return true
      if (op === "add" && length >= Limits.blocks) return false
      after.set(name, { ...entry, isThere: op === "add" })
      lengths.set(nameOf(entry.owner), op === "add" ? length + 1 : length - 1)
      return true
    })
    const differing = [...after].filter(([name, { isThere }]) => isThere !== before.has(name)).map(([, entry]) => entry)
    const dropped = differing.filter(({ isThere }) => !isThere).map(({ tag }) => tag)
    const added = differing.filter(({ isThere }) => isThere).map(({ owner, tag }) => [tag, owner])
    if (dropped.length > 0) yield* within`DELETE FROM broker_blocks WHERE pair ${oneOf(dropped)}`
    if (added.length > 0) yield* within`INSERT INTO broker_blocks (pair, owner) ${rows(added)}`
    return made
  })

  return {
    /** For each pair, whether `owner` blocks `who`. */
    isBlocked,
    /** Makes changes in order and together; for each, false if the owner's list is full. */
    change: Effect.fnUntraced(function* (changes: ReadonlyArray<Change>) {
      // Clients repeat their list to be sure; entries that exist cost no write.
      const before = yield* isBlocked(changes)
      if (changes.every(({ op }, i) => before[i] === (op === "add"))) return changes.map(() => true)
      return yield* transaction({ lock: "blocks" }, (within) => makeAll(within, changes))
    }),
    /** Forgets an account's own list. */
    forget: (owner: string) => sql`DELETE FROM broker_blocks WHERE owner = ${hash(owner)}`
  }
}

const nameOf = (tag: Buffer): string => tag.toString("latin1")
