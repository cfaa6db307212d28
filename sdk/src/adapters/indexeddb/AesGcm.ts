/** AES-256-GCM on WebCrypto: nonce (12 bytes), ciphertext and tag (16 bytes) in one byte string. */
import * as Bytes from "../../protocol/encoding/Bytes.ts"

const nonceBytes = 12

/** Bytes that sealing adds. */
export const overheadBytes = nonceBytes + 16

/** WebCrypto copies its inputs before it returns, so memory shared with other threads is safe. */
const source = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>

const uses: ReadonlyArray<KeyUsage> = ["encrypt", "decrypt"]

/** A key of 32 bytes, which cannot be read back. */
export const importKey = (bytes: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", source(bytes), "AES-GCM", false, uses)

/** The key that HKDF-SHA256 (RFC 5869, no salt) derives from a secret for one purpose. */
export const deriveKey = async (secret: Uint8Array, info: string): Promise<CryptoKey> =>
  crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: source(Bytes.utf8(info)) },
    await crypto.subtle.importKey("raw", source(secret), "HKDF", false, ["deriveKey"]),
    { name: "AES-GCM", length: 256 },
    false,
    uses
  )

/** The 32 bytes of the key that {@link deriveKey} gives. */
export const deriveBytes = async (secret: Uint8Array, info: string): Promise<Uint8Array> =>
  new Uint8Array(
    await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: source(Bytes.utf8(info)) },
      await crypto.subtle.importKey("raw", source(secret), "HKDF", false, ["deriveBits"]),
      256
    )
  )

/** Seals under a random nonce; a key is good for 2^32 of them. */
export const seal = async (key: CryptoKey, aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> => {
  const iv = crypto.getRandomValues(new Uint8Array(nonceBytes))
  const algorithm = { name: "AES-GCM", iv, additionalData: source(aad) }
  return Bytes.concat(iv, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, source(plaintext))))
}

/** The plaintext, or undefined where key, associated data or ciphertext is another. */
export const open = async (key: CryptoKey, aad: Uint8Array, sealed: Uint8Array): Promise<Uint8Array | undefined> => {
  const iv = source(sealed.subarray(0, nonceBytes))
  const algorithm = { name: "AES-GCM", iv, additionalData: source(aad) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, source(sealed.subarray(nonceBytes))))
  } catch {
    return undefined
  }
}
