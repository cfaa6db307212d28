/** Chooses the kind of database by the operator's setting. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Database, DatabaseError, DatabaseOptions } from "./Database.ts"
import { isPostgresUrl } from "./PostgresUrl.ts"
import * as SqliteDatabase from "./SqliteDatabase.ts"

/**
 * Opens, and if need be makes or upgrades, the database that `--db` names: a SQLite file, or a PostgreSQL database by
 * its `postgres://` URL. PostgreSQL's driver is loaded only for the latter.
 */
export const openDatabase = (options: DatabaseOptions): Layer.Layer<Database, DatabaseError> =>
  isPostgresUrl(options.db)
    ? Layer.unwrap(
        Effect.map(
          Effect.promise(() => import("./postgres/PostgresDatabase.ts")),
          ({ layer }) => layer(options)
        )
      )
    : SqliteDatabase.layer(options)
