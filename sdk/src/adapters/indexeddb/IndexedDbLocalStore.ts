/**
 * A LocalStore in IndexedDB.
 *
 * Keys are the UTF-8 bytes of the text, because strings sort by UTF-16 units. A commit is one transaction that survives
 * a crash of the browser (`relaxed`), and `sync` makes the commits before it survive a power loss (`strict`).
 *
 * The store is the account's only owner, by a Web Lock, so that the set of keys in memory stays true: it answers what is
 * absent and which keys are in a range. Reads of one turn share a transaction. They wait for commits under way, as
 * IndexedDB would have them wait, so the set of keys is the one that their transaction sees.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { type Entry, LocalStore, StoreConflict, StoreError, type Write } from "../../services/LocalStore.ts"
import { SortedKeys } from "../store-core/SortedKeys.ts"
import { stage, type Staged } from "../store-core/Staging.ts"
import { type Database, open, storeError, type Transaction } from "./Database.ts"

export interface Options {
  /** The database; created if missing. */
  readonly name: string
  /** The database was taken away while it was open: its data was cleared, or the disk fails. Nothing works any more. */
  readonly onLost?: () => void
}

/** Layout of the database: one object store, UTF-8 keys, values as `ArrayBuffer`. */
const version = 1

/** The record that `sync` writes: an engine may skip an empty transaction. Numbers sort before all other keys. */
const syncKey = 0

const binary = (key: string): Uint8Array<ArrayBuffer> => Bytes.utf8(key) as Uint8Array<ArrayBuffer>

/** All binary keys: they sort after strings and before arrays. */
const allKeys = () => IDBKeyRange.bound(new ArrayBuffer(0), [], false, true)

type Answer = Result.Result<ReadonlyArray<Entry>, StoreError>

interface Read {
  /** The keys to read, neighbours in the set of keys. */
  readonly keys: () => ReadonlyArray<string>
  readonly done: (answer: Answer) => void
}

/** Places the request for some keys; the answer has their values. */
const request = (name: string, { entries, on }: Transaction<never>, keys: ReadonlyArray<string>): (() => Answer) => {
  let answer: Answer = Result.succeed([])
  if (keys.length === 0) return () => answer
  const [first, last] = [binary(keys[0]!), binary(keys.at(-1)!)]
  const descending = indexedDB.cmp(first, last) > 0
  const bounds = descending ? IDBKeyRange.bound(last, first) : IDBKeyRange.bound(first, last)
  on(entries.getAll(bounds), (values: Array<unknown>) => {
    if (descending) values.reverse()
    answer =
      values.length === keys.length && values.every((value) => value instanceof ArrayBuffer)
        ? Result.succeed(values.map((value, i) => ({ key: keys[i]!, value: new Uint8Array(value) })))
        : Result.fail(storeError(name, "damaged"))
  })
  return () => answer
}

/** Places the requests of a commit: first those for its conditions, and when all are answered, the writes. */
const write = ({ entries, on, refuse }: Transaction<StoreConflict>, writes: ReadonlyArray<Write>): (() => Staged) => {
  let staged: Staged = new Map()
  const present = new Set<string>()
  const put = () => {
    const outcome = stage(writes, (key) => present.has(key))
    if (Result.isFailure(outcome)) return refuse(outcome.failure)
    staged = outcome.success
    for (const [key, value] of staged) {
      if (value === undefined) entries.delete(binary(key))
      else entries.put(value.buffer, binary(key))
    }
  }
  const conditions = new Set(writes.flatMap((write) => (write.op === "put" && write.ifAbsent ? [write.key] : [])))
  let unanswered = conditions.size
  if (unanswered === 0) put()
  for (const key of conditions) {
    on(entries.getKey(binary(key)), (found) => {
      if (found !== undefined) present.add(key)
      unanswered -= 1
      if (unanswered === 0) put()
    })
  }
  return () => staged
}

const fromDatabase = (database: Database, keys: SortedKeys): LocalStore["Service"] => {
  let commits = 0
  let waiting: Array<Read> = []

  const flush = () => {
    if (commits > 0 || waiting.length === 0) return
    const reads = waiting
    waiting = []
    database.begin(
      "readonly",
      "relaxed",
      (transaction) => {
        const answers = reads.map((read) => request(database.name, transaction, read.keys()))
        return () => answers.map((answer) => answer())
      },
      (result) => reads.forEach((read, i) => read.done(Result.flatMap(result, (answers) => answers[i]!)))
    )
  }

  const read = (keys: Read["keys"]): Effect.Effect<ReadonlyArray<Entry>, StoreError> =>
    Effect.callback((resume) => {
      if (keys().length === 0) return resume(Effect.succeed([]))
      waiting.push({ keys, done: (answer) => resume(Effect.fromResult(answer)) })
      if (waiting.length === 1) queueMicrotask(flush)
    })

  const commit = (writes: ReadonlyArray<Write>): Effect.Effect<void, StoreError | StoreConflict> =>
    Effect.suspend(() => {
      commits += 1
      return database.transact<Staged, StoreConflict>("readwrite", "relaxed", (transaction) =>
        write(transaction, writes)
      )
    }).pipe(
      Effect.map((staged) => keys.apply(staged)),
      Effect.ensuring(
        Effect.sync(() => {
          commits -= 1
          flush()
        })
      ),
      Effect.uninterruptible
    )

  return LocalStore.of({
    get: (key) =>
      Effect.map(
        read(() => (keys.has(key) ? [key] : [])),
        (found) => Option.fromNullishOr(found[0]?.value)
      ),
    scan: (range) => read(() => keys.range(range)),
    commit: (writes) => (writes.length === 0 ? Effect.void : commit(writes)),
    sync: database.transact("readwrite", "strict", ({ entries }) => {
      entries.put(0, syncKey)
      return () => undefined
    })
  })
}

const readKeys = (database: Database): Effect.Effect<SortedKeys, StoreError> =>
  database
    .transact("readonly", "relaxed", ({ entries, on }) => {
      let found: ReadonlyArray<IDBValidKey> = []
      on(entries.getAllKeys(allKeys()), (keys) => {
        found = keys
      })
      return () => found
    })
    .pipe(
      Effect.flatMap((found) =>
        Effect.fromResult(Result.all(found.map((key) => Bytes.fromUtf8(new Uint8Array(key as ArrayBuffer))))).pipe(
          Effect.mapError((problem) => storeError(database.name, "damaged", problem))
        )
      ),
      Effect.map((keys) => new SortedKeys(keys))
    )

/** Holds the lock of a store while the scope is open. */
const own = (name: string): Effect.Effect<unknown, StoreError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<() => Promise<void>, StoreError>((resume) => {
      let release: () => void
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const ended = (async () =>
        navigator.locks.request(`kez-chat/indexeddb/${name}`, { ifAvailable: true }, async (lock) => {
          if (lock === null) return resume(Effect.fail(storeError(name, "locked")))
          resume(
            Effect.succeed(async () => {
              release()
              await ended.catch(() => undefined)
            })
          )
          await held
        }))()
      ended.catch((cause: unknown) =>
        resume(Effect.fail(new StoreError({ reason: "io", detail: "Web Locks need a page over https", cause })))
      )
    }),
    (end) => Effect.promise(end)
  )

/**
 * Opens the database and closes it with the scope. One store at a time is open on a database, in all tabs and workers
 * (`locked`); the browser releases the lock when a page or worker dies.
 */
export const make = Effect.fnUntraced(function* ({
  name,
  onLost
}: Options): Effect.fn.Return<LocalStore["Service"], StoreError, Scope.Scope> {
  yield* own(name)
  const database = yield* open(name, version, onLost)
  return fromDatabase(database, yield* readKeys(database))
})

/** The local store in an IndexedDB database. */
export const layer = (options: Options): Layer.Layer<LocalStore, StoreError> => Layer.effect(LocalStore, make(options))
