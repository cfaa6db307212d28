/** Chooses the kind of database by the operator's setting. */
import type { Database, DatabaseError, DatabaseOptions } from "./Database.ts"
import type * as Layer from "effect/Layer"
import * as SqliteDatabase from "./SqliteDatabase.ts"

/** Opens, and if need be makes or upgrades, the database that `--db` names. */
export const openDatabase = (options: DatabaseOptions): Layer.Layer<Database, DatabaseError> =>
  SqliteDatabase.layer(options)
