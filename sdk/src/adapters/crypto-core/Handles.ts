/** The opaque keys of every backend. The key material stays in this module and cannot be reached through a key. */
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import type { Backend, EphemeralKey, SecretKey } from "../../services/Crypto.ts"
import * as PrimaryKey from "../../protocol/identity/PrimaryKey.ts"

/** The material of `key` in `backend`; undefined for another backend's key and for any other object. */
let materialOf: (backend: Backend, key: object) => unknown

/** A public key whose material reflection cannot reach. Cheaper to collect than the entries of a `WeakMap`. */
class Opaque<PublicKey, Material> {
  readonly publicKey: PublicKey
  readonly #backend: Backend
  readonly #material: Material

  constructor(backend: Backend, publicKey: PublicKey, material: Material) {
    this.publicKey = publicKey
    this.#backend = backend
    this.#material = material
    Object.freeze(this)
  }

  // Not a static method: that would be reachable as `key.constructor.materialOf`.
  static {
    materialOf = (backend, key) => (#backend in key && key.#backend === backend ? key.#material : undefined)
  }
}

/** A {@link SecretKey} that prints as its public key. */
class OpaqueSecretKey<Material> extends Opaque<AdmittedKey, Material> {
  override toString(): string {
    return `SecretKey(${PrimaryKey.format(this.publicKey)})`
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
  /** The material of a key. Throws a `TypeError` for a key of another backend. */
  secret(key: SecretKey): Secret
  ephemeral(key: EphemeralKey): Ephemeral
}

/** A backend's keys with their material, collected together with the key. */
export const make = <Secret extends object, Ephemeral extends object>(backend: Backend): Handles<Secret, Ephemeral> => {
  const known = <Material>(key: object): Material => {
    const material = materialOf(backend, key)
    if (material === undefined) throw new TypeError(`not a key of the ${backend} backend`)
    return material as Material
  }
  return {
    secretKey: (publicKey, material) => new OpaqueSecretKey(backend, publicKey, material),
    ephemeralKey: (publicKey, material) => new Opaque(backend, publicKey, material),
    secret: (key) => known<Secret>(key),
    ephemeral: (key) => known<Ephemeral>(key)
  }
}
