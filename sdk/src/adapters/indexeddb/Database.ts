/**
 * One object store in an IndexedDB database, with failures as `StoreError`. Plain callbacks: a transaction ends as soon
 * as something other than its own requests is awaited in it.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { StoreError } from "../../services/LocalStore.ts"

const objectStore = "entries"

export interface Transaction<E> {
  readonly entries: IDBObjectStore
  /** Calls `next` with the result of a request of this transaction. */
  on<A>(request: IDBRequest<A>, next: (result: A) => void): void
  /** Undoes the transaction, which fails with this error. */
  refuse(error: E): void
}

/** People read these: the page shows them as they are. */
const details: Record<StoreError["reason"], (name: string) => string> = {
  full: () => "this browser has no space left",
  damaged: (name) => `the data of this browser is damaged (IndexedDB ${name})`,
  locked: () => "another tab of this browser uses the data",
  newer: () => "a later version of this program wrote the data",
  foreign: () => "the data in this browser is another account's",
  io: (name) => `this browser cannot read or write its data (IndexedDB ${name})`
}

export const storeError = (name: string, reason: StoreError["reason"], cause?: unknown): StoreError =>
  new StoreError({
    reason,
    detail: details[reason](name),
    ...(cause === undefined || cause === null ? {} : { cause })
  })

const reasons: ReadonlyMap<unknown, StoreError["reason"]> = new Map([
  ["QuotaExceededError", "full"],
  ["VersionError", "newer"]
])

/** The failure of IndexedDB itself: a `DOMException`, or nothing where the engine does not say. */
const failure = (name: string, cause: unknown): StoreError =>
  storeError(name, reasons.get((cause as { readonly name?: unknown } | null)?.name) ?? "io", cause)

export class Database {
  readonly name: string
  readonly #connection: IDBDatabase
  #lost: StoreError | undefined

  constructor(name: string, connection: IDBDatabase, onLost: () => void) {
    this.name = name
    this.#connection = connection
    const lose = (error: StoreError) => {
      if (this.#lost !== undefined) return
      this.#lost = error
      onLost()
    }
    // Another tab upgrades or deletes the database, and waits until this connection is closed.
    connection.addEventListener("versionchange", ({ newVersion }) => {
      connection.close()
      lose(
        newVersion === null
          ? new StoreError({ reason: "io", detail: `another tab removed the IndexedDB database ${name}` })
          : storeError(name, "newer")
      )
    })
    connection.addEventListener("close", () => {
      const detail = `this browser closed the IndexedDB database ${name}: its data was cleared, or the disk fails`
      lose(new StoreError({ reason: "io", detail }))
    })
  }

  /**
   * Runs one transaction. `run` places the first requests and returns what to answer once everything is written; when it
   * or a later step throws, nothing is.
   */
  begin<A, E = never>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    run: (transaction: Transaction<E>) => () => A,
    done: (result: Result.Result<A, StoreError | E>) => void
  ): void {
    if (this.#lost !== undefined) return done(Result.fail(this.#lost))
    let transaction: IDBTransaction
    try {
      transaction = this.#connection.transaction(objectStore, mode, { durability })
    } catch (cause) {
      return done(Result.fail(failure(this.name, cause)))
    }
    let refusal: StoreError | E | undefined
    const refuse = (error: StoreError | E): void => {
      refusal ??= error
      transaction.abort()
    }
    const attempt = <B>(step: () => B): B | undefined => {
      try {
        return step()
      } catch (cause) {
        refuse(failure(this.name, cause))
        return undefined
      }
    }
    const answer = attempt(() =>
      run({
        entries: transaction.objectStore(objectStore),
        on: (request, next) => request.addEventListener("success", () => attempt(() => next(request.result))),
        refuse
      })
    )
    transaction.addEventListener("complete", () => done(Result.succeed(answer!())))
    transaction.addEventListener("abort", () =>
      done(Result.fail(refusal ?? this.#lost ?? failure(this.name, transaction.error)))
    )
  }

  /** The same as an effect, which is not interrupted between its start and its end. */
  transact<A, E = never>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    run: (transaction: Transaction<E>) => () => A
  ): Effect.Effect<A, StoreError | E> {
    return Effect.uninterruptible(
      Effect.callback((resume) => {
        this.begin(mode, durability, run, (result) => resume(Effect.fromResult(result)))
      })
    )
  }
}

const connect = (name: string, version: number): Effect.Effect<IDBDatabase, StoreError> =>
  Effect.callback((resume) => {
    const fail = (error: StoreError) => resume(Effect.fail(error))
    let request: IDBOpenDBRequest
    try {
      request = indexedDB.open(name, version)
    } catch (cause) {
      return fail(failure(name, cause))
    }
    let abandoned = false
    request.addEventListener("upgradeneeded", () => {
      if (abandoned) request.transaction?.abort()
      else request.result.createObjectStore(objectStore)
    })
    // A tab with an older version keeps the database open although it was asked to close it.
    request.addEventListener("blocked", () => {
      abandoned = true
      fail(storeError(name, "locked"))
    })
    request.addEventListener("error", () => fail(failure(name, request.error)))
    request.addEventListener("success", () => {
      const connection = request.result
      if (abandoned) connection.close()
      else if (connection.objectStoreNames.contains(objectStore)) resume(Effect.succeed(connection))
      else {
        connection.close()
        fail(new StoreError({ reason: "damaged", detail: `${name} is a database of another program` }))
      }
    })
    return Effect.sync(() => {
      abandoned = true
    })
  })

/**
 * Opens or creates a database of this version, and closes it with the scope. `onLost` is called at most once, when the
 * browser has closed the database in the meantime.
 */
export const open = (
  name: string,
  version: number,
  onLost: () => void = () => {}
): Effect.Effect<Database, StoreError, Scope.Scope> =>
  Effect.acquireRelease(connect(name, version), (connection) => Effect.sync(() => connection.close())).pipe(
    Effect.map((connection) => new Database(name, connection, onLost))
  )
