/** Which rule makes a signature: every combination of bytes, digest and scheme that somebody might have meant. */
import { ed25519ph } from "@noble/curves/ed25519.js"
import { schnorr, secp256k1 } from "@noble/curves/secp256k1.js"
import { Canonical, type Json, PrimaryKey } from "@kez-chat/sdk/protocol"
import * as Result from "effect/Result"
import { createHash, createPublicKey, verify } from "node:crypto"
import { isObject, type JsonObject, slices } from "./LooseJson.ts"
import type { Found } from "./Reading.ts"

export interface Rule {
  /** Descriptions that give the same bytes here, so that this signature cannot tell them apart. */
  readonly messages: ReadonlyArray<string>
  /** Scheme and digest: `Ed25519 over SHA-512`. */
  readonly scheme: string
}

/** The rules of this project, as they are named here. */
export const ours = { message: "JCS(payload)", ed25519: "Ed25519 over SHA-512", nostr: "BIP-340 over SHA-256" } as const

/** The canonical text; undefined where a value has none, as with a lone surrogate. */
export const canonical = (value: unknown): string | undefined => {
  try {
    return Canonical.encodeText(value as Json.Json)
  } catch {
    return undefined
  }
}

const without = (value: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([other]) => other !== name))

/** Bytes that may have been signed, each with what it is. */
const messagesOf = ({ text, value }: Found): ReadonlyArray<readonly [name: string, text: string | undefined]> => {
  const payload = value["payload"] as JsonObject
  const signature = isObject(value["signature"]) ? value["signature"] : {}
  const jcs = canonical(payload)
  const { type } = payload
  const prefixes = [value["kez"], type, signature["alg"], "kez"].filter((prefix) => typeof prefix === "string")
  return [
    [ours.message, jcs],
    ["the payload's text as it stands", slices(text, ["payload"])[0]],
    ["the payload without white space, its members in their order", JSON.stringify(payload)],
    ["the payload indented by two", JSON.stringify(payload, null, 2)],
    ["JCS(payload) and a line feed", jcs === undefined ? undefined : `${jcs}\n`],
    ["JCS(envelope without signature)", canonical(without(value, "signature"))],
    ["JCS(envelope without sig)", canonical({ ...value, signature: without(signature, "sig") })],
    ["JCS(envelope with an empty sig)", canonical({ ...value, signature: { ...signature, sig: "" } })],
    ["JCS(payload and signature without sig)", canonical({ payload, signature: without(signature, "sig") })],
    ["JCS([kez, payload])", canonical([value["kez"] ?? null, payload])],
    ["the envelope without signature, its members in their order", JSON.stringify(without(value, "signature"))],
    ["JCS(payload with kez)", canonical({ ...payload, kez: value["kez"] ?? null })],
    ["JCS(payload with alg and key)", canonical({ ...payload, ...without(signature, "sig") })],
    ...(["prev", "expires_at"] as const)
      .filter((name) => !Object.hasOwn(payload, name))
      .map((name) => [`JCS(payload with ${name} null)`, canonical({ ...payload, [name]: null })] as const),
    ...Object.keys(payload)
      .slice(0, 16)
      .map((name) => [`JCS(payload without ${name.slice(0, 32)})`, canonical(without(payload, name))] as const),
    ...prefixes.flatMap((prefix) =>
      ["", ":", "\n", "\0", "."].map(
        (separator) =>
          [
            `${JSON.stringify((prefix + separator).slice(0, 40))} and JCS(payload)`,
            jcs === undefined ? undefined : prefix + separator + jcs
          ] as const
      )
    )
  ]
}

const digest = (name: string) => (bytes: Uint8Array) => createHash(name).update(bytes).digest()
const inHex = (name: string) => (bytes: Uint8Array) => Buffer.from(createHash(name).update(bytes).digest("hex"))
const twice = (name: string) => (bytes: Uint8Array) => digest(name)(digest(name)(bytes))

const digests: ReadonlyArray<readonly [name: string, of: (bytes: Uint8Array) => Uint8Array]> = [
  ["SHA-512", digest("sha512")],
  ["SHA-256", digest("sha256")],
  ["the bytes themselves", (bytes) => bytes],
  ["SHA-512 in hexadecimal", inHex("sha512")],
  ["SHA-256 in hexadecimal", inHex("sha256")],
  ["SHA-512/256", digest("sha512-256")],
  ["SHA-256 twice", twice("sha256")],
  ["BLAKE2b-512", digest("blake2b512")]
]

type Verify = (signature: Uint8Array, message: Uint8Array) => boolean

/** Whatever a curve refuses to read has not signed. */
const safely =
  (check: Verify): Verify =>
  (signature, message) => {
    try {
      return check(signature, message)
    } catch {
      return false
    }
  }

type Scheme = readonly [name: string, digests: typeof digests, verify: Verify]

/** Digests that a scheme makes itself. */
const asItIs = digests.filter(([name]) => name === "the bytes themselves")
const short = digests.filter(([name]) => ["SHA-256", "SHA-512/256", "SHA-256 twice"].includes(name))

const ed25519Schemes = (key: Uint8Array): ReadonlyArray<Scheme> => {
  const x = Buffer.from(key).toString("base64url")
  const publicKey = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } })
  return [
    ["Ed25519", digests, (signature, message) => verify(null, message, publicKey, signature)],
    ["Ed25519ph", asItIs, (signature, message) => ed25519ph.verify(signature, message, key)]
  ]
}

const nostrSchemes = (x: Uint8Array): ReadonlyArray<Scheme> => [
  ["BIP-340", digests, (signature, message) => schnorr.verify(signature, message, x)],
  [
    "ECDSA",
    short,
    (signature, message) =>
      [2, 3].some((sign) =>
        secp256k1.verify(signature, message, Uint8Array.of(sign, ...x), { prehash: false, lowS: false })
      )
  ]
]

/** A key in any spelling that gives 32 bytes, and its system. */
export const keyOf = (
  key: unknown
): { readonly system: "ed25519" | "nostr"; readonly bytes: Uint8Array } | undefined => {
  if (typeof key !== "string") return undefined
  const parsed = PrimaryKey.parse(key)
  if (Result.isSuccess(parsed)) {
    const { success } = parsed
    return success.system === "ed25519"
      ? { system: "ed25519", bytes: success.key.ed25519 }
      : { system: "nostr", bytes: success.x }
  }
  const [, system, digits = ""] = /^(?:(ed25519|nostr):)?(.{43,66})$/i.exec(key) ?? []
  const bytes = bytesOf(digits, 32)
  return bytes === undefined ? undefined : { system: system?.toLowerCase() === "nostr" ? "nostr" : "ed25519", bytes }
}

/** Bytes of a known number in hexadecimal, base64 or base64url. */
export const bytesOf = (text: string, length: number): Uint8Array | undefined => {
  const [, hex] = /^(?:0x)?([0-9a-f]*)$/i.exec(text) ?? []
  if (hex?.length === 2 * length) return Buffer.from(hex, "hex")
  const decoded = /^[A-Za-z0-9+/_-]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined
  return decoded?.length === length ? decoded : undefined
}

/** The signature's text, from where envelopes have it. */
export const signatureOf = ({ value }: Found): { readonly key: unknown; readonly sig: unknown } => {
  const { payload, signature } = value
  const primary = isObject(payload) ? (payload["primary"] ?? payload["from"]) : undefined
  return isObject(signature)
    ? { key: signature["key"] ?? primary, sig: signature["sig"] }
    : { key: value["key"] ?? primary, sig: value["sig"] }
}

export interface Tried {
  readonly system: "ed25519" | "nostr"
  /** The rule that verifies, if any does. */
  readonly rule?: Rule
  /** Combinations that were tried. */
  readonly tried: number
}

/**
 * Looks for the rule of a signature: this project's own first, and then, if asked, every other. A sentence if there is
 * no key or signature to try.
 */
export const findRule = (one: Found, everyRule: boolean): Tried | string => {
  const { key, sig } = signatureOf(one)
  const signer = keyOf(key)
  if (signer === undefined) return "the key is in no form that can be tried"
  const signature = typeof sig === "string" ? bytesOf(sig, 64) : undefined
  if (signature === undefined) return "the signature is not 64 bytes in hexadecimal or base64"
  const { bytes, system } = signer
  const schemes = system === "ed25519" ? ed25519Schemes(bytes) : nostrSchemes(bytes)
  const messages = new Map<string, Array<string>>()
  for (const [name, text] of messagesOf(one))
    if (text !== undefined) messages.set(text, [...(messages.get(text) ?? []), name])
  let tried = 0
  for (const [text, names] of messages) {
    const content = Buffer.from(text)
    for (const [scheme, digests, check] of schemes)
      for (const [digest, of] of digests) {
        tried += 1
        if (safely(check)(signature, of(content)))
          return { system, tried, rule: { messages: names, scheme: `${scheme} over ${digest}` } }
        if (!everyRule) return { system, tried }
      }
  }
  return { system, tried }
}
