import * as zlib from "node:zlib"
import { base64Url, bytes, hex } from "./Bytes.ts"
import * as Primitives from "./Primitives.ts"
import * as Secp256k1 from "./Secp256k1.ts"
import { alice, bob, type Envelope, envelopeHash, type Json, jcs, type JsonObject, sign, time } from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const claimPayload: JsonObject = {
  type: "kez.claim",
  version: 1,
  subject: "github:octocat",
  primary: alice.primary,
  created_at: time
}
const claim = sign(alice, "claim", claimPayload)

const text = (value: Json) => base64Url(jcs(value))
const change = (members: JsonObject): Json => ({ ...claim, ...members })
const changeSignature = (members: JsonObject): Json => ({ ...claim, signature: { ...claim.signature, ...members } })
const without = (object: JsonObject, name: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([member]) => member !== name))

const verified = (envelope: Envelope) => ({
  kind: envelope.kez,
  signer: envelope.signature.key,
  signed: base64Url(jcs(envelope.payload)),
  hash: envelopeHash(envelope)
})
const ok = (id: string, requirements: ReadonlyArray<string>, why: string, envelope: Envelope, json = jcs(envelope)) =>
  valid(id, requirements, why, { json: base64Url(json) }, verified(envelope))
const bad = (id: string, requirement: string, why: string, envelope: Json, error: string | ReadonlyArray<string>) =>
  invalid(id, [requirement], why, { json: text(envelope) }, error)

const unknownMember = sign(alice, "claim", {
  ...claimPayload,
  note: "not known to this version",
  nested: { b: 1, a: [2] }
})

/** A kind signed with a payload that holds only what envelopes are checked for. */
const kinds: ReadonlyArray<readonly [string, string, string]> = [
  ["claim", "kez.claim", "primary"],
  ["sigchain_event", "kez.sigchain.event", "primary"],
  ["handle_registration", "kez.chat.handle_registration", "primary"],
  ["handle_deletion", "kez.chat.handle_deletion", "primary"],
  ["chat_message", "kez.chat.message", "from"],
  ["shared_files", "kez.chat.shared_files", "primary"]
]

const nostrSecret = Primitives.stream("nostr", 32)
const nostrKey = `nostr:${Secp256k1.npub(Secp256k1.publicKey(nostrSecret))}`
const nostrAlg = "nostr-secp256k1-schnorr-sha256-jcs"
const nostrPayload: JsonObject = { ...claimPayload, primary: nostrKey }
const nostrClaim: Envelope = {
  kez: "claim",
  payload: nostrPayload,
  signature: {
    alg: nostrAlg,
    key: nostrKey,
    sig: hex(Secp256k1.sign(nostrSecret, Primitives.sha256(bytes(jcs(nostrPayload)))))
  }
}
const oversized = { ...claimPayload, note: "a".repeat(70_000) }

const envelopes: Operation = {
  file: "envelope/envelope",
  operation: "envelope.verify",
  description:
    "input: the text of an envelope, base64url of its bytes. It is parsed strictly, checked against the table of kinds and its signature verified. result: kind, signer, the signed JCS form of the payload (base64url), and the hash of the envelope.",
  valid: [
    ok("claim", ["KEZ-SIG-001", "KEZ-SIG-007", "KEZ-SIG-013"], "a claim", claim),
    ok(
      "not-canonical",
      ["KEZ-CAN-013", "KEZ-SIG-007", "KEZ-SIG-013"],
      "the same claim with white space and members in another order: the same statement and the same hash",
      claim,
      JSON.stringify({ signature: claim.signature, payload: claim.payload, kez: claim.kez }, undefined, 2)
    ),
    ok(
      "unknown-members",
      ["KEZ-SIG-002"],
      "members that this version does not know are signed and kept",
      unknownMember
    ),
    ok("nostr", ["KEZ-SIG-008", "KEZ-KEY-002"], "a claim signed by a nostr key", nostrClaim),
    ...kinds.map(([kind, type, member]) =>
      ok(
        `kind-${kind}`,
        ["KEZ-SIG-003"],
        `the kind ${kind}`,
        sign(bob, kind, { type, version: 1, [member]: bob.primary })
      )
    )
  ],
  invalid: [
    bad("not-an-object", "KEZ-SIG-001", "an array", [claim], "envelope_malformed"),
    bad(
      "extra-member",
      "KEZ-SIG-001",
      "a member beside the three: it would change the hash and not the signature",
      change({ note: 1 }),
      "envelope_malformed"
    ),
    bad(
      "extra-signature-member",
      "KEZ-SIG-001",
      "a member beside alg, key and sig",
      changeSignature({ at: time }),
      "envelope_malformed"
    ),
    bad("no-kez", "KEZ-SIG-001", "kez is missing", without(claim, "kez"), "envelope_malformed"),
    bad("no-payload", "KEZ-SIG-001", "payload is missing", without(claim, "payload"), "envelope_malformed"),
    bad("no-signature", "KEZ-SIG-001", "signature is missing", without(claim, "signature"), "envelope_malformed"),
    bad(
      "no-sig",
      "KEZ-SIG-001",
      "sig is missing",
      { ...claim, signature: without(claim.signature, "sig") },
      "envelope_malformed"
    ),
    bad(
      "payload-string",
      "KEZ-SIG-001",
      "the payload as a string",
      change({ payload: jcs(claimPayload) }),
      "envelope_malformed"
    ),
    bad("null-signature", "KEZ-SIG-001", "a signature of null", change({ signature: null }), "envelope_malformed"),
    bad("unknown-kind", "KEZ-SIG-003", "a kind that is not known", change({ kez: "vote" }), "envelope_kind"),
    bad(
      "kind-of-object",
      "KEZ-SIG-003",
      "the name of a member every JavaScript object has",
      change({ kez: "constructor" }),
      "envelope_kind"
    ),
    bad(
      "kind-and-type",
      "KEZ-SIG-003",
      "a claim's payload under another kind",
      change({ kez: "sigchain_event" }),
      "envelope_kind"
    ),
    bad(
      "type-missing",
      "KEZ-SIG-003",
      "type is missing, and so signed",
      sign(alice, "claim", without(claimPayload, "type")),
      "envelope_kind"
    ),
    bad(
      "version-2",
      "KEZ-SIG-004",
      "another version, well signed",
      sign(alice, "claim", { ...claimPayload, version: 2 }),
      "envelope_kind"
    ),
    bad(
      "version-string",
      "KEZ-SIG-004",
      "the version as a string",
      sign(alice, "claim", { ...claimPayload, version: "1" }),
      "envelope_kind"
    ),
    bad(
      "version-true",
      "KEZ-SIG-004",
      "the version as a boolean",
      sign(alice, "claim", { ...claimPayload, version: true }),
      "envelope_kind"
    ),
    bad(
      "version-missing",
      "KEZ-SIG-004",
      "no version",
      sign(alice, "claim", without(claimPayload, "version")),
      "envelope_kind"
    ),
    bad(
      "primary-missing",
      "KEZ-SIG-005",
      "no primary, and so signed: what an early KEZ signer produced",
      sign(alice, "claim", without(claimPayload, "primary")),
      "envelope_kind"
    ),
    bad(
      "other-signer",
      "KEZ-SIG-005",
      "signed by another key than its primary",
      sign(bob, "claim", claimPayload),
      "envelope_kind"
    ),
    bad(
      "message-signer",
      "KEZ-SIG-005",
      "a message whose `from` is another",
      sign(bob, "chat_message", { type: "kez.chat.message", version: 1, from: alice.primary, primary: bob.primary }),
      "envelope_kind"
    ),
    bad(
      "unknown-alg",
      "KEZ-SIG-009",
      "an algorithm that is not known",
      changeSignature({ alg: "ed25519-jcs" }),
      "algorithm_unsupported"
    ),
    bad(
      "foreign-alg",
      "KEZ-SIG-009",
      "nostr's algorithm with an ed25519 key",
      changeSignature({ alg: nostrAlg }),
      "algorithm_unsupported"
    ),
    bad(
      "foreign-key",
      "KEZ-SIG-009",
      "ed25519's algorithm with a nostr key",
      { ...claim, payload: { ...claimPayload, primary: nostrKey }, signature: { ...claim.signature, key: nostrKey } },
      "algorithm_unsupported"
    ),
    bad(
      "nostr-payload-changed",
      "KEZ-SIG-008",
      "a changed payload under a nostr signature",
      { ...nostrClaim, payload: { ...nostrPayload, subject: "github:octodog" } },
      "signature_invalid"
    ),
    bad(
      "nostr-sha512",
      "KEZ-SIG-008",
      "a nostr signature over half of SHA-512 instead of SHA-256",
      {
        ...nostrClaim,
        signature: {
          ...nostrClaim.signature,
          sig: hex(Secp256k1.sign(nostrSecret, Primitives.sha512(bytes(jcs(nostrPayload))).subarray(0, 32)))
        }
      },
      "signature_invalid"
    ),
    bad(
      "sig-upper-case",
      "KEZ-SIG-010",
      "sig in upper case",
      changeSignature({ sig: claim.signature.sig.toUpperCase() }),
      "envelope_malformed"
    ),
    bad(
      "sig-short",
      "KEZ-SIG-010",
      "126 digits",
      changeSignature({ sig: claim.signature.sig.slice(2) }),
      "envelope_malformed"
    ),
    bad(
      "sig-base64",
      "KEZ-SIG-010",
      "sig in base64url",
      changeSignature({ sig: base64Url(Buffer.from(claim.signature.sig, "hex")) }),
      "envelope_malformed"
    ),
    bad(
      "payload-changed",
      "KEZ-SIG-011",
      "a changed payload",
      change({ payload: { ...claimPayload, subject: "github:octodog" } }),
      "signature_invalid"
    ),
    bad(
      "payload-extended",
      "KEZ-SIG-011",
      "a member added to the payload",
      change({ payload: { ...claimPayload, note: 1 } }),
      "signature_invalid"
    ),
    bad(
      "member-removed",
      "KEZ-SIG-011",
      "an unknown member removed from the payload",
      { ...unknownMember, payload: without(unknownMember.payload, "note") },
      "signature_invalid"
    ),
    bad(
      "sig-of-another",
      "KEZ-SIG-011",
      "the signature of another statement by the same key",
      changeSignature({ sig: unknownMember.signature.sig }),
      "signature_invalid"
    ),
    bad(
      "signed-without-digest",
      "KEZ-SIG-007",
      "signed over JCS(payload) itself instead of its SHA-512",
      changeSignature({ sig: hex(Primitives.ed25519Sign(alice.seed, bytes(jcs(claimPayload)))) }),
      "signature_invalid"
    ),
    bad(
      "signed-as-hex",
      "KEZ-SIG-007",
      "signed over the digest written as hexadecimal",
      changeSignature({
        sig: hex(Primitives.ed25519Sign(alice.seed, bytes(hex(Primitives.sha512(bytes(jcs(claimPayload)))))))
      }),
      "signature_invalid"
    ),
    invalid(
      "duplicate-member",
      ["KEZ-CAN-006"],
      "kez twice",
      { json: base64Url(`{"kez":"claim",${jcs(claim).slice(1)}`) },
      "json_duplicate_name"
    ),
    bad("too-large", "KEZ-LIM-008", "more than 65,536 bytes", sign(alice, "claim", oversized), "too_large")
  ]
}

const claims: Operation = {
  file: "envelope/claim",
  operation: "claim.parse",
  description: "input: a signed claim as an envelope. result: what it says, times in milliseconds since 1970.",
  valid: [
    valid(
      "claim",
      ["KEZ-PRF-003"],
      "without an end",
      { envelope: claim },
      { subject: "github:octocat", primary: alice.primary, created_at: Date.parse(time) }
    ),
    valid(
      "expires",
      ["KEZ-PRF-003"],
      "with an end",
      { envelope: sign(alice, "claim", { ...claimPayload, expires_at: "2027-05-25T00:00:00Z" }) },
      {
        subject: "github:octocat",
        primary: alice.primary,
        created_at: Date.parse(time),
        expires_at: Date.parse("2027-05-25T00:00:00Z")
      }
    )
  ],
  invalid: (
    [
      ["no-subject", "no subject", without(claimPayload, "subject"), "envelope_malformed"],
      [
        "subject-form",
        "a subject that is no identifier",
        { ...claimPayload, subject: "octocat" },
        "identifier_malformed"
      ],
      ["no-time", "no created_at", without(claimPayload, "created_at"), "envelope_malformed"],
      [
        "time-form",
        "created_at with a fraction",
        { ...claimPayload, created_at: "2026-05-25T00:00:00.5Z" },
        "timestamp_malformed"
      ],
      ["expires-null", "expires_at is null", { ...claimPayload, expires_at: null }, "envelope_malformed"],
      ["expires-number", "expires_at is a number", { ...claimPayload, expires_at: 1 }, "envelope_malformed"],
      ["expires-equal", "it ends when it begins", { ...claimPayload, expires_at: time }, "envelope_malformed"],
      [
        "expires-before",
        "it ends before it begins",
        { ...claimPayload, expires_at: "2025-05-25T00:00:00Z" },
        "envelope_malformed"
      ]
    ] as ReadonlyArray<readonly [string, string, JsonObject, string]>
  ).map(([id, why, payload, error]) =>
    invalid(
      id,
      ["KEZ-PRF-003", ...(id === "expires-null" ? ["KEZ-CAN-004"] : [])],
      why,
      { envelope: sign(alice, "claim", payload) },
      error
    )
  )
}

const registrationPayload: JsonObject = {
  type: "kez.chat.handle_registration",
  version: 1,
  handle: "alice",
  server: "kez.lat",
  primary: alice.primary,
  created_at: time
}
const asked = (kez: string, payload: JsonObject): JsonObject => ({ seed: hex(alice.seed), kez, payload })
const signs = (id: string, why: string, kez: string, payload: JsonObject) =>
  valid(id, ["KEZ-SIG-012", "KEZ-SIG-007"], why, asked(kez, payload), sign(alice, kez, payload).signature)
const signsNot = (id: string, why: string, kez: string, payload: JsonObject, ...codes: ReadonlyArray<string>) =>
  invalid(id, ["KEZ-SIG-012"], why, asked(kez, payload), ["envelope_kind", "envelope_malformed", ...codes])

const signing: Operation = {
  file: "envelope/signing",
  operation: "envelope.sign",
  description:
    "input: the seed of a signer, and kind and payload of the statement that it is to sign. result: the member `signature`. A signer whose interface cannot express a statement refuses it.",
  valid: [
    signs("claim", "a claim of its own", "claim", claimPayload),
    signs("claim-expires", "a claim with an end", "claim", { ...claimPayload, expires_at: "2027-05-25T00:00:00Z" }),
    signs("registration", "a registration of its own key", "handle_registration", registrationPayload)
  ],
  invalid: [
    signsNot("primary-of-another", "a claim for another key: a signature that nobody can verify", "claim", {
      ...claimPayload,
      primary: bob.primary
    }),
    signsNot("no-primary", "what early KEZ signers signed", "claim", without(claimPayload, "primary")),
    signsNot("no-type", "nothing says what it is", "claim", without(claimPayload, "type")),
    signsNot("no-version", "no version", "claim", without(claimPayload, "version")),
    signsNot("other-type", "a registration under the kind of a claim", "claim", registrationPayload),
    signsNot("no-subject", "a claim of nothing", "claim", without(claimPayload, "subject"), "identifier_malformed"),
    signsNot("no-time", "a claim of no time", "claim", without(claimPayload, "created_at"), "timestamp_malformed"),
    signsNot(
      "no-handle",
      "a registration of no handle",
      "handle_registration",
      without(registrationPayload, "handle"),
      "handle_malformed"
    ),
    signsNot(
      "no-server",
      "a registration that every server could take",
      "handle_registration",
      without(registrationPayload, "server"),
      "handle_malformed"
    ),
    signsNot("registration-of-another", "a registration for another key", "handle_registration", {
      ...registrationPayload,
      primary: bob.primary
    })
  ]
}

const zstd = (data: Uint8Array | string): Buffer => zlib.zstdCompressSync(data)
export const compact = (data: Uint8Array | string) => `kez:z1:${base64Url(zstd(data))}`
const proof = compact(jcs(claim))
const fence = (content: string, primary = alice.primary) =>
  `# My proof\n\nPrimary: ${primary}\n\nSome words.\n\n\`\`\`kez\n${content}\n\`\`\`\n`
const skippable = bytes(Buffer.from("502a4d18", "hex"), Buffer.from("04000000", "hex"), "abcd")

const encodings: Operation = {
  file: "envelope/encoding",
  operation: "encoding.decode",
  description:
    "input: a proof as text in one of the forms compact, Markdown or JSON. result: the hash of the envelope in it.",
  valid: [
    ["compact", ["KEZ-PRF-005"], "the compact form", proof],
    [
      "compact-pretty",
      ["KEZ-PRF-005", "KEZ-PRF-011"],
      "the JSON inside is not canonical",
      compact(JSON.stringify(claim, undefined, 2))
    ],
    ["compact-space", ["KEZ-PRF-005"], "white space around it", `\n ${proof} \n`],
    ["markdown-json", ["KEZ-PRF-007", "KEZ-PRF-010"], "a fence with JSON", fence(JSON.stringify(claim, undefined, 2))],
    ["markdown-compact", ["KEZ-PRF-007", "KEZ-PRF-010"], "a fence with the compact form", fence(proof)],
    ["markdown-crlf", ["KEZ-PRF-007"], "carriage returns", fence(proof).replaceAll("\n", "\r\n")],
    ["markdown-no-primary", ["KEZ-PRF-007"], "no Primary: line", `\`\`\`kez\n${proof}\n\`\`\``],
    [
      "markdown-first",
      ["KEZ-PRF-007"],
      "two fences: the first counts",
      `${fence(proof)}\n\`\`\`kez\nnot this\n\`\`\`\n`
    ],
    [
      "markdown-other-fence",
      ["KEZ-PRF-007"],
      "a fence of another language before it",
      `\`\`\`json\n{}\n\`\`\`\n${fence(proof)}`
    ],
    ["json", ["KEZ-PRF-010"], "plain JSON", jcs(claim)]
  ].map(([id, requirements, why, encoded]) =>
    valid(id as string, requirements as Array<string>, why as string, { text: encoded as string }, envelopeHash(claim))
  ),
  invalid: [
    ["nothing", ["KEZ-PRF-010"], "none of the forms", "hello", "encoding_malformed"],
    [
      "old-prefix",
      ["KEZ-PRF-005"],
      "the prefix of an early, dropped form",
      proof.replace("z1", "zd1"),
      "encoding_malformed"
    ],
    ["padding", ["KEZ-PRF-005"], "base64 padding", `${proof}=`, "encoding_malformed"],
    [
      "not-zstd",
      ["KEZ-PRF-005"],
      "deflate instead of zstd",
      `kez:z1:${base64Url(zlib.deflateRawSync(jcs(claim)))}`,
      "encoding_malformed"
    ],
    [
      "truncated",
      ["KEZ-PRF-005"],
      "the last 8 bytes of the frame are missing",
      `kez:z1:${base64Url(zstd(jcs(claim)).subarray(0, -8))}`,
      "encoding_malformed"
    ],
    [
      "trailing-bytes",
      ["KEZ-PRF-005"],
      "a byte behind the frame",
      `kez:z1:${base64Url(bytes(zstd(jcs(claim)), Buffer.from([0])))}`,
      "encoding_malformed"
    ],
    [
      "two-frames",
      ["KEZ-PRF-005"],
      "two frames",
      `kez:z1:${base64Url(bytes(zstd("{"), zstd("}")))}`,
      "encoding_malformed"
    ],
    [
      "skippable-frame",
      ["KEZ-PRF-005"],
      "a skippable frame before it",
      `kez:z1:${base64Url(bytes(skippable, zstd(jcs(claim))))}`,
      "encoding_malformed"
    ],
    ["too-large", ["KEZ-PRF-006"], "65,537 bytes of output", compact(Buffer.alloc(65_537, 32)), "too_large"],
    ["bomb", ["KEZ-PRF-006"], "16 MiB of output from few bytes", compact(Buffer.alloc(16 * 1024 * 1024)), "too_large"],
    [
      "strict-inside",
      ["KEZ-PRF-011"],
      "a duplicate member inside",
      compact(`{"kez":"claim",${jcs(claim).slice(1)}`),
      "json_duplicate_name"
    ],
    [
      "other-primary",
      ["KEZ-PRF-007"],
      "the Primary: line names another key",
      fence(proof, bob.primary),
      "envelope_kind"
    ],
    ["fence-open", ["KEZ-PRF-007"], "the fence is not closed", fence(proof).slice(0, -5), "encoding_malformed"],
    [
      "fence-language",
      ["KEZ-PRF-007"],
      "a fence of another language only",
      fence(proof).replace("```kez", "```kezz"),
      "encoding_malformed"
    ]
  ].map(([id, requirements, why, encoded, error]) =>
    invalid(id as string, requirements as Array<string>, why as string, { text: encoded as string }, error as string)
  )
}

const segments = proof.match(/.{1,255}/g) ?? []
const txt: Operation = {
  file: "envelope/txt",
  operation: "encoding.decodeTxt",
  description: "input: the strings of a TXT record. result: the hash of the envelope.",
  valid: [
    valid("segments", ["KEZ-PRF-008"], "segments of at most 255 bytes", { segments }, envelopeHash(claim)),
    valid(
      "uneven",
      ["KEZ-PRF-008"],
      "segments cut elsewhere",
      { segments: proof.match(/.{1,100}/g) ?? [] },
      envelopeHash(claim)
    )
  ],
  invalid: [
    invalid(
      "space",
      ["KEZ-PRF-008"],
      "segments joined with a space by the publisher",
      { segments: [`${segments[0]} `, ...segments.slice(1)] },
      "encoding_malformed"
    ),
    invalid(
      "order",
      ["KEZ-PRF-008"],
      "segments in another order",
      { segments: segments.toReversed() },
      "encoding_malformed"
    ),
    invalid(
      "missing",
      ["KEZ-PRF-008"],
      "the last segment is missing",
      { segments: segments.slice(0, -1) },
      "encoding_malformed"
    ),
    invalid("none", ["KEZ-PRF-008"], "no strings", { segments: [] }, "encoding_malformed")
  ]
}

const lines = [claim, unknownMember]
const bundle = (content: string) => `kez:zc1:${base64Url(zstd(content))}`
const bundles: Operation = {
  file: "envelope/bundle",
  operation: "encoding.decodeBundle",
  description:
    "input: a chain bundle. result: the hashes of its envelopes in order. (That they form a chain is not checked here.)",
  valid: [
    ["lines", "two envelopes", `${lines.map(jcs).join("\n")}\n`],
    ["no-last-line-feed", "without the last line feed", lines.map(jcs).join("\n")],
    ["blank-lines", "blank lines", `\n${lines.map(jcs).join("\n\n")}\n\n`]
  ].map(([id, why, content]) =>
    valid(id as string, ["KEZ-PRF-009"], why as string, { text: bundle(content as string) }, lines.map(envelopeHash))
  ),
  invalid: [
    invalid(
      "prefix",
      ["KEZ-PRF-009"],
      "the prefix of a single proof",
      { text: compact(lines.map(jcs).join("\n")) },
      "encoding_malformed"
    ),
    invalid(
      "damaged-line",
      ["KEZ-PRF-009", "KEZ-PRF-011"],
      "a line that is no JSON",
      { text: bundle(`${jcs(claim)}\n{\n`) },
      "json_malformed"
    ),
    invalid(
      "too-large",
      ["KEZ-PRF-006"],
      "4,194,305 bytes of output",
      { text: bundle(" ".repeat(4_194_305)) },
      "too_large"
    )
  ]
}

export const operations: ReadonlyArray<Operation> = [envelopes, signing, claims, encodings, txt, bundles]
