import { base64Url, byte, bytes, fromHex, hex } from "./Bytes.ts"
import * as Curve from "./Curve.ts"
import * as Primitives from "./Primitives.ts"
import { type Account, account, alice, bob, carol } from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const accounts: ReadonlyArray<readonly [string, Account]> = [
  ["zero seed", account(Buffer.alloc(32))],
  ["seed 42…", alice],
  ["another seed", bob],
  ["a third seed", carol]
]

const mixed = hex(Curve.encode(Curve.add(Curve.decode(alice.ed32) as Curve.Point, Curve.torsion8)))
const smallOrder = Array.from({ length: 8 }, (_, i) => hex(Curve.encode(Curve.multiply(BigInt(i), Curve.torsion8))))
const notOnCurve = ((): string => {
  for (let y = 2n; ; y++) {
    const data = Curve.toLittleEndian(y)
    if (Curve.decode(data) === undefined) return hex(data)
  }
})()

const keys: Operation = {
  file: "identity/primary",
  operation: "primary.parse",
  description:
    "input: a primary as text. result: the Ed25519 public key, its X25519 image and, as NATS writes it, the nkey of an ed25519 primary, or the x coordinate of a nostr primary; all hexadecimal but the nkey.",
  valid: [
    ...accounts.map(([name, { primary, ed32, x25519 }], i) =>
      valid(
        `ed25519-${i + 1}`,
        ["KEZ-KEY-001", "KEZ-KEY-006", "KEZ-KEY-010"],
        `the key of the ${name}`,
        { primary },
        { system: "ed25519", ed25519: hex(ed32), x25519: hex(x25519), nkey: nkey(0xa0, ed32) }
      )
    ),
    valid(
      "nostr-1",
      ["KEZ-KEY-002"],
      "the example of NIP-19",
      { primary: "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg" },
      { system: "nostr", x: "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e" }
    )
  ],
  invalid: [
    ...[
      ["upper-case", "hexadecimal in upper case", `ed25519:${alice.hex.toUpperCase()}`],
      ["short", "63 digits", `ed25519:${alice.hex.slice(1)}`],
      ["long", "65 digits", `ed25519:${alice.hex}0`],
      ["no-system", "the system is missing", alice.hex],
      ["system-case", "the system in another case", `Ed25519:${alice.hex}`],
      ["unknown-system", "a system that is not known", `rsa:${alice.hex}`],
      ["white-space", "white space behind it", `${alice.primary} `],
      ["empty", "nothing", ""],
      [
        "npub-checksum",
        "an npub with a changed character",
        "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptq"
      ],
      [
        "npub-upper-case",
        "an npub in upper case",
        "nostr:NPUB10ELFCS4FR0L0R8AF98JLMGDH9C8TCXJVZ9QKW038JS35MP4DMA8QZVJPTG"
      ]
    ].map(([id, why, primary]) =>
      invalid(
        id as string,
        [primary?.startsWith("nostr") ? "KEZ-KEY-002" : "KEZ-KEY-001"],
        why as string,
        { primary: primary as string },
        "key_malformed"
      )
    ),
    ...smallOrder.map((point, i) =>
      invalid(
        `small-order-${i}`,
        ["KEZ-KEY-006"],
        `${i} times a point of order 8`,
        { primary: `ed25519:${point}` },
        "key_rejected"
      )
    ),
    invalid(
      "mixed-order",
      ["KEZ-KEY-006"],
      "an honest key plus a point of order 8",
      { primary: `ed25519:${mixed}` },
      "key_rejected"
    ),
    invalid(
      "not-on-curve",
      ["KEZ-KEY-006"],
      "no point has this y",
      { primary: `ed25519:${notOnCurve}` },
      "key_rejected"
    ),
    invalid(
      "y-not-reduced",
      ["KEZ-KEY-006"],
      "y = p + 1, which encodes the identity a second time",
      { primary: `ed25519:${hex(Curve.toLittleEndian(Curve.p + 1n))}` },
      "key_rejected"
    ),
    invalid(
      "y-all-ones",
      ["KEZ-KEY-006"],
      "y = 2^255 - 1 with the sign bit",
      { primary: `ed25519:${"ff".repeat(32)}` },
      "key_rejected"
    ),
    invalid(
      "negative-zero",
      ["KEZ-KEY-006"],
      "x = 0 with the sign bit set",
      { primary: `ed25519:01${"00".repeat(30)}80` },
      "key_rejected"
    )
  ]
}

/** base32 of prefix || key || CRC-16/XMODEM, without padding. */
export function nkey(prefix: number, key: Uint8Array, spoil = 0): string {
  const body = bytes(byte(prefix), key)
  let crc = 0
  for (const value of body) {
    crc ^= value << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  crc ^= spoil
  let bits = ""
  for (const value of bytes(body, byte(crc & 255, crc >> 8))) bits += value.toString(2).padStart(8, "0")
  return (bits.match(/.{5}/g) ?? [])
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)])
    .join("")
}

const message = Primitives.stream("message", 64)
const good = Primitives.ed25519Sign(alice.seed, message)
const r = good.subarray(0, 32)
const s = Curve.fromLittleEndian(good.subarray(32))

/** A signature whose R has a torsion component: S B - k A equals R without it. */
const torsioned = (multiple: bigint): Buffer => {
  const scalar = Curve.scalarOf(alice.seed)
  const nonce = Curve.fromLittleEndian(Primitives.stream(`nonce ${multiple}`, 32)) % Curve.order
  const point = Curve.add(Curve.multiply(nonce, Curve.base), Curve.multiply(multiple, Curve.torsion8))
  const encoded = Curve.encode(point)
  const k = Curve.challenge(encoded, alice.ed32, message)
  return bytes(encoded, Curve.toLittleEndian((nonce + k * scalar) % Curve.order))
}

/** The one signature with R = identity that the equation allows: S = k a. */
const identityR = (encoded: Buffer): Buffer => {
  const k = Curve.challenge(encoded, alice.ed32, message)
  return bytes(encoded, Curve.toLittleEndian((k * Curve.scalarOf(alice.seed)) % Curve.order))
}

const flip = (data: Buffer, at: number): Buffer => {
  const copy = Buffer.from(data)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}

const signatureInput = (signature: Uint8Array, over: Uint8Array = message, key: string = alice.hex) => ({
  public_key: key,
  message: hex(over),
  signature: hex(signature)
})
const refused = (id: string, why: string, signature: Uint8Array, over: Uint8Array = message, key = alice.hex) =>
  invalid(id, ["KEZ-KEY-008"], why, signatureInput(signature, over, key), "signature_invalid")

const signatures: Operation = {
  file: "identity/signature",
  operation: "signature.verify",
  description:
    "input: an admissible Ed25519 public key, a message and a signature, hexadecimal. The verdict must be the same on every cryptographic library. result: true.",
  valid: [
    ...accounts.map(([name, { seed, hex: key }], i) =>
      valid(
        `signed-${i + 1}`,
        ["KEZ-KEY-008", "KEZ-KEY-009"],
        `made with the ${name}`,
        signatureInput(Primitives.ed25519Sign(seed, message), message, key),
        true
      )
    ),
    valid(
      "empty-message",
      ["KEZ-KEY-008"],
      "an empty message",
      signatureInput(Primitives.ed25519Sign(alice.seed, Buffer.alloc(0)), Buffer.alloc(0)),
      true
    ),
    valid(
      "identity-r",
      ["KEZ-KEY-008", "KEZ-KEY-009"],
      "R is the identity in its canonical encoding: the equation holds, so it is accepted",
      signatureInput(identityR(Curve.encode(Curve.identity))),
      true
    )
  ],
  invalid: [
    refused(
      "torsioned-r",
      "the case of the text: R carries torsion, A is admissible",
      fromHex(
        "3ca40d9bdb2e49622cc48561a824a21b5d55215b5d5fae10264029508be9a2d4c57fef34f5a5d3322a7f6585dbf38d3a9921031e7b76114174b381e232d0580d"
      ),
      Primitives.sha512(bytes('{"type":"kez.claim"}'))
    ),
    ...[1n, 2n, 4n, 7n].map((n) =>
      refused(
        `torsioned-r-${n}`,
        `R carries ${n} times a point of order 8; the cofactored equation holds`,
        torsioned(n)
      )
    ),
    refused("s-plus-l", "S + L instead of S", bytes(r, Curve.toLittleEndian(s + Curve.order))),
    refused(
      "s-high-bits",
      "S with its highest bits set",
      bytes(r, flip(Buffer.from(good.subarray(32)), 31).fill(0xff, 31))
    ),
    refused("s-zero", "S = 0 with an honest R", bytes(r, Buffer.alloc(32))),
    refused("r-not-reduced", "R is the identity encoded as y = p + 1", identityR(Curve.toLittleEndian(Curve.p + 1n))),
    refused("r-negative-zero", "R is the identity with the sign bit set", identityR(fromHex(`01${"00".repeat(30)}80`))),
    refused("r-changed", "one bit of R changed", flip(good, 0)),
    refused("s-changed", "one bit of S changed", flip(good, 32)),
    refused("message-changed", "one bit of the message changed", good, flip(message, 5)),
    refused("other-key", "another key", good, message, bob.hex),
    refused("short", "63 bytes", good.subarray(0, 63)),
    refused("long", "65 bytes", bytes(good, byte(0))),
    refused("empty", "no bytes", Buffer.alloc(0))
  ]
}

const agreement: Operation = {
  file: "identity/agreement",
  operation: "x25519.agree",
  description:
    "input: the seed of one account and the primary of another. result: the X25519 shared secret, hexadecimal.",
  valid: [
    [alice, bob],
    [bob, alice],
    [carol, alice],
    [carol, carol]
  ].map(([own, peer], i) =>
    valid(
      `shared-${i + 1}`,
      ["KEZ-KEY-010", "KEZ-KEY-011"],
      ["one way", "the other way: the same secret", "another pair", "an account with itself, for notes"][i] as string,
      { seed: hex((own as Account).seed), peer: (peer as Account).primary },
      hex(Primitives.x25519((own as Account).x25519Private, (peer as Account).x25519))
    )
  )
}

const zeroShared: Operation = {
  file: "identity/ephemeral-agreement",
  operation: "x25519.agreeWithEphemeral",
  description:
    "input: the seed of an account and an X25519 public key of 32 bytes, as it arrives in `enc`, hexadecimal. Nothing is admitted here, so a zero secret must be refused.",
  invalid: [
    ["zero", "00".repeat(32)],
    ["one", `01${"00".repeat(31)}`],
    ["order-8-a", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["order-8-b", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
    ["p-minus-1", hex(Curve.toLittleEndian(Curve.p - 1n))],
    ["p", hex(Curve.toLittleEndian(Curve.p))],
    ["p-plus-1", hex(Curve.toLittleEndian(Curve.p + 1n))]
  ].map(([id, u]) =>
    invalid(
      id as string,
      ["KEZ-KEY-012"],
      "a u-coordinate of small order",
      { seed: hex(alice.seed), public_key: u as string },
      "zero_shared_secret"
    )
  )
}

const words = (text: string, times: number, last: string) => `${Array(times).fill(text).join(" ")} ${last}`
const mnemonicResult = (seed: Buffer) => ({ seed: hex(seed), public_key: hex(Primitives.ed25519Public(seed)) })
const short = (entropy: Buffer) => Primitives.sha256(bytes("kez-bip39-12-v1", entropy))
const known24 = words("abandon", 23, "art")
const known12 = words("abandon", 11, "about")

const mnemonics: Operation = {
  file: "identity/mnemonic",
  operation: "mnemonic.toSeed",
  description:
    "input: words. result: the seed and its Ed25519 public key, hexadecimal. 24 words are also what the seed is written as.",
  valid: [
    valid(
      "kez-1",
      ["KEZ-MNE-001", "KEZ-MNE-002"],
      "KEZ's first published vector",
      { words: known24 },
      mnemonicResult(Buffer.alloc(32))
    ),
    valid(
      "kez-2",
      ["KEZ-MNE-003"],
      "KEZ's second published vector",
      { words: known12 },
      mnemonicResult(short(Buffer.alloc(16)))
    ),
    valid(
      "kez-3",
      ["KEZ-MNE-003"],
      "KEZ's third published vector",
      { words: "legal winner thank year wave sausage worth useful legal winner thank yellow" },
      mnemonicResult(short(Buffer.alloc(16, 0x7f)))
    ),
    valid(
      "ones",
      ["KEZ-MNE-001", "KEZ-MNE-002"],
      "a seed of 32 bytes ff",
      { words: words("zoo", 23, "vote") },
      mnemonicResult(Buffer.alloc(32, 0xff))
    ),
    valid(
      "case-and-space",
      ["KEZ-MNE-006"],
      "capitals, tabs and line feeds",
      { words: `  ${known24.replace("abandon", "ABANDON").replace(" ", "\t\n ").replace("art", "Art")}\n` },
      mnemonicResult(Buffer.alloc(32))
    )
  ],
  invalid: [
    ["checksum-24", "24 words with a wrong checksum", words("abandon", 23, "abandon")],
    ["checksum-12", "12 words with a wrong checksum", words("abandon", 11, "zoo")],
    ["unknown-word", "a word that is not in the list", words("abandon", 23, "artt")],
    ["count-23", "23 words", Array(23).fill("abandon").join(" ")],
    ["count-15", "15 words with a right BIP-39 checksum", words("abandon", 14, "address")],
    ["count-18", "18 words with a right BIP-39 checksum", words("abandon", 17, "agent")],
    ["empty", "nothing", ""],
    ["commas", "commas between the words", known24.replaceAll(" ", ",")]
  ].map(([id, why, text]) =>
    invalid(id as string, ["KEZ-MNE-005"], why as string, { words: text as string }, "mnemonic_invalid")
  )
}

const label63 = "a".repeat(63)
const handleCase = (id: string, why: string, handle: string) =>
  invalid(id, ["KEZ-REG-001"], why, { handle }, "handle_malformed")
const handles: Operation = {
  file: "identity/handle",
  operation: "handle.parse",
  description: "input: a handle in full. result: its parts.",
  valid: [
    ["plain", "letters", "tudisco@kez.lat"],
    ["shortest", "3 characters", "abc@kez.lat"],
    ["longest", "32 characters", `${"a".repeat(32)}@kez.lat`],
    ["signs", "digit first, then - and _", "0-_@kez.lat"],
    ["trailing-sign", "a sign at the end", "ab-@kez.lat"],
    ["localhost", "a local stack", "chris@localhost"],
    ["a-label", "an internationalised domain in A-labels", "chris@xn--bcher-kva.example"],
    ["long-label", "a label of 63 characters", `chris@${label63}.example`],
    ["digits", "a label of digits that is not the last", "chris@123.example"]
  ].map(([id, why, handle]) => {
    const [local, server] = (handle as string).split("@")
    return valid(
      id as string,
      ["KEZ-REG-001"],
      why as string,
      { handle: handle as string },
      { local: local as string, server: server as string }
    )
  }),
  invalid: [
    handleCase("no-server", "the local part alone", "tudisco"),
    handleCase("mention", "mention syntax", "@tudisco@kez.lat"),
    handleCase("two-characters", "2 characters", "ab@kez.lat"),
    handleCase("33-characters", "33 characters", `${"a".repeat(33)}@kez.lat`),
    handleCase("capital", "a capital", "Tudisco@kez.lat"),
    handleCase("first-sign", "a sign at the beginning", "_abc@kez.lat"),
    handleCase("dot", "a dot", "chris.smith@kez.lat"),
    handleCase("unicode", "a letter beyond ASCII", "chrís@kez.lat"),
    handleCase("homograph", "a Cyrillic letter that looks like a", "\u0430bc@kez.lat"),
    handleCase("two-at", "two @", "chris@kez@lat"),
    handleCase("server-capital", "a capital in the server", "chris@Kez.lat"),
    handleCase("server-dot", "a trailing dot", "chris@kez.lat."),
    handleCase("server-empty-label", "an empty label", "chris@kez..lat"),
    handleCase("server-hyphen", "a label that begins with a hyphen", "chris@-kez.lat"),
    handleCase("server-port", "a port", "chris@kez.lat:8080"),
    handleCase("server-address", "an IPv4 address", "chris@127.0.0.1"),
    handleCase("server-u-label", "a U-label", "chris@bücher.example"),
    handleCase("server-long-label", "a label of 64 characters", `chris@a${label63}.example`),
    handleCase("server-long", "254 characters", `chris@${`${label63}.`.repeat(3)}${"a".repeat(62)}`),
    handleCase("server-empty", "no server", "chris@"),
    handleCase("space", "white space behind it", "chris@kez.lat ")
  ]
}

const mentions: Operation = {
  file: "identity/mention",
  operation: "handle.parseMention",
  description: "input: what a person typed, and the name of their home server. result: the handle in full.",
  valid: [
    ["name", "a name alone", "chris", "chris@kez.lat"],
    ["at-name", "a mention", "@chris", "chris@kez.lat"],
    ["full", "a handle", "chris@example.org", "chris@example.org"],
    ["at-full", "a handle as a mention", "@chris@example.org", "chris@example.org"]
  ].map(([id, why, text, handle]) =>
    valid(id as string, ["KEZ-REG-003"], why as string, { text: text as string, server: "kez.lat" }, handle as string)
  )
}

const identifiers: Operation = {
  file: "identity/identifier",
  operation: "identifier.parse",
  description: "input: an identifier. result: its normal form, by which identifiers are compared.",
  valid: [
    ["github", "a user name", "github:octocat", "github:octocat"],
    ["github-case", "case and a leading @ do not matter", "github:@OctoCat", "github:octocat"],
    ["dns", "a domain", "dns:example.org", "dns:example.org"],
    ["dns-form", "capitals and a trailing dot", "dns:Example.ORG.", "dns:example.org"],
    ["web-host", "a host without scheme", "web:example.org", "web:https://example.org"],
    ["web-url", "a URL with a trailing slash", "web:https://Example.org/~alice/", "web:https://example.org/~alice"],
    ["bluesky", "a handle", "bluesky:@Alice.example.org", "bluesky:alice.example.org"],
    ["ap", "an ActivityPub account", "ap:@alice@social.example", "ap:alice@social.example"],
    ["mastodon", "the alias", "mastodon:alice@social.example", "ap:alice@social.example"],
    [
      "nostr",
      "an npub",
      "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg",
      "nostr:npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg"
    ],
    ["ed25519", "a primary", alice.primary, alice.primary],
    ["unknown", "a system that is not known, kept as it is", "ens:Alice.eth", "ens:Alice.eth"],
    ["did", "an identifier with colons", "did:plc:abc123", "did:plc:abc123"],
    ["github-39", "39 characters", `github:${"a".repeat(39)}`, `github:${"a".repeat(39)}`],
    ["web-slashes", "several trailing slashes", "web:https://example.org/a//", "web:https://example.org/a"],
    ["web-port", "the port of https", "web:https://example.org:443/a", "web:https://example.org/a"],
    ["web-other-port", "another port", "web:https://example.org:8443/a", "web:https://example.org:8443/a"],
    ["web-dots", "a path that goes up", "web:https://example.org/a/../b", "web:https://example.org/b"],
    [
      "long-512",
      "512 characters, which are code points",
      `ens:${"\u{1f600}".repeat(508)}`,
      `ens:${"\u{1f600}".repeat(508)}`
    ]
  ].map(([id, why, identifier, normal]) =>
    valid(
      id as string,
      id === "long-512"
        ? ["KEZ-LIM-007"]
        : id === "unknown" || id === "did"
          ? ["KEZ-PRF-001", "KEZ-PRF-002"]
          : ["KEZ-PRF-001", "KEZ-PRF-012"],
      why as string,
      { identifier: identifier as string },
      normal as string
    )
  ),
  invalid: [
    ["no-system", "no system", "octocat"],
    ["empty-system", "an empty system", ":octocat"],
    ["empty-id", "nothing after the colon", "github:"],
    ["system-case", "a system in upper case", "GitHub:octocat"],
    ["space", "white space", "github:octo cat"],
    ["control", "a control character", "ens:alice\u0000"],
    ["github-form", "a user name that cannot exist", "github:-octocat"],
    ["dns-one-label", "a domain of one label", "dns:localhost"],
    ["dns-address", "an address", "dns:127.0.0.1"],
    ["web-http", "http", "web:http://example.org"],
    ["web-dot", "a host with a trailing dot", "web:https://example.org./a"],
    ["ap-dot", "the same in another system", "ap:alice@social.example."],
    ["web-query", "a query", "web:https://example.org/?q=1"],
    ["ap-no-host", "no host", "ap:alice"],
    ["ap-one-label", "a host of one label", "ap:alice@localhost"],
    ["github-40", "40 characters", `github:${"a".repeat(40)}`],
    ["github-hyphens", "two hyphens together", "github:a--b"],
    ["web-user", "a user", "web:https://alice@example.org/"],
    ["web-fragment", "a fragment", "web:https://example.org/#me"],
    ["space-unicode", "U+00A0, white space", "ens:a\u00a0b"],
    ["control-c1", "U+0085, a control character of C1", "ens:a\u0085b"],
    ["format", "U+200B, a format character", "ens:a\u200bb"],
    ["ed25519-rejected", "a key of small order", `ed25519:${smallOrder[1]}`],
    ["long", "513 characters", `ens:${"a".repeat(509)}`]
  ].map(([id, why, identifier]) =>
    invalid(
      id as string,
      id === "long" ? ["KEZ-LIM-007"] : ["KEZ-PRF-001"],
      why as string,
      { identifier: identifier as string },
      "identifier_malformed"
    )
  )
}

export const safety = (a: Account, b: Account) => {
  const ordered = Buffer.compare(a.ed32, b.ed32) < 0 ? [a, b] : [b, a]
  const digest = Primitives.sha512(bytes("kez.chat.safety-number/1", byte(0), ...ordered.map((one) => one.ed32)))
  const groups = Array.from({ length: 12 }, (_, i) => {
    const value = BigInt(`0x${hex(digest.subarray(5 * i, 5 * i + 5))}`) % 100_000n
    return String(value).padStart(5, "0")
  })
  return { digest: hex(digest), number: groups.join(" "), qr: `kez:sn1:${base64Url(digest)}` }
}
const safetyNumbers: Operation = {
  file: "identity/safety-number",
  operation: "safetyNumber.of",
  description:
    "input: two primaries. result: the digest (hexadecimal), the number in groups with a space between, and the QR text.",
  valid: [
    [alice, bob],
    [bob, alice],
    [alice, carol],
    [bob, carol]
  ].map(([a, b], i) =>
    valid(
      `pair-${i + 1}`,
      ["KEZ-KEY-013", "KEZ-KEY-014"],
      ["two accounts", "the other way round: the same number", "another pair", "a third pair"][i] as string,
      { a: (a as Account).primary, b: (b as Account).primary },
      safety(a as Account, b as Account)
    )
  )
}
const safetyQr: Operation = {
  file: "identity/safety-number-qr",
  operation: "safetyNumber.parseQr",
  description: "input: a scanned text. result: the digest of 64 bytes, hexadecimal.",
  valid: [
    valid("qr", ["KEZ-KEY-014"], "the QR text of a pair", { qr: safety(alice, bob).qr }, safety(alice, bob).digest)
  ],
  invalid: [
    ["prefix", "another prefix", safety(alice, bob).qr.replace("sn1", "sn2")],
    ["short", "63 bytes", `kez:sn1:${base64Url(fromHex(safety(alice, bob).digest).subarray(1))}`],
    ["padding", "base64 padding", `${safety(alice, bob).qr}==`],
    [
      "trailing-bits",
      "trailing bits set",
      `${safety(alice, bob).qr.slice(0, -1)}${safety(alice, bob).qr.endsWith("_") ? "-" : "_"}`
    ]
  ].map(([id, why, qr]) =>
    invalid(id as string, ["KEZ-KEY-014", "KEZ-KEY-015"], why as string, { qr: qr as string }, "encoding_malformed")
  )
}

export const operations: ReadonlyArray<Operation> = [
  keys,
  signatures,
  agreement,
  zeroShared,
  mnemonics,
  handles,
  mentions,
  identifiers,
  safetyNumbers,
  safetyQr
]
