/** What a page shows of the account of this browser. */

/** What opens the vault, without the secret. */
export type VaultSlot =
  | { readonly kind: "passphrase" }
  | { readonly kind: "passkey"; readonly credentialId: Uint8Array; readonly prfSalt: Uint8Array }

/**
 * Why there is no account to show. `no_storage`: this browser keeps nothing. `insecure`: the page is neither https nor
 * on this machine. `damaged`, `newer`, `full`: the vault or the store. `too_old`: the browser lacks what is needed.
 * `not_started`: the worker could not be started. `cleared`: the browser dropped what it stored while the account was
 * open; after a reload the account is `empty` and `lost`.
 */
export type BrokenReason =
  | "no_storage"
  | "insecure"
  | "damaged"
  | "newer"
  | "full"
  | "too_old"
  | "not_started"
  | "cleared"

export type AccountState =
  | { readonly _tag: "starting" }
  /**
   * No account here. `lost`: the handle of the account whose vault this browser has lost. `superseded`: a newer build of
   * the page is open in this browser: reload if nothing was begun. What was begun can be finished here; then the newer
   * build takes the account over.
   */
  | { readonly _tag: "empty"; readonly lost?: string; readonly superseded?: true }
  | {
      readonly _tag: "locked"
      readonly handle: string
      readonly primary: string
      readonly slots: ReadonlyArray<VaultSlot>
    }
  /** Being opened, or created and not yet published: `create` with the same words resumes it. */
  | { readonly _tag: "opening"; readonly handle: string }
  | {
      readonly _tag: "open"
      readonly handle: string
      readonly primary: string
      readonly slots: ReadonlyArray<VaultSlot>
    }
  /** Another tab's worker holds the account. */
  | { readonly _tag: "elsewhere" }
  /** A newer build of the page took the account over: reload. */
  | { readonly _tag: "superseded" }
  | { readonly _tag: "broken"; readonly reason: BrokenReason; readonly detail: string }
