/**
 * Which secret key belongs to which {@link Identity}. Not exported from the package: with the key in hand a caller could
 * have any bytes signed.
 */
import type { SecretKey } from "../services/Crypto.ts"
import type { Identity } from "./Identity.ts"

const secrets = new WeakMap<Identity, SecretKey>()

export const keep = (identity: Identity, secret: SecretKey): void => {
  secrets.set(identity, secret)
}

/** The secret of an identity made by `Identity.fromSeed`; any other object is a defect. */
export const of = (identity: Identity): SecretKey => {
  const secret = secrets.get(identity)
  if (secret === undefined) throw new TypeError("not an identity made by Identity.fromSeed")
  return secret
}
