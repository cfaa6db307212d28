/** The command tree: each group of the help, in its order. What a command does is loaded when it runs. */
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import { accountCommands } from "./commands/account/AccountCommands.ts"
import { fileCommands } from "./commands/files/FileCommands.ts"
import { machineCommands } from "./commands/machine/MachineCommands.ts"
import { messageCommands } from "./commands/messages/MessageCommands.ts"
import { peopleCommands } from "./commands/people/PeopleCommands.ts"
import { proofCommands } from "./commands/proofs/ProofCommands.ts"
import * as Flags from "./Flags.ts"

/** The program without a command shows its help. */
export const cli = Command.make("kez-chat").pipe(
  Command.withDescription("Chat with verified, portable identities, end to end encrypted"),
  Command.withHandler(() => new CliError.ShowHelp({ commandPath: ["kez-chat"], errors: [] })),
  Command.withSubcommands([
    accountCommands,
    peopleCommands,
    proofCommands,
    messageCommands,
    fileCommands,
    machineCommands
  ]),
  Command.withGlobalFlags(Flags.all)
)
