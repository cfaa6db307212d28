/** `Crypto` on node:crypto, the fastest backend, for Node. */
import * as NodeApi from "node:crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { availableParallelism } from "node:os"
import type { AdmittedKey } from "../../protocol/identity/KeyAdmission.ts"
import * as KeyAdmission from "../../protocol/identity/KeyAdmission.ts"
import * as Bytes from "../../protocol/encoding/Bytes.ts"
import * as Limits from "../../protocol/Limits.ts"
import { type Aead, Crypto, ZeroSharedSecret } from "../../services/Crypto.ts"
import * as Ed25519Equation from "../crypto-core/Ed25519Equation.ts"
import * as Handles from "../crypto-core/Handles.ts"
import * as Portable from "../crypto-core/Portable.ts"
import * as CryptoThread from "./CryptoThread.ts"

interface Secret {
  readonly ed25519: NodeApi.KeyObject
  readonly x25519: NodeApi.KeyObject
}
interface Ephemeral {
  readonly x25519: NodeApi.KeyObject
}
const handles = Handles.make<Secret, Ephemeral>("node")

const ed25519Keys = new WeakMap<AdmittedKey, NodeApi.KeyObject>()
const x25519Keys = new WeakMap<AdmittedKey, NodeApi.KeyObject>()

const publicKey = (curve: "Ed25519" | "X25519", bytes: Uint8Array) =>
  NodeApi.createPublicKey({ key: { kty: "OKP", crv: curve, x: Bytes.toBase64Url(bytes) }, format: "jwk" })

/**
 * Node tells kinds of keys apart by exceptions that it catches itself. Their stack traces cost 10 us an operation and 30
 * an import, a third of the whole.
 */
const withoutStackTraces = <A>(run: () => A): A => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** The result of a computation, as an effect that is complete. */
const computed = <A>(compute: () => A): Effect.Effect<A> => Portable.computed(() => withoutStackTraces(compute))

const privateKey = (curve: "Ed25519" | "X25519", bytes: Uint8Array) => {
  const der = Buffer.concat([Buffer.from(Portable.pkcs8[curve], "hex"), bytes])
  const key = NodeApi.createPrivateKey({ key: der, format: "der", type: "pkcs8" })
  der.fill(0)
  return key
}

/** noble's first multiplication fills tables for some 50 ms, which a program that lives a second would notice. */
const publicKeyOf = (seed: Uint8Array): Uint8Array =>
  NodeApi.createPublicKey(privateKey("Ed25519", seed))
    .export({ format: "der", type: "spki" })
    .subarray(-Limits.keyBytes)

const keyPair = (scalar: Uint8Array) => {
  const key = privateKey("X25519", Portable.exactly(scalar, Limits.keyBytes, "X25519 scalar"))
  return { privateKey: key, publicKey: NodeApi.createPublicKey(key) }
}

/** Converts a Buffer, whose `slice` shares memory and which is often part of a pool, to a plain Uint8Array. */
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

const signerKey = (key: AdmittedKey) => Portable.cached(ed25519Keys, key, () => publicKey("Ed25519", key.ed25519))

const peerKey = (peer: AdmittedKey | Uint8Array) =>
  peer instanceof Uint8Array
    ? publicKey("X25519", Portable.x25519Of(peer))
    : Portable.cached(x25519Keys, peer, () => publicKey("X25519", peer.x25519))

const agree = (
  ownKey: () => NodeApi.KeyObject,
  peer: AdmittedKey | Uint8Array
): Effect.Effect<Uint8Array, ZeroSharedSecret> => {
  try {
    return withoutStackTraces(() =>
      Effect.succeed(plain(NodeApi.diffieHellman({ privateKey: ownKey(), publicKey: peerKey(peer) })))
    )
  } catch (error) {
    // OpenSSL refuses an all-zero secret (RFC 7748 section 6.1); with two imported keys nothing else can fail.
    if ((error as NodeJS.ErrnoException).code === "ERR_OSSL_FAILED_DURING_DERIVATION") {
      return Effect.fail(new ZeroSharedSecret())
    }
    return Effect.die(error)
  }
}

const cipherName = "chacha20-poly1305"
const cipherOptions = { authTagLength: Limits.tagBytes }

const seal = (aead: Aead, plaintext: Uint8Array): { readonly body: Buffer; readonly tag: Buffer } => {
  const { key, nonce, aad } = Portable.checked(aead)
  const cipher = NodeApi.createCipheriv(cipherName, NodeApi.createSecretKey(key), nonce, cipherOptions)
  cipher.setAAD(aad, { plaintextLength: plaintext.length })
  const body = cipher.update(plaintext)
  cipher.final()
  return { body, tag: cipher.getAuthTag() }
}

const aeadSeal = (aead: Aead, plaintext: Uint8Array): Uint8Array => {
  const { body, tag } = seal(aead, plaintext)
  return Bytes.concat(body, tag)
}

const aeadSealInto = (aead: Aead, plaintext: Uint8Array, output: Uint8Array): void => {
  Portable.exactly(output, plaintext.length + Limits.tagBytes, "AEAD output")
  const { body, tag } = seal(aead, plaintext)
  output.set(body)
  output.set(tag, body.length)
}

/** The plaintext, or undefined. */
const aeadOpen = (aead: Aead, ciphertext: Uint8Array): Uint8Array | undefined => {
  const { key, nonce, aad } = Portable.checked(aead)
  const end = ciphertext.length - Limits.tagBytes
  if (end < 0) return undefined
  const decipher = NodeApi.createDecipheriv(cipherName, NodeApi.createSecretKey(key), nonce, cipherOptions)
  decipher.setAAD(aad, { plaintextLength: end })
  decipher.setAuthTag(ciphertext.subarray(end))
  const body = decipher.update(ciphertext.subarray(0, end))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain(body)
}

const sha256 = (data: Uint8Array): Uint8Array => plain(NodeApi.hash("sha256", data, "buffer"))

/** Bytes of a block and of a digest of SHA-256. */
const blockBytes = 64
const digestBytes = 32

/** RFC 2104. Two hashes in one call each take two thirds of the time that `createHmac` takes for its objects. */
const hmacSha256 = (key: Uint8Array, data: Uint8Array): Uint8Array => {
  const short = key.length > blockBytes ? sha256(key) : key
  const inner = new Uint8Array(blockBytes + data.length).fill(0x36, 0, blockBytes)
  const outer = new Uint8Array(blockBytes + digestBytes).fill(0x5c, 0, blockBytes)
  for (let i = 0; i < short.length; i++) {
    inner[i]! ^= short[i]!
    outer[i]! ^= short[i]!
  }
  inner.set(data, blockBytes)
  outer.set(sha256(inner), blockBytes)
  return sha256(outer)
}

/** node:crypto's limit on `info`, which RFC 5869 does not have. */
const hkdfInfoBytes = 1024

const service = Crypto.of({
  backend: "node",
  randomBytes: (length) => Effect.sync(() => NodeApi.randomFillSync(new Uint8Array(length))),
  sha256: (data) => computed(() => sha256(data)),
  sha512: (data) => computed(() => plain(NodeApi.hash("sha512", data, "buffer"))),
  hmacSha256: (key, data) => computed(() => hmacSha256(key, data)),
  hkdfSha256: (ikm, salt, info, length) =>
    computed(() =>
      info.length > hkdfInfoBytes
        ? Portable.hkdfSha256(ikm, salt, info, length)
        : new Uint8Array(NodeApi.hkdfSync("sha256", NodeApi.createSecretKey(ikm), salt, info, length))
    ),
  aeadSeal: (aead, plaintext) => computed(() => aeadSeal(aead, plaintext)),
  aeadSealInto: (aead, plaintext, output) => Effect.sync(() => aeadSealInto(aead, plaintext, output)),
  aeadOpen: (aead, ciphertext) => Portable.opened(computed(() => aeadOpen(aead, ciphertext))),
  importSeed: (redacted) =>
    Effect.sync(() => {
      const { seed, publicKey } = Portable.readSeed(redacted, publicKeyOf)
      return handles.secretKey(publicKey, {
        ed25519: privateKey("Ed25519", seed),
        // RFC 8032 section 5.1.5: the scalar is the first half of the hash; X25519 clamps it the same way.
        x25519: privateKey("X25519", NodeApi.hash("sha512", seed, "buffer").subarray(0, Limits.keyBytes))
      })
    }),
  sign: (key, message) => computed(() => plain(NodeApi.sign(null, message, handles.secret(key).ed25519))),
  signSync: (key, message) => plain(NodeApi.sign(null, message, handles.secret(key).ed25519)),
  // OpenSSL checks S < L and compares encode(S*B - k*A) with R, which is the rule for admitted keys. Its versions
  // disagree only for R = identity.
  verify: (key, message, signature) =>
    computed(() =>
      Ed25519Equation.hasIdentityR(signature)
        ? Ed25519Equation.verify(key, message, signature)
        : NodeApi.verify(null, message, signerKey(key), signature)
    ),
  agree: (key, peer) => agree(() => handles.secret(key).x25519, peer),
  ephemeral: (given) =>
    Effect.sync(() =>
      withoutStackTraces(() => {
        const { privateKey, publicKey } = given === undefined ? NodeApi.generateKeyPairSync("x25519") : keyPair(given)
        const { x } = publicKey.export({ format: "jwk" })
        return handles.ephemeralKey(plain(Buffer.from(x as string, "base64url")), { x25519: privateKey })
      })
    ),
  agreeEphemeral: (key, peer) => agree(() => handles.ephemeral(key).x25519, peer),
  agreeWithEphemeral: (key, enc) => agree(() => handles.secret(key).x25519, enc)
})

const x25519Prefix = Buffer.from("302a300506032b656e032100", "hex")

/** X25519 of a scalar and points, for the admission of keys; undefined where node:crypto refuses. */
const multiplyBy = (scalar: Uint8Array) => {
  const key = privateKey("X25519", scalar)
  return (point: Uint8Array): Uint8Array | undefined => {
    try {
      const der = Buffer.concat([x25519Prefix, point])
      const publicKey = NodeApi.createPublicKey({ key: der, format: "der", type: "spki" })
      return NodeApi.diffieHellman({ privateKey: key, publicKey })
    } catch {
      return undefined
    }
  }
}

/** What a program chooses about the node:crypto backend. */
export interface NodeCryptoOptions {
  /**
   * Threads that help to open a backlog, started with the first one and ended after the last. Default: 1, or 0 where there
   * is one processor.
   */
  readonly workers?: 0 | 1
}

/** The node:crypto backend. Where it is built, keys are admitted faster, too. */
export const layerWith = ({ workers = availableParallelism() > 1 ? 1 : 0 }: NodeCryptoOptions): Layer.Layer<Crypto> =>
  Layer.effect(
    Crypto,
    Effect.gen(function* () {
      KeyAdmission.accelerate(multiplyBy)
      if (workers === 0) return service
      return { ...service, apart: yield* CryptoThread.make(service, (key) => handles.secret(key).x25519) }
    })
  )

/** {@link layerWith} without options. */
export const layer: Layer.Layer<Crypto> = layerWith({})
