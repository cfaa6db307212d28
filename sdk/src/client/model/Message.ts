import type { JsonObject } from "../../protocol/encoding/Json.ts"

/**
 * `queued` here, `stored` at the home server, `delivered` to the other device by its signed receipt, `read`; or
 * `failed` for good.
 */
export type MessageState = "queued" | "stored" | "delivered" | "read" | "failed"

/** The file that a message of type `file_share` offers; `Message.id` is what fetches it. */
export interface OfferedFile {
  /** As its owner calls it: `FileName.display` for showing, `FileName.safe` for saving. */
  readonly name: string
  readonly mediaType: string
  /** Bytes of the file. */
  readonly size: number
  /** `blake3:<hex>` of the encrypted blob. */
  readonly blobHash: string
  /** Encoded image of at most 8 KiB. */
  readonly thumbnail?: Uint8Array
}

export interface Message {
  /** 22 base64url characters, the sender's. */
  readonly id: string
  /** The conversation: the other account's primary, or one's own for notes to self. */
  readonly peer: string
  readonly direction: "in" | "out"
  /**
   * Text, or the name of an offered file (fit for showing). For a body this version does not know: its fallback, or a
   * sentence that says so.
   */
  readonly text: string
  /** Body type as sent (`text`, `file_share`, ...). */
  readonly type: string
  /** What a `file_share` offers. Nothing of it is here until `fetch`. */
  readonly file?: OfferedFile
  /** The whole body as it was signed, for types that say more than a text. */
  readonly body: JsonObject
  /** The sender's clock, milliseconds since the epoch. */
  readonly createdAt: number
  /** When the home server stored it (its clock), or when it was written here; milliseconds since the epoch. */
  readonly arrivedAt: number
  /** Place in local order: grows with every message stored on this device. */
  readonly order: number
  /** Only for `out`. */
  readonly state?: MessageState
  /** Why it failed, when it did. */
  readonly failure?: string
  /**
   * Why the home has not taken a queued message yet: the recipient's inbox has no room for it, or a limit of the day is
   * reached, until a time (milliseconds since the epoch) where it is known. It is tried again by itself.
   */
  readonly waiting?: { readonly reason: "full" | "slow"; readonly until?: number }
  /** `created_at` lies outside -30 d / +10 min of its arrival. */
  readonly suspicious?: true
  /** Messages of this sender's device before this one that are not held here. */
  readonly gap?: number
  /** Another envelope with the same (from, id) came later: the sender shows different people different things. */
  readonly equivocation?: true
  /** Another envelope held the same place in the sender's count: two programs write with one device id. */
  readonly fork?: true
}
