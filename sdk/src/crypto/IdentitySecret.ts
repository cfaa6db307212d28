/**
 * The secret key of each `Identity`. Not exported from the package: with the key in hand a caller could have any bytes
 * signed. Identities are objects here, since their module imports this one.
 */
import type { SecretKey } from "../services/Crypto.ts"

const secrets = new WeakMap<object, SecretKey>()

export const keep = (identity: object, secret: SecretKey): void => {
  secrets.set(identity, secret)
}

/** The secret of an identity made by `Identity.fromSeed`; any other object is a defect. */
export const of = (identity: object): SecretKey => {
  const secret = secrets.get(identity)
  if (secret === undefined) throw new TypeError("not an identity made by Identity.fromSeed")
  return secret
}
