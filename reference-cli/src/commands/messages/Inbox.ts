/** Shows how full the inbox at the home server is, and removes mail there that this device holds. */
import type { BoxUsage, KezChatError } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import { fail, type Failure } from "../../Failure.ts"
import * as CommandLine from "../../profile/CommandLine.ts"
import { InboxWarning, Json, note, Quantity, result, Show, type Style, warn } from "../../terminal/output/index.ts"
import { caughtUp, withAccess } from "../WithAccess.ts"

export interface Input {
  readonly trim: boolean
  /** Copies of sent messages, instead of mail. */
  readonly sent: boolean
}

const line = (name: string, { limit, oldest, used }: BoxUsage, style: Style): string =>
  [
    name.padEnd(10),
    `${Quantity.bytes(used)} of ${Quantity.bytes(limit)} (${Quantity.percent(used, limit)} %)`,
    ...(oldest === undefined ? [] : [style.dim(`oldest ${Show.day(oldest)}`)])
  ].join("  ")

/** A refusal in this command's own words. */
const explain = (error: KezChatError): Failure => {
  if (error._tag !== "BrokerRefused" || (error.code !== "bad" && error.code !== "slow")) return error
  if (error.code === "bad") {
    const message = "the home's storage was reset, and nothing was removed: try again"
    return fail("stream_changed", "failed", message)
  }
  const until = error.untilMillis === undefined ? "in a minute" : `at ${Show.clock(error.untilMillis)}`
  return fail("trimmed_lately", "unreachable", `the home removes once a minute: try again ${until}`)
}

export const inbox = (input: Input) =>
  withAccess(
    { command: "inbox", offline: false },
    Effect.fnUntraced(function* ({ chat, paths }) {
      const box = input.sent ? "sent" : "mail"
      if (input.trim) {
        yield* note(
          "What the home removes does not come back with your words, and a device that has not fetched it will not get it."
        )
        // Only mail that this device holds is removed, so that everything is fetched first; where that fails, less is.
        yield* caughtUp(chat)
      }
      const usage = yield* input.trim ? Effect.mapError(chat.trim(box), explain) : chat.inbox
      yield* result({
        json: () => ({ inbox: Json.inboxUsage(usage), trimmed: input.trim ? box : null }),
        text: (style) => [
          ...(input.trim
            ? [style.good(`Removed at the home: ${input.sent ? "copies of what you sent" : "mail"} that is here`)]
            : []),
          line("mail", usage.mail, style),
          `${" ".repeat(10)}  ${style.dim(
            `strangers ${Quantity.bytes(usage.mail.strangers.used)} of ${Quantity.bytes(usage.mail.strangers.limit)}`
          )}`,
          line("sent", usage.sent, style)
        ]
      })
      for (const warning of InboxWarning.warnings(usage, (words) => CommandLine.line(paths.name, words)))
        yield* warn(warning)
    })
  )
