/**
 * A LocalStore in one SQLite file, written by its owner process and readable by others. A commit is one transaction in
 * WAL mode and `sync` synchronises the log, as under `synchronous=FULL` but without blocking the main thread: SQLite
 * runs under NORMAL (which keeps the file consistent), and libuv's threads synchronise the log while the next commits
 * proceed. Checkpoints run on a thread of their own, for the end of which commits wait a moment.
 */
import type BetterSqlite3 from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { chmodSync, closeSync, fdatasync, mkdirSync, openSync } from "node:fs"
import { dirname, resolve } from "node:path"
import * as Checkpoints from "./Checkpoints.ts"
import { AdapterUnavailable } from "../../services/AdapterUnavailable.ts"
import { LocalStore, prefixEnd, StoreConflict, StoreError, type Range, type Write } from "../../services/LocalStore.ts"

export interface Options {
  /** The file; created with its folder if missing, readable by its owner only. */
  readonly path: string
  /** How long a write waits for another process's lock before it fails with `locked`. Default 5,000 ms. */
  readonly lockTimeoutMillis?: number
  /**
   * Opens the store as the account's only owner: while it is open, no other `exclusive` store opens, in this process or
   * another (`locked`). The operating system releases the lock when a process dies. Default false.
   */
  readonly exclusive?: boolean
  /** Maximum size of the file; a commit beyond it fails with `full`. No limit by default. */
  readonly maxBytes?: number
}

/** Marks the file as ours in its header: "KEZ1". */
const applicationId = 0x4b455a31

/** Each entry migrates the file from version (index) to (index + 1). Entries are only added, never changed. */
const migrations: ReadonlyArray<string> = [
  "CREATE TABLE entries (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID"
]

const reasons: ReadonlyArray<readonly [prefix: string, reason: StoreError["reason"]]> = [
  ["SQLITE_FULL", "full"],
  // Sizing the index file happens before any write, so it fails only for lack of room.
  ["SQLITE_IOERR_SHMSIZE", "full"],
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["SQLITE_CORRUPT", "damaged"],
  ["SQLITE_NOTADB", "damaged"],
  ["SQLITE_BUSY", "locked"],
  ["SQLITE_LOCKED", "locked"]
]

const details: Record<StoreError["reason"], string> = {
  full: "no space is left for",
  damaged: "this SQLite file is damaged:",
  locked: "another process is writing to",
  newer: "a later version of this program wrote",
  foreign: "another account wrote",
  io: "cannot read or write"
}

const storeError = (path: string) => (cause: unknown) => {
  if (cause instanceof StoreError) return cause
  const code = String((cause as { readonly code?: unknown } | null)?.code ?? "")
  const reason = reasons.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "io"
  return new StoreError({ reason, detail: `${details[reason]} ${path}`, cause })
}

const loadDriver = Effect.tryPromise({
  try: () => import("better-sqlite3"),
  catch: (cause) =>
    new AdapterUnavailable({
      adapter: "the SQLite store",
      package: "better-sqlite3",
      install: "npm install better-sqlite3",
      cause
    })
})

const prepareFile = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, "a", 0o600))
  // A file from elsewhere may have other permissions; SQLite gives its -wal and -shm files the mode of the file itself.
  chmodSync(path, 0o600)
}

const migrate = (database: BetterSqlite3.Database, path: string): void => {
  database
    .transaction(() => {
      const version = Number(database.pragma("user_version", { simple: true }))
      const owner = Number(database.pragma("application_id", { simple: true }))
      if (version > 0 && owner !== applicationId) {
        throw new StoreError({ reason: "damaged", detail: `${path} is a database of another program` })
      }
      if (version > migrations.length) {
        const detail = `${path} has version ${version}, and this program knows up to ${migrations.length}: update it`
        throw new StoreError({ reason: "newer", detail })
      }
      if (version === migrations.length) return
      for (const sql of migrations.slice(version)) database.exec(sql)
      database.pragma(`application_id = ${applicationId}`)
      database.pragma(`user_version = ${migrations.length}`)
    })
    .immediate()
}

const open = (Database: typeof BetterSqlite3, options: Options): BetterSqlite3.Database => {
  prepareFile(options.path)
  const database = new Database(options.path, { timeout: options.lockTimeoutMillis ?? 5_000 })
  try {
    database.pragma(`page_size = ${Checkpoints.pageBytes}`)
    database.pragma("journal_mode = WAL")
    database.pragma("synchronous = NORMAL")
    // A file of an earlier version keeps its own page size.
    const pageSize = Number(database.pragma("page_size", { simple: true }))
    database.pragma(`wal_autocheckpoint = ${Math.floor(Checkpoints.backstopBytes / pageSize)}`)
    migrate(database, options.path)
    if (options.maxBytes !== undefined) {
      database.pragma(`max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`)
    }
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Holds the lock of a file beside the store while the store is open. */
const own = (Database: typeof BetterSqlite3, { path }: Options): BetterSqlite3.Database => {
  const file = `${path}-owner`
  prepareFile(file)
  const owner = new Database(file, { timeout: 0 })
  try {
    owner.exec("BEGIN EXCLUSIVE")
    return owner
  } catch (cause) {
    owner.close()
    if (String((cause as { readonly code?: unknown }).code).startsWith("SQLITE_BUSY")) {
      throw new StoreError({ reason: "locked", detail: `another process has ${path} open`, cause })
    }
    throw cause
  }
}

interface Row {
  readonly key: string
  readonly value: Buffer
}

const bytes = (value: Buffer): Uint8Array => new Uint8Array(value.buffer, value.byteOffset, value.byteLength)

const synchronise = (file: number): Effect.Effect<void, NodeJS.ErrnoException> =>
  Effect.callback((resume) => {
    fdatasync(file, (error) => resume(error === null ? Effect.void : Effect.fail(error)))
  })

/** `log` is the descriptor of the write-ahead log. */
const fromDatabase = (
  database: BetterSqlite3.Database,
  log: number,
  path: string,
  checkpoints: ReturnType<typeof Checkpoints.make>
): LocalStore["Service"] => {
  const select = database.prepare<[string], Row>("SELECT key, value FROM entries WHERE key = ?")
  const putNew = database.prepare<[string, Uint8Array]>(
    "INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING"
  )
  const put = database.prepare<[string, Uint8Array]>(
    "INSERT INTO entries (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
  )
  const remove = database.prepare<[string]>("DELETE FROM entries WHERE key = ?")

  // One statement per combination of bounds, so every scan is a plain walk of the primary key.
  const scans = new Map<string, BetterSqlite3.Statement<Array<string | number>, Row>>()
  const scan = (range: Range): ReadonlyArray<Row> => {
    const conditions: Array<string> = ["key >= ?"]
    const parameters: Array<string | number> = [range.prefix]
    const bound = (condition: string, value: string | undefined) => {
      if (value === undefined) return
      conditions.push(condition)
      parameters.push(value)
    }
    bound("key < ?", prefixEnd(range.prefix))
    bound("key > ?", range.after)
    bound("key < ?", range.before)
    const order = range.reverse === true ? "DESC" : "ASC"
    const sql = `SELECT key, value FROM entries WHERE ${conditions.join(" AND ")} ORDER BY key ${order} LIMIT ?`
    const statement = scans.get(sql) ?? database.prepare<Array<string | number>, Row>(sql)
    scans.set(sql, statement)
    return statement.all(...parameters, range.limit ?? -1)
  }

  const commit = database.transaction((writes: ReadonlyArray<Write>): void => {
    for (const write of writes) {
      if (write.op === "delete") remove.run(write.key)
      else if (write.ifAbsent !== true) put.run(write.key, write.value)
      else if (putNew.run(write.key, write.value).changes === 0) throw new StoreConflict({ key: write.key })
    }
  })

  const fail = storeError(path)
  return LocalStore.of({
    get: (key) =>
      Effect.try({
        try: () => {
          const row = select.get(key)
          return row === undefined ? Option.none() : Option.some(bytes(row.value))
        },
        catch: fail
      }),
    scan: (range) =>
      Effect.try({
        try: () => scan(range).map((row) => ({ key: row.key, value: bytes(row.value) })),
        catch: fail
      }),
    commit: (writes) =>
      Effect.andThen(
        checkpoints.ready,
        Effect.try({
          try: () => {
            commit.immediate(writes)
            checkpoints.committed(writes)
          },
          catch: (cause) => (cause instanceof StoreConflict ? cause : fail(cause))
        })
      ),
    sync: Effect.mapError(synchronise(log), fail)
  })
}

/** Opens the file, migrates it to this version, and closes it with the scope. */
export const make = Effect.fnUntraced(function* (
  given: Options
): Effect.fn.Return<LocalStore["Service"], StoreError | AdapterUnavailable, Scope.Scope> {
  // The worker opens it later, when the working directory may be another one.
  const options = { ...given, path: resolve(given.path) }
  const driver = yield* loadDriver
  if (options.exclusive === true) {
    yield* Effect.acquireRelease(
      Effect.try({ try: () => own(driver.default, options), catch: storeError(options.path) }),
      (owner) => Effect.sync(() => owner.close())
    )
  }
  const database = yield* Effect.acquireRelease(
    Effect.try({ try: () => open(driver.default, options), catch: storeError(options.path) }),
    (database) => Effect.sync(() => database.close())
  )
  // SQLite locks the other two files, so closing this descriptor releases none of its locks.
  const log = yield* Effect.acquireRelease(
    Effect.try({ try: () => openSync(`${options.path}-wal`, "r+"), catch: storeError(options.path) }),
    (log) => Effect.sync(() => closeSync(log))
  )
  const checkpoints = yield* Effect.acquireRelease(
    Effect.sync(() => Checkpoints.make(options.path)),
    ({ close }) => close
  )
  return fromDatabase(database, log, options.path, checkpoints)
})

/** The local store in the SQLite file at `options.path`. */
export const layer = (options: Options): Layer.Layer<LocalStore, StoreError | AdapterUnavailable> =>
  Layer.effect(LocalStore, make(options))
