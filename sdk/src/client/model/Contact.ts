import * as Schema from "effect/Schema"
import { Head, Millis } from "./Protocol.ts"

/** A key that could take the place of a contact's. */
export class OfferedKey extends Schema.Opaque<OfferedKey>()(
  Schema.Struct({
    primary: Schema.String,
    /**
     * `handed_over`: the contact's own key has signed a rotation to it. `unexplained`: only the home server names it,
     * which a new device without the old words and an attack have in common.
     */
    origin: Schema.Literals(["handed_over", "unexplained"])
  })
) {}

/** Where a contact's key stands for this account. */
export class Contact extends Schema.Opaque<Contact>()(
  Schema.Struct({
    /** `local@server`; the primary itself as long as the home server has not named the key. */
    handle: Schema.String,
    primary: Schema.String,
    /**
     * `accepted`: may write to us. `requested`: wrote to us and awaits a decision. `blocked`: nothing of theirs is shown.
     * `changed`: the server names another key for the handle or none, or the chain was rolled back, forked or rotated;
     * sending stops until `acceptKey`, `keepKey` or removal, or until what stopped it turns out to be over.
     */
    state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
    /** Another key for this contact. Nothing was ever sent to it; `acceptKey` takes it. */
    offered: Schema.optionalKey(OfferedKey),
    /** What is wrong with key or chain, in a sentence; also where the user keeps the key all the same. */
    warning: Schema.optionalKey(Schema.String),
    /** The user has kept the key in spite of `warning`. */
    kept: Schema.optionalKey(Schema.Literal(true)),
    /** The safety number of `primary` was compared and confirmed by the user. */
    verified: Schema.Boolean,
    /** Highest sigchain head seen. */
    head: Schema.optionalKey(Head),
    /** Milliseconds since the epoch. */
    addedAt: Millis
  })
) {}
