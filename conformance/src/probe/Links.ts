/** What `prev` of an event is a hash of: every combination of bytes, hash function and spelling worth trying. */
import { blake3 } from "@noble/hashes/blake3.js"
import { createHash } from "node:crypto"
import { type JsonObject, slices } from "./LooseJson.ts"
import type { Found } from "./Reading.ts"
import { bytesOf, canonical, signatureOf } from "./SigningRules.ts"

export interface Link {
  /** Descriptions that give the same bytes here. */
  readonly inputs: ReadonlyArray<string>
  readonly hash: string
}

/** This project's rule, as it is named here. */
export const ours = { input: "JCS(envelope)", hash: "SHA-256" } as const

const inputsOf = (before: Found): ReadonlyArray<readonly [name: string, bytes: Uint8Array | string | undefined]> => {
  const { text, value } = before
  const payload = value["payload"] as JsonObject
  const jcs = canonical(value)
  const { sig } = signatureOf(before)
  const withoutSignature: JsonObject = Object.fromEntries(
    Object.entries(value).filter(([name]) => name !== "signature")
  )
  return [
    [ours.input, jcs],
    ["the envelope's text as it stands", text],
    ["the envelope's text and a line feed", `${text}\n`],
    ["the envelope without white space, its members in their order", JSON.stringify(value)],
    ["JCS(envelope) and a line feed", jcs === undefined ? undefined : `${jcs}\n`],
    ["JCS(payload)", canonical(payload)],
    ["the payload's text as it stands", slices(text, ["payload"])[0]],
    ["the payload without white space, its members in their order", JSON.stringify(payload)],
    ["JCS(envelope without signature)", canonical(withoutSignature)],
    ["JCS(signature)", canonical(value["signature"] ?? null)],
    ["the signature's bytes", typeof sig === "string" ? bytesOf(sig, 64) : undefined],
    ["the signature's text", typeof sig === "string" ? sig : undefined]
  ]
}

const hashes: ReadonlyArray<readonly [name: string, of: (bytes: Uint8Array | string) => Uint8Array]> = [
  [ours.hash, (bytes) => createHash("sha256").update(bytes).digest()],
  ["SHA-512", (bytes) => createHash("sha512").update(bytes).digest()],
  ["SHA-512/256", (bytes) => createHash("sha512-256").update(bytes).digest()],
  ["SHA-3-256", (bytes) => createHash("sha3-256").update(bytes).digest()],
  ["BLAKE2b-512", (bytes) => createHash("blake2b512").update(bytes).digest()],
  ["BLAKE3", (bytes) => blake3(Buffer.from(bytes))]
]

/** What `prev` may be after an event, by each input and SHA-256; this project's own first, none twice. */
export const possibleLinks = (before: Found): ReadonlyArray<readonly [input: string, prev: string]> => {
  const links = new Map<string, string>()
  for (const [input, bytes] of inputsOf(before)) {
    if (bytes === undefined) continue
    const prev = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
    if (!links.has(prev)) links.set(prev, input)
  }
  return [...links].map(([prev, input]) => [input, prev])
}

/** The digest that a `prev` names, however it is spelt. */
const digestOf = (prev: string): Uint8Array | undefined => {
  const digits = prev.slice(prev.lastIndexOf(":") + 1)
  return bytesOf(digits, 32) ?? bytesOf(digits, 64)
}

/** The rule by which `prev` refers to the event before it; undefined if none that is tried fits. */
export const findLink = (prev: string, before: Found): Link | undefined => {
  const digest = digestOf(prev)
  if (digest === undefined) return undefined
  for (const [hash, of] of hashes) {
    const inputs = inputsOf(before).flatMap(([name, bytes]) =>
      bytes !== undefined && Buffer.compare(of(bytes), digest) === 0 ? [name] : []
    )
    if (inputs.length > 0) return { inputs, hash }
  }
  return undefined
}
