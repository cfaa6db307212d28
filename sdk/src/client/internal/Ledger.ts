/**
 * Transactions on the local store, which nothing else writes to.
 *
 * A transaction is a function that reads, decides and stages writes. Transactions run one at a time, so each sees the
 * whole work of those before it. Waiting transactions are committed as a group (group commit): a hundred concurrent
 * sends synchronise the disk once, not a hundred times. A transaction sees the writes of earlier ones before they are
 * durable, which is safe because the disk keeps their order.
 *
 * What is committed survives the process, and may be shown (`onCommit`). What is on the disk survives the loss of power,
 * and may be acknowledged to others (`onDurable`, and the return of `transact`).
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import {
  type Entry,
  LocalStore,
  type Range,
  type StoreConflict,
  StoreError,
  type Write
} from "../../services/LocalStore.ts"
import * as Rows from "./rows/index.ts"
import type { Row } from "./rows/index.ts"

export interface Transaction {
  /** The value of a key, including staged writes. */
  get<A>(key: string, row: Row<A>): Effect.Effect<A | undefined, StoreError>
  has(key: string): Effect.Effect<boolean, StoreError>
  /** The entries of a range, including staged writes. */
  scan(range: Range): Effect.Effect<ReadonlyArray<Entry>, StoreError>
  put<A>(key: string, row: Row<A>, value: A): void
  /** As `put`, but the commit fails with `StoreConflict` if the key exists: another process writes to this store. */
  putNew<A>(key: string, row: Row<A>, value: A): void
  putBytes(key: string, value: Uint8Array): void
  delete(key: string): void
  /** Runs `action` once committed, in the order of the transactions. */
  onCommit(action: () => void): void
  /** Runs `action` once the commit is on disk, in the order of the transactions. Its caller waits, even if relaxed. */
  onDurable(action: () => void): void
}

/** Errors of a commit. */
export type LedgerError = StoreError | StoreConflict

export class Ledger extends Context.Service<
  Ledger,
  {
    /**
     * Runs `build` and returns its result once its staged writes are on disk. If it fails, nothing is written; only if
     * the disk fails to synchronise are the writes there, and perhaps undone by a loss of power.
     */
    transact<A, E, R>(
      build: (transaction: Transaction) => Effect.Effect<A, E, R>,
      options?: {
        /** Return once committed: the writes can be recomputed if a power loss undoes them. */
        readonly relaxed?: boolean
      }
    ): Effect.Effect<A, E | LedgerError, R>
    /** The committed value of a key. */
    get<A>(key: string, row: Row<A>): Effect.Effect<A | undefined, StoreError>
    getBytes(key: string): Effect.Effect<Uint8Array | undefined, StoreError>
    scan(range: Range): Effect.Effect<ReadonlyArray<Entry>, StoreError>
    /** Completes once everything committed before is on the disk, by an earlier process too. */
    readonly sync: Effect.Effect<void, StoreError>
    /** Makes every later call fail with this error: the store must not be used. */
    refuse(error: StoreError): void
  }
>()("@kez-chat/sdk/Ledger") {}

/** Most transactions in one commit. */
const groupSize = 256

/**
 * Most values cached between transactions: a conversation uses the same few rows repeatedly, and a message's rows are
 * read again when the broker has answered.
 */
const cacheSize = 1_024

/** Larger values are not cached, in bytes. */
const cachedBytes = 4_096

/** A staged or cached value. `decoded` saves decoding it again; `written` is false if it was only read. */
interface Cell {
  readonly bytes: (() => Uint8Array) | undefined
  readonly decoded?: unknown
  readonly written: boolean
  readonly isNew?: boolean
}

type Staged = Map<string, Cell>

/** A cache of recently used values. It stays valid because nothing else writes to the store. */
const makeCache = () => {
  const cells: Staged = new Map()
  const set = (key: string, cell: Cell) => {
    cells.delete(key)
    // Rows that are asked for in vain are, with every message; those that were deleted hardly ever.
    if (cell.bytes === undefined && cell.written) return
    // `writesOf` leaves the decoded value to small rows only; to look again would be to encode them again.
    const isSmall = cell.written && cell.decoded !== undefined
    if (cell.bytes !== undefined && !isSmall && cell.bytes().length > cachedBytes) return
    cells.set(key, { bytes: cell.bytes, decoded: cell.decoded, written: false })
    if (cells.size > cacheSize) cells.delete(cells.keys().next().value!)
  }
  return { get: (key: string) => cells.get(key), set, clear: () => cells.clear() }
}

type Cache = ReturnType<typeof makeCache>

const read = (store: LocalStore["Service"], cache: Cache, key: string): Effect.Effect<Cell, StoreError> => {
  const cell = cache.get(key)
  if (cell !== undefined) return Effect.succeed(cell)
  return Effect.map(store.get(key), (found): Cell => {
    const bytes = Option.getOrUndefined(found)
    return { bytes: bytes === undefined ? undefined : () => bytes, written: false }
  })
}

const decode = <A>(key: string, row: Row<A>, cell: Cell): Effect.Effect<A | undefined, StoreError> =>
  cell.bytes === undefined ? Effect.undefined : Effect.fromResult(row.decode(key, cell.bytes()))

const makeTransaction = (
  store: LocalStore["Service"],
  cache: Cache,
  group: Staged,
  own: Staged,
  actions: Record<"committed" | "durable", Array<() => void>>
) => {
  // Complete when it returns, unless the store is asked: a page of mail reads the same few rows for each message.
  const load = (key: string): Effect.Effect<Cell, StoreError> => {
    const cell = own.get(key) ?? group.get(key)
    return cell === undefined ? read(store, cache, key) : Effect.succeed(cell)
  }

  const transaction: Transaction = {
    get: <A>(key: string, row: Row<A>) =>
      Effect.flatMapEager(load(key), (cell): Effect.Effect<A | undefined, StoreError> => {
        if (cell.bytes !== undefined && cell.decoded !== undefined) return Effect.succeed(cell.decoded as A)
        return Effect.mapEager(decode(key, row, cell), (decoded) => {
          // Cached for later reads: pages of one conversation read the same rows, and miss the same ones.
          if (cell.bytes !== undefined || !own.has(key)) own.set(key, { ...cell, decoded })
          return decoded
        })
      }),
    has: (key) => Effect.mapEager(load(key), (cell) => cell.bytes !== undefined),
    scan: (range) =>
      Effect.suspend(() => {
        const changed = new Map<string, Cell>()
        for (const cells of [group, own]) {
          for (const [key, cell] of cells) if (cell.written && key.startsWith(range.prefix)) changed.set(key, cell)
        }
        if (changed.size === 0) return store.scan(range)
        const { limit, ...bounds } = range
        // Each staged deletion may remove one entry of the store's result.
        const wider = limit === undefined ? bounds : { ...bounds, limit: limit + changed.size }
        return Effect.map(store.scan(wider), (stored) => {
          const kept = stored.filter((entry) => !changed.has(entry.key))
          for (const [key, cell] of changed) {
            const inside =
              (range.after === undefined || key > range.after) && (range.before === undefined || key < range.before)
            if (inside && cell.bytes !== undefined) kept.push({ key, value: cell.bytes() })
          }
          kept.sort((a, b) => (a.key < b.key ? -1 : 1) * (range.reverse === true ? -1 : 1))
          return kept.slice(0, limit)
        })
      }),
    put: (key, row, value) => own.set(key, { bytes: () => row.encode(value), decoded: value, written: true }),
    putNew: (key, row, value) =>
      own.set(key, { bytes: () => row.encode(value), decoded: value, written: true, isNew: true }),
    putBytes: (key, value) => own.set(key, { bytes: () => value, written: true }),
    delete: (key) => own.set(key, { bytes: undefined, written: true }),
    onCommit: (action) => actions.committed.push(action),
    onDurable: (action) => actions.durable.push(action)
  }
  return transaction
}

const writesOf = (group: Staged): ReadonlyArray<Write> => {
  const writes: Array<Write> = []
  for (const [key, cell] of group) {
    if (!cell.written) continue
    if (cell.bytes === undefined) writes.push({ op: "delete", key })
    else {
      const value = cell.bytes()
      // Not for the cache: what it keeps is bounded by its rows, so each must be small.
      if (value.length > cachedBytes) group.set(key, { bytes: () => value, written: true })
      writes.push({ op: "put", key, value, ...(cell.isNew === true ? { ifAbsent: true } : {}) })
    }
  }
  return writes
}

/** A transaction that has run, what to do once it is committed, and how to complete its caller. */
interface Outcome {
  readonly relaxed: boolean
  readonly show: () => void
  readonly settle: (failed?: LedgerError) => void
}

/** A transaction that waits for its group. */
interface Waiting {
  /** It has run, or its caller was interrupted. */
  isOver: boolean
  readonly run: (group: Staged) => Effect.Effect<Outcome>
}

export const make = Effect.gen(function* () {
  const store = yield* LocalStore
  const committing = yield* Semaphore.make(1)
  const synchronising = yield* Semaphore.make(1)
  const cache = makeCache()
  let commits = 0
  let waiting: Array<Waiting> = []
  let unsynchronised: Array<Outcome> = []

  // The holder of the permit commits groups until its own transaction is among them.
  const commit = Effect.fnUntraced(function* (entry: Waiting) {
    while (!entry.isOver) {
      const group: Staged = new Map()
      const batch = waiting.slice(0, groupSize)
      waiting = waiting.slice(groupSize)
      const outcomes: Array<Outcome> = []
      for (const one of batch) {
        if (one.isOver) continue
        one.isOver = true
        outcomes.push(yield* one.run(group))
      }
      const writes = writesOf(group)
      const committed = yield* Effect.result(writes.length === 0 ? Effect.void : store.commit(writes))
      const failed = Result.isFailure(committed) ? committed.failure : undefined
      commits += 1
      if (failed === undefined) for (const [key, cell] of group) cache.set(key, cell)
      else cache.clear()
      if (failed === undefined) for (const outcome of outcomes) outcome.show()
      for (const outcome of outcomes) {
        if (failed !== undefined || outcome.relaxed || writes.length === 0) outcome.settle(failed)
        else unsynchronised.push(outcome)
      }
    }
  })

  // While the disk synchronises, the next transactions run and commit, and then wait for it together.
  const synchronise = Effect.fnUntraced(
    function* (isDone: () => boolean) {
      const outcomes = unsynchronised
      if (isDone()) return
      unsynchronised = []
      const synchronised = yield* Effect.result(store.sync)
      const failed = Result.isFailure(synchronised) ? synchronised.failure : undefined
      for (const outcome of outcomes) outcome.settle(failed)
    },
    Effect.uninterruptible,
    Semaphore.withPermit(synchronising)
  )

  const transact = Effect.fnUntraced(function* <A, E, R>(
    build: (transaction: Transaction) => Effect.Effect<A, E, R>,
    options?: { readonly relaxed?: boolean }
  ) {
    const context = yield* Effect.context<R>()
    const done = yield* Deferred.make<A, E | LedgerError>()
    const isDone = () => Deferred.isDoneUnsafe(done)
    const entry: Waiting = {
      isOver: false,
      run: Effect.fnUntraced(function* (group: Staged) {
        const own: Staged = new Map()
        const actions: Parameters<typeof makeTransaction>[4] = { committed: [], durable: [] }
        const transaction = makeTransaction(store, cache, group, own, actions)
        const exit = yield* Effect.exit(Effect.updateContext<A, E, R, never>(build(transaction), () => context))
        if (Exit.isSuccess(exit)) for (const [key, cell] of own) group.set(key, cell)
        return {
          relaxed: (options?.relaxed === true && actions.durable.length === 0) || Exit.isFailure(exit),
          show: () => {
            if (Exit.isSuccess(exit)) for (const action of actions.committed) action()
          },
          settle: (failed?: LedgerError) => {
            if (Exit.isFailure(exit) || failed === undefined) {
              if (Exit.isSuccess(exit)) for (const action of actions.durable) action()
              Deferred.doneUnsafe(done, exit)
            } else Deferred.doneUnsafe(done, Exit.fail(failed))
          }
        }
      })
    }
    waiting.push(entry)
    yield* Semaphore.withPermit(committing, Effect.uninterruptible(commit(entry))).pipe(
      Effect.andThen(Effect.suspend(() => (isDone() ? Effect.void : synchronise(isDone)))),
      // What is committed stands, so an interrupted caller still runs its actions.
      Effect.onInterrupt(() => {
        if (entry.isOver) return Effect.andThen(Semaphore.withPermit(committing, Effect.void), synchronise(isDone))
        entry.isOver = true
        return Effect.void
      })
    )
    return yield* Deferred.await(done)
  })

  let refused: StoreError | undefined
  const unlessRefused = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, R> =>
    Effect.suspend((): Effect.Effect<A, E | StoreError, R> => (refused === undefined ? effect : Effect.fail(refused)))

  return Ledger.of({
    transact: (build, options) => unlessRefused(transact(build, options)),
    get: <A>(key: string, row: Row<A>) =>
      Effect.suspend(() => {
        const before = commits
        return Effect.flatMap(unlessRefused(read(store, cache, key)), (cell) => {
          if (cell.bytes !== undefined && cell.decoded !== undefined) return Effect.succeed(cell.decoded as A)
          return Effect.map(decode(key, row, cell), (decoded) => {
            // A commit meanwhile may have made it stale.
            if (commits === before) cache.set(key, { ...cell, decoded })
            return decoded
          })
        })
      }),
    getBytes: (key) => Effect.map(unlessRefused(read(store, cache, key)), (cell) => cell.bytes?.()),
    scan: (range) => unlessRefused(store.scan(range)),
    sync: unlessRefused(store.sync),
    refuse: (error) => void (refused = error)
  })
})

/** Fails if the store has a later layout; marks an empty one with this layout. */
const checkLayout = Effect.fnUntraced(function* (ledger: Ledger["Service"]) {
  yield* ledger.transact(
    Effect.fnUntraced(function* (transaction: Transaction) {
      const version = yield* transaction.get(Rows.key.version, Rows.Version)
      if (version !== undefined && version > Rows.version) {
        const detail = `a later version wrote it (layout ${version}, this version knows ${Rows.version}): update`
        return yield* new StoreError({ reason: "newer", detail })
      }
      if (version === undefined) transaction.put(Rows.key.version, Rows.Version, Rows.version)
    })
  )
})

/** Fails if the store cannot be read or was written by a later version. */
export const layer = Layer.effect(Ledger, Effect.tap(make, checkLayout))

/** The decoded rows of a range; `id` is the part of a key after the range's prefix. */
export const scanRows = <A>(from: Pick<Transaction, "scan">, range: Range, row: Row<A>) =>
  Effect.flatMap(
    from.scan(range),
    Effect.forEach(({ key, value }) =>
      Effect.map(Effect.fromResult(row.decode(key, value)), (row) => ({ key, id: key.slice(range.prefix.length), row }))
    )
  )

/** Deletes all entries with a prefix, 1,000 per commit. */
export const deleteAll = Effect.fnUntraced(function* (ledger: Ledger["Service"], prefix: string) {
  while (true) {
    const entries = yield* ledger.scan({ prefix, limit: 1_000 })
    if (entries.length === 0) return
    yield* ledger.transact((transaction) =>
      Effect.sync(() => {
        for (const entry of entries) transaction.delete(entry.key)
      })
    )
  }
})
