/** Fresh databases for the tests of stores, which are the same for every kind of database. */
import { Context, Effect, Exit, Layer, References, Scope } from "effect"
import { join } from "node:path"
import { Database, type DatabaseError } from "../../../src/storage/Database.ts"
import * as SqliteDatabase from "../../../src/storage/SqliteDatabase.ts"
import { registrySchema } from "../../../src/storage/Schemas.ts"
import type { Schema } from "../../../src/storage/tables/Schema.ts"
import { temporaryFolder } from "../Servers.ts"

export interface TestDatabase {
  readonly database: Database["Service"]
  /** Opens it once more, as another process would. */
  again(): Promise<Database["Service"]>
  close(): Promise<void>
}

export interface TestDatabases {
  readonly name: string
  /** A new database, which is gone when it is closed. */
  open(schema?: Schema): Promise<TestDatabase>
}

/** Opens what `layer` describes until `close`, and calls `then` afterwards. */
export const testDatabase = async (
  layer: Layer.Layer<Database, DatabaseError>,
  then: () => void | Promise<void>
): Promise<TestDatabase> => {
  const scope = await Effect.runPromise(Scope.make())
  const build = async () => {
    const quiet = Layer.provide(Layer.fresh(layer), Layer.succeed(References.MinimumLogLevel, "Fatal"))
    return Context.get(await Effect.runPromise(Layer.buildWithScope(quiet, scope)), Database)
  }
  return {
    database: await build(),
    again: build,
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      await then()
    }
  }
}

export const sqliteDatabases: TestDatabases = {
  name: "SQLite",
  open: (schema = registrySchema) => {
    const folder = temporaryFolder()
    return testDatabase(SqliteDatabase.layer({ db: join(folder.path, "test.db"), schema }), () =>
      folder[Symbol.dispose]()
    )
  }
}

/** Runs a statement whose text is not known when the test is written. */
export const runText = <Row = never>(database: Database["Service"], text: string) =>
  database.sql<Row>(Object.assign([text], { raw: [text] }))
