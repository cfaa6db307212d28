/**
 * The database in one SQLite file, for a home on one machine.
 *
 * WAL with `synchronous=FULL`: what a transaction committed is on disk before its request is answered. Registrations and
 * events that wait together share a commit (GroupCommit). Every transaction is IMMEDIATE, because admin commands open the
 * same file from other processes.
 */
import BetterSqlite3 from "better-sqlite3"
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import { mkdirSync, statfsSync } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { version } from "../metrics/Metrics.ts"
import { groupCommit } from "./GroupCommit.ts"
import {
  type AppliedStep,
  Database,
  DatabaseError,
  type DatabaseOptions,
  type Fragment,
  missingSteps,
  type Sql,
  unavailable,
  type Value
} from "./Database.ts"

export const layer = (options: DatabaseOptions): Layer.Layer<Database, DatabaseError> =>
  Layer.effect(
    Database,
    Effect.gen(function* () {
      const { probe, service } = make(yield* open(options))
      if (options.existing !== true) yield* Effect.forkScoped(Effect.repeat(probe, Schedule.spaced(probeMillis)))
      return service
    })
  )

/** How often to check whether a probe is due, in milliseconds. */
const probeMillis = 2_000
/** A write is probed after this time without one, in milliseconds: without traffic a full disk would go unnoticed. */
const quietMillis = 5_000

const open = (options: DatabaseOptions): Effect.Effect<BetterSqlite3.Database, DatabaseError, Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => openSync(options),
      catch: (cause) =>
        cause instanceof DatabaseError
          ? cause
          : new DatabaseError({ reason: "io", path: options.db, detail: String((cause as Error).message), cause })
    }),
    (sqlite) => Effect.sync(() => sqlite.close())
  )

const openSync = (options: DatabaseOptions): BetterSqlite3.Database => {
  const path = resolve(options.db)
  const { applicationId } = options.schema
  const refuse = (reason: DatabaseError["reason"], detail: string) => new DatabaseError({ reason, path, detail })
  if (options.existing !== true) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let sqlite: BetterSqlite3.Database
  try {
    sqlite = new BetterSqlite3(path, { fileMustExist: options.existing === true, timeout: 5_000 })
  } catch (cause) {
    if (options.existing === true) throw refuse("missing", "cannot be opened; is this the server's --db path?")
    throw cause
  }
  try {
    const owner = sqlite.pragma("application_id", { simple: true }) as number
    const tables = sqlite.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() as number
    if (owner !== applicationId && (owner !== 0 || tables > 0)) {
      throw refuse("foreign", "the file belongs to another program; choose another path")
    }
    if (sqlite.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
      throw refuse("io", "the file system does not support SQLite's write-ahead log; use a local disk")
    }
    sqlite.pragma("synchronous = FULL")
    // 16 MiB: a checkpoint waits for the disk, and everything else waits for it.
    sqlite.pragma("wal_autocheckpoint = 4096")
    sqlite.pragma("foreign_keys = ON")
    sqlite.pragma("trusted_schema = OFF")
    migrate(sqlite, options, refuse)
    return sqlite
  } catch (cause) {
    sqlite.close()
    throw cause
  }
}

const migrate = (
  sqlite: BetterSqlite3.Database,
  { existing, schema }: DatabaseOptions,
  refuse: (reason: DatabaseError["reason"], detail: string) => DatabaseError
): void => {
  const run = sqlite.transaction(() => {
    sqlite.pragma(`application_id = ${schema.applicationId}`)
    sqlite.exec("CREATE TABLE IF NOT EXISTS schema_migrations (id TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT")
    const applied = sqlite.prepare("SELECT * FROM schema_migrations").all() as Array<AppliedStep>
    const missing = missingSteps(schema, applied, existing === true, refuse)
    if (missing.length === 0) return
    const columns = sqlite.pragma("table_info(schema_migrations)") as Array<{ readonly name: string }>
    if (!columns.some(({ name }) => name === "server")) {
      sqlite.exec("ALTER TABLE schema_migrations ADD COLUMN server TEXT")
    }
    const record = sqlite.prepare("INSERT INTO schema_migrations (id, applied_at, server) VALUES (?, ?, ?)")
    for (const migration of missing) {
      sqlite.exec(migration.sqlite)
      record.run(migration.id, new Date().toISOString(), version)
    }
  })
  run.immediate()
}

/** SQLite's codes for trouble with the disk or a lock rather than the statement. */
const transient = /^SQLITE_(BUSY|FULL|IOERR|READONLY|NOMEM|CANTOPEN)/

const make = (sqlite: BetterSqlite3.Database) => {
  /** SQLite's code for why the last statement was refused; undefined when it was not. */
  let refusal: string | undefined
  let refusals = 0
  let writtenAt = -Infinity
  const read = sqlite.prepare("SELECT count(*) FROM schema_migrations").pluck()
  const dataVersion = sqlite.prepare<[], number>("PRAGMA data_version").pluck()
  let isSynced = true
  /** Whether the next commit waits for the disk; only where that changes, since it costs more than many a statement. */
  const setSynced = (wanted: boolean): void => {
    if (wanted !== isSynced) sqlite.pragma(`synchronous = ${wanted ? "FULL" : "NORMAL"}`)
    isSynced = wanted
  }
  const statements = statementCache(sqlite, () => {
    if (!sqlite.inTransaction) setSynced(true)
  })
  const begin = sqlite.prepare("BEGIN IMMEDIATE")
  const commit = sqlite.prepare("COMMIT")
  const rollback = sqlite.prepare("ROLLBACK")

  const failure = (cause: unknown): Effect.Effect<never, Problem.Problem> => {
    if (!isTransient(cause)) return Effect.die(cause)
    refusal = cause.code
    refusals += 1
    return Effect.logError("the database refused a statement").pipe(
      Effect.annotateLogs({ sqlite: cause.code }),
      Effect.andThen(Effect.fail(unavailable))
    )
  }
  const committed = (): void => {
    refusal = undefined
    writtenAt = performance.now()
  }

  const sql: Sql = <Row>(text: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>) =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(statements.run(text, values) as ReadonlyArray<Row>)
      } catch (cause) {
        return failure(cause)
      }
    })

  /** Runs `f` in one transaction, synchronously: nothing else uses the connection meanwhile. */
  const inTransaction = <A, E>(f: () => Exit.Exit<A, E>): Exit.Exit<A, E> => {
    begin.run()
    try {
      const exit = f()
      if (Exit.isFailure(exit)) return exit
      commit.run()
      return exit
    } finally {
      if (sqlite.inTransaction) rollback.run()
    }
  }

  const group = groupCommit(sqlite, {
    run: (f) => {
      setSynced(true)
      const before = refusals
      let isWritten = false
      inTransaction(() => {
        isWritten = f()
        return Exit.void
      })
      // A commit without a write, or beside a write that the disk refused, does not show that it can be written.
      if (isWritten && refusals === before) committed()
    },
    failure
  })

  const service = Database.of({
    sql,
    isWorking: () => {
      try {
        return (read.get() as number) > 0 && refusal === undefined
      } catch {
        return false
      }
    },
    transaction: <A, E>(
      options: { readonly isSynced?: boolean; readonly sharesCommit?: boolean },
      f: (sql: Sql) => Effect.Effect<A, E>
    ): Effect.Effect<A, E | Problem.Problem> =>
      Effect.flatMap(Effect.context<never>(), (context): Effect.Effect<A, E | Problem.Problem> => {
        const run = () => Effect.runSyncExitWith(context)(f(sql))
        if (options.sharesCommit === true) return group.join(run)
        try {
          setSynced(options.isSynced ?? true)
          const exit = inTransaction(run)
          if (Exit.isSuccess(exit)) committed()
          return exit
        } catch (cause) {
          return failure(cause)
        }
      }),
    // Other processes cannot tell; whoever needs to know asks at intervals.
    onAccountsChanged: () => Effect.void,
    commitsOfOthers: () => dataVersion.get() as number,
    size: Effect.sync(() => {
      const pages = sqlite.pragma("page_count", { simple: true }) as number
      const pageBytes = sqlite.pragma("page_size", { simple: true }) as number
      const { bavail, blocks, bsize } = statfsSync(dirname(sqlite.name))
      return { bytes: pages * pageBytes, disk: { bytes: blocks * bsize, freeBytes: bavail * bsize } }
    }),
    backup: (path) => {
      const partial = `${path}.partial`
      return Effect.tryPromise({
        try: async () => {
          await rm(partial, { force: true })
          // Without a transaction that reads, SQLite begins the copy anew at each commit of another process.
          sqlite.exec("BEGIN; SELECT count(*) FROM sqlite_schema")
          try {
            await sqlite.backup(partial)
          } finally {
            sqlite.exec("COMMIT")
          }
          await rename(partial, path)
        },
        catch: (cause) =>
          new DatabaseError({ reason: "io", path, detail: `the backup failed: ${(cause as Error).message}`, cause })
      })
    }
  })

  /** Writes `user_version`, which nothing else uses. */
  const writeProbe = () => {
    const last = sqlite.pragma("user_version", { simple: true }) as number
    sqlite.pragma(`user_version = ${(last + 1) % 1_000_000}`)
    return Exit.void
  }
  const probe = Effect.suspend(() => {
    if (refusal === undefined && performance.now() - writtenAt < quietMillis) return Effect.void
    const before = refusal
    try {
      setSynced(true)
      inTransaction(writeProbe)
      committed()
      return before === undefined ? Effect.void : Effect.logInfo("the database takes writes again")
    } catch (cause) {
      if (!isTransient(cause)) return Effect.logError("the database was not probed", (cause as Error).message)
      return cause.code === before ? Effect.void : Effect.ignore(failure(cause))
    }
  })
  return { probe, service }
}

const isTransient = (cause: unknown): cause is InstanceType<typeof BetterSqlite3.SqliteError> =>
  cause instanceof BetterSqlite3.SqliteError && transient.test(cause.code)

/** Statements by their text; those that lists make are many, so the oldest are dropped. */
const statementCache = (sqlite: BetterSqlite3.Database, beforeWrite: () => void) => {
  const byText = new Map<string, BetterSqlite3.Statement>()
  const most = 256
  const prepare = (text: string): BetterSqlite3.Statement => {
    let statement = byText.get(text)
    if (statement === undefined) {
      statement = sqlite.prepare(text)
      for (const old of byText.keys()) {
        if (byText.size < most) break
        byText.delete(old)
      }
      byText.set(text, statement)
    }
    return statement
  }
  return {
    run: (text: TemplateStringsArray, values: ReadonlyArray<Value | Fragment>): ReadonlyArray<unknown> => {
      const parameters: Array<Value> = []
      let rendered = text[0] as string
      for (const [i, value] of values.entries()) {
        rendered += renderValue(value, parameters) + (text[i + 1] as string)
      }
      const statement = prepare(rendered)
      if (!statement.readonly) beforeWrite()
      if (statement.reader) return statement.all(...parameters)
      statement.run(...parameters)
      return []
    }
  }
}

const renderValue = (value: Value | Fragment, parameters: Array<Value>): string => {
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) {
    parameters.push(value)
    return "?"
  }
  if (value.kind === "rows") {
    for (const row of value.rows) parameters.push(...row)
    const marks = `(${value.rows[0]?.map(() => "?").join(", ")})`
    return `VALUES ${value.rows.map(() => marks).join(", ")}`
  }
  // To the next power of two with nulls, which equal nothing, so that there are few different statements.
  const count = 2 ** Math.ceil(Math.log2(Math.max(1, value.values.length)))
  for (let i = 0; i < count; i++) parameters.push(value.values[i] ?? null)
  return `IN (${Array.from({ length: count }, () => "?").join(", ")})`
}
