/** Copies a server's database as of one moment into a new SQLite file, from either kind of database. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Database, DatabaseError, type DatabaseOptions, type Sql, type Value } from "../Database.ts"
import { copyTable, tablesOf } from "./MigrateDatabase.ts"
import { openDatabase } from "../OpenDatabase.ts"
import { databaseName, isPostgresUrl, postgresConfig } from "../PostgresUrl.ts"

/** Copies it while servers run; the new file is as their database was at one moment. */
export const dumpDatabase = Effect.fn("dumpDatabase")(function* (from: DatabaseOptions, path: string) {
  // Says what is wrong with it, an older schema included.
  const source = Context.get(yield* Layer.build(openDatabase({ ...from, existing: true })), Database)
  if (!isPostgresUrl(from.db)) return yield* source.backup(path)
  const target = Context.get(yield* Layer.build(openDatabase({ db: path, schema: from.schema })), Database)
  const { sql } = yield* snapshotOf(from)
  for (const table of tablesOf(from.schema)) yield* copyTable(sql, target, table)
}, Effect.scoped)

/** One reading transaction on a connection of its own, in which every statement sees the same moment. */
const snapshotOf = Effect.fnUntraced(function* (options: DatabaseOptions) {
  const { Client, types } = yield* Effect.promise(() => import("pg"))
  const failed = (cause: unknown) =>
    new DatabaseError({ reason: "io", path: databaseName(options.db), detail: (cause as Error).message, cause })
  const parser = (type: number, format?: "text" | "binary"): unknown =>
    type === types.builtins.INT8 || type === types.builtins.NUMERIC ? Number : types.getTypeParser(type, format)
  const client = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const client = new Client({
          ...postgresConfig(options),
          application_name: `kez-${options.schema.owner} backup`,
          connectionTimeoutMillis: 5_000,
          statement_timeout: 60_000,
          query_timeout: 62_000,
          types: { getTypeParser: parser as typeof types.getTypeParser }
        })
        client.on("error", () => undefined)
        await client.connect()
        await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return client
      },
      catch: failed
    }),
    (client) => Effect.ignore(Effect.tryPromise(() => client.end()))
  )
  const sql: Sql = <Row>(text: TemplateStringsArray, ...values: ReadonlyArray<Value | object>) =>
    Effect.orDie(
      Effect.tryPromise({
        try: async () => {
          const query = text.reduce((all, part, i) => `${all}$${i}${part}`)
          return (await client.query(query, [...values])).rows as ReadonlyArray<Row>
        },
        catch: failed
      })
    )
  return { sql }
})
