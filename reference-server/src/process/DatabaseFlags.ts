/** The flags that choose a server's database. */
import * as Config from "effect/Config"
import * as Flag from "effect/cli/Flag"
import { count, text } from "./Flags.ts"

/** Beside the variable of the SQLite file's path: a URL in an environment is not seen in the list of processes. */
const urlVariable = "KEZ_DB_URL"

/** `variable` and `fallback` are those of the SQLite file. */
export const databaseFlags = (variable: string, fallback: string, description: string) => ({
  db: Flag.String("db").pipe(
    Flag.withDescription(
      `${description}: a SQLite file, or a postgres:// URL (default ${fallback}) [env ${variable} or ${urlVariable}]`
    ),
    Flag.withFallbackConfig(Config.String(urlVariable).pipe(Config.orElse(() => Config.String(variable)))),
    Flag.withDefault(fallback)
  ),
  dbPasswordFile: text(
    ["db-password-file", "KEZ_DB_PASSWORD_FILE"],
    "",
    "File with PostgreSQL's password, instead of PGPASSWORD or one in the URL"
  ),
  dbConnections: count(
    ["db-connections", "KEZ_DB_CONNECTIONS"],
    10,
    "Most connections to PostgreSQL, and one more that listens",
    2,
    1_000
  )
})
