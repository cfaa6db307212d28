/**
 * The one SQLite file of a server process.
 *
 * WAL with `synchronous=FULL`: what a transaction committed is on disk before its request is answered, so neither
 * kill -9 nor power loss takes back an acknowledged write. Every write is an IMMEDIATE transaction, because admin
 * commands open the same file from other processes.
 */
import BetterSqlite3 from "better-sqlite3"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import { mkdirSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { Problem } from "@kez-chat/sdk/protocol"

/** One step of the schema. Steps are applied once, in list order; a released step is never edited. */
export interface Migration {
  /** `<module>-<number>-<what>`, never reused. */
  readonly id: string
  readonly sql: string
}

export interface DatabaseOptions {
  readonly path: string
  readonly migrations: ReadonlyArray<Migration>
  /** Which server's file this is, as SQLite's `application_id`: opening the other server's file is refused. */
  readonly applicationId: number
  /** Only open a file that exists and is up to date (admin commands). */
  readonly existing?: boolean
}

/** The file cannot be used: it is of a newer version, of another program, or not accessible. */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly reason: "newer" | "older" | "foreign" | "missing" | "io"
  readonly path: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `database ${this.path}: ${this.detail}`
  }
}

/** `application_id` of chat-server's registry ("kezc"). */
export const registryApplicationId = 0x6b657a63
/** `application_id` of sig-server's store ("kezs"). */
export const sigchainsApplicationId = 0x6b657a73

export class Database extends Context.Service<
  Database,
  {
    readonly sqlite: BetterSqlite3.Database
    /**
     * Runs `f` in one IMMEDIATE transaction. A `Problem` thrown inside rolls back and is the failure; a full, busy or
     * failing disk is `unavailable`; anything else is a defect.
     */
    write<A>(f: () => A): Effect.Effect<A, Problem.Problem>
    /** Whether the file can be read now and took the last write, for health checks. */
    readonly isWorking: () => boolean
  }
>()("@kez-chat/server/Database") {
  static layer(options: DatabaseOptions): Layer.Layer<Database, DatabaseError> {
    return Layer.effect(
      Database,
      Effect.gen(function* () {
        const { probe, service } = make(yield* open(options))
        if (options.existing !== true) yield* Effect.forkScoped(Effect.repeat(probe, Schedule.spaced(probeMillis)))
        return service
      })
    )
  }
}

/** For people: why `isWorking` is false. */
export const databaseFailing = "the server's own storage fails: its disk is full, read-only or broken"

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
          : new DatabaseError({ reason: "io", path: options.path, detail: String((cause as Error).message), cause })
    }),
    (sqlite) => Effect.sync(() => sqlite.close())
  )

const openSync = (options: DatabaseOptions): BetterSqlite3.Database => {
  const path = resolve(options.path)
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
    if (owner !== options.applicationId && (owner !== 0 || tables > 0)) {
      throw refuse("foreign", "the file belongs to another program; choose another path")
    }
    if (sqlite.pragma("journal_mode = WAL", { simple: true }) !== "wal") {
      throw refuse("io", "the file system does not support SQLite's write-ahead log; use a local disk")
    }
    sqlite.pragma("synchronous = FULL")
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
  options: DatabaseOptions,
  refuse: (reason: DatabaseError["reason"], detail: string) => DatabaseError
): void => {
  const run = sqlite.transaction(() => {
    sqlite.pragma(`application_id = ${options.applicationId}`)
    sqlite.exec("CREATE TABLE IF NOT EXISTS schema_migrations (id TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT")
    const applied = new Set(sqlite.prepare("SELECT id FROM schema_migrations").pluck().all() as Array<string>)
    const known = new Set(options.migrations.map((migration) => migration.id))
    const newer = [...applied].filter((id) => !known.has(id))
    if (newer.length > 0) {
      throw refuse(
        "newer",
        `was written by a newer version of this server (${newer.join(", ")}); upgrade the server or restore a backup`
      )
    }
    const missing = options.migrations.filter((migration) => !applied.has(migration.id))
    if (missing.length > 0 && options.existing === true) {
      throw refuse("older", "was written by an older version; start the server once to upgrade it")
    }
    const record = sqlite.prepare("INSERT INTO schema_migrations (id, applied_at) VALUES (?, ?)")
    for (const migration of missing) {
      sqlite.exec(migration.sql)
      record.run(migration.id, new Date().toISOString())
    }
  })
  run.immediate()
}

/** SQLite's codes for trouble with the disk or a lock rather than the statement. */
const transient = /^SQLITE_(BUSY|FULL|IOERR|READONLY|NOMEM|CANTOPEN)/

const make = (sqlite: BetterSqlite3.Database) => {
  /** SQLite's code for why the last write was refused; undefined when it was not. */
  let refusal: string | undefined
  let writtenAt = -Infinity
  const read = sqlite.prepare("SELECT count(*) FROM schema_migrations").pluck()

  /** Runs `f` in one transaction and notes whether the disk took it. */
  const attempt = <A>(f: () => A): A => {
    try {
      const result = sqlite.transaction(f).immediate()
      refusal = undefined
      writtenAt = performance.now()
      return result
    } catch (cause) {
      if (isTransient(cause)) refusal = cause.code
      throw cause
    }
  }

  const service = Database.of({
    sqlite,
    isWorking: () => {
      try {
        return (read.get() as number) > 0 && refusal === undefined
      } catch {
        return false
      }
    },
    write: <A>(f: () => A) =>
      Effect.suspend(() => {
        try {
          return Effect.succeed(attempt(f))
        } catch (cause) {
          if (cause instanceof Problem.Problem) return Effect.fail(cause)
          if (isTransient(cause)) {
            return Effect.logError("the database refused a write").pipe(
              Effect.annotateLogs({ sqlite: cause.code }),
              Effect.andThen(
                Effect.fail(new Problem.Problem({ code: "unavailable", detail: "the server cannot store this now" }))
              )
            )
          }
          return Effect.die(cause)
        }
      })
  })

  /** Writes `user_version`, which nothing else uses. */
  const writeProbe = () => {
    const last = sqlite.pragma("user_version", { simple: true }) as number
    sqlite.pragma(`user_version = ${(last + 1) % 1_000_000}`)
  }
  const probe = Effect.suspend(() => {
    if (refusal === undefined && performance.now() - writtenAt < quietMillis) return Effect.void
    const before = refusal
    try {
      attempt(writeProbe)
      return before === undefined ? Effect.void : Effect.logInfo("the database takes writes again")
    } catch (cause) {
      if (isTransient(cause)) {
        return cause.code === before
          ? Effect.void
          : Effect.annotateLogs(Effect.logError("the database refused a write"), { sqlite: cause.code })
      }
      return Effect.logError("the database was not probed", (cause as Error).message)
    }
  })
  return { probe, service }
}

const isTransient = (cause: unknown): cause is InstanceType<typeof BetterSqlite3.SqliteError> =>
  cause instanceof BetterSqlite3.SqliteError && transient.test(cause.code)
