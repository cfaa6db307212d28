import * as Schema from "effect/Schema"
import { Head, Millis } from "./Protocol.ts"
import { Admission } from "./proofs/Request.ts"
import { reasons } from "../../protocol/messages/Report.ts"

/** A key that the user may accept in place of a contact's key. */
export class OfferedKey extends Schema.Opaque<OfferedKey>()(
  Schema.Struct({
    primary: Schema.String,
    /**
     * `handed_over`: the contact's own key signed a rotation to it. `unexplained`: only the home server names it, as
     * after a new start without the old words, or in an attack.
     */
    origin: Schema.Literals(["handed_over", "unexplained"])
  })
) {}

/** Another account as this one knows it: its pinned key, and whether that key is trusted. */
export class Contact extends Schema.Opaque<Contact>()(
  Schema.Struct({
    /** `local@server`, or the primary key itself until the home server names a handle for it. */
    handle: Schema.String,
    /**
     * The server of the handle, where that is not the account's own home: such a contact can be verified, and nothing
     * can be sent to it (`federation_unsupported`).
     */
    home: Schema.optionalKey(Schema.String),
    /** The pinned key, `ed25519:<hex>`; the only key that anything is sent to. */
    primary: Schema.String,
    /**
     * `accepted`: both sides may write. `requested`: wrote first and waits for the user's decision. `blocked`: nothing
     * from it is shown. `changed`: the home server names another key or none for the handle, or the sigchain was rolled
     * back, forked or rotated; sending stops until `acceptKey`, `keepKey` or removal, or until the cause goes away by
     * itself.
     */
    state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
    /** Another key for this contact. Nothing is sent to it before `acceptKey`. */
    offered: Schema.optionalKey(OfferedKey),
    /** What is wrong with the key or the sigchain, as a sentence; stays while the user keeps the key nevertheless. */
    warning: Schema.optionalKey(Schema.String),
    /** The user keeps the key in spite of `warning`. */
    kept: Schema.optionalKey(Schema.Literal(true)),
    /**
     * What `warning` is about, present with it. `name`: the home server names another key for the handle, or none.
     * `chain`: less of the sigchain is shown than was known, it was rotated to another key, or it contradicts the known one.
     */
    cause: Schema.optionalKey(
      Schema.Struct({
        name: Schema.optionalKey(Schema.Literals(["offered", "gone"])),
        chain: Schema.optionalKey(Schema.Literals(["behind", "rotated", "forked"]))
      })
    ),
    /** The user compared and confirmed the safety number of `primary`. */
    verified: Schema.Boolean,
    /** When, in milliseconds since the epoch; absent where an older version of the SDK recorded it. */
    verifiedAt: Schema.optionalKey(Millis),
    /** The newest sigchain head seen. */
    head: Schema.optionalKey(Head),
    /** For a stranger whom the inbox policy let in: why. */
    admission: Schema.optionalKey(Admission),
    /** Milliseconds since the epoch. */
    addedAt: Millis
  })
) {}

/** Who bears a handle, as its home server names them; nothing of it is stored. */
export class FoundAccount extends Schema.Opaque<FoundAccount>()(
  Schema.Struct({
    handle: Schema.String,
    /** Its record is verified: this key signed for the handle. */
    primary: Schema.String,
    /** The contact with this key, where there is one. */
    contact: Schema.optionalKey(Contact)
  })
) {}

/** A report to the home's operator. */
export class ReportOptions extends Schema.Opaque<ReportOptions>()(
  Schema.Struct({
    /** A contact: handle, primary key or mention. */
    who: Schema.String,
    reason: Schema.Literals(reasons),
    /** At most 2,000 characters. */
    note: Schema.optionalKey(Schema.String),
    /** Ids of messages of theirs, at most 16, which the operator will be able to read and verify. */
    messages: Schema.optionalKey(Schema.Array(Schema.String))
  })
) {}

/** What the operator received. */
export class ReportOutcome extends Schema.Opaque<ReportOutcome>()(
  Schema.Struct({
    /** Names the report to the operator. */
    id: Schema.String,
    /** Ids of the messages in it. */
    proven: Schema.Array(Schema.String),
    /**
     * Ids of messages that are not there any more, came before this device kept what proves them, were written to a key
     * that this account had before, or by another key of the contact than the reported one.
     */
    unprovable: Schema.Array(Schema.String)
  })
) {}
