/**
 * The keys of active accounts in memory, for the hot path: who may log in, send and receive.
 *
 * Changes are read from the database by version: when it notifies, when a key is missing here, and four times a second
 * whatever happens. So a new account is known wherever it asks, and an ended one is refused everywhere within a second.
 * While the database cannot be asked, nobody is known to be active.
 */
import { Limits, type Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import type { Scope } from "effect/Scope"
import { Database } from "./Database.ts"

export class ActiveKeys extends Context.Service<
  ActiveKeys,
  {
    /** Whether a key was active within the last second. False may be out of date: `refresh` makes sure. */
    readonly has: (primaryHex: string) => boolean
    /** Whether mail to a key is stored: it is active or suspended. */
    readonly receives: (primaryHex: string) => boolean
    /** Whether a key handed its handle over to another one, whose account exists. */
    readonly isMoved: (primaryHex: string) => boolean
    /** Whether a key may log in and fetch: it is active, or it handed its handle over and its mail is still retained. */
    readonly mayFetch: (primaryHex: string) => boolean
    /** The last 16 keys that handed their handle over to this one, directly or one after the other, the newest first. */
    readonly formerOf: (primaryHex: string) => ReadonlyArray<string>
    /** Reads the changes committed until now. */
    readonly refresh: Effect.Effect<void, Problem.Problem>
    /** Calls `f` with every key found to have ended, a handover aside, until the scope closes. */
    readonly onEnded: (f: (primaryHex: string) => void) => Effect.Effect<void, never, Scope>
  }
>()("@kez-chat/server/ActiveKeys") {
  static readonly layer: Layer.Layer<ActiveKeys, Problem.Problem, Database> = Layer.effect(
    ActiveKeys,
    Effect.suspend(() => make())
  )
}

const pollMillis = 250
/** What was read longer ago than this is not relied on, in milliseconds. */
const staleMillis = 1_000
/** Changes read with one statement. */
const pageRows = 10_000

interface Change {
  readonly primary_hex: string
  readonly state: string
  readonly suspended_at: string | null
  /** Of a key that handed its handle over. */
  readonly new_hex: string | null
  readonly fetch_until: string | null
  readonly version: number
}

interface Moved {
  /** That of the account: `active`, `suspended` or `ended`. */
  readonly state: string
  /** Until when it may fetch, in milliseconds since the epoch. */
  readonly until: number
}

const make = Effect.fnUntraced(function* () {
  const { onAccountsChanged, sql } = yield* Database
  const scope = yield* Effect.scope
  const keys = new Set<string>()
  const suspended = new Set<string>()
  const moved = new Map<string, Moved>()
  /** The key before, by the key that took its place: one step, whatever the order in which they are read. */
  const former = new Map<string, string>()
  const listeners = new Set<(primaryHex: string) => void>()
  let version = 0
  let readAt = -Infinity

  /** Its connections stay open until they are closed with the rights that they had (Removals); others may read on. */
  const noteMoved = (old: string, successor: string, { fetch_until, state }: Change): void => {
    keys.delete(old)
    suspended.delete(old)
    moved.set(old, { state, until: Date.parse(fetch_until ?? "") })
    former.set(successor, old)
  }

  const readChanges = Effect.gen(function* () {
    for (;;) {
      const askedAt = performance.now()
      const changes = yield* sql<Change>`
        SELECT primary_hex, state, suspended_at, NULL AS new_hex, NULL AS fetch_until, version FROM accounts
          WHERE version > ${version}
        UNION ALL
        SELECT primary_hex, state, NULL AS suspended_at, new_hex, fetch_until, version FROM moved_keys
          WHERE version > ${version}
        ORDER BY version LIMIT ${pageRows}`
      for (const change of changes) {
        version = change.version
        if (change.new_hex !== null) {
          noteMoved(change.primary_hex, change.new_hex, change)
          continue
        }
        const isSuspended = change.state === "active" && change.suspended_at !== null
        if (isSuspended) suspended.add(change.primary_hex)
        else suspended.delete(change.primary_hex)
        if (change.state === "active" && !isSuspended) keys.add(change.primary_hex)
        else if (keys.delete(change.primary_hex)) for (const listener of listeners) listener(change.primary_hex)
      }
      if (changes.length < pageRows) {
        readAt = askedAt
        return
      }
    }
  })

  const turn = yield* Semaphore.make(1)
  let next: Fiber.Fiber<void, Problem.Problem> | undefined
  /** One reading at a time; whoever asks before the next one begins shares it. */
  const refresh = Effect.gen(function* () {
    const reading = Effect.suspend(() => {
      next = undefined
      return readChanges
    })
    next ??= yield* Effect.forkIn(turn.withPermit(reading), scope)
    yield* Fiber.join(next)
  })

  const isFresh = () => performance.now() - readAt < staleMillis
  const has = (primaryHex: string) => keys.has(primaryHex) && isFresh()

  yield* refresh
  // With the loggers of this server: what a failing reading logs is a line of its log, too.
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  yield* onAccountsChanged(() => runFork(Effect.exit(refresh)))
  yield* refresh.pipe(Effect.exit, Effect.delay(pollMillis), Effect.forever, Effect.forkScoped)

  return ActiveKeys.of({
    has,
    receives: (primaryHex) => (keys.has(primaryHex) || suspended.has(primaryHex)) && isFresh(),
    isMoved: (primaryHex) => (moved.get(primaryHex)?.state ?? "ended") !== "ended" && isFresh(),
    mayFetch: (primaryHex) => {
      const entry = moved.get(primaryHex)
      return has(primaryHex) || (entry?.state === "active" && Date.now() < entry.until && isFresh())
    },
    formerOf: (primaryHex) => {
      const keys: Array<string> = []
      let key = former.get(primaryHex)
      for (; key !== undefined && keys.length < Limits.formerKeys; key = former.get(key)) keys.push(key)
      return keys
    },
    refresh,
    onEnded: (f) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => listeners.add(f)),
          () => Effect.sync(() => listeners.delete(f))
        )
      )
  })
})
