/** Shims that are wrong about keys, words, names and JSON. */
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { pbkdf2Sync } from "node:crypto"
import { accepts, answers, confuses, finds, reads, refuses, type ShimMutant } from "./ShimMutant.ts"

interface Signed {
  readonly public_key: string
  readonly message: string
  readonly signature: string
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"))
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex")
const lower = (text: string) => text.toLowerCase()

const order = ed25519.Point.Fn.ORDER
const littleEndian = (data: Uint8Array) => BigInt(`0x${hex(data.toReversed())}`)

/** S as libraries read it that do not bound it. */
const reduced = ({ signature, ...rest }: Signed): Signed => {
  if (signature.length !== 128) return { ...rest, signature }
  const s = littleEndian(bytes(signature.slice(64))) % order
  return { ...rest, signature: signature.slice(0, 64) + hex(bytes(s.toString(16).padStart(64, "0")).toReversed()) }
}

/** Whether an encoding is a canonical one of a point that is not of small order, and still carries torsion. */
const hasOnlyTorsion = (primary: string): boolean => {
  try {
    const point = ed25519.Point.fromHex(primary.replace("ed25519:", ""))
    return !point.isSmallOrder() && !point.isTorsionFree()
  } catch {
    return false
  }
}

const words = (text: string) => text.trim().split(/\s+/)
const isPlain = ({ words: text }: { readonly words: string }) => text === words(text).join(" ").toLowerCase()

const keys: ReadonlyArray<ShimMutant> = [
  reads<{ primary: string }>("reads hexadecimal keys in any case", "primary.parse: KEY-001", ({ primary }) => ({
    primary: lower(primary)
  })),
  accepts<{ primary: string }>(
    "does not check the checksum of an npub",
    "primary.parse: KEY-002",
    "key_malformed",
    ({ primary }) => primary.startsWith("nostr:")
  ),
  accepts("admits every 32 bytes as a key", "primary.parse: KEY-006", "key_rejected"),
  accepts<{ primary: string }>(
    "looks for points of small order and not for torsion",
    "primary.parse: KEY-006",
    "key_rejected",
    ({ primary }) => hasOnlyTorsion(primary)
  ),
  accepts(
    "admits keys where they are typed in, and not where they arrive",
    "message.open | registration.check | sigchain.verify: KEY-007 DM-002 SIG-118",
    "key_rejected"
  ),
  accepts<{ body: unknown }>(
    "registers keys of nostr",
    "registration.check: KEY-003",
    "key_malformed | algorithm_unsupported",
    ({ body }) => JSON.stringify(body).includes("nostr:")
  ),
  finds<Signed>("verifies with the cofactored equation", "signature.verify: KEY-008", (input) => {
    const [signature, message, key] = [input.signature, input.message, input.public_key].map(bytes)
    if (signature?.length !== 64) return undefined
    return ed25519.verify(signature, message!, key!, { zip215: true }) || undefined
  }),
  reads<Signed>("takes S modulo the order", "signature.verify: KEY-008", reduced),
  refuses<true, Signed>(
    "refuses commitments of small order, as some libraries do",
    "signature.verify: KEY-008 KEY-009",
    "signature_invalid",
    (_, { signature }) => signature.startsWith(`01${"0".repeat(62)}`)
  ),
  answers<{ ed25519?: string }>(
    "takes the Ed25519 key for an X25519 key",
    "primary.parse: KEY-010",
    ({ ed25519: key, ...rest }) => ({ ...rest, ed25519: key, x25519: key })
  ),
  answers<string, { seed: string; peer: string }>(
    "takes the seed itself for the X25519 private key",
    "x25519.agree: KEY-011",
    (_, { peer, seed }) =>
      hex(x25519.getSharedSecret(bytes(seed), ed25519.utils.toMontgomery(bytes(peer.replace("ed25519:", "")))))
  ),
  accepts("uses a shared secret of zeros", "x25519.agreeWithEphemeral: KEY-012", "zero_shared_secret"),
  answers<{ number: string }>("takes the groups from the end of the digest", "safetyNumber.of: KEY-013", (right) => ({
    ...right,
    number: right.number.split(" ").toReversed().join(" ")
  })),
  answers<{ digest: string }>("writes half of the digest into the QR text", "safetyNumber.of: KEY-014", (right) => ({
    ...right,
    qr: `kez:sn1:${Buffer.from(right.digest.slice(0, 64), "hex").toString("base64url")}`
  })),
  accepts("compares as many bytes as a QR text has", "safetyNumber.parseQr: KEY-014 KEY-015", "encoding_malformed")
]

const mnemonics: ReadonlyArray<ShimMutant> = [
  answers<{ seed: string }, { words: string }>(
    "derives the seed by PBKDF2, as BIP-39 says",
    "mnemonic.toSeed: MNE-001 MNE-002",
    (right, { words: text }) => {
      const seed = pbkdf2Sync(text, "mnemonic", 2048, 64, "sha512").subarray(0, 32)
      return words(text).length === 24 ? { seed: hex(seed), public_key: hex(ed25519.getPublicKey(seed)) } : right
    }
  ),
  refuses<unknown, { words: string }>(
    "knows 24 words only",
    "mnemonic.toSeed: MNE-003",
    "mnemonic_invalid",
    (_, { words: text }) => words(text).length === 12
  ),
  accepts("does not look at the checksum of words", "mnemonic.toSeed: MNE-005", "mnemonic_invalid"),
  refuses<unknown, { words: string }>(
    "wants words in lower case with one space between them",
    "mnemonic.toSeed: MNE-006",
    "mnemonic_invalid",
    (_, input) => !isPlain(input)
  )
]

const knownSystems = /^(?:github|dns|web|bluesky|ap|mastodon|nostr|ed25519):/

const names: ReadonlyArray<ShimMutant> = [
  reads<{ handle: string }>("lowers the case of handles", "handle.parse: REG-001", ({ handle }) => ({
    handle: lower(handle)
  })),
  accepts("takes any full handle for a local part", "registration.check: REG-001 ERR-007", "handle_malformed"),
  refuses<string, { text: string }>(
    "wants the server with every name that a person enters",
    "handle.parseMention: REG-003",
    "handle_malformed",
    (_, { text }) => !/.@/.test(text)
  ),
  accepts("takes any text with a colon for an identifier", "identifier.parse: PRF-001", "identifier_malformed"),
  refuses<string>("knows no other systems", "identifier.parse: PRF-002", "identifier_malformed", (right) => {
    return !knownSystems.test(right)
  }),
  answers<string, { identifier: string }>(
    "compares identifiers as they are written",
    "identifier.parse: PRF-012",
    (_, { identifier }) => identifier
  ),
  accepts<{ identifier: string }>(
    "does not bound identifiers",
    "identifier.parse: LIM-007",
    "identifier_malformed",
    ({ identifier }) => identifier.length > 512
  ),
  refuses<string, { identifier: string }>(
    "counts UTF-16 units of identifiers and not characters",
    "identifier.parse: LIM-007",
    "identifier_malformed",
    (_, { identifier }) => identifier.length > 512
  )
]

interface Text {
  readonly json: string
  readonly max_bytes?: number
}

const decoded = ({ json }: Text) => Buffer.from(json, "base64url")

const json: ReadonlyArray<ShimMutant> = [
  reads<{ text: string }>("reads hexadecimal in any case", "hex.decode: CAN-001", ({ text }) => ({
    text: lower(text)
  })),
  finds<{ text: string }>("decodes base64url as loosely as Node", "base64url.decode: CAN-002", ({ text }) =>
    Buffer.from(text, "base64url").toString("hex")
  ),
  finds<{ time: string }>("reads every time that Date.parse knows", "time.parse: CAN-003", ({ time }) => {
    const millis = Date.parse(time)
    return Number.isNaN(millis) ? undefined : millis
  }),
  accepts<{ envelope: { payload: { expires_at?: unknown } } }>(
    "takes null for absence",
    "claim.parse: CAN-004",
    "envelope_malformed",
    ({ envelope }) => envelope.payload.expires_at === null
  ),
  reads<Text>("skips a byte order mark", "json.parse: CAN-005", ({ json: text, ...rest }) => ({
    ...rest,
    json: Buffer.from(
      decoded({ json: text })
        .toString("utf8")
        .replace(/^\u{feff}/u, "")
    ).toString("base64url")
  })),
  accepts("parses JSON with extensions", "json.parse: CAN-005", "json_malformed"),
  finds<Text>("lets the last of two equal names win", "json.parse: CAN-006", (input) => {
    try {
      return JSON.stringify(JSON.parse(decoded(input).toString("utf8")))
    } catch {
      return undefined
    }
  }),
  accepts("writes a lone surrogate as it is", "json.parse: CAN-007", "json_string"),
  accepts("reads numbers as doubles", "json.parse: CAN-008", "json_number"),
  accepts("does not bound the depth", "json.parse: CAN-009", "json_depth"),
  refuses<string, Text>("counts the strings inside as a level of depth", "json.parse: CAN-009", "json_depth", (right) =>
    right.startsWith("[".repeat(16))
  ),
  accepts<Text>("counts characters instead of bytes", "json.parse: CAN-010", "too_large", (input) => {
    return decoded(input).toString("utf8").length <= (input.max_bytes ?? 4096)
  }),
  answers<string>("normalises strings", "json.parse: CAN-011", (right) => right.normalize("NFC")),
  answers<string, Text>("writes members in the order in which they came", "json.parse: CAN-012 CAN-013", (_, input) =>
    JSON.stringify(JSON.parse(decoded(input).toString("utf8")))
  ),
  confuses(
    "says of every bad text that it is no JSON",
    "json.parse: CAN-006 CAN-007 CAN-008 CAN-009",
    "json_duplicate_name | json_string | json_number | json_depth",
    "json_malformed"
  )
]

export const identityMutants: ReadonlyArray<ShimMutant> = [...keys, ...mnemonics, ...names, ...json]
