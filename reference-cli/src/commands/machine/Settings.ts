/** Settings of the account: read receipts, who may write, and automatic trimming of the inbox at the home. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Json, result } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly readReceipts: Option.Option<"on" | "off">
  readonly inbox: Option.Option<"everyone" | "contacts">
  readonly autoTrim: Option.Option<"on" | "off">
}

/** Changes what is given, and shows all settings. */
export const settings = ({ autoTrim, inbox, readReceipts }: Input) =>
  withAccess(
    { command: "settings", offline: true },
    Effect.fnUntraced(function* ({ chat }) {
      const change = {
        ...(Option.isNone(readReceipts) ? {} : { readReceipts: readReceipts.value === "on" }),
        ...(Option.isNone(inbox) ? {} : { inbox: inbox.value }),
        ...(Option.isNone(autoTrim) ? {} : { autoTrim: autoTrim.value === "on" })
      }
      const now = yield* Object.keys(change).length === 0 ? chat.settings : chat.updateSettings(change)
      yield* result({
        json: () => Json.settings(now),
        text: () => [
          `read receipts  ${now.readReceipts ? "on: others see when you have read" : "off"}`,
          `inbox          ${now.inbox === "everyone" ? "everyone: strangers arrive as requests" : "contacts: strangers are dropped unseen"}`,
          `auto-trim      ${now.autoTrim ? "on: the home removes mail once all your devices have it; that does not come back with the words" : "off"}`
        ]
      })
    })
  )
