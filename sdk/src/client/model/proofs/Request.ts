import * as Schema from "effect/Schema"
import { Claim } from "./Proof.ts"
import { Millis } from "../Protocol.ts"

/** Why the inbox policy let a stranger in. */
export const Admission = Schema.Union([
  /** A proof that counts: `subject` was found valid at `checkedAt`. */
  Schema.Struct({ by: Schema.Literal("proof"), subject: Schema.String, checkedAt: Millis }),
  /** An accepted contact, whose handle is `who`, introduced them at `at`. */
  Schema.Struct({ by: Schema.Literal("introduction"), who: Schema.String, primary: Schema.String, at: Millis })
])
export type Admission = typeof Admission.Type

/** A stranger whose mail the inbox policy holds back. Nothing of it is shown; `accept` lets it in. */
export class HeldRequest extends Schema.Opaque<HeldRequest>()(
  Schema.Struct({
    /** `local@server` if the home server proved one that no contact bears with another key, else the primary key. */
    handle: Schema.String,
    primary: Schema.String,
    /** Messages that are held. */
    messages: Schema.Natural,
    /** Messages beyond the limits, which were dropped. */
    dropped: Schema.Natural,
    /** When the first and the last one arrived; milliseconds since the epoch. */
    firstAt: Millis,
    lastAt: Millis,
    /** Why it is held, in words: "dns:example.org cannot be checked now". */
    sentence: Schema.String,
    /** What the stranger's sigchain claims, as far as it was checked. */
    claims: Schema.Array(Claim)
  })
) {}

/** An introduction: `voucher`, an accepted contact of `to`, says that `newcomer` may write to `to`. */
export class Introduction extends Schema.Opaque<Introduction>()(
  Schema.Struct({
    /** `given`: by this account. `received`: by a contact. */
    direction: Schema.Literals(["given", "received"]),
    /** The contact at the other side: whom it was given to, or who gave it. Primary key. */
    peer: Schema.String,
    /** Primary key of the newcomer. */
    newcomer: Schema.String,
    /** The newcomer's handle as the voucher knows it; only the newcomer's own record proves one. */
    handle: Schema.optionalKey(Schema.String),
    at: Millis,
    /** 7 days later: from then on it counts no more. */
    expiresAt: Millis
  })
) {}
