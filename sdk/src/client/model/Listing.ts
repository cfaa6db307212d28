import type { Contact } from "./Contact.ts"
import type { OfferedFile } from "./Message.ts"

/** A file of another account that this one may fetch, by its manifest. */
export interface ListedFile extends OfferedFile {
  /** The entry's id. */
  readonly id: string
  readonly folder?: string
  /** Milliseconds since the epoch. */
  readonly sharedAt: number
  readonly public: boolean
  /** The id of the newest file of the same path, where this one is older: show that one instead. */
  readonly replacedBy?: string
}

/** What an account shares with this one. */
export interface Listing {
  readonly owner: Contact
  /** 0 where nothing was ever shared. */
  readonly revision: number
  /** When the owner signed it, milliseconds since the epoch. */
  readonly createdAt?: number
  /** `kept`: the home could not be asked; this is the newest one seen before. */
  readonly source: "home" | "kept"
  /** By path. */
  readonly files: ReadonlyArray<ListedFile>
}
