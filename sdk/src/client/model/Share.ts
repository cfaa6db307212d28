import * as Schema from "effect/Schema"
import { Millis } from "./Protocol.ts"

/** A file to be shared. */
export interface FileSource {
  /** A bare file name of 1 to 255 characters. */
  readonly name: string
  /** Where it lies within a shared folder, parts separated by `/`. */
  readonly folder?: string
  /** `application/octet-stream` unless told. */
  readonly mediaType?: string
  /** Encoded image of at most 8 KiB, shown to who may fetch the file. */
  readonly thumbnail?: Uint8Array
  /** Its content, read once from the first byte to the last. What it throws becomes a `FileError`. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** With whom a file is shared. At least one contact, or `public`. */
export interface ShareOptions {
  readonly file: FileSource
  /** Contacts who get an offer and may fetch it. */
  readonly with?: ReadonlyArray<string>
  /** Everybody who browses may see and read it. */
  readonly public?: boolean
  /** No entry in the manifest: only the offers lead to it. */
  readonly unlisted?: boolean
  /** Called as the file is encrypted, with the bytes of it that are done. */
  readonly onProgress?: (bytes: number) => void
}

/** Whom a file is shared with, and how much of it went to them. */
export class ShareReader extends Schema.Opaque<ShareReader>()(
  Schema.Struct({
    primary: Schema.String,
    handle: Schema.String,
    /** Bytes of the encrypted blob that were handed to the network for them. */
    sentBytes: Schema.Natural,
    /** When all of it had been, milliseconds since the epoch. */
    fetchedAt: Schema.optionalKey(Millis)
  })
) {}

/** A file that this account shares. */
export class Share extends Schema.Opaque<Share>()(
  Schema.Struct({
    /** 22 base64url characters; its entry in the manifest where it is listed. */
    id: Schema.String,
    name: Schema.String,
    folder: Schema.optionalKey(Schema.String),
    mediaType: Schema.String,
    /** Bytes of the file. */
    size: Schema.Natural,
    blobHash: Schema.String,
    /** Milliseconds since the epoch. */
    sharedAt: Millis,
    listed: Schema.Literals(["readers", "public", "unlisted"]),
    /** `published`: readers find it in the list at the home. `pending`: not yet, it is tried again by itself. */
    manifest: Schema.Literals(["pending", "published", "none"]),
    /**
     * Why the list cannot be published, where waiting does not help, such as `too_large`; with `chain_full` it is
     * published, and the sigchain names no further list. A code of the protocol and what to do.
     */
    problem: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String })),
    /** Whether this device has the bytes; another device of the account may. */
    here: Schema.Boolean,
    readers: Schema.Array(ShareReader),
    /** The id of a newer share of the same path that all readers of this one may fetch. This one stays until `unshare`. */
    replacedBy: Schema.optionalKey(Schema.String)
  })
) {}
