/** `kez-chat-server admin`: operators' changes to a registry, whether its server runs or not. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { migrateCommand } from "../../../process/MigrateCommand.ts"
import { Database } from "../../../storage/Database.ts"
import { registrySchema } from "../../../storage/Schemas.ts"
import { registryFlags } from "../ServeCommand.ts"
import { accountCommands } from "./AccountCommands.ts"
import { AdminError, json, withRegistry } from "./AdminContext.ts"
import { audit } from "./AuditCommand.ts"
import { invite } from "./InviteCommands.ts"
import { report } from "./ReportCommands.ts"

const backup = Command.make(
  "backup",
  {
    ...registryFlags,
    file: Argument.String("file").pipe(Argument.withDescription("A file that does not exist yet")),
    json
  },
  Effect.fn("admin.backup")(function* (flags) {
    const database = yield* Database
    const path = resolve(flags.file)
    if (existsSync(path)) return yield* new AdminError({ message: `${path} exists; name a new file` })
    yield* database.backup(path)
    yield* Console.log(flags.json ? JSON.stringify({ path }) : `${path} holds the registry as it is now`)
  }, withRegistry)
).pipe(Command.withDescription("Copies the registry into one file while the server runs."))

export const admin = Command.make("admin").pipe(
  Command.withDescription("Inspects and changes the registry; safe while the server runs."),
  Command.withSubcommands([...accountCommands, invite, report, audit, backup, migrateCommand(registrySchema)])
)
