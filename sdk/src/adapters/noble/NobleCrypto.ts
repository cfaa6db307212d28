/** `Crypto` on noble: pure JavaScript on every platform, synchronous; curves are 15 to 40 times slower. */
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Limits from "../../protocol/Limits.ts"
import { Crypto, ZeroSharedSecret } from "../../services/Crypto.ts"
import * as Ed25519Equation from "../crypto-core/Ed25519Equation.ts"
import * as Handles from "../crypto-core/Handles.ts"
import * as Portable from "../crypto-core/Portable.ts"

interface Secret {
  readonly seed: Uint8Array
  readonly scalar: Uint8Array
}
interface Ephemeral {
  readonly scalar: Uint8Array
}
const handles = Handles.make<Secret, Ephemeral>("noble")

const agree = (scalar: () => Uint8Array, peer: () => Uint8Array): Effect.Effect<Uint8Array, ZeroSharedSecret> =>
  Effect.flatMapEager(
    Portable.computed(() => [scalar(), peer()] as const),
    (inputs) => {
      try {
        return Effect.succeed(x25519.getSharedSecret(...inputs))
      } catch {
        // Lengths are already checked, so noble can only throw for the all-zero result.
        return Effect.fail(new ZeroSharedSecret())
      }
    }
  )

const service = Crypto.of({
  backend: "noble",
  randomBytes: (length) => Effect.sync(() => Portable.randomBytes(length)),
  sha256: (data) => Portable.computed(() => sha256(data)),
  sha512: (data) => Portable.computed(() => sha512(data)),
  hmacSha256: (key, data) => Portable.computed(() => Portable.hmacSha256(key, data)),
  hkdfSha256: (ikm, salt, info, length) => Portable.computed(() => Portable.hkdfSha256(ikm, salt, info, length)),
  aeadSeal: (aead, plaintext) => Portable.computed(() => Portable.aeadSeal(aead, plaintext)),
  aeadSealInto: (aead, plaintext, output) => Effect.sync(() => Portable.aeadSealInto(aead, plaintext, output)),
  aeadOpen: Portable.aeadOpen,
  importSeed: (redacted) =>
    Effect.sync(() => {
      const { seed, publicKey } = Portable.readSeed(redacted)
      return handles.secretKey(publicKey, { seed, scalar: ed25519.utils.toMontgomerySecret(seed) })
    }),
  sign: (key, message) => Portable.computed(() => ed25519.sign(message, handles.secret(key).seed)),
  signSync: (key, message) => ed25519.sign(message, handles.secret(key).seed),
  verify: (key, message, signature) => Portable.computed(() => Ed25519Equation.verify(key, message, signature)),
  agree: (key, peer) =>
    agree(
      () => handles.secret(key).scalar,
      () => peer.x25519
    ),
  ephemeral: (given) =>
    Effect.sync(() => {
      const scalar = given === undefined ? Portable.randomBytes(Limits.keyBytes) : scalarOf(given)
      return handles.ephemeralKey(x25519.getPublicKey(scalar), { scalar })
    }),
  agreeEphemeral: (key, peer) =>
    agree(
      () => handles.ephemeral(key).scalar,
      () => Portable.x25519Of(peer)
    ),
  agreeWithEphemeral: (key, enc) =>
    agree(
      () => handles.secret(key).scalar,
      () => Portable.x25519Of(enc)
    )
})

const scalarOf = (given: Uint8Array) => Portable.exactly(given, Limits.keyBytes, "X25519 scalar").slice()

/** The noble backend. */
export const layer: Layer.Layer<Crypto> = Layer.succeed(Crypto, service)
