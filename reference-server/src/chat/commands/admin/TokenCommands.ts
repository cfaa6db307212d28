/** `kez-chat-server admin token`: what programs present to the operator's HTTP API. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as AdminTokens from "../../../storage/AdminTokens.ts"
import { Database } from "../../../storage/Database.ts"
import { registryFlags } from "../ServeCommand.ts"
import { by, json, note, onOneLine, withRegistry } from "./AdminContext.ts"

const name = Argument.String("name").pipe(Argument.withDescription("Names it in the audit; never used again"))

const create = Command.make(
  "create",
  { ...registryFlags, name, note, json },
  Effect.fn("admin.token.create")(function* (flags) {
    const made = yield* AdminTokens.create(yield* Database, flags.name, by(flags.note))
    if (flags.json) return yield* Console.log(JSON.stringify(made))
    yield* Console.log(made.token)
    yield* Console.error(`token ${made.name}; it is shown this once`)
  }, withRegistry)
).pipe(Command.withDescription("Makes a token for the HTTP API and prints it; only its hash is kept."))

const list = Command.make(
  "list",
  { ...registryFlags, json },
  Effect.fn("admin.token.list")(function* (flags) {
    for (const token of yield* AdminTokens.list(yield* Database)) {
      const state = token.revokedAt === null ? "in force" : `revoked ${token.revokedAt}`
      yield* Console.log(
        flags.json
          ? JSON.stringify(token)
          : `${token.name.padEnd(32)} ${token.createdAt} ${state} ${onOneLine(token.note)}`.trimEnd()
      )
    }
  }, withRegistry)
).pipe(Command.withDescription("Lists tokens by name."))

const revoke = Command.make(
  "revoke",
  { ...registryFlags, name, note, json },
  Effect.fn("admin.token.revoke")(function* (flags) {
    yield* AdminTokens.revoke(yield* Database, flags.name, by(flags.note))
    yield* Console.log(
      flags.json ? JSON.stringify({ name: flags.name, revoked: true }) : `token ${flags.name} lets nobody in any more`
    )
  }, withRegistry)
).pipe(Command.withDescription("Ends a token at once."))

export const token = Command.make("token").pipe(
  Command.withDescription("Tokens of programs that use the HTTP API on the internal listener."),
  Command.withSubcommands([create, list, revoke])
)
