/**
 * What this project takes KEZ to be, where only KEZ itself can say. Each assumption has the one place in the SDK and the
 * vectors that change if it is wrong.
 */

/**
 * - `SEEN`: written in a public page of KEZ.
 * - `INFERRED`: follows from such pages, and is written in none.
 * - `CHOSEN`: KEZ's own rule is unknown.
 */
export type Mark = "SEEN" | "INFERRED" | "CHOSEN"

export interface Fact {
  readonly mark: Mark
  readonly text: string
  /** A file of the SDK and the line in it that states the assumption; absent where the SDK does not depend on it. */
  readonly sdk?: readonly [file: string, line: string]
  /** The vectors that pin it. */
  readonly vectors?: string
}

const envelope = "sdk/src/protocol/sigchain/Envelope.ts"
const encoding = "sdk/src/protocol/sigchain/Encoding.ts"
const sigchain = "sdk/src/protocol/sigchain/Sigchain.ts"
const vectorsOf = (name: string): string => `spec/vectors/${name}.json`

export const facts = {
  "signed-payload": {
    mark: "SEEN",
    text: "The payload alone is signed, in its canonical form (JCS).",
    sdk: [envelope, "export const signedText = (payload: Json.JsonObject): string => Canonical.encodeText(payload)"],
    vectors: vectorsOf("envelope/envelope.valid")
  },
  "ed25519-message": {
    mark: "INFERRED",
    text: "An ed25519 key signs the SHA-512 of these bytes with Ed25519.",
    sdk: [envelope, '"ed25519-sha512-jcs": { system: "ed25519", digest: "sha512" },'],
    vectors: vectorsOf("envelope/envelope.valid")
  },
  "nostr-message": {
    mark: "INFERRED",
    text: "A nostr key signs the SHA-256 of these bytes with BIP-340.",
    sdk: [envelope, '"nostr-secp256k1-schnorr-sha256-jcs": { system: "nostr", digest: "sha256" }'],
    vectors: vectorsOf("envelope/envelope.valid")
  },
  "algorithm-name": {
    mark: "SEEN",
    text: "alg is ed25519-sha512-jcs or nostr-secp256k1-schnorr-sha256-jcs, after the key's system.",
    sdk: [envelope, 'system === "ed25519" ? "ed25519-sha512-jcs" : "nostr-secp256k1-schnorr-sha256-jcs"'],
    vectors: vectorsOf("envelope/envelope.valid")
  },
  "envelope-members": {
    mark: "SEEN",
    text: "An envelope has exactly the members kez, payload and signature.",
    sdk: [envelope, 'if (!Json.isObject(json) || !onlyMembers(json, ["kez", "payload", "signature"])) {'],
    vectors: vectorsOf("envelope/envelope.invalid")
  },
  "signature-members": {
    mark: "SEEN",
    text: "A signature has exactly the members alg, key and sig.",
    sdk: [envelope, 'if (!Json.isObject(signature) || !onlyMembers(signature, ["alg", "key", "sig"])) {'],
    vectors: vectorsOf("envelope/envelope.invalid")
  },
  "signature-form": {
    mark: "INFERRED",
    text: "sig is 128 lower-case hexadecimal digits (that it is hexadecimal is SEEN).",
    sdk: [envelope, 'if (typeof sig !== "string" || !Bytes.isHex(sig, Limits.signatureBytes)) {'],
    vectors: vectorsOf("envelope/envelope.invalid")
  },
  "key-form": {
    mark: "INFERRED",
    text: "A key is ed25519: and 64 lower-case hexadecimal digits, or nostr: and an npub.",
    sdk: ["sdk/src/protocol/identity/PrimaryKey.ts", "export const ed25519Form = /^ed25519:[0-9a-f]{64}$/"],
    vectors: vectorsOf("identity/primary.valid")
  },
  signer: {
    mark: "SEEN",
    text: "The payload names its signer in primary (a chat message in from), and that is signature.key.",
    sdk: [
      envelope,
      'if (payload[kind.signer] !== key) return fail("envelope_kind", `${kind.signer} is not the key that signed`)'
    ],
    vectors: vectorsOf("envelope/envelope.invalid")
  },
  kind: {
    mark: "SEEN",
    text: "kez and payload.type are a pair: claim and kez.claim, sigchain_event and kez.sigchain.event, and so on.",
    sdk: [envelope, "export const kinds = {"],
    vectors: vectorsOf("envelope/envelope.valid")
  },
  version: {
    mark: "SEEN",
    text: "payload.version is the number 1.",
    sdk: [envelope, "export const version = 1"],
    vectors: vectorsOf("envelope/envelope.invalid")
  },
  "claim-members": {
    mark: "SEEN",
    text: "A claim has subject, primary, created_at and sometimes expires_at.",
    sdk: ["sdk/src/protocol/sigchain/Claim.ts", 'const subject = yield* members.string("subject")'],
    vectors: vectorsOf("envelope/claim.valid")
  },
  "event-members": {
    mark: "SEEN",
    text: "An event has primary, seq, prev, created_at, op and an object payload.",
    sdk: [sigchain, 'const op = yield* members.string("op", Limits.operationMax)'],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  "time-form": {
    mark: "INFERRED",
    text: "A time is RFC 3339 in UTC with whole seconds and Z.",
    sdk: [
      "sdk/src/protocol/encoding/Timestamp.ts",
      String.raw`const form = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/`
    ],
    vectors: vectorsOf("json/time.valid")
  },
  "absent-members": {
    mark: "INFERRED",
    text: "An optional member that is absent is left out; it is never null.",
    sdk: ["sdk/src/protocol/encoding/Members.ts", "has(name: string): boolean {"],
    vectors: vectorsOf("envelope/claim.invalid")
  },
  "strict-json": {
    mark: "CHOSEN",
    text: "The JSON is strict: whole numbers, no member twice, at most 16 levels.",
    sdk: ["sdk/src/protocol/encoding/Json.ts", "const integer = /^-?(?:0|[1-9][0-9]*)$/"],
    vectors: vectorsOf("json/strict.valid")
  },
  "first-seq": {
    mark: "SEEN",
    text: "A chain begins with seq 0 and counts by one, in order.",
    sdk: [sigchain, "const expected = head === undefined ? 0 : head.seq + 1"],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  "prev-presence": {
    mark: "SEEN",
    text: "prev is absent exactly where seq is 0.",
    sdk: [
      sigchain,
      'if (members.has("prev") !== seq > 0) return yield* members.bad("prev", "must be absent exactly in the first event")'
    ],
    vectors: vectorsOf("sigchain/chain.invalid")
  },
  "prev-input": {
    mark: "INFERRED",
    text: "prev is a hash over the canonical form (JCS) of the whole envelope before, its signature included.",
    sdk: [sigchain, "export const linkInput = (event: Envelope.Envelope): Uint8Array => Envelope.encode(event)"],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  "prev-hash": {
    mark: "INFERRED",
    text: "The hash in prev is SHA-256.",
    sdk: [
      "sdk/src/crypto/SignedEnvelope.ts",
      'Effect.mapEager(crypto.sha256(encoded), (digest) => Hash.format("sha256", digest))'
    ],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  "prev-form": {
    mark: "INFERRED",
    text: "prev is written sha256: (SEEN) and 64 lower-case hexadecimal digits.",
    sdk: [sigchain, 'const prev = seq === 0 ? {} : { prev: yield* members.hash("prev", "sha256") }'],
    vectors: vectorsOf("sigchain/chain.invalid")
  },
  operation: {
    mark: "SEEN",
    text: "KEZ's operations are add, revoke, rotate and add_device; any other is kept without effect.",
    sdk: [sigchain, "export type Operation ="],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  subject: {
    mark: "INFERRED",
    text: "The payload of add and revoke has a string subject.",
    sdk: [sigchain, 'const subject = event.payload["subject"]'],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  rotation: {
    mark: "CHOSEN",
    text: "The payload of rotate has new_primary and new_sig.",
    sdk: [sigchain, 'const newPrimary = yield* members.string("new_primary")'],
    vectors: vectorsOf("sigchain/chain.valid")
  },
  compression: {
    mark: "SEEN",
    text: "kez:z1: and kez:zc1: are followed by zstd, as one frame.",
    sdk: [
      encoding,
      "return Result.flatMap(Bytes.fromBase64Url(text.slice(prefix.length)), (frame) => decompress(frame, maxBytes))"
    ],
    vectors: vectorsOf("envelope/encoding.valid")
  },
  alphabet: {
    mark: "INFERRED",
    text: "Compressed bytes are written as base64url (SEEN) without padding.",
    sdk: [
      encoding,
      "return Result.flatMap(Bytes.fromBase64Url(text.slice(prefix.length)), (frame) => decompress(frame, maxBytes))"
    ],
    vectors: vectorsOf("envelope/encoding.valid")
  },
  content: {
    mark: "INFERRED",
    text: "kez:z1: holds one envelope as JSON, in any order of members; kez:zc1: holds JSON Lines.",
    sdk: [
      encoding,
      "Result.flatMap(decodeWith(bundlePrefix, text.trim(), maxBundle, Limits.chainBytes, decompress), decodeLines)"
    ],
    vectors: vectorsOf("envelope/bundle.valid")
  },
  list: {
    mark: "SEEN",
    text: "A chain is served and stored as JSON Lines, one envelope a line.",
    sdk: [encoding, 'for (const line of text.success.split("\\n")) {'],
    vectors: vectorsOf("envelope/bundle.valid")
  },
  fence: {
    mark: "CHOSEN",
    text: "A fence marked kez in a text holds JSON or the compact form.",
    sdk: [encoding, "const fenceOpen = /^```kez[ \\t]*$/m"],
    vectors: vectorsOf("envelope/encoding.valid")
  },
  "fence-primary": {
    mark: "SEEN",
    text: "A line Primary: before the fence names the signer.",
    sdk: [encoding, "const named = /^Primary:[ \\t]*(\\S+)[ \\t]*\\r?$/m.exec(text.slice(0, open.index))?.[1]"],
    vectors: vectorsOf("envelope/encoding.valid")
  },
  txt: {
    mark: "INFERRED",
    text: "A TXT record holds the bare compact form, its strings of at most 255 bytes joined with nothing between them.",
    sdk: [encoding, 'return decodeCompact(segments.join(""), decompress)'],
    vectors: vectorsOf("envelope/txt.valid")
  },
  "media-type": { mark: "SEEN", text: "A sig-server serves a chain as application/jsonl." },
  "cross-origin": { mark: "SEEN", text: "A sig-server lets pages of any origin read chains." },
  accepted: { mark: "CHOSEN", text: "This project's own verifier accepts what was found." }
} as const satisfies Readonly<Record<string, Fact>>

export type FactId = keyof typeof facts

/** One look at one fact: whether it was as assumed, and what was there, in a few words. */
export interface Sighting {
  readonly fact: FactId
  readonly holds: boolean
  readonly seen: string
}

export const sighting = (fact: FactId, holds: boolean, seen: string): Sighting => ({ fact, holds, seen })
