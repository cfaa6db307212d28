import * as Schema from "effect/Schema"
import { Contact } from "./Contact.ts"
import { OfferedFile } from "./Message.ts"
import { Millis } from "./Protocol.ts"

/** An entry of another account's manifest: a file that this account may fetch. */
export class ListedFile extends Schema.Opaque<ListedFile>()(
  Schema.Struct({
    ...OfferedFile.fields,
    /** The entry's id. */
    id: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    /** Milliseconds since the epoch. */
    sharedAt: Millis,
    public: Schema.Boolean,
    /** Set if the path has a newer file, which should be shown instead: the id of the newest. */
    replacedBy: Schema.optionalKey(Schema.String)
  })
) {}

/** The files that an account shares with this one, from its manifest. */
export class Listing extends Schema.Opaque<Listing>()(
  Schema.Struct({
    owner: Contact,
    /** Revision of the manifest; 0 if there never was one. */
    revision: Schema.Natural,
    /** When the owner signed it, milliseconds since the epoch. */
    createdAt: Schema.optionalKey(Millis),
    /** `kept`: the home server was unreachable, and this is the newest manifest seen before. */
    source: Schema.Literals(["home", "kept"]),
    /** Ordered by path. */
    files: Schema.Array(ListedFile)
  })
) {}
