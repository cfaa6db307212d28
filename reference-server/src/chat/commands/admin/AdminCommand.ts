/** `kez-chat-server admin`: operators' changes to a registry, whether its server runs or not. */
import * as Command from "effect/cli/Command"
import { migrateCommand } from "../../../process/MigrateCommand.ts"
import { registrySchema } from "../../../storage/Schemas.ts"
import { accountCommands } from "./AccountCommands.ts"
import { audit } from "./AuditCommand.ts"
import { invite } from "./InviteCommands.ts"
import { report } from "./ReportCommands.ts"
import { token } from "./TokenCommands.ts"

export const admin = Command.make("admin").pipe(
  Command.withDescription("Inspects and changes the registry; safe while the server runs."),
  Command.withSubcommands([...accountCommands, invite, report, token, audit, migrateCommand(registrySchema)])
)
