/** When each account last had frames removed, shared by all instances, to limit how often. */
import type BetterSqlite3 from "better-sqlite3"

export type TrimTimes = ReturnType<typeof make>

export const make = (sqlite: BetterSqlite3.Database) => {
  const find = sqlite.prepare<[Buffer], number>("SELECT at FROM broker_trims WHERE account = ?").pluck()
  const expire = sqlite.prepare("DELETE FROM broker_trims WHERE at <= ?")
  const drop = sqlite.prepare("DELETE FROM broker_trims WHERE account = ?")
  const insert = sqlite.prepare("INSERT INTO broker_trims (account, at) VALUES (?, ?)")
  const begin = sqlite.transaction((account: Buffer, since: number, now: number): number | undefined => {
    expire.run(since)
    const before = find.get(account)
    if (before === undefined) insert.run(account, now)
    return before
  })
  return {
    /**
     * Notes a removal by an account at `now`, unless one was noted after `since`: then gives its time. All in
     * milliseconds since the epoch.
     */
    begin: (hex: string, since: number, now: number) => begin.immediate(Buffer.from(hex, "hex"), since, now),
    /** The removal failed, and may be tried again at once. */
    undo: (hex: string) => void drop.run(Buffer.from(hex, "hex"))
  }
}
