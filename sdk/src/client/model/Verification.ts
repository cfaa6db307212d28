import type { Envelope } from "../../protocol/sigchain/Envelope.ts"
import type { Endpoint } from "../../protocol/sigchain/Endpoint.ts"
import type { ChainClaim, Head } from "../../protocol/sigchain/Sigchain.ts"
import type { Contact, OfferedKey } from "./Contact.ts"

/** A contact's key with the safety number that both sides see if it is theirs. */
export interface NumberedKey {
  readonly primary: string
  /** Twelve groups of five digits. */
  readonly safetyNumber: string
  /** `kez:sn1:...` for a QR code. */
  readonly qr: string
}

/** What the safety number and the sigchain of a contact say, for a person to compare. */
export interface Verification {
  readonly contact: Contact
  /** The key that this account holds as the contact's. */
  readonly pinned: NumberedKey
  /**
   * The key that is offered in its place. While the contact is `changed`, this is the number to compare: the contact's
   * old device still shows the pinned one, also when somebody else has taken the handle.
   */
  readonly offered?: OfferedKey & Partial<NumberedKey>
  /** Absent where the sig-server knows no chain of theirs. */
  readonly head?: Head
  /** Every event of the chain, verified. */
  readonly events: ReadonlyArray<Envelope>
  readonly endpoints: ReadonlyArray<Endpoint>
  readonly claims: ReadonlyArray<ChainClaim>
}
