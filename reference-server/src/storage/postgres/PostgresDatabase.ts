/**
 * The database on a PostgreSQL server, for a home on several machines: any number of servers share it.
 *
 * A lost connection or a restart of PostgreSQL fails what was under way with `unavailable`; what comes later dials
 * again. Transactions under one lock take the same advisory lock, which PostgreSQL releases with the connection: so no
 * process holds up the others when it is killed, and none for longer than `idleMillis` when it is frozen.
 */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { Scope } from "effect/Scope"
import { createHash } from "node:crypto"
import { Client, type ClientConfig, Pool, type PoolClient, type QueryConfig, type QueryResultRow, types } from "pg"
import { version } from "../../metrics/Metrics.ts"
import {
  Database,
  DatabaseError,
  type DatabaseOptions,
  type Fragment,
  missingSteps,
  type Sql,
  unavailable,
  type Value
} from "../Database.ts"
import { codeOf, isStarting, isTransient, reasonOf } from "./PostgresFaults.ts"
import { databaseName, postgresConfig } from "../PostgresUrl.ts"

/** The oldest version, as PostgreSQL numbers them. */
const oldestVersion = 130_000
/** Connections of one server, unless set. */
const defaultConnections = 10
/** Longest wait for a connection of the pool, for a lock, and for one statement. */
const connectMillis = 5_000
const lockMillis = 5_000
const statementMillis = 10_000
/** Longest pause within a transaction; others may wait for it. */
const idleMillis = 5_000
/** How long a start waits for a PostgreSQL that is still starting. */
const startMillis = 30_000
/** How often to check whether a probe is due, and how long without traffic one is. */
const probeMillis = 2_000
const quietMillis = 5_000
/** Before another try to listen for changes. */
const listenAgainMillis = 250

export const layer = (options: DatabaseOptions): Layer.Layer<Database, DatabaseError> =>
  Layer.effect(
    Database,
    Effect.gen(function* () {
      const config = yield* Effect.try({
        try: () => clientConfig(options),
        catch: (cause) => asDatabaseError(options, cause)
      })
      if (process.argv.some((argument) => URL.parse(argument.replace(/^--db=/, ""))?.password)) {
        yield* Effect.logWarning("users of this machine see the password in --db; use --db-password-file")
      }
      const pool = yield* openPool(config, options.dbConnections ?? defaultConnections)
      yield* prepare(pool, options)
      const { probe, service } = make(pool, config, options)
      if (options.existing !== true) yield* Effect.forkScoped(Effect.repeat(probe, Schedule.spaced(probeMillis)))
      return service
    })
  )

const clientConfig = (options: DatabaseOptions): ClientConfig => ({
  ...postgresConfig(options),
  application_name: `kez-${options.schema.owner}`,
  connectionTimeoutMillis: connectMillis,
  statement_timeout: statementMillis,
  lock_timeout: lockMillis,
  idle_in_transaction_session_timeout: idleMillis,
  // For a server that does not answer at all.
  query_timeout: statementMillis + 2_000,
  keepAlive: true,
  types: { getTypeParser: parserOf as typeof types.getTypeParser }
})

/** Whole numbers of any size become numbers: none here is beyond 2^53. */
const parserOf = (type: number, format?: "text" | "binary"): unknown =>
  type === types.builtins.INT8 || type === types.builtins.NUMERIC ? Number : types.getTypeParser(type, format)

const openPool = (config: ClientConfig, connections: number): Effect.Effect<Pool, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({ ...config, max: connections, idleTimeoutMillis: 60_000 })
      // A lost connection fails the statement under way, if any; whoever needs one next gets another.
      pool.on("error", () => undefined).on("connect", (client) => client.on("error", () => undefined))
      return pool
    }),
    (pool) => ending(() => pool.end())
  )

const asDatabaseError = (options: DatabaseOptions, cause: unknown): DatabaseError =>
  cause instanceof DatabaseError
    ? cause
    : new DatabaseError({ reason: "io", path: databaseName(options.db), detail: reasonOf(cause), cause })

/** Checks whose database it is, and applies missing steps; servers that start at the same moment take turns. */
const prepare = (pool: Pool, options: DatabaseOptions): Effect.Effect<void, DatabaseError> => {
  const attempt = Effect.tryPromise({
    try: async () => {
      const client = await pool.connect()
      try {
        await client.query("BEGIN")
        await client.query(`SELECT pg_advisory_xact_lock(${lockKey("schema")})`)
        await migrate(client, options)
        await client.query("COMMIT")
      } finally {
        client.release(true)
      }
    },
    catch: (cause) => asDatabaseError(options, cause)
  })
  if (options.existing === true) return attempt
  const until = performance.now() + startMillis
  return Effect.retry(attempt, {
    schedule: Schedule.spaced(1_000),
    while: ({ cause }) => cause !== undefined && isStarting(cause) && performance.now() < until
  })
}

const migrate = async (client: PoolClient, { db, existing, schema }: DatabaseOptions): Promise<void> => {
  const refuse = (reason: DatabaseError["reason"], detail: string) =>
    new DatabaseError({ reason, path: databaseName(db), detail })
  const all = async <Row extends QueryResultRow>(text: string, values: ReadonlyArray<Value> = []) =>
    (await client.query<Row>(text, [...values])).rows
  const [server] = await all<{ encoding: string; version: string }>(
    "SELECT current_setting('server_encoding') AS encoding, current_setting('server_version_num') AS version"
  )
  if (server?.encoding !== "UTF8") throw refuse("foreign", "its encoding must be UTF8")
  if (Number(server.version) < oldestVersion) {
    const [major, least] = [Number(server.version), oldestVersion].map((version) => Math.floor(version / 10_000))
    throw refuse("foreign", `PostgreSQL ${major} is too old; it takes ${least} or later`)
  }
  const tables = await all<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()"
  )
  if (tables.some(({ name }) => name === "kez_database")) {
    const [found] = await all<{ owner: string }>("SELECT owner FROM kez_database")
    if (found?.owner !== schema.owner) {
      throw refuse("foreign", `it is ${found?.owner ?? "nobody"}'s; ${schema.owner} needs a database of its own`)
    }
  } else if (tables.length > 0) {
    throw refuse("foreign", "it has tables of another program; use a new database")
  } else if (existing === true) {
    throw refuse("missing", "it is empty; is this the server's --db?")
  } else {
    await client.query("CREATE TABLE kez_database (owner TEXT NOT NULL, probe BIGINT NOT NULL)")
    await client.query("CREATE TABLE schema_migrations (id TEXT PRIMARY KEY, applied_at TEXT NOT NULL)")
    await all("INSERT INTO kez_database VALUES ($1, 0)", [schema.owner])
  }
  const applied = await all<{ id: string; server?: string | null }>("SELECT * FROM schema_migrations")
  const missing = missingSteps(schema, applied, existing === true, refuse)
  if (missing.length === 0) return
  await client.query("ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS server TEXT")
  for (const migration of missing) {
    if (migration.postgres !== "") await client.query(migration.postgres)
    const values = [migration.id, new Date().toISOString(), version]
    await all("INSERT INTO schema_migrations (id, applied_at, server) VALUES ($1, $2, $3)", values)
  }
}

const make = (pool: Pool, config: ClientConfig, options: DatabaseOptions) => {
  const path = databaseName(options.db)
  /** The code of what failed last; undefined when what came after it did not. */
  let refusal: string | undefined
  let answeredAt = -Infinity

  const failure = (cause: unknown): Effect.Effect<never, Problem.Problem> => {
    if (!isTransient(cause)) return Effect.die(cause)
    const code = codeOf(cause)
    const isNew = refusal !== code
    refusal = code
    const line = Effect.annotateLogs(Effect.logError("the database refused a statement"), {
      database: code,
      reason: reasonOf(cause)
    })
    return Effect.andThen(isNew ? line : Effect.void, Effect.fail(unavailable))
  }
  const answered = (): void => {
    refusal = undefined
    answeredAt = performance.now()
  }

  const run = <Row>(client: Pool | PoolClient, query: QueryConfig) =>
    Effect.tryPromise({ try: () => client.query<Row & QueryResultRow>(query), catch: (cause) => cause }).pipe(
      Effect.catch(failure)
    )
  const sqlOn =
    (client: Pool | PoolClient): Sql =>
    <Row>(text: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>) =>
      Effect.map(run<Row>(client, statement(text, values)), ({ rows }) => rows as ReadonlyArray<Row>)

  const connect = Effect.tryPromise({ try: () => pool.connect(), catch: (cause) => cause }).pipe(Effect.catch(failure))

  const transaction: Database["Service"]["transaction"] = ({ lock }, f) =>
    Effect.acquireUseRelease(
      connect,
      Effect.fnUntraced(function* (client) {
        yield* run(client, { text: `BEGIN; SELECT pg_advisory_xact_lock(${lockKey(lock)})` })
        const exit = yield* Effect.exit(f(sqlOn(client)))
        if (Exit.isFailure(exit)) {
          yield* Effect.ignore(run(client, { text: "ROLLBACK" }))
          return yield* exit
        }
        // A statement that failed unnoticed makes PostgreSQL answer a COMMIT with ROLLBACK.
        const { command } = yield* run(client, { text: "COMMIT" })
        if (command !== "COMMIT") return yield* Effect.die(new Error("a failed transaction was to be committed"))
        answered()
        return exit.value
      }),
      // Of a failed or interrupted transaction nobody knows what the connection does.
      (client, exit) => Effect.sync(() => client.release(!Exit.isSuccess(exit) && !isRefusal(exit)))
    )

  const service = Database.of({
    sql: sqlOn(pool),
    transaction,
    isWorking: () => refusal === undefined,
    commitsOfOthers: undefined,
    onAccountsChanged: (f) => Effect.asVoid(Effect.forkScoped(Effect.forever(listen(config, f)))),
    size: Effect.map(
      sqlOn(pool)<{ bytes: number }>`SELECT pg_database_size(current_database()) AS bytes`,
      ([found]) => ({ bytes: found?.bytes ?? 0 })
    ),
    backup: () =>
      Effect.fail(new DatabaseError({ reason: "io", path, detail: "is backed up with PostgreSQL's pg_dump" }))
  })

  const probe = Effect.suspend(() => {
    if (refusal === undefined && performance.now() - answeredAt < quietMillis) return Effect.void
    const before = refusal
    return transaction({ lock: "probe" }, (sql) => sql`UPDATE kez_database SET probe = (probe + 1) % 1000000`).pipe(
      Effect.andThen(before === undefined ? Effect.void : Effect.logInfo("the database takes writes again")),
      Effect.catchCause(() => Effect.void)
    )
  })
  return { probe, service }
}

/** A problem that `f` decided on: the transaction was rolled back in order. */
const isRefusal = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.every(
    (reason) => reason._tag === "Fail" && reason.error instanceof Problem.Problem && reason.error !== unavailable
  )

/** A connection that does not answer does not end in order either. */
const ending = (end: () => Promise<void>): Effect.Effect<void> =>
  Effect.ignore(Effect.timeoutOption(Effect.tryPromise(end), 1_000))

/** Waits for notifications on a connection of its own until it is lost, and a little longer. */
const listen = (config: ClientConfig, f: () => void): Effect.Effect<void> =>
  Effect.acquireUseRelease(
    Effect.sync(() => new Client({ ...config, query_timeout: undefined })),
    (client) =>
      Effect.callback<void>((resume) => {
        const end = () => resume(Effect.void)
        client.on("notification", f).on("error", end).on("end", end)
        client
          .connect()
          .then(() => client.query("LISTEN kez_accounts"))
          // What was notified before this is not heard again.
          .then(f, end)
      }),
    (client) => ending(() => client.end())
  ).pipe(Effect.andThen(Effect.sleep(listenAgainMillis)))

/** The lock's name as PostgreSQL wants it: 64 bits. */
const lockKey = (lock: string): string =>
  createHash("sha256").update(`kez-chat ${lock}`).digest().readBigInt64BE().toString()

/** Names of prepared statements by their text, the same on every connection of this process. */
const names = new Map<string, string>()

const statement = (text: TemplateStringsArray, values: ReadonlyArray<Value | Fragment>): QueryConfig => {
  const parameters: Array<unknown> = []
  let rendered = text[0] as string
  for (const [i, value] of values.entries()) rendered += render(value, parameters) + (text[i + 1] as string)
  let name = names.get(rendered)
  if (name === undefined) names.set(rendered, (name = `kez${names.size}`))
  return { name, text: rendered, values: parameters }
}

const render = (value: Value | Fragment, parameters: Array<unknown>): string => {
  const mark = (parameter: unknown) => `$${parameters.push(parameter)}`
  if (value === null || typeof value !== "object" || value instanceof Uint8Array) return mark(value)
  if (value.kind === "oneOf") return `= ANY(${mark(value.values)})`
  const columns = (value.rows[0] ?? []).map((_, column) => {
    const first = value.rows.map((row) => row[column]).find((each) => each !== null) ?? ""
    const type = typeof first === "number" ? "bigint" : typeof first === "string" ? "text" : "bytea"
    return `${mark(value.rows.map((row) => row[column]))}::${type}[]`
  })
  return `SELECT * FROM unnest(${columns.join(", ")})`
}
