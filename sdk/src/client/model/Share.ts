import * as Schema from "effect/Schema"
import { Millis } from "./Protocol.ts"

/** A file to share. */
export interface FileSource {
  /** A bare file name of 1 to 255 characters. */
  readonly name: string
  /** Its path within a shared folder, segments separated by `/`. */
  readonly folder?: string
  /** Default `application/octet-stream`. */
  readonly mediaType?: string
  /** Encoded image of at most 8 KiB, for those who may fetch the file. */
  readonly thumbnail?: Uint8Array
  /** Its content, read once and in order. What the iterator throws becomes a `FileError`. */
  readonly bytes: AsyncIterable<Uint8Array>
}

/** What to share with whom: at least one contact, or `public`. */
export interface ShareOptions {
  readonly file: FileSource
  /** Contacts who get an offer and may fetch it. */
  readonly with?: ReadonlyArray<string>
  /** Everybody may list and fetch it. */
  readonly public?: boolean
  /** Do not list it in the manifest: only the offers lead to it. */
  readonly unlisted?: boolean
  /** Called during encryption with the number of bytes that are encrypted. */
  readonly onProgress?: (bytes: number) => void
}

/** Somebody who may fetch a file, and how much of it was sent to them. */
export class ShareReader extends Schema.Opaque<ShareReader>()(
  Schema.Struct({
    primary: Schema.String,
    handle: Schema.String,
    /** Bytes of the encrypted blob that were handed to the network. */
    sentBytes: Schema.Natural,
    /** When all of it had been sent, milliseconds since the epoch. */
    fetchedAt: Schema.optionalKey(Millis)
  })
) {}

/** A file that this account shares. */
export class Share extends Schema.Opaque<Share>()(
  Schema.Struct({
    /** 22 base64url characters; also the id of its entry in the manifest. */
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
    /** `published`: readers find it in the manifest. `pending`: not yet, it is retried. `none`: it is unlisted. */
    manifest: Schema.Literals(["pending", "published", "none"]),
    /**
     * Why the manifest cannot be published although retrying does not help, such as `too_large`: a problem code of the
     * protocol, and what to do. With `chain_full` it is published, but the sigchain cannot anchor it.
     */
    problem: Schema.optionalKey(Schema.Struct({ code: Schema.String, detail: Schema.String })),
    /** Whether this device holds the blob; if not, another device of the account may. */
    here: Schema.Boolean,
    readers: Schema.Array(ShareReader),
    /** Id of a newer share of the same path that all readers of this one may fetch. This one stays until `unshare`. */
    replacedBy: Schema.optionalKey(Schema.String)
  })
) {}
