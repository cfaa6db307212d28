/**
 * Copies a server's SQLite file into an empty PostgreSQL database, while no server runs on either.
 *
 * It can be stopped at any time and run again: it goes on after the last row of each table. At the end every table is
 * read from both sides and compared by its number of rows and a digest of them.
 */
import type { Problem } from "@kez-chat/sdk/protocol"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import {
  Database,
  DatabaseError,
  type DatabaseOptions,
  type Fragment,
  rows,
  type Sql,
  type Value
} from "../Database.ts"
import { openDatabase } from "../OpenDatabase.ts"
import { databaseName } from "../PostgresUrl.ts"

export interface Table {
  readonly name: string
  /** Columns that order its rows. */
  readonly key: ReadonlyArray<string>
  /** Has an `id` that the database hands out. */
  readonly counts?: boolean
  /** Column that each database fills in by itself. */
  readonly own?: string
  /** Rows of a megabyte. */
  readonly large?: boolean
}

/** In an order in which no row refers to a later one. What triggers keep (totals, versions) is not copied. */
const tables: Readonly<Record<DatabaseOptions["schema"]["owner"], ReadonlyArray<Table>>> = {
  "chat-server": [
    { name: "accounts", key: ["handle"], own: "version" },
    { name: "moved_keys", key: ["primary_hex"], own: "version" },
    { name: "reserved", key: ["handle"] },
    { name: "removals", key: ["id"], counts: true },
    { name: "invites", key: ["id"] },
    { name: "audit", key: ["id"], counts: true },
    { name: "reports", key: ["id"], large: true },
    { name: "admin_tokens", key: ["name"] },
    { name: "broker_counters", key: ["key", "day"] },
    { name: "broker_secrets", key: ["period"] },
    { name: "broker_state", key: ["name"] },
    { name: "broker_trims", key: ["account"] },
    { name: "broker_blocks", key: ["pair"] },
    { name: "manifests", key: ["id"], counts: true, large: true }
  ],
  "sig-server": [
    { name: "chains", key: ["primary_hex"] },
    { name: "events", key: ["primary_hex", "seq"] }
  ]
}

/** Kept by triggers or by the database itself. */
const notCopied = new Set([
  "schema_migrations",
  "kez_database",
  "kez_origin",
  "account_version",
  "manifest_totals",
  "chain_totals"
])

type Row = Readonly<Record<string, Value>>

/** A statement with names in it, which are those of `tables`. */
const statement = (sql: Sql, parts: ReadonlyArray<string>, ...values: ReadonlyArray<Value | Fragment>) =>
  sql<Row>(Object.assign([...parts], { raw: parts }), ...values)

const pageRows = ({ large }: Table): number => (large === true ? 4 : 500)

/** The rows after the one with these key values, without the column that each database fills in. */
const page = (sql: Sql, table: Table, after: ReadonlyArray<Value> | undefined) => {
  const key = table.key.join(", ")
  const order = ` ORDER BY ${key} LIMIT ${pageRows(table)}`
  const found =
    after === undefined
      ? statement(sql, [`SELECT * FROM ${table.name}${order}`])
      : statement(
          sql,
          [`SELECT * FROM ${table.name} WHERE (${key}) > (`, ...after.slice(1).map(() => ", "), `)${order}`],
          ...after
        )
  return Effect.map(found, (list) =>
    list.map((row): Row => Object.fromEntries(Object.entries(row).filter(([name]) => name !== table.own)))
  )
}

const keyOf = (table: Table, row: Row): ReadonlyArray<Value> => table.key.map((name) => row[name] ?? null)

const lastKey = (sql: Sql, table: Table) =>
  Effect.map(
    statement(sql, [
      `SELECT * FROM ${table.name} ORDER BY ${table.key.map((name) => `${name} DESC`).join(", ")} LIMIT 1`
    ]),
    ([row]) => (row === undefined ? undefined : keyOf(table, row))
  )

/** Number of rows, and a digest of all in the order of their keys. */
const digest = Effect.fnUntraced(function* (sql: Sql, table: Table) {
  const hash = createHash("sha256")
  let count = 0
  for (let after: ReadonlyArray<Value> | undefined; ;) {
    const found = yield* page(sql, table, after)
    for (const row of found) {
      const names = Object.keys(row).toSorted()
      hash.update(JSON.stringify(names.map((name) => [name, plain(row[name] ?? null)])))
    }
    count += found.length
    const last = found.at(-1)
    if (last === undefined) return { count, digest: hash.digest("hex") }
    after = keyOf(table, last)
  }
})

const plain = (value: Value): Exclude<Value, Uint8Array> =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value

/** Copies what the target does not have of a table yet. */
export const copyTable = Effect.fnUntraced(function* (from: Sql, to: Database["Service"], table: Table) {
  for (let after = yield* lastKey(to.sql, table); ;) {
    const found = yield* page(from, table, after)
    const last = found.at(-1)
    if (last === undefined) break
    const names = Object.keys(last)
    const values = rows(found.map((row) => names.map((name) => row[name] ?? null)))
    yield* to.transaction({ lock: "migrate" }, (sql) =>
      statement(sql, [`INSERT INTO ${table.name} (${names.join(", ")}) `, ""], values)
    )
    after = keyOf(table, last)
  }
})

/** The next id follows on those that were copied. SQLite sees to that by itself. */
const setNextId = (sql: Sql, table: Table) =>
  statement(sql, [`SELECT setval(pg_get_serial_sequence('${table.name}', 'id'), (SELECT max(id) FROM ${table.name}))`])

export const tablesOf = ({ owner }: DatabaseOptions["schema"]): ReadonlyArray<Table> => tables[owner]

/** Which database this is: when each of its steps was applied, to the millisecond. */
const originOf = (sql: Sql) =>
  Effect.map(
    sql<{ id: string; applied_at: string }>`SELECT id, applied_at FROM schema_migrations ORDER BY id`,
    (steps) => createHash("sha256").update(JSON.stringify(steps)).digest("hex")
  )

/** Notes where the rows come from, unless there are rows from elsewhere. */
const claim = Effect.fnUntraced(function* (
  to: Database["Service"],
  origin: string,
  list: ReadonlyArray<Table>,
  path: string
): Effect.fn.Return<void, Problem.Problem | DatabaseError> {
  yield* to.sql`CREATE TABLE IF NOT EXISTS kez_origin (origin TEXT NOT NULL)`
  const all = yield* to.sql<{ name: string }>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()`
  const forgotten = all.filter(({ name }) => !notCopied.has(name) && !list.some((table) => table.name === name))
  if (forgotten.length > 0) return yield* Effect.die(new Error(`${forgotten[0]?.name} is not copied`))
  const [known] = yield* to.sql<{ origin: string }>`SELECT origin FROM kez_origin`
  if (known?.origin === origin) return
  for (const table of known === undefined ? list : []) {
    if ((yield* lastKey(to.sql, table)) === undefined) continue
    return yield* new DatabaseError({ reason: "foreign", path, detail: `is not empty (${table.name}); use a new one` })
  }
  if (known !== undefined) {
    return yield* new DatabaseError({ reason: "foreign", path, detail: "holds a copy of another file; use a new one" })
  }
  yield* to.sql`INSERT INTO kez_origin VALUES (${origin})`
})

export interface Copied {
  readonly table: string
  readonly rows: number
  /** SHA-256 of the rows, the same on both sides. */
  readonly digest: string
}

/** Copies and compares; `note` hears of every table that is done. */
export const migrateDatabase = Effect.fn("migrateDatabase")(function* (
  from: DatabaseOptions,
  to: DatabaseOptions,
  note: (copied: Copied) => Effect.Effect<void>
) {
  const source = Context.get(yield* Layer.build(openDatabase({ ...from, existing: true })), Database)
  const target = Context.get(yield* Layer.build(openDatabase(to)), Database)
  const list = tables[from.schema.owner]
  const path = databaseName(to.db)
  yield* claim(target, yield* originOf(source.sql), list, path)
  for (const table of list) {
    yield* copyTable(source.sql, target, table)
    if (table.counts === true) yield* setNextId(target.sql, table)
  }
  for (const table of list) {
    const [before, after] = [yield* digest(source.sql, table), yield* digest(target.sql, table)]
    if (before.count !== after.count || before.digest !== after.digest) {
      const detail = `${table.name} differs from the file's (${after.count} rows, not ${before.count}): was a server running? Begin again with a new database`
      return yield* new DatabaseError({ reason: "io", path, detail })
    }
    yield* note({ table: table.name, rows: after.count, digest: after.digest })
  }
}, Effect.scoped)
