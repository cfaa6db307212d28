/** `kez-chat-server admin audit`: what operators did. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { count } from "../../../process/Flags.ts"
import * as Audit from "../../../storage/Audit.ts"
import { Database } from "../../../storage/Database.ts"
import { registryFlags } from "../ServeCommand.ts"
import { json, onOneLine, withRegistry } from "./AdminContext.ts"

/** An entry in one line, for people. */
export const entryLine = ({ action, actor, at, note, subject }: Audit.Entry): string =>
  onOneLine(`${at} ${action.padEnd(13)} ${subject} by ${actor} ${note}`).trimEnd()

export const audit = Command.make(
  "audit",
  {
    ...registryFlags,
    limit: count("limit", 100, "How many entries", 1, 100_000),
    of: Flag.String("of").pipe(Flag.withDescription("Only those about this handle or invite"), Flag.optional),
    json
  },
  Effect.fn("admin.audit")(function* (flags) {
    const { sql } = yield* Database
    const asked = { limit: flags.limit, subject: Option.getOrUndefined(flags.of) }
    for (const entry of yield* Audit.entries(sql, asked)) {
      yield* Console.log(flags.json ? JSON.stringify(entry) : entryLine(entry))
    }
  }, withRegistry)
).pipe(Command.withDescription("Lists what operators did, the newest first: when, what, to whom, by whom, why."))
