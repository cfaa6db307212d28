import type { Head } from "../../protocol/sigchain/Sigchain.ts"

/** Where a contact's key stands for this account. */
export interface Contact {
  /** `local@server`; the primary itself as long as the home server has not named the key. */
  readonly handle: string
  readonly primary: string
  /**
   * `accepted`: may write to us. `requested`: wrote to us and awaits a decision. `blocked`: nothing of theirs is shown.
   * `changed`: the server names another key for the handle or none, or the chain was rolled back, forked or rotated;
   * sending stops until `acceptKey`, `keepKey` or removal, or until what stopped it turns out to be over.
   */
  readonly state: "accepted" | "requested" | "blocked" | "changed"
  /** Another key for this contact. Nothing was ever sent to it; `acceptKey` takes it. */
  readonly offered?: OfferedKey
  /** What is wrong with key or chain, in a sentence; also where the user keeps the key all the same. */
  readonly warning?: string
  /** The user has kept the key in spite of `warning`. */
  readonly kept?: true
  /** The safety number of `primary` was compared and confirmed by the user. */
  readonly verified: boolean
  /** Highest sigchain head seen. */
  readonly head?: Head
  /** Milliseconds since the epoch. */
  readonly addedAt: number
}

/** A key that could take the place of a contact's. */
export interface OfferedKey {
  readonly primary: string
  /**
   * `handed_over`: the contact's own key has signed a rotation to it. `unexplained`: only the home server names it, which
   * a new device without the old words and an attack have in common.
   */
  readonly origin: "handed_over" | "unexplained"
}
