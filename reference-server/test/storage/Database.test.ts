/** The database file: which files are refused, what survives, and what a server does whose file fails it. */
import BetterSqlite3 from "better-sqlite3"
import { once } from "node:events"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { Worker } from "node:worker_threads"
import { Database, type DatabaseOptions } from "../../src/storage/Database.ts"
import { openDatabase } from "../../src/storage/OpenDatabase.ts"
import { runText } from "../kits/stores/TestDatabases.ts"
import { until } from "../kits/TestBroker.ts"
import { registrySchema, sigchainSchema } from "../../src/storage/Schemas.ts"
import { Context, Effect, Layer } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import {
  get,
  newIdentity,
  post,
  registration,
  run,
  type Running,
  startChat,
  startSig,
  temporaryFolder
} from "../kits/Servers.ts"

const folder = temporaryFolder()
const db = join(folder.path, "registry.db")
let server: Running

beforeAll(async () => {
  server = await startChat(folder.path)
})
afterAll(async () => {
  await server.stop()
  folder[Symbol.dispose]()
})

/** Commits again and again on a connection of its own. */
const writer = `
  const { workerData: { driver, path } } = require("node:worker_threads")
  const sqlite = new (require(driver))(path)
  const insert = sqlite.prepare("INSERT INTO junk VALUES (zeroblob(100))")
  sqlite.pragma("synchronous = OFF")
  for (;;) insert.run()`

const rowsOf = (path: string): number => {
  const sqlite = new BetterSqlite3(path, { readonly: true })
  try {
    return sqlite.prepare<[], number>("SELECT count(*) FROM junk").pluck().get()!
  } finally {
    sqlite.close()
  }
}

describe("a copy of the database file", () => {
  it("is of the moment when it began, however often others write meanwhile", async () => {
    using other = temporaryFolder()
    const path = join(other.path, "busy.db")
    const built = Layer.build(openDatabase({ db: path, schema: registrySchema }))
    await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const database = Context.get(yield* built, Database)
          const filling = new BetterSqlite3(path)
          filling.exec(`CREATE TABLE junk (x BLOB) STRICT; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
            WHERE i < 40000) INSERT INTO junk SELECT zeroblob(1000) FROM n`)
          filling.close()
          const driver = createRequire(import.meta.url).resolve("better-sqlite3")
          const worker = new Worker(writer, { eval: true, workerData: { driver, path } })
          yield* Effect.addFinalizer(() => Effect.promise(() => worker.terminate()))
          yield* Effect.promise(() => once(worker, "online"))
          yield* Effect.promise(() => until("it writes", () => rowsOf(path) > 40_010))
          const before = rowsOf(path)
          yield* database.backup(join(other.path, "copy.db"))
          const after = rowsOf(path)
          const copied = rowsOf(join(other.path, "copy.db"))
          expect(copied).toBeGreaterThanOrEqual(before)
          expect(copied - before).toBeLessThan(after - copied)
        })
      )
    )
  })
})

describe("the database file", () => {
  /** Why a file is not opened. */
  const refusal = (path: string, options: Partial<DatabaseOptions> = {}) =>
    Effect.runPromise(
      Effect.flip(Effect.scoped(Layer.build(openDatabase({ db: path, schema: registrySchema, ...options }))))
    )

  it("is refused when a newer version wrote it, when it is another program's, and when it is no database", async () => {
    using other = temporaryFolder()
    // The file alone is not the registry while a server has it open: the newest pages lie in its write-ahead log.
    const path = join(other.path, "newer.db")
    const running = new BetterSqlite3(db)
    running.prepare("VACUUM INTO ?").run(path)
    running.close()
    expect(await refusal(path, { schema: sigchainSchema })).toMatchObject({ reason: "foreign" })
    const future = { id: "registry-999-future", sqlite: "CREATE TABLE future (x) STRICT", postgres: "" }
    const older = {
      schema: { ...registrySchema, migrations: [...registrySchema.migrations, future] },
      existing: true
    }
    expect(await refusal(path, older)).toMatchObject({ reason: "older" })
    const sqlite = new BetterSqlite3(path)
    sqlite.exec("INSERT INTO schema_migrations VALUES ('registry-999-future', '2030-01-01T00:00:00Z', '9.12.0')")
    sqlite.close()
    expect(await refusal(path)).toMatchObject({ reason: "newer" })

    const foreign = join(other.path, "foreign.db")
    new BetterSqlite3(foreign).exec("CREATE TABLE t (x)").close()
    expect(await refusal(foreign)).toMatchObject({ reason: "foreign" })
    const text = join(other.path, "text.db")
    writeFileSync(text, "not a database at all, but text".repeat(100))
    expect(await refusal(text)).toMatchObject({ reason: "io", message: expect.stringContaining("not a database") })

    const { code, stdout } = await run("chat-server", ["admin", "list", "--db", path])
    expect(code).toBe(1)
    const logged = stdout.trimEnd().split("\n")
    expect(logged).toHaveLength(1)
    expect(JSON.parse(logged[0]!)).toMatchObject({
      level: "fatal",
      msg: expect.stringMatching(
        /upgraded by version 9\.12\.0 of chat-server \(registry-999-future\), which this version \d+\.\d+\.\d+ cannot read: install version 9\.12\.0 again, or restore the backup/
      )
    })
  })

  it("opens again after SIGKILL and after a clean stop", async () => {
    using other = temporaryFolder()
    for (const signal of ["SIGKILL", "SIGINT"] as const) {
      const sig = await startSig(other.path)
      expect(await sig.stop(signal)).toBe(signal === "SIGKILL" ? "SIGKILL" : 0)
    }
  })
})

describe("a server whose file fails it", () => {
  it("answers with a problem on every way to the registry, and goes on", async () => {
    using other = temporaryFolder()
    const broken = await startChat(other.path)
    const identity = await newIdentity()
    const register = async () => post(`${broken.url}/v1/register`, await registration(identity, "chris"))
    expect((await register()).status).toBe(201)
    const lookups = [`${broken.url}/v1/u/chris`, `${broken.url}/v1/by-primary/${identity.primary}`]
    const statuses = () => Promise.all(lookups.map(async (url) => (await get(url)).status))
    const sqlite = new BetterSqlite3(join(other.path, "registry.db"))
    sqlite.exec("ALTER TABLE accounts RENAME TO elsewhere")
    expect(await statuses()).toEqual([500, 500])
    expect((await register()).json["code"]).toBe("internal")
    sqlite.exec("ALTER TABLE elsewhere RENAME TO accounts")
    expect(await statuses()).toEqual([200, 200])
    sqlite.close()
    expect(await broken.stop()).toBe(0)
  })

  it("is not healthy after a refused write, nor while the file cannot be read", async () => {
    using other = temporaryFolder()
    const db = join(other.path, "x.db")
    await Effect.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const { isWorking, transaction } = database
        const queryOnly = (setting: "ON" | "OFF") => runText(database, `PRAGMA query_only = ${setting}`)
        const sqlite = new BetterSqlite3(db)
        expect(isWorking()).toBe(true)
        sqlite.exec("ALTER TABLE schema_migrations RENAME TO elsewhere")
        expect(isWorking()).toBe(false)
        sqlite.exec("ALTER TABLE elsewhere RENAME TO schema_migrations")
        expect(isWorking()).toBe(true)
        yield* queryOnly("ON")
        const refused = yield* Effect.flip(transaction({ lock: "accounts" }, (sql) => sql`DELETE FROM reserved`))
        expect([refused.code, isWorking()]).toEqual(["unavailable", false])
        yield* queryOnly("OFF")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 30_000 }).toBe(true))
        // Nobody writes, and it is seen all the same.
        yield* queryOnly("ON")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 10_000 }).toBe(false))
        yield* queryOnly("OFF")
        yield* Effect.promise(() => expect.poll(isWorking, { timeout: 30_000 }).toBe(true))
        sqlite.close()
      }).pipe(Effect.provide(openDatabase({ db, schema: registrySchema })))
    )
  })

  it("keeps its files from other users of the machine, and its memory out of core dumps", async () => {
    using other = temporaryFolder()
    const sig = await startSig(other.path)
    if (process.platform === "linux") {
      for (const pid of [sig.child.pid, server.child.pid]) {
        expect(Number.parseInt(readFileSync(`/proc/${pid}/coredump_filter`, "utf8"), 16)).toBe(0)
      }
    }
    expect(statSync(join(other.path, "sigchains.db")).mode & 0o777).toBe(0o600)
    await sig.stop()
  })
})
