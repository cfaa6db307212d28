/**
 * HPKE Base, single shot (RFC 9180 section 6.1), suite DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305,
 * to and from the X25519 keys that belong to admitted Ed25519 keys. Built from the `Crypto` primitives.
 */
import * as Effect from "effect/Effect"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import * as Labels from "../protocol/messages/Hpke.ts"
import type { AdmittedKey } from "../protocol/identity/KeyAdmission.ts"
import * as Limits from "../protocol/Limits.ts"
import { Crypto, type DecryptionFailed, type EphemeralKey, type ZeroSharedSecret } from "../services/Crypto.ts"
import type { Identity } from "./Identity.ts"
import * as IdentitySecret from "./IdentitySecret.ts"

type Service = Crypto["Service"]

export interface Sealed {
  /** The ephemeral X25519 key, 32 bytes. */
  readonly enc: Uint8Array
  /** Ciphertext and 16-byte tag. */
  readonly ciphertext: Uint8Array
}

/** The part of a key schedule that does not depend on the secret: the infos of its key and nonce. */
interface Schedule {
  readonly keyBlock: Uint8Array
  readonly nonceBlock: Uint8Array
}

const empty = new Uint8Array(0)
const firstBlock = Uint8Array.of(1)
const schedules = new WeakMap<Uint8Array, Schedule>()

/** Depends only on `info`, which is one of a few constants, so the result is cached. */
const scheduleOf = (crypto: Service, info: Uint8Array): Effect.Effect<Schedule> => {
  const known = schedules.get(info)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.mapEager(crypto.hmacSha256(empty, Labels.infoHashIkm(info)), (infoHash) => {
    const context = Labels.keyScheduleContext(infoHash)
    const schedule = {
      keyBlock: Bytes.concat(Labels.keyInfo(context), firstBlock),
      nonceBlock: Bytes.concat(Labels.nonceInfo(context), firstBlock)
    }
    schedules.set(info, schedule)
    return schedule
  })
}

/** The AEAD parameters of one message. Each HKDF-Expand needs one block, so one HMAC (RFC 5869 section 2.3). */
const aeadOf = Effect.fnUntracedEager(function* (
  crypto: Service,
  dh: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array
) {
  const { keyBlock, nonceBlock } = yield* scheduleOf(crypto, info)
  const sharedSecretInfo = Labels.sharedSecretInfo(enc, recipient)
  const sharedSecret = yield* crypto.hkdfSha256(Labels.sharedSecretIkm(dh), empty, sharedSecretInfo, Limits.keyBytes)
  const secret = yield* crypto.hmacSha256(sharedSecret, Labels.secretIkm)
  const key = yield* crypto.hmacSha256(secret, keyBlock)
  const nonce = yield* crypto.hmacSha256(secret, nonceBlock)
  return { key, nonce: nonce.subarray(0, Limits.aeadNonceBytes), aad }
})

/** Seals `plaintext` to a key. `given` must be fresh but where a frame is made again. `info` should be a constant: it is a cache key. */
export const seal = Effect.fnUntraced(function* (
  recipient: AdmittedKey,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  given?: EphemeralKey
): Effect.fn.Return<Sealed, never, Crypto> {
  const crypto = yield* Crypto
  const ephemeral = given ?? (yield* crypto.ephemeral())
  // An admitted key has no torsion component, so the shared secret is never zero.
  const dh = yield* Effect.orDie(crypto.agreeEphemeral(ephemeral, recipient))
  const enc = ephemeral.publicKey
  const aead = yield* aeadOf(crypto, dh, enc, recipient.x25519, info, aad)
  return { enc, ciphertext: yield* crypto.aeadSeal(aead, plaintext) }
})

/** Opens a ciphertext sealed to an identity. */
export const open = (
  identity: Identity,
  info: Uint8Array,
  aad: Uint8Array,
  sealed: Sealed
): Effect.Effect<Uint8Array, DecryptionFailed | ZeroSharedSecret, Crypto> =>
  Crypto.use((crypto) => openWith(crypto, identity, info, aad, sealed))

/** {@link open}, complete when it returns where the backend is synchronous. */
export const openWith = Effect.fnUntracedEager(function* (
  crypto: Service,
  identity: Identity,
  info: Uint8Array,
  aad: Uint8Array,
  { ciphertext, enc }: Sealed
): Effect.fn.Return<Uint8Array, DecryptionFailed | ZeroSharedSecret> {
  const dh = yield* crypto.agreeWithEphemeral(IdentitySecret.of(identity), enc)
  const aead = yield* aeadOf(crypto, dh, enc, identity.key.x25519, info, aad)
  return yield* crypto.aeadOpen(aead, ciphertext)
})
