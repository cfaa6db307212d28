/** The operations that use noble on every platform, input validation, and what the platform backends share. */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js"
import { ed25519 } from "@noble/curves/ed25519.js"
import { hkdf } from "@noble/hashes/hkdf.js"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { admit, type AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import { type Aead, DecryptionFailed } from "../../services/Crypto.ts"

/** Maximum bytes per call of `getRandomValues`. */
const quota = 65_536

export const randomBytes = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += quota) globalThis.crypto.getRandomValues(bytes.subarray(i, i + quota))
  return bytes
}

export const hmacSha256 = (key: Uint8Array, data: Uint8Array): Uint8Array => hmac(sha256, key, data)

export const hkdfSha256 = (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array =>
  hkdf(sha256, ikm, salt, info, length)

/** Checks the input lengths of an AEAD: libraries check at different times, and some accept shorter nonces. */
export const checked = ({ key, nonce, aad }: Aead): Aead => ({
  key: exactly(key, Limits.keyBytes, "AEAD key"),
  nonce: exactly(nonce, Limits.aeadNonceBytes, "AEAD nonce"),
  aad
})

const cipherOf = (aead: Aead) => {
  const { key, nonce, aad } = checked(aead)
  return chacha20poly1305(key, nonce, aad)
}

export const aeadSeal = (aead: Aead, plaintext: Uint8Array): Uint8Array => cipherOf(aead).encrypt(plaintext)

export const aeadSealInto = (aead: Aead, plaintext: Uint8Array, output: Uint8Array): void => {
  cipherOf(aead).encrypt(plaintext, exactly(output, plaintext.length + Limits.tagBytes, "AEAD output"))
}

export const aeadOpen = (aead: Aead, ciphertext: Uint8Array): Effect.Effect<Uint8Array, DecryptionFailed> =>
  opened(
    computed(() => {
      const cipher = cipherOf(aead)
      if (ciphertext.length < Limits.tagBytes) return undefined
      try {
        return cipher.decrypt(ciphertext)
      } catch {
        return undefined
      }
    })
  )

/** A plaintext, or {@link DecryptionFailed} for none. */
export const opened = (result: Effect.Effect<Uint8Array | undefined>): Effect.Effect<Uint8Array, DecryptionFailed> =>
  Effect.flatMapEager(result, (plaintext) =>
    plaintext === undefined ? Effect.fail(new DecryptionFailed()) : Effect.succeed(plaintext)
  )

/**
 * The result of a computation that depends on nothing but its inputs, made by the call: an effect that is complete takes
 * no step of a fiber, of which a message would take two dozen. What throws is a defect, as if the effect had run.
 */
export const computed = <A>(compute: () => A): Effect.Effect<A> => {
  try {
    return Effect.succeed(compute())
  } catch (defect) {
    return Effect.die(defect)
  }
}

/** A copy of a seed's bytes, and its public key. Throws a `RangeError` unless it has 32 bytes. */
export const readSeed = (
  redacted: Redacted.Redacted<Uint8Array>,
  publicKeyOf: (seed: Uint8Array) => Uint8Array = ed25519.getPublicKey
): { seed: Uint8Array; publicKey: AdmittedKey } => {
  const seed = exactly(Redacted.value(redacted), Limits.keyBytes, "seed").slice()
  return { seed, publicKey: Result.getOrThrow(admit(publicKeyOf(seed))) }
}

/** Returns the bytes, or throws a `RangeError` that names the value with the wrong length but not its content. */
export const exactly = (bytes: Uint8Array, length: number, what: string): Uint8Array => {
  if (bytes.length !== length) throw new RangeError(`${what}: ${bytes.length} bytes instead of ${length}`)
  return bytes
}

/** The PKCS #8 prefix of RFC 8410, before the 32 bytes of the key. */
export const pkcs8 = {
  Ed25519: "302e020100300506032b657004220420",
  X25519: "302e020100300506032b656e04220420"
} as const

/** Importing a key costs as much as using it, so imports are cached for the lifetime of the account's key object. */
export const cached = <A>(imports: WeakMap<AdmittedKey, A>, key: AdmittedKey, make: () => A): A => {
  const known = imports.get(key)
  if (known !== undefined) return known
  const imported = make()
  imports.set(key, imported)
  return imported
}

/** The 32 bytes of an X25519 public key, given as an account's key or as raw bytes. */
export const x25519Of = (peer: AdmittedKey | Uint8Array): Uint8Array =>
  peer instanceof Uint8Array ? exactly(peer, Limits.keyBytes, "X25519 public key") : peer.x25519
