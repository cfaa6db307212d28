/** Contacts, and the upgrade of rows that versions wrote which did not judge a contact's name and chain separately. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { Admission } from "../../model/proofs/Request.ts"
import { Head } from "./Account.ts"
import { row, type Row } from "./Row.ts"

const ContactFields = Schema.Struct({
  handle: Schema.String,
  /** Server of the handle, if it is not the account's own home. */
  home: Schema.optionalKey(Schema.String),
  primary: Schema.String,
  /** Whether the home server named this key and its record was verified. */
  resolved: Schema.Boolean,
  state: Schema.Literals(["accepted", "requested", "blocked", "changed"]),
  /** The state to return to when unblocked. */
  before: Schema.optionalKey(Schema.Literals(["accepted", "requested", "changed"])),
  /** The home server's answer if it names another key for this handle (`to`) or none. See `ContactState`. */
  name: Schema.optionalKey(
    Schema.Struct({
      state: Schema.Literals(["offered", "offered_kept", "gone", "gone_kept"]),
      to: Schema.optionalKey(Schema.String),
      detail: Schema.String
    })
  ),
  /** What is wrong with the chain; `to`: the key that it was rotated to. */
  chain: Schema.optionalKey(
    Schema.Struct({
      state: Schema.Literals(["behind", "behind_kept", "rotated", "rotated_kept", "forked", "forked_kept"]),
      to: Schema.optionalKey(Schema.String),
      detail: Schema.String
    })
  ),
  /** See `ContactState.noticedAt`. */
  noticedAt: Schema.optionalKey(Schema.Number),
  verified: Schema.Boolean,
  /** When `verified` last became true; milliseconds since the epoch. Absent in older rows. */
  verifiedAt: Schema.optionalKey(Schema.Number),
  head: Schema.optionalKey(Head),
  /** The newest head that the contact's messages claimed and the sig-server has not shown. */
  claimed: Schema.optionalKey(Head),
  /** Whether the chain names an inbox; absent before a chain was seen. */
  reachable: Schema.optionalKey(Schema.Boolean),
  /** Earlier keys of this contact that the user replaced, as hex. */
  former: Schema.Array(Schema.String),
  /** Why the inbox policy let a stranger in. */
  admission: Schema.optionalKey(Admission),
  addedAt: Schema.Number,
  /** When its chain was last verified; milliseconds since the epoch. */
  checkedAt: Schema.optionalKey(Schema.Number)
})
export type ContactRow = typeof ContactFields.Type

const OldContactFields = ContactFields.mapFields(
  Struct.assign({ changedTo: Schema.optionalKey(Schema.String), warning: Schema.optionalKey(Schema.String) })
)

/**
 * An old row does not say whether the cause that stopped it can heal. The upgrade assumes the worst, a forked chain,
 * and an offered key becomes unexplained: the user decides (KEZ-SEQ-053).
 */
const upgraded = ({ changedTo, warning, ...contact }: typeof OldContactFields.Type): ContactRow => {
  if (contact.name !== undefined || contact.chain !== undefined) return contact
  const isStopped = warning !== undefined || contact.state === "changed" || contact.before === "changed"
  if (!isStopped) return contact
  const detail = warning ?? `${contact.handle} has another key than before`
  return {
    ...contact,
    verified: false,
    chain: { state: "forked", detail },
    ...(changedTo === undefined ? {} : { name: { state: "offered", to: changedTo, detail } })
  }
}

const oldContact = row(OldContactFields)
export const Contact: Row<ContactRow> = {
  encode: oldContact.encode,
  decode: (key, bytes) => Result.map(oldContact.decode(key, bytes), upgraded)
}

export const prefix = { contacts: "contact/" } as const

export const key = { contact: (hex: string) => `${prefix.contacts}${hex}` } as const
