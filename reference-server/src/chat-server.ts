/** The program `kez-chat-server`. */
import * as Command from "effect/cli/Command"
import { admin } from "./admin/Admin.ts"
import { init } from "./Init.ts"
import { runProgram } from "./Program.ts"
import { serveCommand, serveFlags, serveHandler } from "./Serve.ts"

const program = Command.make("kez-chat-server", serveFlags, serveHandler).pipe(
  Command.withDescription(
    "The home server of kez-chat: handles, broker logins, the broker's send and fetch responders. Without a subcommand it serves."
  ),
  Command.withSubcommands([serveCommand, init, admin])
)

runProgram(program)
