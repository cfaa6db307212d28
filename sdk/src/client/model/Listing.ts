import * as Schema from "effect/Schema"
import { Contact } from "./Contact.ts"
import { OfferedFile } from "./Message.ts"
import { Millis } from "./Protocol.ts"

/** A file of another account that this one may fetch, by its manifest. */
export class ListedFile extends Schema.Opaque<ListedFile>()(
  Schema.Struct({
    ...OfferedFile.fields,
    /** The entry's id. */
    id: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    /** Milliseconds since the epoch. */
    sharedAt: Millis,
    public: Schema.Boolean,
    /** The id of the newest file of the same path, where this one is older: show that one instead. */
    replacedBy: Schema.optionalKey(Schema.String)
  })
) {}

/** What an account shares with this one. */
export class Listing extends Schema.Opaque<Listing>()(
  Schema.Struct({
    owner: Contact,
    /** 0 where nothing was ever shared. */
    revision: Schema.Natural,
    /** When the owner signed it, milliseconds since the epoch. */
    createdAt: Schema.optionalKey(Millis),
    /** `kept`: the home could not be asked; this is the newest one seen before. */
    source: Schema.Literals(["home", "kept"]),
    /** By path. */
    files: Schema.Array(ListedFile)
  })
) {}
