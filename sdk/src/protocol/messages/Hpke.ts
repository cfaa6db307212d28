/**
 * The byte strings of HPKE Base (RFC 9180) for the one suite used here: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305. The computations (agree, HMAC, HKDF, seal) belong to the `Crypto` service.
 *
 * A whole single-shot encryption, for a Diffie-Hellman secret `dh`:
 *
 *     shared_secret = HKDF(ikm = sharedSecretIkm(dh), salt = "", info = sharedSecretInfo(enc, recipient), 32)
 *     context       = keyScheduleContext(HMAC(key = "", infoHashIkm(info)))
 *     secret        = HMAC(key = shared_secret, secretIkm)
 *     key           = HKDF-Expand(secret, keyInfo(context), 32)        = HMAC(secret, keyInfo(context) || 01)
 *     nonce         = HKDF-Expand(secret, nonceInfo(context), 12)      = HMAC(secret, nonceInfo(context) || 01)[0..12)
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"

/** Bytes of the encapsulated key. */
export const encBytes = 32

const version = Bytes.utf8("HPKE-v1")
/** `"KEM" || I2OSP(kem_id, 2)`, kem_id = 0x0020 (RFC 9180 section 4.1). */
const kemSuite = Bytes.concat(Bytes.utf8("KEM"), Uint8Array.of(0x00, 0x20))
/** `"HPKE" || kem_id || kdf_id || aead_id` = 0x0020, 0x0001, 0x0003 (section 5.1). */
const suite = Bytes.concat(Bytes.utf8("HPKE"), Uint8Array.of(0x00, 0x20, 0x00, 0x01, 0x00, 0x03))
const modeBase = Uint8Array.of(0x00)

/** The input of LabeledExtract (section 4) up to its key material. */
const labeled = (suiteId: Uint8Array, label: string): Uint8Array => Bytes.concat(version, suiteId, Bytes.utf8(label))

/** The info of LabeledExpand (section 4) for `length` bytes, up to the caller's part. */
const labeledFor = (length: number, suiteId: Uint8Array, label: string): Uint8Array =>
  Bytes.concat(Uint8Array.of(length >> 8, length & 0xff), labeled(suiteId, label))

const eaePrk = labeled(kemSuite, "eae_prk")
const sharedSecret = labeledFor(32, kemSuite, "shared_secret")
const infoHashLabel = labeled(suite, "info_hash")
const keyLabel = labeledFor(32, suite, "key")
const nonceLabel = labeledFor(12, suite, "base_nonce")

/** Input key material of the KEM's shared secret, from the X25519 secret (ExtractAndExpand, section 4.1). */
export const sharedSecretIkm = (dh: Uint8Array): Uint8Array => Bytes.concat(eaePrk, dh)

/** Info of the KEM's shared secret (32 bytes): it binds the encapsulated key and the recipient's X25519 key. */
export const sharedSecretInfo = (enc: Uint8Array, recipient: Uint8Array): Uint8Array =>
  Bytes.concat(sharedSecret, enc, recipient)

/** HMAC input for `info_hash` under an empty key (section 5.1). Depends only on the caller's info. */
export const infoHashIkm = (info: Uint8Array): Uint8Array => Bytes.concat(infoHashLabel, info)

/** HMAC input for `psk_id_hash` under an empty key; Base mode has no PSK, so the hash is {@link pskIdHash}. */
export const pskIdHashIkm: Uint8Array = labeled(suite, "psk_id_hash")

/** HMAC-SHA256 of {@link pskIdHashIkm} under an empty key: constant for this suite. */
export const pskIdHash: Uint8Array = Result.getOrThrow(
  Bytes.fromHex("431df6cd95e11ff49d7013563baf7f11588c75a6611ee2a4404a49306ae4cfc5")
)

/** `key_schedule_context` of Base mode (section 5.1). */
export const keyScheduleContext = (infoHash: Uint8Array): Uint8Array => Bytes.concat(modeBase, pskIdHash, infoHash)

/** HMAC input for the key schedule's `secret`, keyed with the KEM's shared secret; the PSK of Base mode is empty. */
export const secretIkm: Uint8Array = labeled(suite, "secret")

/** Info of the AEAD key, 32 bytes. */
export const keyInfo = (context: Uint8Array): Uint8Array => Bytes.concat(keyLabel, context)

/** Info of the AEAD nonce, 12 bytes. Used directly: the sequence number of a single-shot encryption is 0. */
export const nonceInfo = (context: Uint8Array): Uint8Array => Bytes.concat(nonceLabel, context)
