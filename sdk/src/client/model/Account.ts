import * as Schema from "effect/Schema"

/**
 * The account of this device. `step` says how far creation got: the seed is kept, the handle is registered, the sigchain
 * names the inbox. Every start, and `create` or `restore` called again, carries on from there. Sending needs `published`.
 */
export class Account extends Schema.Opaque<Account>()(
  Schema.Struct({
    /** `local@server`. */
    handle: Schema.String,
    /** `ed25519:<hex>`. */
    primary: Schema.String,
    /** This installation's id, 22 base64url characters. */
    device: Schema.String,
    /** The home server's name, the part of the handle after the `@`. */
    server: Schema.String,
    step: Schema.Literals(["created", "registered", "published"])
  })
) {}
