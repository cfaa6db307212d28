/** The command `migrate`, which both servers have. */
import { Problem } from "@kez-chat/sdk/protocol"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { migrateDatabase } from "../storage/copy/MigrateDatabase.ts"
import { databaseName, isPostgresUrl } from "../storage/PostgresUrl.ts"
import type { Schema } from "../storage/tables/Schema.ts"
import { text } from "./Flags.ts"

class MigrateError extends Data.TaggedError("MigrateError")<{ readonly message: string }> {}

export const migrateCommand = (schema: Schema) =>
  Command.make(
    "migrate",
    {
      from: Flag.String("from").pipe(Flag.withDescription("The SQLite file; its server must not run")),
      to: Flag.String("to").pipe(
        Flag.withDescription("The postgres:// URL of an empty database [env KEZ_DB_URL]"),
        Flag.withFallbackConfig(Config.String("KEZ_DB_URL"))
      ),
      dbPasswordFile: text(["db-password-file", "KEZ_DB_PASSWORD_FILE"], "", "File with PostgreSQL's password")
    },
    Effect.fn("migrate")(
      function* ({ dbPasswordFile, from, to }) {
        if (!isPostgresUrl(to)) return yield* new MigrateError({ message: "--to must be a postgres:// URL" })
        yield* migrateDatabase({ db: from, schema }, { db: to, dbPasswordFile, schema }, ({ digest, rows, table }) =>
          Console.log(`${table.padEnd(16)} ${String(rows).padStart(9)} rows  ${digest.slice(0, 16)}`)
        )
        yield* Console.log(`${databaseName(to)} holds what ${from} holds; start the server with --db and its URL`)
      },
      Effect.mapError((error) =>
        error instanceof Problem.Problem ? new MigrateError({ message: error.message }) : error
      )
    )
  ).pipe(
    Command.withDescription(
      "Copies a SQLite file into an empty PostgreSQL database and compares both. Goes on where it was stopped."
    )
  )
