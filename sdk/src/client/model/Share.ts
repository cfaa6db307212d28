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

/** A file that this account shares. */
export interface Share {
  /** 22 base64url characters; its entry in the manifest where it is listed. */
  readonly id: string
  readonly name: string
  readonly folder?: string
  readonly mediaType: string
  /** Bytes of the file. */
  readonly size: number
  readonly blobHash: string
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
  readonly listed: "readers" | "public" | "unlisted"
  /** `published`: readers find it in the list at the home. `pending`: not yet, it is tried again by itself. */
  readonly manifest: "pending" | "published" | "none"
  /**
   * Why the list cannot be published, where waiting does not help, such as `too_large`; with `chain_full` it is
   * published, and the sigchain names no further list. A code of the protocol and what to do.
   */
  readonly problem?: { readonly code: string; readonly detail: string }
  /** Whether this device has the bytes; another device of the account may. */
  readonly here: boolean
  readonly readers: ReadonlyArray<ShareReader>
  /** The id of a newer share of the same path that all readers of this one may fetch. This one stays until `unshare`. */
  readonly replacedBy?: string
}

export interface ShareReader {
  readonly primary: string
  readonly handle: string
  /** Bytes of the encrypted blob that were handed to the network for them. */
  readonly sentBytes: number
  /** When all of it had been, milliseconds since the epoch. */
  readonly fetchedAt?: number
}
