/** Bytes of the account's frames at its home, and how many there may be. */
export interface BoxUsage {
  readonly used: number
  readonly limit: number
  /** When the oldest frame there was stored, milliseconds since the epoch; absent where there is none. */
  readonly oldest?: number
}

/** How full an account's inbox at its home is. Frames stay there, for new and restored devices, until retention ends. */
export interface InboxUsage {
  /** Mail from others. */
  readonly mail: BoxUsage & {
    /** The part of it that strangers use, and may use. */
    readonly strangers: { readonly used: number; readonly limit: number }
  }
  /** Copies of what was sent. */
  readonly sent: BoxUsage
}
