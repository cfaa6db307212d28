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
    step: Schema.Literals(["created", "registered", "published"]),
    /**
     * The key that this account's key was handed over to, by another device or by somebody else who has the words;
     * `unknown` where neither the sigchain nor the home server says which. This device can only read; `restore` with the
     * words of that key brings it back.
     */
    movedTo: Schema.optionalKey(Schema.String)
  })
) {}

/**
 * What is done of a rotation. `saved`: the new seed is durable beside the old one. `published`: the new key's sigchain names
 * the inbox. `rotated`: the old key's sigchain has ended, and there is no way back. `transferred`: the home server has put
 * the new key in the place of the old one. `finished`: this device uses the new key.
 */
export const RotationStep = Schema.Literals(["saved", "published", "rotated", "transferred", "finished"])
export type RotationStep = typeof RotationStep.Type

/** A rotation of the account to a new key. */
export class Rotation extends Schema.Opaque<Rotation>()(
  Schema.Struct({
    handle: Schema.String,
    /** The key that is given up, `ed25519:<hex>`. */
    from: Schema.String,
    /** The new key. */
    to: Schema.String,
    step: RotationStep
  })
) {}
