import * as Schema from "effect/Schema"
import { Contact } from "./Contact.ts"
import { OfferedFile } from "./Message.ts"

/** Progress of fetching a file. */
export class FetchProgress extends Schema.Opaque<FetchProgress>()(
  Schema.Struct({
    file: Schema.Struct({ ...OfferedFile.fields, folder: Schema.optionalKey(Schema.String) }),
    owner: Contact,
    /**
     * `waiting`: for the owner's device or a connection, as `reason` says; resumes by itself. `complete` comes last:
     * the encrypted blob is here and verified, and `read` returns the file.
     */
    state: Schema.Literals(["waiting", "connecting", "receiving", "complete"]),
    reason: Schema.optionalKey(Schema.String),
    /** How bytes come while `receiving`, where the transport tells: from the device itself, or through a relay. */
    path: Schema.optionalKey(Schema.Literals(["direct", "relayed"])),
    /** Verified bytes of the blob on this device, those of earlier runs included. */
    haveBytes: Schema.Natural,
    totalBytes: Schema.Natural,
    /**
     * What moves the bytes on this device, once it is known: `native` is `@kez-chat/iroh-native`, `compatible` is
     * `@number0/iroh`, which is slower.
     */
    binding: Schema.optionalKey(Schema.Literals(["native", "compatible"]))
  })
) {}
