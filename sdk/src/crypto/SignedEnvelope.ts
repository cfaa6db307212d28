/** Verifies and hashes envelopes (spec: envelope). `Identity` signs them. */
import { schnorr } from "@noble/curves/secp256k1.js"
import * as Effect from "effect/Effect"
import * as Bytes from "../protocol/encoding/Bytes.ts"
import * as Envelope from "../protocol/sigchain/Envelope.ts"
import * as Hash from "../protocol/encoding/Hash.ts"
import * as PrimaryKey from "../protocol/identity/PrimaryKey.ts"
import { Problem } from "../protocol/Problem.ts"
import { Crypto, type SecretKey } from "../services/Crypto.ts"

type Service = Crypto["Service"]

/** The hash that refers to an envelope: `sha256:` and 64 hex digits over its JCS form. */
export const hash = (envelope: Envelope.Envelope): Effect.Effect<string, never, Crypto> =>
  Crypto.use((crypto) => hashEncoded(crypto, Envelope.encode(envelope)))

/** {@link hash} of an already encoded envelope. */
export const hashEncoded = (crypto: Service, encoded: Uint8Array): Effect.Effect<string> =>
  Effect.mapEager(crypto.sha256(encoded), (digest) => Hash.format("sha256", digest))

/** The admitted signer of an envelope with a valid signature; `signature_invalid`, or the problem of its key. */
export const verify = (envelope: Envelope.Envelope): Effect.Effect<PrimaryKey.Parsed, Problem, Crypto> =>
  Crypto.use((crypto) => verifyBytes(crypto, Envelope.signedBytes(envelope.payload), envelope.signature))

/** Whether `signature` is valid over these signed bytes. Maps each algorithm name to its computation. */
export const verifyBytes = Effect.fnUntracedEager(function* (
  crypto: Service,
  signedBytes: Uint8Array,
  { alg, key, sig }: Envelope.Signature
): Effect.fn.Return<PrimaryKey.Parsed, Problem> {
  const signer = yield* Effect.fromResult(PrimaryKey.parse(key))
  const signature = yield* Effect.fromResult(Bytes.fromHex(sig))
  if (Envelope.algorithms[alg].system !== signer.system) {
    return yield* new Problem({ code: "algorithm_unsupported", detail: `${alg} does not go with ${key}` })
  }
  const message = yield* digest(crypto, alg, signedBytes)
  const signatureHolds =
    signer.system === "ed25519"
      ? yield* crypto.verify(signer.key, message, signature)
      : verifySchnorr(signature, message, signer.x)
  if (!signatureHolds) return yield* new Problem({ code: "signature_invalid", detail: `not signed by ${key}` })
  return signer
})

/** The 64-byte Ed25519 signature over a payload's text, as an envelope carries it. */
export const signText = (crypto: Service, secret: SecretKey, signedText: string): Effect.Effect<Envelope.Signature> => {
  const alg = Envelope.algorithmOf("ed25519")
  return Effect.map(
    Effect.flatMap(digest(crypto, alg, Bytes.utf8(signedText)), (message) => crypto.sign(secret, message)),
    (signature) => ({ alg, key: PrimaryKey.format(secret.publicKey), sig: Bytes.toHex(signature) })
  )
}

const digest = (crypto: Service, alg: Envelope.Algorithm, signedBytes: Uint8Array): Effect.Effect<Uint8Array> =>
  crypto[Envelope.algorithms[alg].digest](signedBytes)

/** BIP-340. An x that is not on the curve verifies nothing. */
const verifySchnorr = (signature: Uint8Array, message: Uint8Array, x: Uint8Array): boolean => {
  try {
    return schnorr.verify(signature, message, x)
  } catch {
    return false
  }
}
