/**
 * The database of a server: one interface over SQLite (a file, the default) and PostgreSQL (shared by servers on
 * several machines).
 *
 * Statements are written once, in the SQL that both understand. What a transaction committed survives kill -9 of any
 * process and power loss before its request is answered. Transactions under one lock run one after the other, on all
 * servers, as SQLite's always do; so none has to think of races.
 */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { version } from "../metrics/Metrics.ts"
import type { Migration, Schema } from "./tables/Schema.ts"

/** Booleans are 0 and 1. */
export type Value = string | number | Uint8Array | null

/** A list of values or rows within a statement, which the dialects write differently. */
export type Fragment =
  | { readonly kind: "oneOf"; readonly values: ReadonlyArray<Value> }
  | { readonly kind: "rows"; readonly rows: ReadonlyArray<ReadonlyArray<Value>> }

/** For `WHERE column ${oneOf(values)}`: is equal to one of them. At most some thousands. */
export const oneOf = (values: ReadonlyArray<Value>): Fragment => ({ kind: "oneOf", values })

/**
 * For `INSERT INTO t (a, b) ${rows(list)}`: at least one row, at most some thousands, none with the key of another.
 * Values of a column are of one type.
 */
export const rows = (list: ReadonlyArray<ReadonlyArray<Value>>): Fragment => ({ kind: "rows", rows: list })

/**
 * Runs one statement: `` sql<Row>`SELECT * FROM accounts WHERE handle = ${handle}` ``. Values become parameters, never
 * text. `unavailable` when the database is full, busy, failing or out of reach; any other error is a defect.
 */
export type Sql = <Row = never>(
  text: TemplateStringsArray,
  ...values: ReadonlyArray<Value | Fragment>
) => Effect.Effect<ReadonlyArray<Row>, Problem.Problem>

export interface TransactionOptions {
  /** Transactions with the same name exclude each other. */
  readonly lock: string
  /**
   * False for what may be lost with the machine's power, but not with a process. Spares SQLite a disk write that would
   * hold up everything else.
   */
  readonly isSynced?: boolean
  /** True for what is small and comes often: those that wait at the same time share one disk write. SQLite only. */
  readonly sharesCommit?: boolean
}

/** The operator's settings of a database. */
export interface DatabaseSettings {
  /** Path of a SQLite file, or the `postgres://` URL of a PostgreSQL database, which may hold a password. */
  readonly db: string
  /** File with the password for PostgreSQL. */
  readonly dbPasswordFile?: string
  /** Most connections to PostgreSQL, besides one that listens. */
  readonly dbConnections?: number
}

export interface DatabaseOptions extends DatabaseSettings {
  readonly schema: Schema
  /** Only open a database that exists and is up to date (admin commands). */
  readonly existing?: boolean
}

/** The database cannot be used: it is of a newer version, of another program, or not accessible. */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly reason: "newer" | "older" | "foreign" | "missing" | "io"
  /** Path or address, without secrets. */
  readonly path: string
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `database ${this.path}: ${this.detail}`
  }
}

export class Database extends Context.Service<
  Database,
  {
    readonly sql: Sql
    /**
     * Runs statements that take effect together or, if `f` fails, not at all. `f` does nothing but run statements and
     * compute. After `unavailable` it may have been committed.
     */
    readonly transaction: <A, E>(
      options: TransactionOptions,
      f: (sql: Sql) => Effect.Effect<A, E>
    ) => Effect.Effect<A, E | Problem.Problem>
    /** Whether the database can be read now and took the last write, for health checks. */
    readonly isWorking: () => boolean
    /** Calls `f` soon after accounts changed, until the scope closes; not reliably, so ask at intervals as well. */
    readonly onAccountsChanged: (f: () => void) => Effect.Effect<void, never, Scope>
    /** Bytes of the database, and of its disk where that is known. */
    readonly size: Effect.Effect<
      { readonly bytes: number; readonly disk?: { readonly bytes: number; readonly freeBytes: number } },
      Problem.Problem
    >
    /**
     * A number that another one follows once any other connection, of whatever process, has committed. Undefined where
     * that takes a round trip to learn.
     */
    readonly commitsOfOthers: (() => number) | undefined
    /** Writes a copy of everything to a file that does not exist. */
    readonly backup: (path: string) => Effect.Effect<void, DatabaseError>
  }
>()("@kez-chat/server/Database") {}

/** For people: why `isWorking` is false. */
export const databaseFailing =
  "the server's database fails: its disk is full, read-only or broken, or it is out of reach"

export const unavailable = new Problem.Problem({ code: "unavailable", detail: "the server cannot store this now" })

/** A step as a database records it, with the version of the server that applied it, since servers record that. */
export interface AppliedStep {
  readonly id: string
  readonly server?: string | null
}

/** The steps to apply; throws where the database is not this version's. */
export const missingSteps = (
  { migrations, owner }: Schema,
  applied: ReadonlyArray<AppliedStep>,
  existing: boolean,
  refuse: (reason: DatabaseError["reason"], detail: string) => DatabaseError
): ReadonlyArray<Migration> => {
  const known = new Set(migrations.map((migration) => migration.id))
  const newer = applied.filter(({ id }) => !known.has(id))
  if (newer.length > 0) {
    const by = newer
      .map(({ server }) => server ?? "")
      .toSorted(byVersion)
      .at(-1)
    const theirs = by === undefined || by === "" ? "a newer version" : `version ${by}`
    throw refuse(
      "newer",
      `was upgraded by ${theirs} of ${owner} (${newer.map(({ id }) => id).join(", ")}), which this version ${version} cannot read: install ${theirs} again, or restore the backup made before the upgrade`
    )
  }
  const present = new Set(applied.map(({ id }) => id))
  const missing = migrations.filter(({ id }) => !present.has(id))
  if (missing.length > 0 && existing) {
    throw refuse("older", `was written by an older version than ${version}; start the server once to upgrade it`)
  }
  return missing
}

const byVersion = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true })
