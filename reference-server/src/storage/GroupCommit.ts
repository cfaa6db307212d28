/**
 * Transactions that arrive in one turn of the event loop share one commit, since each waits for the disk, and everything
 * else waits meanwhile. Each has a savepoint and a verdict of its own, which it hears after the commit: one that fails
 * takes back what it wrote and nothing else.
 */
import type BetterSqlite3 from "better-sqlite3"
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { unavailable } from "./Database.ts"

export interface GroupCommitOptions {
  /** Runs `f`, which tells whether a member succeeded, in one synchronised transaction; throws where it was not committed. */
  readonly run: (f: () => boolean) => void
  /** What whoever waited hears then. */
  readonly failure: (cause: unknown) => Effect.Effect<never, Problem.Problem>
}

interface Waiting {
  /** Runs its statements; its verdict holds if the group is committed. */
  readonly run: () => Exit.Exit<unknown, unknown>
  readonly done: (verdict: Effect.Effect<unknown, unknown>) => void
}

/** Transactions that share a commit at most: what reads meanwhile waits for all of them. */
const mostTogether = 64

/** SQLite took the transaction back by itself; the statement that it refused has been logged. */
class TransactionLost extends Error {}

export const groupCommit = (sqlite: BetterSqlite3.Database, options: GroupCommitOptions) => {
  const savepoint = sqlite.prepare("SAVEPOINT member")
  const release = sqlite.prepare("RELEASE member")
  const rollback = sqlite.prepare("ROLLBACK TO member")
  const waiting = new Set<Waiting>()

  const runMember = ({ run }: Waiting): Exit.Exit<unknown, unknown> => {
    savepoint.run()
    const exit = run()
    // After an error of the disk SQLite itself may have taken back everything, the members before this one included.
    if (!sqlite.inTransaction) throw new TransactionLost()
    if (Exit.isFailure(exit)) rollback.run()
    release.run()
    return exit
  }

  const commit = (members: ReadonlyArray<Waiting>): void => {
    const exits = new Map<Waiting, Exit.Exit<unknown, unknown>>()
    try {
      options.run(() => {
        for (const member of members) exits.set(member, runMember(member))
        return [...exits.values()].some(Exit.isSuccess)
      })
      for (const [member, exit] of exits) member.done(exit)
    } catch (cause) {
      // Also those that were refused: perhaps because of what another member wrote, and that is gone.
      const verdict = cause instanceof TransactionLost ? Effect.fail(unavailable) : options.failure(cause)
      for (const member of members) member.done(verdict)
    }
  }

  const commitWaiting = (): void => {
    const members = [...waiting].slice(0, mostTogether)
    for (const member of members) waiting.delete(member)
    if (waiting.size > 0) setImmediate(commitWaiting)
    if (members.length > 0) commit(members)
  }

  return {
    /** Runs `f` in the next commit. Interrupted before, it is not run; after, it is committed all the same. */
    join: <A, E>(run: () => Exit.Exit<A, E>): Effect.Effect<A, E | Problem.Problem> =>
      Effect.callback((resume) => {
        const member: Waiting = {
          run,
          done: (verdict) => resume(verdict as Effect.Effect<A, E | Problem.Problem>)
        }
        waiting.add(member)
        if (waiting.size === 1) setImmediate(commitWaiting)
        return Effect.sync(() => void waiting.delete(member))
      })
  }
}
