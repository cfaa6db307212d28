/** When each account last had frames removed, shared by all instances, to limit how often. */
import * as Effect from "effect/Effect"
import type { Database } from "../../storage/Database.ts"

export type TrimTimes = ReturnType<typeof make>

export const make = ({ sql, transaction }: Database["Service"]) => ({
  /**
   * Notes a removal by an account at `now`, unless one was noted after `since`: then gives its time. All in
   * milliseconds since the epoch.
   */
  begin: (hex: string, since: number, now: number) => {
    const account = Buffer.from(hex, "hex")
    return transaction(
      { lock: "trims", isSynced: false },
      Effect.fnUntraced(function* (within) {
        yield* within`DELETE FROM broker_trims WHERE at <= ${since}`
        const [before] = yield* within<{ at: number }>`SELECT at FROM broker_trims WHERE account = ${account}`
        if (before === undefined) yield* within`INSERT INTO broker_trims (account, at) VALUES (${account}, ${now})`
        return before?.at
      })
    )
  },
  /** The removal failed, and may be tried again at once. */
  undo: (hex: string) => sql`DELETE FROM broker_trims WHERE account = ${Buffer.from(hex, "hex")}`
})
