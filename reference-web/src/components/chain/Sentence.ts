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
      return people.claimAdded(identityText(statement.subject).name)
    case "claim_revoked":
      return people.claimRevoked(identityText(statement.subject).name)
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
