import type { Contact, KezChatClient } from "@kez-chat/sdk/promise"
import { keepStorage } from "../../controllers/KeepStorage.ts"

/** What the person decided about a contact. `compare` opens the safety number and `report` a dialog; the others are calls of the client. */
export type Decision = "accept" | "block" | "unblock" | "delete" | "compare" | "report" | "acceptKey" | "keepKey"

/** Whether a contact's state keeps messages from being written to it. */
export const isClosed = (contact: Contact | undefined): boolean => contact !== undefined && contact.state !== "accepted"

/** Carries a decision out; the contact afterwards, or undefined if it is gone. */
export const carryOut = async (
  client: KezChatClient,
  { offered, primary }: Contact,
  decision: Exclude<Decision, "compare" | "report">
): Promise<Contact | undefined> => {
  switch (decision) {
    case "delete":
      await client.removeContact(primary, true)
      return undefined
    case "acceptKey":
      return client.acceptKey(primary, offered?.primary ?? "")
    case "accept":
      void keepStorage()
      return client.accept(primary)
    default:
      return client[decision](primary)
  }
}
