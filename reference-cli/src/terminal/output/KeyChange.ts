/** Explains a contact whose key or sigchain changed: what happened, and what the user can do. */
import type { Contact, Verification } from "@kez-chat/sdk"
import * as CommandLine from "../../profile/CommandLine.ts"
import * as Columns from "./Columns.ts"
import * as Sanitise from "./Sanitise.ts"
import * as Show from "./Show.ts"
import type { Style } from "./Style.ts"

/** Whether the user has to decide. A contact whose key they keep needs no decision. */
export const isOpen = ({ kept, warning }: Contact): boolean => warning !== undefined && kept !== true

const warningOf = ({ warning }: Contact): string => Sanitise.line(warning ?? "the key changed")

/** The error of a command that did nothing, or only part, because of the change. */
export const refusal = (contact: Contact, what: string): string =>
  `${what}: ${warningOf(contact)}; \`kez-chat verify ${Show.exactName(contact)}\` shows both sides of it`

/** Whether the change is explained by the old key. */
const origin = ({ offered }: Contact): ReadonlyArray<string> => {
  if (offered === undefined) return []
  return offered.origin === "handed_over"
    ? ["The key you hold has signed this change: its owner, or somebody who has their words, made it."]
    : [
        "UNEXPLAINED: the key you hold has not signed this change; only the home server says so.",
        "A new account after lost words looks like this, and so does an attack."
      ]
}

/** What happened, in a few sentences, wrapped to the terminal's columns. */
export const headline = (contact: Contact, style: Style, columns: number | undefined): ReadonlyArray<string> => {
  const lines = (paint: (text: string) => string, text: string) =>
    (columns === undefined ? [text] : Columns.wrap(text, columns - 1, columns - 1)).map(paint)
  if (!isOpen(contact)) return lines(style.caution, `You keep their key: ${warningOf(contact)}`)
  return [
    ...lines(
      style.bad,
      `${contact.offered === undefined ? "STOPPED" : "KEY CHANGED"}: nothing is sent until you decide.`
    ),
    ...lines(style.bad, warningOf(contact)),
    ...origin(contact).flatMap((text) =>
      lines(contact.offered?.origin === "handed_over" ? style.caution : style.bad, text)
    )
  ]
}

/** The commands that decide it. */
export const choices = (contact: Contact, profile: string, style: Style): ReadonlyArray<string> => {
  if (!isOpen(contact)) return []
  const who = Show.exactName(contact)
  const command = (text: string) => `    ${style.bold(CommandLine.line(profile, text))}`
  const { offered } = contact
  if (offered === undefined) {
    return ["To go on with the key you hold:", command(`keep ${who}`), "To give them up:", command(`remove ${who}`)]
  }
  return [
    "Ask them, by phone or in person, which number their own device shows now.",
    "If it is the offered key's:",
    command(`accept ${who} --new-key ${Sanitise.line(offered.primary)}`),
    "If it is the number of the key you hold, the offer is not theirs:",
    command(`keep ${who}`)
  ]
}

/** Twelve groups in three lines of four, for reading aloud. */
export const groups = (safetyNumber: string, style: Style): ReadonlyArray<string> => {
  const all = safetyNumber.trim().split(/\s+/)
  return [0, 4, 8].map((from) => `    ${style.bold(all.slice(from, from + 4).join("  "))}`)
}

/** Both safety numbers with their keys; the offered key's first while there is a decision to make. */
export const numbers = ({ contact, offered, pinned }: Verification, style: Style): ReadonlyArray<string> => {
  if (offered === undefined) return ["Safety number", ...groups(pinned.safetyNumber, style)]
  const ofOffered = [
    `Safety number of the ${style.bold("OFFERED")} key  ${Sanitise.line(offered.primary)}`,
    ...(offered.safetyNumber === undefined
      ? [style.dim("    none: it is no key of a chat account")]
      : groups(offered.safetyNumber, style))
  ]
  const ofPinned = [
    `Safety number of the key you hold  ${Sanitise.line(pinned.primary)}`,
    ...groups(pinned.safetyNumber, style)
  ]
  return isOpen(contact) ? [...ofOffered, "", ...ofPinned] : [...ofPinned, "", ...ofOffered]
}
