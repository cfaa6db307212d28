/** `kez-chat-server admin invite`: the secrets by which people register while `--registration` is `invite`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { count } from "../../../process/Flags.ts"
import { Database } from "../../../storage/Database.ts"
import * as Invites from "../../../storage/Invites.ts"
import { registryFlags } from "../ServeCommand.ts"
import { AdminError, by, json, note, onOneLine, withRegistry } from "./AdminContext.ts"

const units = { h: Duration.hours(1), d: Duration.days(1), w: Duration.weeks(1) } as const

/** `12h`, `7d` or `2w` in milliseconds. */
const parseTime = Effect.fnUntraced(function* (text: string) {
  const [, amount, unit] = /^([1-9][0-9]{0,3})([hdw])$/.exec(text) ?? []
  if (amount === undefined)
    return yield* new AdminError({ message: `--expires ${text} is not a time such as 12h, 7d or 2w` })
  return Number(amount) * Duration.toMillis(units[unit as keyof typeof units])
})

const line = (invite: Invites.Invite, now: number): string => {
  const state = Invites.isUsable(invite, now)
    ? "open"
    : invite.revokedAt !== null
      ? "revoked"
      : invite.used >= invite.uses
        ? "used up"
        : "expired"
  const until = invite.expiresAt === null ? "never expires" : `until ${invite.expiresAt}`
  return `${invite.id} ${state.padEnd(8)} ${invite.used} of ${invite.uses} used, ${until} ${onOneLine(invite.note)}`.trimEnd()
}

const create = Command.make(
  "create",
  {
    ...registryFlags,
    uses: count("uses", 1, "How many people may register with it", 1, 1_000_000),
    expires: Flag.String("expires").pipe(
      Flag.withDescription("When it ends: 12h, 7d, 2w; or never"),
      Flag.withDefault("7d")
    ),
    note,
    json
  },
  Effect.fn("admin.invite.create")(function* (flags) {
    const expiresInMillis = flags.expires === "never" ? undefined : yield* parseTime(flags.expires)
    const invite = yield* Invites.create(yield* Database, { uses: flags.uses, expiresInMillis }, by(flags.note))
    if (flags.json) return yield* Console.log(JSON.stringify(invite))
    yield* Console.log(invite.code)
    yield* Console.error(`invite ${line(invite, yield* Clock.currentTimeMillis)}; the code is shown this once`)
  }, withRegistry)
).pipe(Command.withDescription("Makes an invite and prints its code, which is kept nowhere."))

const list = Command.make(
  "list",
  {
    ...registryFlags,
    all: Flag.Boolean("all").pipe(
      Flag.withDescription("Those that let nobody in any more too"),
      Flag.withDefault(false)
    ),
    json
  },
  Effect.fn("admin.invite.list")(function* (flags) {
    const now = yield* Clock.currentTimeMillis
    for (const invite of yield* Invites.list(yield* Database)) {
      if (flags.all || Invites.isUsable(invite, now))
        yield* Console.log(flags.json ? JSON.stringify(invite) : line(invite, now))
    }
  }, withRegistry)
).pipe(Command.withDescription("Lists invites, the newest first."))

const revoke = Command.make(
  "revoke",
  {
    ...registryFlags,
    id: Argument.String("id").pipe(Argument.withDescription("As `invite list` shows it")),
    note,
    json
  },
  Effect.fn("admin.invite.revoke")(function* (flags) {
    yield* Invites.revoke(yield* Database, flags.id, by(flags.note))
    yield* Console.log(
      flags.json ? JSON.stringify({ id: flags.id, revoked: true }) : `invite ${flags.id} lets nobody in any more`
    )
  }, withRegistry)
).pipe(Command.withDescription("Ends an invite. Accounts that registered with it stay."))

export const invite = Command.make("invite").pipe(
  Command.withDescription("Invites, by which people register while --registration is invite."),
  Command.withSubcommands([create, list, revoke])
)
