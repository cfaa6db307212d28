/** The program `kez-chat-server`. */
import * as Command from "effect/cli/Command"
import { admin } from "./chat/commands/admin/AdminCommand.ts"
import { backup, restore } from "./chat/commands/BackupCommands.ts"
import { doctor } from "./chat/commands/DoctorCommand.ts"
import { init } from "./chat/commands/InitCommand.ts"
import { runProgram } from "./process/Program.ts"
import { serveCommand, serveFlags, serveHandler } from "./chat/commands/ServeCommand.ts"

const program = Command.make("kez-chat-server", serveFlags, serveHandler).pipe(
  Command.withDescription(
    "The home server of kez-chat: handles, broker logins, the broker's send and fetch responders. Without a subcommand it serves."
  ),
  Command.withSubcommands([serveCommand, init, doctor, backup, restore, admin])
)

runProgram(program)
