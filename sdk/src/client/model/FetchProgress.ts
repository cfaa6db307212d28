import type { Contact } from "./Contact.ts"
import type { OfferedFile } from "./Message.ts"

/** How far fetching a file has come. */
export interface FetchProgress {
  readonly file: OfferedFile & { readonly folder?: string }
  readonly owner: Contact
  /**
   * `waiting`: for the owner's device or for a connection, `reason` says why; it goes on by itself. `complete` is the
   * last one: the encrypted blob is here and verified, and `read` gives the file.
   */
  readonly state: "waiting" | "connecting" | "receiving" | "complete"
  readonly reason?: string
  /** Bytes of the blob that are here and verified, those of earlier runs included. */
  readonly haveBytes: number
  readonly totalBytes: number
}
