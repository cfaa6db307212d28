/** The warning that an inbox at the home server fills up. */
import type { InboxUsage } from "@kez-chat/sdk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Quantity from "./Quantity.ts"

/** A box that is at least this full is almost full. */
const share = 0.8

/** One sentence for each box that is almost full; `command` formats a command line of this program. */
export const warnings = (usage: InboxUsage, command: (words: string) => string): ReadonlyArray<string> =>
  (["mail", "sent"] as const).flatMap((box) => {
    const { limit, used } = usage[box]
    if (used < limit * share) return []
    const [what, then, trim] =
      box === "mail"
        ? ["your inbox at the home", "then nothing more arrives", "inbox --trim"]
        : [
            "the room at the home for copies of what you send",
            "then other devices get no more of them",
            "inbox --trim --sent"
          ]
    return [`${what} is ${Quantity.percent(used, limit)} % full, and ${then}: ${command(trim)} makes room`]
  })

/** Shortest interval between warnings, in milliseconds. */
const pauseMillis = 60 * 60 * 1_000

/** Warns through `say` about a usage that calls for it, at most once an hour. */
export const watch = (profile: string, say: (sentence: string) => Effect.Effect<void>) =>
  Effect.sync(() => {
    let next = 0
    return (usage: InboxUsage): Effect.Effect<void> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const found = warnings(usage, (words) => CommandLine.line(profile, words))
        if (found.length === 0 || now < next) return Effect.void
        next = now + pauseMillis
        return Effect.forEach(found, say, { discard: true })
      })
  })
