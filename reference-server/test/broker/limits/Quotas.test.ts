/** Quotas over SQLite: how much room whose frames may take, what is counted, and what an older file becomes. */
import BetterSqlite3 from "better-sqlite3"
import { Effect, Layer } from "effect"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { defaultQuotaLimits } from "../../../src/broker/limits/QuotaLimits.ts"
import * as Quotas from "../../../src/broker/limits/Quotas.ts"
import * as StreamPosition from "../../../src/broker/limits/StreamPosition.ts"
import { Database } from "../../../src/storage/Database.ts"
import { registrySchema } from "../../../src/storage/Schemas.ts"
import * as SqliteDatabase from "../../../src/storage/SqliteDatabase.ts"
import { temporaryFolder } from "../../kits/Servers.ts"
import { alice, bob, charge, firstDay, day, MiB } from "../../kits/stores/QuotaBench.ts"
import { quotaCountersKit } from "../../kits/stores/QuotaCountersKit.ts"
import { quotasKit } from "../../kits/stores/QuotasKit.ts"
import { sqliteDatabases } from "../../kits/stores/TestDatabases.ts"

describe("over SQLite", () => {
  quotasKit(sqliteDatabases)
  quotaCountersKit(sqliteDatabases)
})

describe("a file of before there were classes", () => {
  it("has stored bytes that take room and belong to no class, and no counts of messages", async () => {
    using folder = temporaryFolder()
    const db = join(folder.path, "old.db")
    const step = registrySchema.migrations.findIndex(({ id }) => id === "broker-001-quotas")
    const oldSchema = { ...registrySchema, migrations: registrySchema.migrations.slice(0, step + 1) }
    await Effect.runPromise(Effect.scoped(Layer.build(SqliteDatabase.layer({ db, schema: oldSchema }))))
    const old = new BetterSqlite3(db)
    const add = old.prepare("INSERT INTO broker_counters (key, day, n) VALUES (?, ?, ?)")
    for (const kind of ["s", "o", "b", "n", "p"]) add.run(Buffer.from(kind + bob.slice(0, 31)), firstDay, 7)
    add.run(Buffer.concat([Buffer.from("s"), Buffer.from(bob, "hex")]), firstDay - 1, 31 * MiB)
    old.close()
    await Effect.runPromise(
      Effect.gen(function* () {
        const database = yield* Database
        const kinds = yield* database.sql`
          SELECT DISTINCT CAST(substr(key, 1, 1) AS TEXT) AS kind FROM broker_counters ORDER BY kind`
        expect(kinds).toEqual([{ kind: "b" }, { kind: "o" }, { kind: "s" }])
        const quotas = Quotas.make(database, {
          limits: defaultQuotaLimits,
          pepper: Buffer.from("pepper"),
          positions: [StreamPosition.make(database)],
          now: () => firstDay * day
        })
        expect(yield* quotas.usage(bob, "inbox")).toEqual({
          used: 31 * MiB,
          limit: 32 * MiB,
          strangers: { used: 0, limit: 4 * MiB }
        })
        expect(yield* charge(quotas, alice, bob, 1_000)).toHaveProperty("entries")
      }).pipe(Effect.provide(SqliteDatabase.layer({ db, schema: registrySchema })))
    )
  })
})
