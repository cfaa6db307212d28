import * as Schema from "effect/Schema"

/** The account on this device. */
export class Account extends Schema.Opaque<Account>()(
  Schema.Struct({
    /** `local@server`. */
    handle: Schema.String,
    /** `ed25519:<hex>`. */
    primary: Schema.String,
    /** Id of this installation, 22 base64url characters. */
    device: Schema.String,
    /** The home server's name, the part of the handle after the `@`. */
    server: Schema.String,
    /**
     * How far creation got. `created`: the seed is saved. `registered`: the handle is registered. `published`: the
     * sigchain names the inbox; only then can the account send. Every start, `create` and `restore` resume from this
     * step.
     */
    step: Schema.Literals(["created", "registered", "published"])
  })
) {}
