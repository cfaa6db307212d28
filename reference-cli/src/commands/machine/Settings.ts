/** Settings of the account: read receipts, who may write, and automatic trimming of the inbox at the home. */
import type { Settings as SettingsValue } from "@kez-chat/sdk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { usage } from "../../Failure.ts"
import { Json, result } from "../../terminal/output/index.ts"
import { withAccess } from "../WithAccess.ts"

export interface Input {
  readonly readReceipts: Option.Option<"on" | "off">
  /** `everyone`, `contacts`, `proven`, or `proven:` and systems and domains between commas. */
  readonly inbox: Option.Option<string>
  readonly introductions: Option.Option<"on" | "off">
  readonly autoTrim: Option.Option<"on" | "off">
}

/** The inbox policy in a text; undefined for any other. What has a dot is a domain, anything else a system. */
const policyOf = (
  text: string
): Pick<SettingsValue, "inbox"> | Pick<SettingsValue, "inbox" | "provenBy"> | undefined => {
  if (text === "everyone" || text === "contacts") return { inbox: text }
  const [kind, list, ...more] = text.split(":")
  if (kind !== "proven" || more.length > 0) return undefined
  if (list === undefined) return { inbox: "proven", provenBy: { systems: [], domains: [] } }
  const entries = list.split(",").map((entry) => entry.trim())
  if (entries.includes("")) return undefined
  const domains = entries.filter((entry) => entry.includes("."))
  return { inbox: "proven", provenBy: { systems: entries.filter((entry) => !entry.includes(".")), domains } }
}

const inboxWords = ({ inbox, introductions, provenBy: { domains, systems } }: SettingsValue): string => {
  if (inbox === "everyone") return "everyone: strangers arrive as requests"
  if (inbox === "contacts")
    return introductions
      ? "contacts, and whom they introduce: other strangers are held back"
      : "contacts: strangers are dropped unseen"
  const named = [...systems, ...domains].join(", ")
  const proofs = named === "" ? "any proof that holds" : `a proof that holds of ${named}`
  return `proven: strangers with ${proofs}${introductions ? ", or whom a contact introduces" : ""}; others are held back`
}

/** Changes what is given, and shows all settings. */
export const settings = ({ autoTrim, inbox, introductions, readReceipts }: Input) =>
  withAccess(
    { command: "settings", offline: true },
    Effect.fnUntraced(function* ({ chat }) {
      const policy = Option.map(inbox, policyOf)
      if (Option.isSome(policy) && policy.value === undefined) {
        return yield* usage(
          "--inbox takes everyone, contacts, proven, or proven: and systems and domains between commas, as in proven:dns,github,example.org"
        )
      }
      const change = {
        ...(Option.isNone(readReceipts) ? {} : { readReceipts: readReceipts.value === "on" }),
        ...Option.getOrUndefined(policy),
        ...(Option.isNone(introductions) ? {} : { introductions: introductions.value === "on" }),
        ...(Option.isNone(autoTrim) ? {} : { autoTrim: autoTrim.value === "on" })
      }
      const before = yield* chat.settings
      const now = yield* Object.keys(change).length === 0 ? chat.settings : chat.updateSettings(change)
      yield* result({
        json: () => Json.settings(now),
        text: () => [
          `read receipts  ${now.readReceipts ? "on: others see when you have read" : "off"}`,
          `inbox          ${inboxWords(now)}`,
          ...(inboxWords(before) === inboxWords(now) ? [] : [`  before       ${inboxWords(before)}`]),
          `introductions  ${now.introductions ? "on: who is introduced by a contact of yours may write" : "off"}`,
          `auto-trim      ${now.autoTrim ? "on: the home removes mail once all your devices have it; that does not come back with the words" : "off"}`
        ]
      })
    })
  )
