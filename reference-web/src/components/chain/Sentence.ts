import type { Texts } from "../../texts/Texts.ts"
import type { Statement } from "./ChainLinks.ts"
import { identityText } from "../claims/IdentityText.ts"

/** The sentence that tells a statement; `times` and `last` are of a run of changes to the shared files. */
export const sentenceOf = (statement: Statement, times: number, last: string, people: Texts["people"]): string => {
  switch (statement._tag) {
    case "mail":
      return people.mailAdded(statement.server)
    case "mail_removed":
      return people.mailRemoved(statement.server)
    case "files":
      return people.filesAdded
    case "files_removed":
      return people.filesRemoved
    case "claim":
      return people.claimAdded(named(statement.subject, people))
    case "claim_revoked":
      return people.claimRevoked(named(statement.subject, people))
    case "shared_files":
      return people.sharedFiles(times, last)
    case "device":
      return people.deviceAdded
    case "rotated":
      return people.rotated
    case "unknown":
      return people.unknownEvent
  }
}

/** Domains and websites say what they are; other names are shown with their system. */
const named = (subject: string, people: Texts["people"]): string => {
  const { name, system } = identityText(subject)
  const isPlain = system === "" || system === "dns" || system === "web"
  return isPlain ? name : people.claimedName(name, people.system(system) ?? system)
}
