/**
 * The signed envelope of every statement: `{"kez": KIND, "payload": {...}, "signature": {"alg", "key", "sig"}}` (spec:
 * envelope). Only the payload is signed, so its `type`, `version` and signer must agree with KIND and key. Unknown
 * payload members are kept; envelope and `signature` allow no others, since no signature would cover them.
 */
import * as Result from "effect/Result"
import * as Bytes from "../encoding/Bytes.ts"
import * as Canonical from "../encoding/Canonical.ts"
import * as Json from "../encoding/Json.ts"
import * as Limits from "../Limits.ts"
import { Members } from "../encoding/Members.ts"
import * as PrimaryKey from "../identity/PrimaryKey.ts"
import { fail, type Problem } from "../Problem.ts"

/** KIND -> the payload type, and the payload member that names the signer. */
export const kinds = {
  claim: { type: "kez.claim", signer: "primary" },
  sigchain_event: { type: "kez.sigchain.event", signer: "primary" },
  handle_registration: { type: "kez.chat.handle_registration", signer: "primary" },
  handle_deletion: { type: "kez.chat.handle_deletion", signer: "primary" },
  handle_transfer: { type: "kez.chat.handle_transfer", signer: "primary" },
  chat_message: { type: "kez.chat.message", signer: "from" },
  shared_files: { type: "kez.chat.shared_files", signer: "primary" },
  report: { type: "kez.chat.report", signer: "primary" },
  acceptance: { type: "kez.chat.acceptance", signer: "key" }
} as const

export type Kind = keyof typeof kinds

/** Version of every payload of this specification. */
export const version = 1

/**
 * An algorithm's key system and the digest of {@link signedBytes} that is signed. The Ed25519 row is inferred from its
 * name, without a published KEZ signature to confirm it.
 */
export const algorithms = {
  "ed25519-sha512-jcs": { system: "ed25519", digest: "sha512" },
  "nostr-secp256k1-schnorr-sha256-jcs": { system: "nostr", digest: "sha256" }
} as const

export type Algorithm = keyof typeof algorithms

/** The algorithm for keys of a system. */
export const algorithmOf = (system: "ed25519" | "nostr"): Algorithm =>
  system === "ed25519" ? "ed25519-sha512-jcs" : "nostr-secp256k1-schnorr-sha256-jcs"

export interface Signature {
  readonly alg: Algorithm
  /** The signer's primary, `ed25519:<hex>` or `nostr:npub1...`. */
  readonly key: string
  /** 64 bytes as 128 lower-case hex digits. */
  readonly sig: string
}

/** A well-formed envelope. Its signature is unchecked until `SignedEnvelope.verify` (crypto). */
export interface Envelope {
  readonly kez: Kind
  readonly payload: Json.JsonObject
  readonly signature: Signature
}

const onlyMembers = (json: Json.JsonObject, names: ReadonlyArray<string>): boolean => {
  const present = Object.keys(json)
  return present.length === names.length && present.every((name) => names.includes(name))
}

/** The envelope in a JSON value. Checks form, kind and that the signer's key is admissible; not the signature. */
export const fromJson = (json: Json.Json): Result.Result<Envelope, Problem> => {
  if (!Json.isObject(json) || !onlyMembers(json, ["kez", "payload", "signature"])) {
    return fail("envelope_malformed", "expected exactly the members kez, payload and signature")
  }
  const { kez, payload, signature } = json
  if (!Json.isObject(payload)) return fail("envelope_malformed", "payload is not an object")
  if (!Json.isObject(signature) || !onlyMembers(signature, ["alg", "key", "sig"])) {
    return fail("envelope_malformed", "signature must have exactly the members alg, key and sig")
  }
  const { alg, key, sig } = signature
  if (typeof alg !== "string" || typeof key !== "string") {
    return fail("envelope_malformed", "signature: alg and key must be strings")
  }
  if (!Object.hasOwn(algorithms, alg))
    return fail("algorithm_unsupported", `alg is ${JSON.stringify(alg.slice(0, 64))}`)
  if (typeof sig !== "string" || !Bytes.isHex(sig, Limits.signatureBytes)) {
    return fail("envelope_malformed", "signature: sig is not 128 lower-case hex digits")
  }
  if (typeof kez !== "string" || !Object.hasOwn(kinds, kez)) return fail("envelope_kind", "kez is not a known kind")
  const kind = kinds[kez as Kind]
  if (payload["type"] !== kind.type) return fail("envelope_kind", `a ${kez} carries a payload of type ${kind.type}`)
  if (payload["version"] !== version) return fail("envelope_kind", `version is not ${version}`)
  if (payload[kind.signer] !== key) return fail("envelope_kind", `${kind.signer} is not the key that signed`)
  const signer = PrimaryKey.parse(key)
  if (Result.isFailure(signer)) return Result.fail(signer.failure)
  if (algorithms[alg as Algorithm].system !== signer.success.system) {
    return fail("algorithm_unsupported", `${alg} does not go with the key ${key}`)
  }
  return Result.succeed({ kez: kez as Kind, payload, signature: { alg: alg as Algorithm, key, sig } })
}

/** Parses an envelope strictly (spec: JSON); `maxBytes` bounds the input, default 64 KiB. */
export const parse = (
  input: string | Uint8Array,
  maxBytes: number = Limits.envelopeBytes
): Result.Result<Envelope, Problem> => Result.flatMap(Json.parse(input, { maxBytes }), fromJson)

const before = (kez: Kind): string => `{"kez":"${kez}","payload":`

const after = ({ alg, key, sig }: Signature): string => `,"signature":{"alg":"${alg}","key":"${key}","sig":"${sig}"}}`

/** An envelope with the bytes that verification and hashing need. */
export interface Parsed {
  readonly envelope: Envelope
  /** See {@link signedBytes}. */
  readonly signedBytes: Uint8Array
  /** JCS of the whole envelope. */
  readonly encoded: Uint8Array
}

/** {@link parse} for bytes that will be verified: canonical input, the usual case, is not serialised again. */
export const parseEncoded = (
  input: Uint8Array,
  maxBytes: number = Limits.envelopeBytes
): Result.Result<Parsed, Problem> => {
  const json = Json.parseText(input, { maxBytes })
  if (Result.isFailure(json)) return Result.fail(json.failure)
  const { canonical, value } = json.success
  return Result.map(fromJson(value), (envelope) => {
    const encoded = canonical ? input : encode(envelope)
    // The members have a fixed order and everything but the payload is ASCII, so the payload's position is known.
    const start = before(envelope.kez).length
    const end = encoded.length - after(envelope.signature).length
    return { envelope, signedBytes: encoded.subarray(start, end), encoded }
  })
}

/** A signature and its signed bytes, sliced out of an encoding. */
export type Cut = Pick<Parsed, "signedBytes"> & Pick<Envelope, "signature">

const cutTail = /^,"signature":\{"alg":"ed25519-sha512-jcs","key":"(ed25519:[0-9a-f]{64})","sig":"([0-9a-f]{128})"\}\}$/
const tailLength = after({ alg: "ed25519-sha512-jcs", key: PrimaryKey.blank, sig: "0".repeat(128) }).length

/**
 * The Ed25519 signature and signed bytes of an envelope in JCS form, by position, to check a megabyte before parsing
 * it. Undefined if the ends do not match; {@link parseEncoded} checks the rest.
 */
export const cut = (encoded: Uint8Array, kez: Kind): Cut | undefined => {
  const head = before(kez)
  const end = encoded.length - tailLength
  if (end < head.length || !Bytes.equal(encoded.subarray(0, head.length), Bytes.utf8(head))) return undefined
  const [, key, sig] = cutTail.exec(String.fromCharCode(...encoded.subarray(end))) ?? []
  if (key === undefined || sig === undefined) return undefined
  return { signedBytes: encoded.subarray(head.length, end), signature: { alg: "ed25519-sha512-jcs", key, sig } }
}

/** The payload of an envelope of `kind`, for reading its members. */
export const payloadOf = (envelope: Envelope, kind: Kind, code: Problem["code"]): Result.Result<Members, Problem> =>
  envelope.kez === kind
    ? Result.succeed(new Members(envelope.payload, code, kinds[kind].type))
    : fail("envelope_kind", `expected a ${kind}, found a ${envelope.kez}`)

/** The signed text, before the digest that {@link algorithms} names: the JCS form of the payload (RFC 8785). */
export const signedText = (payload: Json.JsonObject): string => Canonical.encodeText(payload)

/** {@link signedText} as UTF-8. */
export const signedBytes = (payload: Json.JsonObject): Uint8Array => Bytes.utf8(signedText(payload))

/** The JSON value of an envelope. */
export const toJson = (envelope: Envelope): Json.JsonObject => ({
  kez: envelope.kez,
  payload: envelope.payload,
  signature: { alg: envelope.signature.alg, key: envelope.signature.key, sig: envelope.signature.sig }
})

/** JCS of the whole envelope, without serialising its {@link signedText} again; the rest is ASCII without escapes. */
export const encodeTextWith = (kez: Kind, signedText: string, signature: Signature): string =>
  before(kez) + signedText + after(signature)

/** JCS of the whole envelope as text. */
export const encodeText = (envelope: Envelope): string =>
  encodeTextWith(envelope.kez, signedText(envelope.payload), envelope.signature)

/** JCS of the whole envelope, the form that is hashed, sealed and stored. */
export const encode = (envelope: Envelope): Uint8Array => Bytes.utf8(encodeText(envelope))
