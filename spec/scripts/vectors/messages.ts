import { blake3 } from "./Blake3.ts"
import { base64Url, byte, bytes, hex } from "./Bytes.ts"
import * as Curve from "./Curve.ts"
import { pattern, ticketOf } from "./files.ts"
import * as Primitives from "./Primitives.ts"
import {
  type Account,
  alice,
  bob,
  carol,
  chain,
  type Draft,
  type Envelope,
  envelopeHash,
  type Json,
  jcs,
  type JsonObject,
  mallory,
  message,
  pad,
  paddedLength,
  sealFrame,
  sign,
  textBody,
  time
} from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const ephemeral = Primitives.stream("ephemeral", 32)

const padding: Operation = {
  file: "messages/padding",
  operation: "padding.length",
  description: "input: the length of a body. result: the length of the padded plaintext, 4 + padded(n).",
  valid: [
    1, 31, 32, 33, 64, 65, 96, 97, 128, 255, 256, 257, 320, 321, 383, 512, 513, 1000, 1024, 1025, 4096, 8191, 8193,
    16_384, 32_768, 32_769, 40_959, 40_960
  ].map((n) => valid(`n-${n}`, ["KEZ-DM-010"], `a body of ${n} bytes`, { n }, 4 + paddedLength(n)))
}

const unpad: Operation = {
  file: "messages/unpad",
  operation: "padding.unpad",
  description: "input: a decrypted plaintext, hexadecimal. result: the body, hexadecimal.",
  valid: ["a", "a".repeat(32), "a".repeat(33)].map((text) =>
    valid(
      `n-${text.length}`,
      ["KEZ-DM-010"],
      `a body of ${text.length} bytes`,
      { plaintext: hex(pad(Buffer.from(text))) },
      hex(Buffer.from(text))
    )
  ),
  invalid: (
    [
      ["empty", "no bytes", ""],
      ["three-bytes", "less than a length", "000000"],
      ["zero", "a body of 0 bytes", `00000000${"00".repeat(32)}`],
      ["non-zero", "the last byte of the padding is 1", `00000001${"61".padEnd(62, "0")}01`],
      ["first-non-zero", "the first byte of the padding is 1", `0000000161${"01".padEnd(62, "0")}`],
      ["unpadded", "no padding at all", "0000000161"],
      ["short", "one byte too few", `00000001${"61".padEnd(62, "0")}`],
      ["long", "one byte too many", `00000001${"61".padEnd(66, "0")}`],
      ["next-class", "padded to the next class", `00000001${"61".padEnd(128, "0")}`],
      ["length-beyond", "a length beyond the end", `00000021${"61".repeat(32)}`],
      ["too-large", "a body of 40,961 bytes, padded as the length function says", hex(pad(Buffer.alloc(40_961, 97)))],
      ["huge", "a length of 2^32 - 1", `ffffffff${"61".repeat(32)}`]
    ] as const
  ).map(([id, why, plaintext]) => invalid(id, ["KEZ-DM-010"], why, { plaintext }, "padding_invalid"))
}

const draft = (from: Account, to: Account, change: Partial<Draft> = {}): Draft => ({ from, to, ...change })
const digest = (data: Uint8Array) => hex(Primitives.sha256(data))

const encryptCase = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  body: Buffer,
  change: Partial<Draft> = {}
) => {
  const made = message(draft(alice, bob, change), body)
  const { payload } = made
  const small = body.length <= 256
  return valid(
    id,
    requirements,
    why,
    {
      seed: hex(alice.seed),
      to: bob.primary,
      id: payload["id"] as Json,
      device: payload["device"] as Json,
      seq: payload["seq"] as Json,
      ...(payload["prev"] === undefined ? {} : { prev: payload["prev"] }),
      created_at: payload["created_at"] as Json,
      salt: base64Url(made.salt),
      body: base64Url(body)
    },
    {
      shared_secret: hex(made.shared),
      info: hex(made.info),
      okm: hex(made.okm),
      key: hex(made.key),
      nonce: hex(made.nonce),
      aad: base64Url(made.aad),
      plaintext_length: made.plaintext.length,
      plaintext_sha256: digest(made.plaintext),
      ciphertext_sha256: digest(made.ciphertext),
      envelope_hash: envelopeHash(made.envelope),
      ...(small
        ? { plaintext: hex(made.plaintext), ciphertext: base64Url(made.ciphertext), envelope: made.envelope }
        : {})
    }
  )
}

const hello = textBody("hello")
const encryption: Operation = {
  file: "messages/encrypt",
  operation: "message.encrypt",
  description:
    "input: the author's seed, the addressee, the header, the salt and the bytes of a body (base64url; not every case is a valid body). result: every value on the way to the signed envelope; `plaintext`, `ciphertext` and `envelope` themselves for a body of at most 256 bytes only. Hexadecimal but for `aad` and `ciphertext`, which are base64url.",
  valid: [
    encryptCase(
      "hello",
      ["KEZ-DM-006", "KEZ-DM-007", "KEZ-SIG-007", "KEZ-KEY-010", "KEZ-KEY-011"],
      "a text, with every intermediate value",
      hello
    ),
    encryptCase("prev", ["KEZ-SEQ-012", "KEZ-DM-007"], "with prev and a later seq", hello, {
      seq: 7,
      prev: `sha256:${"ab".repeat(32)}`
    }),
    encryptCase("n-1", ["KEZ-DM-006", "KEZ-DM-010"], "a body of 1 byte", Buffer.from("a")),
    encryptCase("n-32", ["KEZ-DM-006", "KEZ-DM-010"], "a body of 32 bytes", Buffer.alloc(32, 97)),
    encryptCase("n-33", ["KEZ-DM-006", "KEZ-DM-010"], "a body of 33 bytes", Buffer.alloc(33, 97)),
    encryptCase("n-40960", ["KEZ-DM-006", "KEZ-DM-009"], "the longest body", Buffer.alloc(40_960, 97))
  ],
  invalid: [
    invalid(
      "n-40961",
      ["KEZ-DM-009"],
      "one byte too many",
      {
        seed: hex(alice.seed),
        to: bob.primary,
        id: base64Url(Primitives.stream("id", 16)),
        device: base64Url(Primitives.stream("device", 16)),
        seq: 0,
        created_at: time,
        salt: base64Url(Primitives.stream("salt", 32)),
        body: base64Url(Buffer.alloc(40_961, 97))
      },
      "message_too_large"
    )
  ]
}

const example = message(draft(alice, bob), hello)
/** An envelope whose JCS form has a number of bytes. */
const padded = (length: number): Envelope => {
  const withNote = (note: string) => message(draft(alice, bob, { change: { note } }), hello).envelope
  return withNote("a".repeat(length - jcs(withNote("")).length))
}
const sealing: Operation = {
  file: "messages/seal",
  operation: "message.seal",
  description:
    "input: the JCS form of an envelope (base64url), the reader's primary and the ephemeral X25519 private key, which is random outside vectors. result: the values of HPKE Base on the way to the frame. Hexadecimal but for `frame`.",
  valid: [bob, alice].map((reader) => {
    const sealed = sealFrame(reader, bytes(jcs(example.envelope)), ephemeral)
    return valid(
      reader === bob ? "to-addressee" : "to-author",
      ["KEZ-DM-011", "KEZ-DM-014", ...(reader === alice ? ["KEZ-DM-015"] : [])],
      reader === bob ? "to the addressee" : "to the author: the own copy",
      { envelope: base64Url(jcs(example.envelope)), reader: reader.primary, ephemeral: hex(ephemeral) },
      {
        enc: hex(sealed.enc),
        dh: hex(sealed.dh),
        shared_secret: hex(sealed.sharedSecret),
        key: hex(sealed.key),
        nonce: hex(sealed.nonce),
        aad: hex(sealed.aad),
        frame: base64Url(sealed.frame)
      }
    )
  }),
  invalid: [
    invalid(
      "too-large",
      ["KEZ-DM-012"],
      "an envelope of 65,488 bytes, whose frame would have 65,537",
      {
        envelope: base64Url(jcs(padded(65_488))),
        reader: bob.primary,
        ephemeral: hex(ephemeral)
      },
      "message_too_large"
    )
  ]
}

interface Reading {
  /** Whose key opens; bob unless told. */
  readonly reader?: Account
  /** For whom the frame is sealed; the reader unless told. */
  readonly sealedFor?: Account
}
const frameOf = (content: Envelope | string | Buffer, { reader = bob, sealedFor = reader }: Reading = {}): Buffer => {
  const plaintext = Buffer.isBuffer(content) ? content : bytes(typeof content === "string" ? content : jcs(content))
  return sealFrame(sealedFor, plaintext, ephemeral).frame
}
const input = (frame: Buffer, reader: Account = bob): Json => ({ seed: hex(reader.seed), frame: base64Url(frame) })

const opened = (made: ReturnType<typeof message>, body: Buffer, role: string, peer: Account): Json => ({
  role,
  peer: peer.primary,
  from: made.payload["from"] as Json,
  to: made.payload["to"] as Json,
  id: made.payload["id"] as Json,
  device: made.payload["device"] as Json,
  seq: made.payload["seq"] as Json,
  hash: envelopeHash(made.envelope),
  body: JSON.parse(body.toString()) as Json
})
const openCase = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  {
    from = alice,
    to = bob,
    reader = bob,
    body = hello,
    change = {}
  }: { from?: Account; to?: Account; reader?: Account; body?: Buffer; change?: Partial<Draft> } = {}
) => {
  const made = message(draft(from, to, change), body)
  const role = from === to ? "note" : from === reader ? "sent" : "incoming"
  return valid(
    id,
    requirements,
    why,
    input(frameOf(made.envelope, { reader }), reader),
    opened(made, body, role, from === reader ? to : from)
  )
}
const bodyOf = (members: JsonObject): Buffer => bytes(jcs({ chain, ...members }))
const bodyCase = (id: string, requirement: string, why: string, members: JsonObject) =>
  openCase(id, [requirement], why, { body: bodyOf(members) })

const someId = base64Url(Primitives.stream("some id", 16))
const blocking = (rev: number): JsonObject => ({ who: bob.primary, blocked: true, rev })
/** Bodies that an account's devices write to each other. */
const notes: ReadonlyArray<readonly [string, string, string, JsonObject]> = [
  ["block-list", "KEZ-DM-031", "a block list of one entry", { type: "block_list", entries: [blocking(1)] }],
  [
    "block-list-256",
    "KEZ-DM-031",
    "a block list of 256 entries, with a member that is not known",
    {
      type: "block_list",
      entries: Array.from({ length: 256 }, (_, i): JsonObject => ({ ...blocking(i + 1), later: true }))
    }
  ],
  [
    "device-position",
    "KEZ-DM-034",
    "the position of a device",
    { type: "device_position", epoch: base64Url(Primitives.stream("epoch", 16)), up_to: 12 }
  ]
]

const offeredHash = blake3(pattern(100))
/** An offer of alice. */
const offer = (change: JsonObject = {}): JsonObject => ({
  type: "file_share",
  filename: "report.pdf",
  media_type: "application/pdf",
  size: 84,
  blob_hash: `blake3:${hex(offeredHash)}`,
  ticket: ticketOf(alice, offeredHash),
  wrapped_content_key: base64Url(Primitives.stream("wrapped", 80)),
  self_wrapped_content_key: base64Url(Primitives.stream("self wrapped", 80)),
  ...change
})
const smile = "\u{1f600}"
const nonce = base64Url(Primitives.stream("nonce", 16))
const address = (change: JsonObject = {}): JsonObject => ({
  type: "address",
  nonce,
  addrs: ["192.0.2.1:4433", "[2001:db8::1]:4433"],
  expires_at: "2026-05-25T00:05:00Z",
  ...change
})
const ids = (n: number) => Array.from({ length: n }, (_, i) => base64Url(Primitives.stream(`id ${i}`, 16)))

const bad = (
  id: string,
  requirement: string,
  why: string,
  frame: Buffer,
  error: string | ReadonlyArray<string>,
  reader: Account = bob
) => invalid(id, [requirement], why, input(frame, reader), error)
/** A message whose header was changed before it was encrypted and signed: all its proofs hold, only the rule is broken. */
const badHeader = (
  id: string,
  requirement: string,
  why: string,
  change: JsonObject,
  error: string | ReadonlyArray<string>
) => bad(id, requirement, why, frameOf(message(draft(alice, bob, { change }), hello).envelope), error)
const badBody = (id: string, requirement: string, why: string, body: Buffer | string, error = "message_malformed") =>
  bad(id, requirement, why, frameOf(message(draft(alice, bob), Buffer.from(body)).envelope), error)
const badPadding = (id: string, why: string, plaintext: Buffer) =>
  bad(id, "KEZ-DM-010", why, frameOf(message(draft(alice, bob, { plaintext }), hello).envelope), "padding_invalid")

const goodFrame = frameOf(example.envelope)
const flip = (data: Buffer, at: number): Buffer => {
  const copy = Buffer.from(data)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}
/** Signs a payload after it was changed. */
const resigned = (signer: Account, change: JsonObject): Envelope =>
  sign(signer, "chat_message", { ...example.payload, ...change })
const trailing = (text: string): string => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  return text.slice(0, -1) + alphabet[alphabet.indexOf(text.at(-1) as string) | 1]
}
/** Seals with another aad than the reader's. */
const withAad = (aadOwner: Account): Buffer => {
  const owner = { ed32: aadOwner.ed32, x25519: bob.x25519 }
  return sealFrame(owner, bytes(jcs(example.envelope)), ephemeral).frame
}
const smallOrder = `ed25519:${hex(Curve.encode(Curve.torsion8))}`

const opening: Operation = {
  file: "messages/open",
  operation: "message.open",
  description:
    "input: the reader's seed (hexadecimal) and a frame (base64url). All steps of receiving up to the body. result: role (`incoming`, `sent` for an own copy, `note` to self), peer, header, envelope hash and body.",
  valid: [
    openCase("incoming", ["KEZ-SEQ-013", "KEZ-DM-011", "KEZ-DM-002"], "a message from another account"),
    openCase("own-copy", ["KEZ-SEQ-013", "KEZ-DM-015"], "the author opens the own copy; the peer is the addressee", {
      reader: alice
    }),
    openCase("note", ["KEZ-SEQ-013", "KEZ-DM-015"], "a note to self", { from: bob, to: bob }),
    openCase(
      "unknown-member",
      ["KEZ-SIG-002", "KEZ-DM-007"],
      "an unknown member of the payload is under signature and associated data",
      { change: { change: { future: { a: [1, "b"] } } } }
    ),
    valid(
      "not-canonical",
      ["KEZ-DM-014", "KEZ-CAN-013"],
      "a sealed envelope that is not JCS is read, and its hash is taken over its JCS form",
      input(frameOf(JSON.stringify(example.envelope, undefined, 1))),
      opened(example, hello, "incoming", alice)
    ),
    bodyCase("fallback", "KEZ-DM-020", "an unknown type with its fallback", {
      type: "poll",
      question: "?",
      fallback: "a poll"
    }),
    bodyCase("reserved", "KEZ-DM-020", "a reserved type", { type: "reaction", to: someId }),
    bodyCase("text-unknown-member", "KEZ-DM-018", "an unknown member of a body is kept", {
      type: "text",
      text: "a",
      mood: "good"
    }),
    bodyCase("text-unicode", "KEZ-CAN-011", "text is not normalised", { type: "text", text: "e\u0301 \u{1f600}\n" }),
    bodyCase("text-backslash", "KEZ-DM-018", "a text that looks like an escape of a surrogate, in JCS", {
      type: "text",
      text: "C:\\udemy"
    }),
    bodyCase("text-numeric-names", "KEZ-DM-018", "members in the order of their UTF-16 units, not of their numbers", {
      type: "text",
      text: "a",
      "10": 1,
      "9": 2
    }),
    openCase("longest-body", ["KEZ-DM-009", "KEZ-DM-001"], "a body of 40,960 bytes, a ciphertext of 40,980", {
      body: textBody("a".repeat(40_960 - textBody("").length))
    }),
    bodyCase("type-64", "KEZ-DM-018", "a type of 64 characters", { type: smile.repeat(64), fallback: "" }),
    bodyCase("file-share", "KEZ-FIL-007", "an offer of a file", offer()),
    bodyCase("file-share-bounds", "KEZ-FIL-007", "an offer at its bounds; characters are code points", {
      ...offer({ filename: smile.repeat(255), media_type: smile.repeat(127), size: 0 }),
      thumbnail: base64Url(Buffer.alloc(8192, 1))
    }),
    bodyCase("file-share-hidden-name", "KEZ-FIL-007", "a name that begins with a dot", offer({ filename: ".hidden" })),
    bodyCase("file-share-c1", "KEZ-FIL-007", "U+0085 is no control character here", offer({ filename: "a\u0085b" })),
    bodyCase("introduction", "KEZ-DM-018", "an introduction with a handle and a fallback", {
      type: "introduction",
      primary: bob.primary,
      handle: "bob@kez.lat",
      fallback: "I introduce bob@kez.lat."
    }),
    bodyCase("introduction-withdrawn", "KEZ-DM-018", "an introduction that is taken back", {
      type: "introduction",
      primary: bob.primary,
      withdrawn: true
    }),
    bodyCase("address-request", "KEZ-DM-022", "a request for addresses", { type: "address_request", nonce }),
    bodyCase("address", "KEZ-DM-022", "addresses, without a relay", address()),
    bodyCase("address-32", "KEZ-DM-022", "32 addresses and a relay", {
      ...address({ addrs: Array.from({ length: 32 }, (_, i) => `192.0.2.1:${i}`), relay_url: "https://relay.example/" })
    }),
    bodyCase("address-none", "KEZ-DM-022", "no address", address({ addrs: [] })),
    bodyCase("receipt", "KEZ-SEQ-030", "a receipt of one id", { type: "receipt", status: "delivered", ids: [someId] }),
    bodyCase("receipt-128", "KEZ-SEQ-030", "a receipt of 128 ids", { type: "receipt", status: "read", ids: ids(128) }),
    ...notes.map(([id, requirement, why, members]) =>
      openCase(id, [requirement], why, { to: alice, reader: alice, body: bodyOf({ ...members, fallback: "(a note)" }) })
    )
  ],
  invalid: [
    // the frame
    bad("empty", "KEZ-DM-013", "no bytes", Buffer.alloc(0), "frame_malformed"),
    bad("version", "KEZ-DM-013", "another version", bytes(byte(2), goodFrame.subarray(1)), "frame_malformed"),
    bad("short", "KEZ-DM-013", "49 bytes", goodFrame.subarray(0, 49), "frame_malformed"),
    bad("fifty", "KEZ-DM-013", "50 bytes, the shortest frame", Buffer.alloc(50, 1), "frame_unreadable"),
    bad("longest", "KEZ-DM-013", "65,536 bytes, the longest frame", Buffer.alloc(65_536, 1), "frame_unreadable"),
    bad("long", "KEZ-DM-013", "65,537 bytes", bytes(byte(1), Buffer.alloc(65_536)), "frame_malformed"),
    bad("enc-changed", "KEZ-DM-013", "one bit of enc changed", flip(goodFrame, 1), "frame_unreadable"),
    bad("ct-changed", "KEZ-DM-013", "one bit of the ciphertext changed", flip(goodFrame, 100), "frame_unreadable"),
    bad(
      "tag-changed",
      "KEZ-DM-013",
      "one bit of the tag changed",
      flip(goodFrame, goodFrame.length - 1),
      "frame_unreadable"
    ),
    bad("truncated", "KEZ-DM-013", "the last byte is missing", goodFrame.subarray(0, -1), "frame_unreadable"),
    bad(
      "other-reader",
      "KEZ-DM-013",
      "sealed for another account",
      frameOf(example.envelope, { sealedFor: carol }),
      "frame_unreadable"
    ),
    bad(
      "other-aad",
      "KEZ-DM-011",
      "sealed to the reader's X25519 key, with another account in the associated data",
      withAad(carol),
      "frame_unreadable"
    ),
    bad(
      "enc-zero",
      "KEZ-KEY-012",
      "an enc of zeros, which gives a zero secret",
      bytes(byte(1), Buffer.alloc(32), goodFrame.subarray(33)),
      "frame_unreadable"
    ),
    // the envelope
    bad("not-json", "KEZ-CAN-005", "no JSON", frameOf("hello"), "json_malformed"),
    bad(
      "duplicate",
      "KEZ-CAN-006",
      "a duplicate member",
      frameOf(`{"kez":"chat_message",${jcs(example.envelope).slice(1)}`),
      "json_duplicate_name"
    ),
    bad(
      "other-kind",
      "KEZ-SIG-006",
      "a claim in the place of a message",
      frameOf(
        sign(alice, "claim", {
          type: "kez.claim",
          version: 1,
          subject: "github:octocat",
          primary: alice.primary,
          created_at: time
        })
      ),
      "envelope_kind"
    ),
    bad(
      "other-key",
      "KEZ-SIG-005",
      "`from` is not the signer",
      frameOf({ ...example.envelope, signature: { ...example.envelope.signature, key: mallory.primary } }),
      "envelope_kind"
    ),
    bad(
      "sig-changed",
      "KEZ-SIG-011",
      "one digit of the signature changed",
      frameOf({
        ...example.envelope,
        signature: {
          ...example.envelope.signature,
          sig: example.envelope.signature.sig.replace(/^./, (c) => (c === "0" ? "1" : "0"))
        }
      }),
      "signature_invalid"
    ),
    bad(
      "header-changed",
      "KEZ-SIG-011",
      "the header changed after it was signed",
      frameOf({ ...example.envelope, payload: { ...example.payload, seq: 1 } }),
      "signature_invalid"
    ),
    bad(
      "to-small-order",
      "KEZ-DM-002",
      "`to` is a key of small order",
      frameOf(resigned(alice, { to: smallOrder })),
      "key_rejected"
    ),
    bad(
      "from-small-order",
      "KEZ-KEY-007",
      "`from` is a key of small order",
      frameOf({
        ...example.envelope,
        payload: { ...example.payload, from: smallOrder },
        signature: { ...example.envelope.signature, key: smallOrder }
      }),
      "key_rejected"
    ),
    badHeader("no-id", "KEZ-DM-001", "an id of null", { id: null }, "message_malformed"),
    badHeader("id-short", "KEZ-DM-001", "an id of 15 bytes", { id: base64Url(Buffer.alloc(15)) }, "message_malformed"),
    badHeader("id-trailing-bits", "KEZ-CAN-002", "trailing bits set in the id", { id: `${"A".repeat(21)}B` }, [
      "message_malformed",
      "encoding_malformed"
    ]),
    badHeader(
      "device-long",
      "KEZ-DM-001",
      "a device of 17 bytes",
      { device: base64Url(Buffer.alloc(17)) },
      "message_malformed"
    ),
    badHeader("seq-negative", "KEZ-DM-001", "a negative seq", { seq: -1 }, "message_malformed"),
    badHeader("version-true", "KEZ-SIG-004", "a version of true", { version: true }, "envelope_kind"),
    badHeader("seq-true", "KEZ-DM-001", "seq as a boolean", { seq: true }, "message_malformed"),
    badHeader("seq-string", "KEZ-DM-001", "seq as a string", { seq: "0" }, "message_malformed"),
    badHeader(
      "time-form",
      "KEZ-CAN-003",
      "a time with a fraction",
      { created_at: "2026-05-25T00:00:00.000Z" },
      "timestamp_malformed"
    ),
    badHeader("prev-null", "KEZ-CAN-004", "prev is null", { prev: null }, "message_malformed"),
    badHeader("prev-form", "KEZ-DM-001", "prev without its algorithm", { prev: "ab".repeat(32) }, "message_malformed"),
    badHeader("suite", "KEZ-DM-005", "another suite", { suite: "x25519-hkdf-sha256-aes256gcm" }, "suite_unsupported"),
    badHeader("no-suite", "KEZ-DM-001", "a suite of null", { suite: null }, "message_malformed"),
    badHeader(
      "salt-short",
      "KEZ-DM-001",
      "a salt of 31 bytes",
      { salt: base64Url(Buffer.alloc(31)) },
      "message_malformed"
    ),
    bad(
      "salt-trailing-bits",
      "KEZ-ERR-009",
      "trailing bits set in the salt",
      frameOf(resigned(alice, { salt: trailing(example.payload["salt"] as string) })),
      ["encoding_malformed", "message_malformed"]
    ),
    bad(
      "ciphertext-trailing-bits",
      "KEZ-CAN-002",
      "trailing bits set in the ciphertext",
      frameOf(resigned(alice, { ciphertext: base64Url(Buffer.alloc(53)).replace(/A$/, "B") })),
      ["encoding_malformed", "message_malformed"]
    ),
    bad(
      "ciphertext-padding",
      "KEZ-CAN-002",
      "base64 padding",
      frameOf(resigned(alice, { ciphertext: `${base64Url(Buffer.alloc(53))}=` })),
      ["encoding_malformed", "message_malformed"]
    ),
    bad(
      "ciphertext-short",
      "KEZ-DM-001",
      "51 bytes of ciphertext",
      frameOf(resigned(alice, { ciphertext: base64Url(Buffer.alloc(51)) })),
      "message_malformed"
    ),
    bad(
      "ciphertext-long",
      "KEZ-DM-001",
      "40,981 bytes of ciphertext",
      frameOf(resigned(alice, { ciphertext: base64Url(Buffer.alloc(40_981)) })),
      "message_malformed"
    ),
    bad(
      "nostr-addressee",
      "KEZ-DM-002",
      "an addressee of another system",
      frameOf(resigned(alice, { to: "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg" })),
      "key_malformed"
    ),
    // the role
    bad(
      "re-sealed",
      "KEZ-SEQ-014",
      "a message between two others, sealed anew for the reader",
      frameOf(example.envelope, { reader: carol }),
      "message_misdirected",
      carol
    ),
    // the body
    bad(
      "strip-and-resign",
      "KEZ-DM-006",
      "the ciphertext of another author under one's own name",
      frameOf(resigned(mallory, { from: mallory.primary })),
      "message_undecryptable"
    ),
    bad(
      "other-salt",
      "KEZ-DM-008",
      "another salt, signed by the author",
      frameOf(resigned(alice, { salt: base64Url(Buffer.alloc(32)) })),
      "message_undecryptable"
    ),
    bad(
      "other-header",
      "KEZ-DM-007",
      "another seq than the one encrypted for, signed by the author",
      frameOf(resigned(alice, { seq: 1 })),
      "message_undecryptable"
    ),
    bad(
      "member-added",
      "KEZ-DM-007",
      "a member added after encryption, signed by the author",
      frameOf(resigned(alice, { note: 1 })),
      "message_undecryptable"
    ),
    badPadding("padding-non-zero", "padding that is not zero", flip(example.plaintext, example.plaintext.length - 1)),
    badPadding("padding-short", "padded to another length", example.plaintext.subarray(0, -32)),
    badPadding("padding-n-zero", "a body of 0 bytes", Buffer.alloc(36)),
    badBody("body-not-json", "KEZ-DM-018", "no JSON", "hello", "json_malformed"),
    badBody("body-array", "KEZ-DM-018", "an array", "[]"),
    badBody(
      "body-duplicate",
      "KEZ-DM-018",
      "a duplicate member",
      `{"text":"a",${hello.toString().slice(1)}`,
      "json_duplicate_name"
    ),
    badBody("body-space", "KEZ-DM-018", "not in JCS form: a space", hello.toString().replace(":", ": ")),
    badBody("body-line-feed", "KEZ-DM-018", "not in JCS form: a final line feed", `${hello.toString()}\n`),
    badBody(
      "body-order",
      "KEZ-DM-018",
      "not in JCS form: type before chain",
      JSON.stringify({ type: "text", chain, text: "hello" })
    ),
    badBody(
      "body-escape",
      "KEZ-DM-018",
      "not in JCS form: a letter as an escape",
      hello.toString().replace("hello", "\\u0068ello")
    ),
    badBody("type-empty", "KEZ-DM-018", "a type of no characters", bodyOf({ type: "" })),
    badBody("fallback-number", "KEZ-DM-022", "a fallback that is a number", bodyOf({ type: "poll", fallback: 1 })),
    badBody("fallback-null", "KEZ-DM-022", "a fallback of null", bodyOf({ type: "text", text: "a", fallback: null })),
    ...(
      [
        ["filename-256", "a name of 256 characters", { filename: "a".repeat(256) }],
        ["filename-empty", "a name of no characters", { filename: "" }],
        ["filename-parent", "a name that leads up", { filename: ".." }],
        ["filename-delete", "a name with U+007F", { filename: "a\u007fb" }],
        ["media-type-empty", "a media type of no characters", { media_type: "" }],
        ["media-type-128", "a media type of 128 characters", { media_type: smile.repeat(128) }],
        ["size-negative", "a negative size", { size: -1 }],
        ["size-true", "a size of true", { size: true }],
        ["wrapped-79", "a wrapped key of 79 bytes", { wrapped_content_key: base64Url(Buffer.alloc(79)) }],
        ["thumbnail-empty", "a thumbnail of no bytes", { thumbnail: "" }],
        ["thumbnail-8193", "a thumbnail of 8,193 bytes", { thumbnail: base64Url(Buffer.alloc(8193)) }]
      ] as const
    ).map(([id, why, change]) => badBody(`file-share-${id}`, "KEZ-FIL-007", why, bodyOf(offer(change)))),
    badBody(
      "file-share-foreign-ticket",
      "KEZ-FIL-008",
      "a ticket to another account's device",
      bodyOf(offer({ ticket: ticketOf(mallory, offeredHash) })),
      "ticket_mismatch"
    ),
    badBody(
      "address-request-nonce",
      "KEZ-DM-022",
      "a nonce of 15 bytes",
      bodyOf({ type: "address_request", nonce: base64Url(Buffer.alloc(15)) })
    ),
    badBody(
      "address-33",
      "KEZ-DM-022",
      "33 addresses",
      bodyOf(address({ addrs: Array.from({ length: 33 }, (_, i) => `192.0.2.1:${i}`) }))
    ),
    badBody("address-name", "KEZ-DM-022", "a host name", bodyOf(address({ addrs: ["relay.example:443"] }))),
    badBody("address-relay", "KEZ-DM-022", "a relay of another scheme", bodyOf(address({ relay_url: "ftp://x/" }))),
    badBody(
      "address-expires",
      "KEZ-DM-022",
      "an expiry with a fraction",
      bodyOf(address({ expires_at: "2026-05-25T00:05:00.0Z" })),
      "timestamp_malformed"
    ),
    badBody("body-no-type", "KEZ-DM-018", "no type", bodyOf({ text: "a" })),
    badBody("body-long-type", "KEZ-DM-018", "a type of 65 characters", bodyOf({ type: "a".repeat(65) })),
    badBody("body-no-chain", "KEZ-DM-019", "no chain", '{"text":"a","type":"text"}'),
    badBody(
      "body-chain-form",
      "KEZ-DM-019",
      "a chain whose hash has no algorithm",
      bodyOf({ type: "text", text: "a", chain: { seq: 0, hash: "00".repeat(32) } })
    ),
    badBody("block-list-empty", "KEZ-DM-022", "no entries", bodyOf({ type: "block_list", entries: [] })),
    badBody(
      "block-list-257",
      "KEZ-DM-022",
      "257 entries",
      bodyOf({ type: "block_list", entries: Array.from({ length: 257 }, () => blocking(1)) })
    ),
    badBody("block-list-rev-0", "KEZ-DM-022", "a rev of 0", bodyOf({ type: "block_list", entries: [blocking(0)] })),
    badBody(
      "block-list-who",
      "KEZ-DM-022",
      "a key without its prefix",
      bodyOf({ type: "block_list", entries: [{ ...blocking(1), who: bob.hex }] })
    ),
    badBody(
      "block-list-blocked",
      "KEZ-DM-022",
      "blocked as a number",
      bodyOf({ type: "block_list", entries: [{ ...blocking(1), blocked: 1 }] })
    ),
    badBody(
      "device-position-epoch",
      "KEZ-DM-022",
      "an epoch of 15 bytes",
      bodyOf({ type: "device_position", epoch: base64Url(Buffer.alloc(15)), up_to: 1 })
    ),
    badBody(
      "device-position-up-to",
      "KEZ-DM-022",
      "a negative up_to",
      bodyOf({ type: "device_position", epoch: base64Url(Buffer.alloc(16)), up_to: -1 })
    ),
    badBody("introduction-no-primary", "KEZ-DM-022", "an introduction of nobody", bodyOf({ type: "introduction" })),
    badBody(
      "introduction-primary",
      "KEZ-DM-022",
      "a key without its prefix",
      bodyOf({ type: "introduction", primary: bob.hex })
    ),
    badBody(
      "introduction-handle",
      "KEZ-DM-022",
      "a handle that is null",
      bodyOf({ type: "introduction", primary: bob.primary, handle: null })
    ),
    badBody(
      "introduction-withdrawn",
      "KEZ-DM-022",
      "withdrawn as false",
      bodyOf({ type: "introduction", primary: bob.primary, withdrawn: false })
    ),
    badBody("text-missing", "KEZ-DM-022", "a text without text", bodyOf({ type: "text" })),
    badBody("text-empty", "KEZ-DM-021", "an empty text", bodyOf({ type: "text", text: "" })),
    badBody("text-number", "KEZ-DM-022", "a text that is a number", bodyOf({ type: "text", text: 1 })),
    badBody(
      "receipt-status",
      "KEZ-DM-022",
      "a receipt of another status",
      bodyOf({ type: "receipt", status: "seen", ids: [someId] })
    ),
    badBody(
      "receipt-empty",
      "KEZ-SEQ-030",
      "a receipt without ids",
      bodyOf({ type: "receipt", status: "read", ids: [] })
    ),
    badBody(
      "receipt-129",
      "KEZ-SEQ-030",
      "a receipt of 129 ids",
      bodyOf({ type: "receipt", status: "read", ids: ids(129) })
    ),
    badBody(
      "receipt-id-form",
      "KEZ-DM-022",
      "an id that is none",
      bodyOf({ type: "receipt", status: "read", ids: ["abc"] })
    )
  ]
}

/** A message of an inbox trace: who writes, and what is told of it when it is held. */
interface Told {
  readonly from: Account
  readonly to: Account
  readonly body: JsonObject
  readonly id: string
  readonly seq: number
  readonly device?: string
  readonly createdAt?: string
}
const idOf = (name: string) => base64Url(Primitives.stream(`message ${name}`, 16))
const write = ({ from, to, body, id, seq, device, createdAt }: Told) =>
  message(
    {
      from,
      to,
      id,
      seq,
      salt: Primitives.stream(`salt ${id} ${jcs(body)}`, 32),
      device: device ?? base64Url(Primitives.stream(`device of ${from.hex}`, 16)),
      ...(createdAt === undefined ? {} : { createdAt })
    },
    bodyOf(body)
  ).envelope

const own = bob
/** How a frame for the account lies in its stream: own copies on `self`, mail on `inbox`. */
const stored = (content: Envelope | Buffer, subject: "inbox" | "self" = "inbox"): JsonObject => ({
  subject,
  frame: base64Url(
    Buffer.isBuffer(content)
      ? content
      : sealFrame(own, bytes(jcs(content)), Primitives.stream(`ephemeral ${envelopeHash(content)}`, 32)).frame
  )
})
const told = (one: Told): JsonObject => stored(write(one), one.from === own ? "self" : "inbox")
const text = (from: Account, to: Account, name: string, seq: number, change: Partial<Told> = {}): Told => ({
  from,
  to,
  id: idOf(name),
  seq,
  body: { type: "text", text: name },
  ...change
})
const receipt = (from: Account, status: string, names: ReadonlyArray<string>, seq: number): Told => ({
  from,
  to: own,
  id: idOf(`${from.hex} ${status} ${names.join()} ${seq}`),
  seq,
  body: { type: "receipt", status, ids: names.map(idOf) }
})
const held = (one: Told, more: JsonObject = {}): JsonObject => ({
  peer: (one.from === own ? one.to : one.from).primary,
  direction: one.from === own ? "out" : "in",
  id: one.id,
  text: one.body["text"] ?? one.body["fallback"] ?? "",
  ...(one.from === own ? { state: "stored" } : {}),
  ...more
})
const inboxCase = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  frames: ReadonlyArray<JsonObject>,
  messages: ReadonlyArray<JsonObject>,
  dropped: ReadonlyArray<string> = []
) => valid(id, requirements, why, { seed: hex(own.seed), now: time, frames }, { messages, dropped })

const [first, second, third] = ["first", "second", "third"].map((name, seq) => text(alice, own, name, seq)) as [
  Told,
  Told,
  Told
]
const toAlice = text(own, alice, "to alice", 0)
const toCarol = text(own, carol, "to carol", 0)
const note = text(own, own, "note", 0)
const again = text(alice, own, "again", 1, { id: first.id })
const otherDevice = base64Url(Primitives.stream("another device", 16))

const inboxes: Operation = {
  file: "messages/inbox",
  operation: "inbox.take",
  description:
    "input: the seed of an account that holds nothing, the time at which all frames were stored, and its frames in stream order, by stream subject. result: the messages it holds afterwards, in order, with their marks (`gap`, `equivocation`, `fork`, `suspicious`) and, for its own, their state; and the codes of the frames it dropped, in order, without those it keeps for a later version. `text` is the fallback where the type is not known. Receipts are no messages.",
  valid: [
    inboxCase(
      "roles",
      ["KEZ-SEQ-013", "KEZ-SEQ-014", "KEZ-SEQ-021"],
      "mail, an own copy, a note to self, and a message between two others that was sealed anew",
      [told(first), told(toCarol), told(note), stored(write(text(alice, carol, "to carol", 0)))],
      [held(first), held(toCarol), held(note)],
      ["message_misdirected"]
    ),
    inboxCase(
      "twice",
      ["KEZ-SEQ-015", "KEZ-SEQ-016"],
      "one envelope in two frames",
      [told(first), stored(sealFrame(own, bytes(jcs(write(first))), ephemeral).frame)],
      [held(first)]
    ),
    inboxCase(
      "same-id-two-authors",
      ["KEZ-SEQ-018"],
      "one id from two authors makes two messages",
      [told(first), told({ ...text(carol, own, "from carol", 0), id: first.id })],
      [held(first), held({ ...text(carol, own, "from carol", 0), id: first.id })]
    ),
    inboxCase(
      "own-gap",
      ["KEZ-SEQ-025"],
      "own copies have gaps that mean nothing",
      [told(toAlice), told(text(own, alice, "later", 4))],
      [held(toAlice), held(text(own, alice, "later", 4))]
    ),
    inboxCase(
      "hidden",
      ["KEZ-DM-024", "KEZ-DM-030", "KEZ-DM-032"],
      "bodies for devices are not shown, nor what only a note to self may say where another says it",
      [
        told({ ...first, body: { type: "address_request", nonce } }),
        told({ ...second, body: address() }),
        told({ ...third, body: { type: "block_list", entries: [blocking(1)], fallback: "blocked" } }),
        told({ ...note, body: { type: "device_position", epoch: nonce, up_to: 1, fallback: "a position" } })
      ],
      []
    ),
    inboxCase(
      "later-suite",
      ["KEZ-SEQ-020"],
      "a frame that a later version may read is kept, and neither shown nor dropped",
      [told(first), stored(message({ from: alice, to: own, change: { suite: "later" } }, hello).envelope)],
      [held(first)]
    ),
    inboxCase(
      "body-form",
      ["KEZ-SEQ-019", "KEZ-DM-018"],
      "a body that is not JCS is dropped",
      [stored(message({ from: alice, to: own }, Buffer.from(` ${hello.toString()}`)).envelope), told(second)],
      [held(second, { gap: 1 })],
      ["message_malformed"]
    ),
    inboxCase(
      "equivocation",
      ["KEZ-SEQ-017"],
      "another envelope with the same author and id: the first is kept and marked",
      [told(first), told(again)],
      [held(first, { equivocation: true })]
    ),
    inboxCase(
      "gap",
      ["KEZ-SEQ-025"],
      "the second of three is missing",
      [told(first), told(third)],
      [held(first), held(third, { gap: 1 })]
    ),
    inboxCase(
      "late",
      ["KEZ-SEQ-025", "KEZ-SEQ-022"],
      "the second comes after the third: stream order is kept",
      [told(first), told(third), told(second)],
      [held(first), held(third, { gap: 1 }), held(second)]
    ),
    inboxCase(
      "new-device",
      ["KEZ-SEQ-025"],
      "a device that is first seen with seq 5: earlier messages are not held",
      [told(first), told(text(alice, own, "elsewhere", 5, { device: otherDevice }))],
      [held(first), held(text(alice, own, "elsewhere", 5), { gap: 5 })]
    ),
    inboxCase(
      "fork",
      ["KEZ-SEQ-024"],
      "two envelopes in one place of a device's count",
      [told(first), told(second), told(text(alice, own, "instead", 1))],
      [held(first), held(second), held(text(alice, own, "instead", 1), { fork: true })]
    ),
    inboxCase(
      "times",
      ["KEZ-SEQ-023", "KEZ-SEQ-022"],
      "created more than 30 days before and more than 10 minutes after it was stored; the bounds themselves are fine; the order is that of the stream",
      [
        told(text(alice, own, "bound after", 0, { createdAt: "2026-05-25T00:10:00Z" })),
        told(text(alice, own, "after", 1, { createdAt: "2026-05-25T00:10:01Z" })),
        told(text(alice, own, "bound before", 2, { createdAt: "2026-04-25T00:00:00Z" })),
        told(text(alice, own, "before", 3, { createdAt: "2026-04-24T23:59:59Z" }))
      ],
      [
        held(text(alice, own, "bound after", 0)),
        held(text(alice, own, "after", 1), { suspicious: true }),
        held(text(alice, own, "bound before", 2)),
        held(text(alice, own, "before", 3), { suspicious: true })
      ]
    ),
    inboxCase(
      "poison",
      ["KEZ-SEQ-019"],
      "frames that can never be read, between others",
      [
        told(first),
        stored(byte(9)),
        stored(flip(frameOf(example.envelope), 60)),
        stored(frameOf("{}")),
        stored(frameOf(resigned(mallory, { from: mallory.primary }))),
        told(second)
      ],
      [held(first), held(second)],
      ["frame_malformed", "frame_unreadable", "envelope_malformed", "message_undecryptable"]
    ),
    inboxCase(
      "unknown-type",
      ["KEZ-DM-020"],
      "a type that is not known, with a fallback",
      [told({ ...first, body: { type: "poll", question: "?", fallback: "a poll" } })],
      [held({ ...first, body: { fallback: "a poll" } })]
    ),
    inboxCase(
      "receipt",
      ["KEZ-SEQ-026", "KEZ-SEQ-032"],
      "delivered, then read, then delivered again: a state never goes back",
      [
        told(toAlice),
        told(receipt(alice, "delivered", ["to alice"], 0)),
        told(receipt(alice, "read", ["to alice"], 1)),
        told(receipt(alice, "delivered", ["to alice"], 2))
      ],
      [held(toAlice, { state: "read" })]
    ),
    inboxCase(
      "receipt-first",
      ["KEZ-SEQ-073", "KEZ-SEQ-026"],
      "receipts that stand before the own copies, which were stored after the addressee had answered: one counts for its author's messages alone",
      [
        told(receipt(alice, "delivered", ["to alice"], 0)),
        told(receipt(carol, "read", ["to alice"], 0)),
        told(receipt(carol, "read", ["to carol"], 1)),
        told(receipt(carol, "delivered", ["to carol"], 2)),
        told(toAlice),
        told(toCarol)
      ],
      [held(toAlice, { state: "delivered" }), held(toCarol, { state: "read" })]
    ),
    inboxCase(
      "receipt-of-another",
      ["KEZ-SEQ-026"],
      "a receipt counts only for what was written to its author: not for what went to somebody else, not for the author's own",
      [
        told(toAlice),
        told(toCarol),
        told(first),
        told(receipt(carol, "read", ["to alice"], 0)),
        told(receipt(alice, "read", ["to carol", "first"], 1))
      ],
      [held(toAlice), held(toCarol), held(first)]
    )
  ]
}

const addressLife = (
  id: string,
  requirements: ReadonlyArray<string>,
  why: string,
  seconds: number,
  change: JsonObject = {}
) =>
  valid(
    id,
    requirements,
    why,
    { created_at: time, expires_at: "2026-05-25T00:05:00Z", stored: 0, asked: 1, ...change },
    seconds
  )
const daySeconds = 86_400

const addressLives: Operation = {
  file: "messages/address",
  operation: "address.life",
  description:
    "input: when an `address` was made and when it ends, by the author's clock; for how many seconds the broker has held it, and how many seconds ago the request with its nonce was made, by the asker's monotonic clock. result: for how many more seconds its addresses count; 0 where it is ignored.",
  valid: [
    addressLife("fresh", ["KEZ-SEQ-060"], "as the reference makes them", 300),
    addressLife("late", ["KEZ-SEQ-060"], "the broker held it for a while", 60, { stored: 240 }),
    addressLife("last-second", ["KEZ-SEQ-060"], "a second is left", 1, { stored: 299 }),
    addressLife("over", ["KEZ-SEQ-060"], "its span is over", 0, { stored: 300 }),
    addressLife("long-over", ["KEZ-SEQ-060"], "an hour after its span", 0, { stored: 3_600 }),
    addressLife("short", ["KEZ-SEQ-060"], "a span of ten seconds", 7, {
      expires_at: "2026-05-25T00:00:10Z",
      stored: 3
    }),
    addressLife("long", ["KEZ-SEQ-060"], "a span of a year counts for 300 seconds", 290, {
      expires_at: "2027-05-25T00:00:00Z",
      stored: 10
    }),
    addressLife("no-span", ["KEZ-SEQ-060"], "it ends when it was made", 0, { expires_at: time }),
    addressLife("before", ["KEZ-SEQ-060"], "it ended before it was made", 0, { expires_at: "2026-05-24T23:59:59Z" }),
    addressLife("clock-of-another-year", ["KEZ-SEQ-060"], "an author whose clock is 50 years behind", 300, {
      created_at: "1976-05-25T00:00:00Z",
      expires_at: "1976-05-25T00:05:00Z"
    }),
    addressLife("asked-a-day-ago", ["KEZ-SEQ-061"], "the request is 24 hours old", 300, { asked: daySeconds }),
    addressLife("asked-before", ["KEZ-SEQ-061"], "the request is a second older than that", 0, {
      asked: daySeconds + 1
    }),
    addressLife("asked-long-before", ["KEZ-SEQ-061"], "the request is 30 days old", 0, { asked: 30 * daySeconds })
  ]
}

export const operations: ReadonlyArray<Operation> = [
  padding,
  unpad,
  encryption,
  sealing,
  opening,
  inboxes,
  addressLives
]
