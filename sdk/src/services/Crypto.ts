/**
 * The cryptographic primitives of the protocol. Three adapters (node:crypto, WebCrypto, noble) give the same results
 * and differ in speed. Inputs (signed bytes, KDF info, AAD) come from `protocol/`. Keys, nonces, seeds and scalars of a
 * wrong length, and keys of another backend, are defects. What depends on nothing but its inputs may be computed by the
 * call: then the effect that it returns is complete.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"

/** A ciphertext whose tag does not match key, nonce and associated data. Carries no reason. */
export class DecryptionFailed extends Data.TaggedError("DecryptionFailed")<{}> {
  override get message(): string {
    return "the ciphertext does not open with this key"
  }
}

/** A Diffie-Hellman exchange with an all-zero result (RFC 7748 section 6.1). */
export class ZeroSharedSecret extends Data.TaggedError("ZeroSharedSecret")<{}> {
  override get message(): string {
    return "the shared secret is all zero: the other key is of small order"
  }
}

/** The platform lacks what a backend needs: WebCrypto on a page over plain http, or without Ed25519 and X25519. */
export class CryptoUnavailable extends Data.TaggedError("CryptoUnavailable")<{
  readonly backend: Backend
  readonly detail: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.backend} cryptography is not available: ${this.detail}`
  }
}

/** The available implementations. */
export type Backend = "node" | "webcrypto" | "noble"

/** An Ed25519 seed in the backend, with its X25519 key. Opaque: it cannot be read back and prints as its public key. */
export interface SecretKey {
  readonly publicKey: AdmittedKey
}

/** An X25519 key pair for a single use (RFC 9180 `enc`). */
export interface EphemeralKey {
  /** 32 bytes, little-endian u-coordinate. */
  readonly publicKey: Uint8Array
}

export interface Aead {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 12 bytes, never used twice with one key. */
  readonly nonce: Uint8Array
  /** Associated data: authenticated, not encrypted. */
  readonly aad: Uint8Array
}

/** What takes most of the time of opening a message; see {@link Crypto}. */
export interface Costly {
  verify(key: AdmittedKey, message: Uint8Array, signature: Uint8Array): Effect.Effect<boolean>
  agreeWithEphemeral(key: SecretKey, enc: Uint8Array): Effect.Effect<Uint8Array, ZeroSharedSecret>
}

export class Crypto extends Context.Service<
  Crypto,
  {
    readonly backend: Backend
    /** `length` bytes from the system's secure generator. */
    randomBytes(length: number): Effect.Effect<Uint8Array>
    /** FIPS 180-4; 32 bytes. */
    sha256(data: Uint8Array): Effect.Effect<Uint8Array>
    /** FIPS 180-4; 64 bytes. */
    sha512(data: Uint8Array): Effect.Effect<Uint8Array>
    /** RFC 2104 with SHA-256; 32 bytes. An empty key counts as 32 zero bytes. */
    hmacSha256(key: Uint8Array, data: Uint8Array): Effect.Effect<Uint8Array>
    /** RFC 5869, extract and expand; at most 8,160 bytes. An empty salt counts as 32 zero bytes. */
    hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Effect.Effect<Uint8Array>
    /** ChaCha20-Poly1305 (RFC 8439): ciphertext followed by its 16-byte tag. */
    aeadSeal(aead: Aead, plaintext: Uint8Array): Effect.Effect<Uint8Array>
    /** The same into a caller's buffer, 16 bytes longer than the plaintext, for long streams of chunks. */
    aeadSealInto(aead: Aead, plaintext: Uint8Array, output: Uint8Array): Effect.Effect<void>
    aeadOpen(aead: Aead, ciphertext: Uint8Array): Effect.Effect<Uint8Array, DecryptionFailed>
    /** Takes a 32-byte Ed25519 seed (RFC 8032 section 5.1.5) into the backend. */
    importSeed(seed: Redacted.Redacted<Uint8Array>): Effect.Effect<SecretKey>
    /** Ed25519 (RFC 8032 section 5.1.6); 64 bytes. */
    sign(key: SecretKey, message: Uint8Array): Effect.Effect<Uint8Array>
    /** The same signature, synchronously, for the broker's login. */
    signSync(key: SecretKey, message: Uint8Array): Uint8Array
    /** True iff S < L and encode(S*B - k*A) equals the received R bytes, on every backend (spec KEZ-KEY). */
    verify(key: AdmittedKey, message: Uint8Array, signature: Uint8Array): Effect.Effect<boolean>
    /** X25519 (RFC 7748) between a secret's X25519 key and another account's; 32 bytes. */
    agree(key: SecretKey, peer: AdmittedKey): Effect.Effect<Uint8Array, ZeroSharedSecret>
    /** A new X25519 pair from `randomBytes`; vector tests pass the 32-byte scalar. */
    ephemeral(scalar?: Uint8Array): Effect.Effect<EphemeralKey>
    /** X25519 between an ephemeral key and an account's X25519 key, or any public key of 32 bytes; 32 bytes. */
    agreeEphemeral(key: EphemeralKey, peer: AdmittedKey | Uint8Array): Effect.Effect<Uint8Array, ZeroSharedSecret>
    /** X25519 between an account's X25519 key and an ephemeral public key of 32 bytes. */
    agreeWithEphemeral(key: SecretKey, enc: Uint8Array): Effect.Effect<Uint8Array, ZeroSharedSecret>
    /** `verify` and `agreeWithEphemeral` on another thread, where the backend has one: for many messages at a time. */
    readonly apart?: Costly
  }
>()("@kez-chat/sdk/Crypto") {}
