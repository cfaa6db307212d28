/** The calls of a client about what can be shown of its messages, and what is missing of them. */
import type * as Effect from "effect/Effect"
import type { HistoryCheck, KezChatError } from "./model/index.ts"

export interface EvidenceCalls {
  /**
   * What this account can show of a message to anybody, as a JSON file (spec/evidence.md): the message with the secret
   * that opens it alone, and for one that this device sent, the home's signature that it accepted it and the
   * addressee's receipts. Fails with `evidence_invalid` where the message is not here or too little of it was kept.
   */
  evidence(id: string): Effect.Effect<string, KezChatError>
  /** What is missing from the conversation with a contact, as far as its messages tell. */
  checkHistory(who: string): Effect.Effect<HistoryCheck, KezChatError>
}
