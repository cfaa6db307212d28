import * as Schema from "effect/Schema"
import { Contact } from "./Contact.ts"
import { OfferedFile } from "./Message.ts"

/** How far fetching a file has come. */
export class FetchProgress extends Schema.Opaque<FetchProgress>()(
  Schema.Struct({
    file: Schema.Struct({ ...OfferedFile.fields, folder: Schema.optionalKey(Schema.String) }),
    owner: Contact,
    /**
     * `waiting`: for the owner's device or for a connection, `reason` says why; it goes on by itself. `complete` is the
     * last one: the encrypted blob is here and verified, and `read` gives the file.
     */
    state: Schema.Literals(["waiting", "connecting", "receiving", "complete"]),
    reason: Schema.optionalKey(Schema.String),
    /** Bytes of the blob that are here and verified, those of earlier runs included. */
    haveBytes: Schema.Natural,
    totalBytes: Schema.Natural
  })
) {}
