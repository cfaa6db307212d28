/** The opaque keys that every backend hands out: what they stand for stays here and cannot be reached through them. */
import type { AdmittedKey } from "../../protocol/KeyAdmission.ts"
import type { Backend, EphemeralKey, SecretKey } from "../../services/Crypto.ts"

class Opaque<PublicKey> {
  readonly publicKey: PublicKey
  constructor(publicKey: PublicKey) {
    this.publicKey = publicKey
    Object.freeze(this)
  }
}

/** A {@link SecretKey} that prints as its public key. */
class OpaqueSecretKey extends Opaque<AdmittedKey> {
  override toString(): string {
    return `SecretKey(ed25519:${this.publicKey.hex})`
  }
  toJSON(): string {
    return this.toString()
  }
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString()
  }
}

export interface Handles<Secret extends object, Ephemeral extends object> {
  secretKey(publicKey: AdmittedKey, material: Secret): SecretKey
  ephemeralKey(publicKey: Uint8Array, material: Ephemeral): EphemeralKey
  /** What a key stands for. Throws a `TypeError` for a key of another backend. */
  secret(key: SecretKey): Secret
  ephemeral(key: EphemeralKey): Ephemeral
}

/** One backend's keys and what they stand for, forgotten together with the key. */
export const make = <Secret extends object, Ephemeral extends object>(backend: Backend): Handles<Secret, Ephemeral> => {
  const secrets = new WeakMap<SecretKey, Secret>()
  const ephemerals = new WeakMap<EphemeralKey, Ephemeral>()
  const known = <Material>(material: Material | undefined): Material => {
    if (material === undefined) throw new TypeError(`not a key of the ${backend} backend`)
    return material
  }
  return {
    secretKey: (publicKey, material) => {
      const key = new OpaqueSecretKey(publicKey)
      secrets.set(key, material)
      return key
    },
    ephemeralKey: (publicKey, material) => {
      const key = new Opaque(publicKey)
      ephemerals.set(key, material)
      return key
    },
    secret: (key) => known(secrets.get(key)),
    ephemeral: (key) => known(ephemerals.get(key))
  }
}
