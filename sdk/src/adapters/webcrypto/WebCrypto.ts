/**
 * `Crypto` on WebCrypto, for browsers in secure contexts and Node. Only the curves and hashes of long inputs gain by
 * it: a call hops to another thread (in Node 50 us for SHA-256, 190 for HMAC, 340 for HKDF, where noble takes 3, 5 and
 * 11), and ChaCha20-Poly1305 is missing. noble does the rest.
 */
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import { type AdmittedKey, admitHex } from "../../protocol/identity/KeyAdmission.ts"
import * as Limits from "../../protocol/Limits.ts"
import { Crypto, CryptoUnavailable, ZeroSharedSecret } from "../../services/Crypto.ts"
import * as Ed25519Equation from "../crypto-core/Ed25519Equation.ts"
import * as Handles from "../crypto-core/Handles.ts"
import * as Portable from "../crypto-core/Portable.ts"

interface Secret {
  /** Absent if the platform refuses the seed. */
  readonly ed25519: CryptoKey | undefined
  readonly x25519: CryptoKey
  /** For `signSync`, which cannot await the platform, and where the platform refuses the seed. */
  readonly seed: Uint8Array
}
interface Ephemeral {
  readonly x25519: CryptoKey
}
const handles = Handles.make<Secret, Ephemeral>("webcrypto")

const subtle = (): SubtleCrypto => globalThis.crypto.subtle

/** WebCrypto copies its inputs before it returns, so memory shared with other threads is safe. */
const source = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>

const ed25519Keys = new WeakMap<AdmittedKey, Promise<CryptoKey>>()
const x25519Keys = new WeakMap<AdmittedKey, Promise<CryptoKey>>()

const ed25519Public = (key: AdmittedKey) =>
  Portable.cached(ed25519Keys, key, () => subtle().importKey("raw", source(key.ed25519), "Ed25519", true, ["verify"]))

const x25519Public = (bytes: Uint8Array) => subtle().importKey("raw", source(bytes), "X25519", true, [])

const x25519PublicOf = (peer: AdmittedKey | Uint8Array) =>
  peer instanceof Uint8Array
    ? x25519Public(Portable.x25519Of(peer))
    : Portable.cached(x25519Keys, peer, () => x25519Public(peer.x25519))

/**
 * WebKitGTK refuses private keys whose first byte is zero. The three lowest bits of an X25519 scalar do not count
 * (RFC 7748 section 5), so one of them is set; in place of a refused Ed25519 seed, noble signs.
 */
const privateKey = async (curve: "Ed25519" | "X25519", bytes: Uint8Array): Promise<CryptoKey> => {
  const der = Bytes.concat(Result.getOrThrow(Bytes.fromHex(Portable.pkcs8[curve])), bytes)
  if (curve === "X25519") der[der.length - bytes.length]! |= 1
  const imported = await subtle().importKey("pkcs8", source(der), curve, false, [
    curve === "Ed25519" ? "sign" : "deriveBits"
  ])
  der.fill(0)
  return imported
}

/** WebKitGTK also generates such keys, and then fails: one attempt of 256, and practically never eight in a row. */
const generatePair = async (attempts = 8): Promise<CryptoKeyPair> => {
  try {
    return (await subtle().generateKey("X25519", false, ["deriveBits"])) as CryptoKeyPair
  } catch (error) {
    if (attempts === 1) throw error
    return generatePair(attempts - 1)
  }
}

const agree = (own: CryptoKey, peer: AdmittedKey | Uint8Array): Effect.Effect<Uint8Array, ZeroSharedSecret> =>
  Effect.promise(() => x25519PublicOf(peer)).pipe(
    Effect.flatMap((imported) =>
      Effect.tryPromise({
        try: async () => new Uint8Array(await subtle().deriveBits({ name: "X25519", public: imported }, own, 256)),
        // The standard's only reason for this step to fail is the all-zero secret.
        catch: () => new ZeroSharedSecret()
      })
    )
  )

/** Up to this size, hashing on this thread is faster than waiting for another one. */
const shortBytes = 4096

const digest = (name: "SHA-256" | "SHA-512", short: (data: Uint8Array) => Uint8Array) => (data: Uint8Array) =>
  data.length <= shortBytes
    ? Portable.computed(() => short(data))
    : Effect.promise(async () => new Uint8Array(await subtle().digest(name, source(data))))

const platformVerify = async (key: AdmittedKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> =>
  subtle().verify("Ed25519", await ed25519Public(key), source(signature), source(message))

/**
 * The verification rule on any conforming platform. For an admitted key and S < L, platforms differ only on R =
 * identity, which some refuse as small and some accept in non-canonical encodings.
 */
const verify = (key: AdmittedKey, message: Uint8Array, signature: Uint8Array): Effect.Effect<boolean> =>
  Effect.suspend(() => {
    if (!Ed25519Equation.isReduced(signature)) return Effect.succeed(false)
    return Ed25519Equation.hasIdentityR(signature)
      ? Effect.sync(() => Ed25519Equation.verify(key, message, signature))
      : Effect.promise(() => platformVerify(key, message, signature))
  })

const service = Crypto.of({
  backend: "webcrypto",
  randomBytes: (length) => Effect.sync(() => Portable.randomBytes(length)),
  sha256: digest("SHA-256", sha256),
  sha512: digest("SHA-512", sha512),
  hmacSha256: (key, data) => Portable.computed(() => Portable.hmacSha256(key, data)),
  hkdfSha256: (ikm, salt, info, length) => Portable.computed(() => Portable.hkdfSha256(ikm, salt, info, length)),
  aeadSeal: (aead, plaintext) => Portable.computed(() => Portable.aeadSeal(aead, plaintext)),
  aeadSealInto: (aead, plaintext, output) => Effect.sync(() => Portable.aeadSealInto(aead, plaintext, output)),
  aeadOpen: Portable.aeadOpen,
  importSeed: (redacted) =>
    Effect.promise(async () => {
      const { seed, publicKey } = Portable.readSeed(redacted)
      const [signing, agreeing] = await Promise.all([
        privateKey("Ed25519", seed).catch(() => undefined),
        privateKey("X25519", ed25519.utils.toMontgomerySecret(seed))
      ])
      return handles.secretKey(publicKey, { ed25519: signing, x25519: agreeing, seed })
    }),
  sign: (key, message) =>
    Effect.promise(async () => {
      const { ed25519: own, seed } = handles.secret(key)
      return own === undefined
        ? ed25519.sign(message, seed)
        : new Uint8Array(await subtle().sign("Ed25519", own, source(message)))
    }),
  signSync: (key, message) => ed25519.sign(message, handles.secret(key).seed),
  verify,
  agree: (key, peer) => Effect.suspend(() => agree(handles.secret(key).x25519, peer)),
  ephemeral: (given) =>
    Effect.promise(async () => {
      if (given === undefined) {
        const pair = await generatePair()
        const publicKey = new Uint8Array(await subtle().exportKey("raw", pair.publicKey))
        return handles.ephemeralKey(publicKey, { x25519: pair.privateKey })
      }
      const scalar = Portable.exactly(given, Limits.keyBytes, "X25519 scalar")
      return handles.ephemeralKey(x25519.getPublicKey(scalar), { x25519: await privateKey("X25519", scalar) })
    }),
  agreeEphemeral: (key, peer) => Effect.suspend(() => agree(handles.ephemeral(key).x25519, peer)),
  agreeWithEphemeral: (key, enc) => Effect.suspend(() => agree(handles.secret(key).x25519, enc))
})

/** A signature with a torsioned R under an admissible key, which a cofactored verifier accepts. */
const torsioned = {
  key: "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12",
  message: '{"type":"kez.claim"}',
  signature:
    "3ca40d9bdb2e49622cc48561a824a21b5d55215b5d5fae10264029508be9a2d4" +
    "c57fef34f5a5d3322a7f6585dbf38d3a9921031e7b76114174b381e232d0580d"
} as const

/** Why the platform cannot be used: a curve is missing, or it verifies with the cofactor; undefined if it can. */
const probe = async (): Promise<string | undefined> => {
  if (globalThis.crypto?.subtle === undefined) return "crypto.subtle exists only on https pages and on localhost"
  await generatePair()
  const accepted = await platformVerify(
    Result.getOrThrow(admitHex(torsioned.key)),
    sha512(Bytes.utf8(torsioned.message)),
    Result.getOrThrow(Bytes.fromHex(torsioned.signature))
  )
  return accepted ? "it accepts Ed25519 signatures that other verifiers refuse" : undefined
}

/** The WebCrypto backend, after checking the platform. */
export const layer: Layer.Layer<Crypto, CryptoUnavailable> = Layer.effect(
  Crypto,
  Effect.tryPromise({
    try: probe,
    catch: (cause) => new CryptoUnavailable({ backend: "webcrypto", detail: "Ed25519 or X25519 is missing", cause })
  }).pipe(
    Effect.flatMap((detail) =>
      detail === undefined
        ? Effect.succeed(service)
        : Effect.fail(new CryptoUnavailable({ backend: "webcrypto", detail }))
    )
  )
)
