import * as Schema from "effect/Schema"
import { Contact, OfferedKey } from "./Contact.ts"
import { Claim } from "./proofs/Proof.ts"
import { Endpoint, Envelope, Head } from "./Protocol.ts"

/** A contact's key and its safety number, which is the same on both sides if the key is theirs. */
export class NumberedKey extends Schema.Opaque<NumberedKey>()(
  Schema.Struct({
    primary: Schema.String,
    /** Twelve groups of five digits. */
    safetyNumber: Schema.String,
    /** `kez:sn1:...` for a QR code. */
    qr: Schema.String
  })
) {}

/** Safety number and sigchain of a contact, for the user to compare. */
export class Verification extends Schema.Opaque<Verification>()(
  Schema.Struct({
    contact: Contact,
    /** The pinned key. */
    pinned: NumberedKey,
    /**
     * The key that is offered in its place. While the contact is `changed`, this is the safety number to compare: the
     * contact's old device shows the pinned key's number even if somebody else took over the handle. Without a number
     * if the key is not one of a chat account, which cannot be accepted.
     */
    offered: Schema.optionalKey(
      Schema.Struct({
        ...OfferedKey.fields,
        safetyNumber: Schema.optionalKey(NumberedKey.fields.safetyNumber),
        qr: Schema.optionalKey(NumberedKey.fields.qr)
      })
    ),
    /** Absent if the sig-server has no sigchain of the contact, or is unreachable. */
    head: Schema.optionalKey(Head),
    /** All events of the sigchain, verified. */
    events: Schema.Array(Envelope),
    endpoints: Schema.Array(Endpoint),
    /** The identities elsewhere that the sigchain claims, as far as they were checked. */
    claims: Schema.Array(Claim)
  })
) {}
