/**
 * The account of this device. `step` says how far creation got: the seed is kept, the handle is registered, the sigchain
 * names the inbox. Every start, and `create` or `restore` called again, carries on from there. Sending needs `published`.
 */
export interface Account {
  /** `local@server`. */
  readonly handle: string
  /** `ed25519:<hex>`. */
  readonly primary: string
  /** This installation's id, 22 base64url characters. */
  readonly device: string
  /** The home server's name, the part of the handle after the `@`. */
  readonly server: string
  readonly step: "created" | "registered" | "published"
}
