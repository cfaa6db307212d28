/**
 * The secret key of each `Identity`. Not exported from the package: a caller with the key could sign arbitrary bytes.
 * Typed as `object` here because `Identity` imports this module.
 */
import type { SecretKey } from "../services/Crypto.ts"

const secrets = new WeakMap<object, SecretKey>()

export const keep = (identity: object, secret: SecretKey): void => {
  secrets.set(identity, secret)
}

/** The secret of an identity made by `Identity.fromSeed`. Throws a `TypeError` for any other object. */
export const of = (identity: object): SecretKey => {
  const secret = secrets.get(identity)
  if (secret === undefined) throw new TypeError("not an identity made by Identity.fromSeed")
  return secret
}
