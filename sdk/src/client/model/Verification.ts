import * as Schema from "effect/Schema"
import { Contact, OfferedKey } from "./Contact.ts"
import { ChainClaim, Endpoint, Envelope, Head } from "./Protocol.ts"

/** A contact's key with the safety number that both sides see if it is theirs. */
export class NumberedKey extends Schema.Opaque<NumberedKey>()(
  Schema.Struct({
    primary: Schema.String,
    /** Twelve groups of five digits. */
    safetyNumber: Schema.String,
    /** `kez:sn1:...` for a QR code. */
    qr: Schema.String
  })
) {}

/** What the safety number and the sigchain of a contact say, for a person to compare. */
export class Verification extends Schema.Opaque<Verification>()(
  Schema.Struct({
    contact: Contact,
    /** The key that this account holds as the contact's. */
    pinned: NumberedKey,
    /**
     * The key that is offered in its place. While the contact is `changed`, this is the number to compare: the contact's
     * old device still shows the pinned one, also when somebody else has taken the handle.
     */
    offered: Schema.optionalKey(
      Schema.Struct({
        ...OfferedKey.fields,
        safetyNumber: Schema.optionalKey(NumberedKey.fields.safetyNumber),
        qr: Schema.optionalKey(NumberedKey.fields.qr)
      })
    ),
    /** Absent where the sig-server knows no chain of theirs. */
    head: Schema.optionalKey(Head),
    /** Every event of the chain, verified. */
    events: Schema.Array(Envelope),
    endpoints: Schema.Array(Endpoint),
    claims: Schema.Array(ChainClaim)
  })
) {}
