/** Telling the operator of the home of an account. */
import { Report } from "@kez-chat/sdk/protocol"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fail } from "../../Failure.ts"
import { result, Show } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly who: string
  readonly reason: Report.Reason
  readonly note: Option.Option<string>
  /** Ids of messages, separated by commas. */
  readonly messages: Option.Option<string>
}

const reasons =
  "not on this device, written to a key that you had before a rotation, or by another key of theirs than the other messages"

export const report = ({ messages, note, reason, who }: Input) =>
  withAccess(
    { command: "report" },
    Effect.fnUntraced(function* ({ chat }) {
      const ids = Option.match(messages, { onNone: () => [], onSome: (text) => text.split(",").map((id) => id.trim()) })
      const contact = yield* chat.contact(who)
      const { id, proven, unprovable } = yield* chat.report({
        who: contact.primary,
        reason,
        messages: ids,
        ...(Option.isSome(note) ? { note: note.value } : {})
      })
      if (ids.length > 0 && proven.length === 0) {
        return yield* fail(
          "not_proven",
          "refused",
          `the operator has report ${id} without messages: none of those can be proven (${reasons})`
        )
      }
      yield* result({
        json: () => ({ report: { id, proven, unprovable } }),
        text: (style) => [
          `${style.good("Reported")} ${style.name(Show.name(contact))} to your home's operator, with ${proven.length} messages that they can now read`,
          ...(unprovable.length === 0
            ? []
            : [style.caution(`not in it, since they cannot be proven (${reasons}): ${unprovable.join(", ")}`)])
        ]
      })
    })
  )
