import * as fs from "node:fs"
import { blake3 } from "./Blake3.ts"
import { base64Url, byte, bytes, fromHex, hex } from "./Bytes.ts"
import * as Primitives from "./Primitives.ts"
import { type Account, alice, bob, carol, hpkeSeal, type Json, mallory } from "./Protocol.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

/** Bytes given whole, or by their BLAKE3 hash where they are long. */
interface Captured {
  readonly length: number
  readonly hex?: string
  readonly blake3?: string
}
interface Native {
  readonly responses: ReadonlyArray<{
    readonly size: number
    readonly hash: string
    readonly outboard: Captured
    readonly answers: ReadonlyArray<{ readonly ranges: ReadonlyArray<number | string>; readonly answer: Captured }>
  }>
  readonly tickets: ReadonlyArray<{
    readonly relay: string | null
    readonly addresses: ReadonlyArray<string>
    readonly format: string
    readonly endpoint: string
    readonly hash: string
    readonly ticket: string
  }>
}
const native = JSON.parse(fs.readFileSync(new URL("./iroh-blobs-0.104.json", import.meta.url), "utf8")) as Native

interface NativeRequests {
  readonly requests: ReadonlyArray<{
    readonly name: string
    readonly request: {
      readonly kind: string
      readonly hash?: string
      readonly ranges?: ReadonlyArray<{
        readonly from: number
        readonly boundaries: ReadonlyArray<number | string>
      }>
    }
    readonly bytes: string
  }>
  readonly variants: ReadonlyArray<{ readonly name: string; readonly bytes: string; readonly readAs: string | null }>
}
const nativeRequests = JSON.parse(
  fs.readFileSync(new URL("./iroh-blobs-0.104-requests.json", import.meta.url), "utf8")
) as NativeRequests

/** The bytes of test blobs. */
export const pattern = (size: number): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, i) => i % 251))
const json = (captured: Captured): Json => ({ ...captured })

const tree: Operation = {
  file: "files/tree",
  operation: "blob.tree",
  description:
    "input: the size of a blob whose bytes are i mod 251. result: its hash and outboard, hexadecimal, an outboard of more than 700 bytes by its own BLAKE3 hash. Captured from iroh-blobs 0.104.0, bao-tree 0.17.0, blake3 1.8.7.",
  valid: native.responses.map(({ hash, outboard, size }) =>
    valid(
      `size-${size}`,
      ["KEZ-FIL-004", "KEZ-FIL-014"],
      `a blob of ${size} bytes`,
      { size },
      { hash, outboard: json(outboard) }
    )
  )
}

const answers: Operation = {
  file: "files/answer",
  operation: "blob.answer",
  description:
    "input: the size of a blob whose bytes are i mod 251, and the boundaries of a set of chunks (as text where beyond 2^53). result: the answer, hexadecimal, one of more than 700 bytes by its BLAKE3 hash. Captured from a provider of iroh-blobs 0.104.0.",
  valid: native.responses.flatMap(({ answers, size }) =>
    answers.map(({ answer, ranges }, i) =>
      valid(
        `size-${size}-set-${i + 1}`,
        ["KEZ-FIL-015"],
        ranges.length === 0 ? "an empty set" : `chunks ${ranges.join(" ")}`,
        { size, ranges },
        json(answer)
      )
    )
  )
}

const small = native.responses.find(({ size }) => size === 1025) as Native["responses"][number]
const part = fromHex(small.answers.find(({ ranges }) => ranges[0] === 1)?.answer.hex as string)
const changed = (data: Buffer, at: number): Buffer => {
  const copy = Buffer.from(data)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}
const readCase = (id: string, requirement: string, why: string, answer: Buffer, error: string, size = 1025) =>
  invalid(id, [requirement], why, { hash: small.hash, size, ranges: [1, 2], answer: hex(answer) }, error)
const read: Operation = {
  file: "files/read",
  operation: "blob.read",
  description:
    "input: hash and size expected of a blob, the set of chunks asked for, and an answer, all bytes hexadecimal. result: what was verified, as offset and bytes.",
  valid: [
    valid(
      "part",
      ["KEZ-FIL-017"],
      "the second chunk of two",
      { hash: small.hash, size: 1025, ranges: [1, 2], answer: hex(part) },
      [{ offset: 1024, bytes: hex(pattern(1025).subarray(1024)) }]
    )
  ],
  invalid: [
    readCase("leaf", "KEZ-FIL-017", "the last byte changed", changed(part, part.length - 1), "blob_mismatch"),
    readCase("left", "KEZ-FIL-017", "a hash changed that is not asked for", changed(part, 8), "blob_mismatch"),
    readCase("right", "KEZ-FIL-017", "the hash of the leaf changed", changed(part, 40), "blob_mismatch"),
    readCase("size", "KEZ-FIL-018", "another size", changed(part, 0), "blob_mismatch"),
    readCase("huge", "KEZ-FIL-018", "a size of 2^63", changed(part, 7), "blob_mismatch"),
    readCase("expected", "KEZ-FIL-018", "the offered file has another size", part, "blob_mismatch", 1026),
    readCase("extra", "KEZ-FIL-018", "a byte follows", bytes(part, byte(0)), "blob_mismatch"),
    readCase("nothing", "KEZ-FIL-018", "nothing came", Buffer.alloc(0), "blob_incomplete"),
    readCase("header", "KEZ-FIL-018", "half a size", part.subarray(0, 4), "blob_incomplete"),
    readCase("pair", "KEZ-FIL-018", "half a pair", part.subarray(0, 40), "blob_incomplete"),
    readCase("no-leaf", "KEZ-FIL-018", "the leaf is missing", part.subarray(0, 72), "blob_incomplete")
  ]
}

const idOf = (name: string): string => name.replaceAll(/[^\w]+/g, "-")
const isAlone = ({ ranges = [] }: NativeRequests["requests"][number]["request"]): boolean => {
  const [blob, listed] = ranges
  if (blob === undefined) return true
  return ranges.length === 2 && blob.from === 0 && listed?.from === 1 && listed.boundaries.length === 0
}
const requests: Operation = {
  file: "files/request",
  operation: "blob.request",
  description:
    "input: the hash of a blob and the boundaries of a set of chunks (2^64 - 1, as text, for the last chunk). result: the request, hexadecimal. Captured from iroh-blobs 0.104.0.",
  valid: nativeRequests.requests.flatMap(({ bytes, name, request }) => {
    if (request.kind !== "get" || request.hash === undefined || !isAlone(request)) return []
    const ranges = request.ranges?.[0]?.boundaries ?? []
    // Not every implementation can name a chunk that no blob has.
    if (ranges.includes(String(2n ** 53n))) return []
    return [valid(idOf(name), ["KEZ-FIL-019"], name, { hash: request.hash, ranges }, bytes)]
  })
}
const asked: Operation = {
  file: "files/asked",
  operation: "blob.asked",
  description:
    "input: a request as received, hexadecimal. result: its kind, and whether it asks for listed blobs as well; such, and kinds other than get, are refused with code 1, as are those that cannot be read. Captured from iroh-blobs 0.104.0, which reads some of the invalid ones too.",
  valid: nativeRequests.requests.map(({ bytes, name, request }) =>
    valid(
      idOf(name),
      ["KEZ-FIL-022"],
      name,
      { request: bytes },
      request.kind === "get" ? { kind: "get", listed: !isAlone(request) } : { kind: request.kind }
    )
  ),
  invalid: nativeRequests.variants
    .filter(({ bytes, readAs }) => readAs !== bytes)
    .map(({ bytes, name }) => invalid(idOf(name), ["KEZ-FIL-022"], name, { request: bytes }, "request_malformed"))
}

/** kez-file/1. */
const encrypt = (key: Uint8Array, file: Buffer, last = true): Buffer => {
  const chunks = Math.max(1, Math.ceil(file.length / 65_536))
  return bytes(
    ...Array.from({ length: chunks }, (_, i) => {
      const nonce = bytes(
        Buffer.alloc(3),
        Buffer.from(i.toString(16).padStart(16, "0"), "hex"),
        byte(last && i === chunks - 1 ? 1 : 0)
      )
      return Primitives.aeadSeal(key, nonce, Buffer.alloc(0), file.subarray(65_536 * i, 65_536 * (i + 1)))
    })
  )
}
const fileKey = Primitives.stream("content key", 32)
const cipher: Operation = {
  file: "files/encrypt",
  operation: "file.encrypt",
  description:
    "input: content key, hexadecimal, and the size of a file whose bytes are i mod 251. result: length and hash of the blob, and a blob of at most 200 bytes, hexadecimal.",
  valid: [0, 1, 100, 65_535, 65_536, 65_537, 131_072, 200_000].map((size) => {
    const blob = encrypt(fileKey, pattern(size))
    const whole = blob.length <= 200 ? { blob: hex(blob) } : {}
    return valid(
      `size-${size}`,
      ["KEZ-FIL-002", "KEZ-FIL-004"],
      `a file of ${size} bytes`,
      { key: hex(fileKey), size },
      { length: blob.length, hash: `blake3:${hex(blake3(blob))}`, ...whole }
    )
  })
}
const ten = encrypt(fileKey, pattern(10))
const decryptCase = (id: string, why: string, blob: Buffer, size = 10, key: Uint8Array = fileKey) =>
  invalid(id, ["KEZ-FIL-003"], why, { key: hex(key), size, blob: hex(blob) }, "file_undecryptable")
const decrypt: Operation = {
  file: "files/decrypt",
  operation: "file.decrypt",
  description: "input: content key, size of the file and blob, bytes hexadecimal. result: the file, hexadecimal.",
  valid: [0, 1, 10].map((size) =>
    valid(
      `size-${size}`,
      ["KEZ-FIL-003"],
      `a file of ${size} bytes`,
      { key: hex(fileKey), size, blob: hex(encrypt(fileKey, pattern(size))) },
      hex(pattern(size))
    )
  ),
  invalid: [
    decryptCase("changed", "a changed byte", changed(ten, 3)),
    decryptCase("tag", "a changed tag", changed(ten, 25)),
    decryptCase("key", "another key", ten, 10, Primitives.stream("another key", 32)),
    decryptCase("not-last", "the only chunk is not marked as the last", encrypt(fileKey, pattern(10), false)),
    decryptCase("short", "a byte too few", ten.subarray(0, -1)),
    decryptCase("long", "a byte too many", bytes(ten, byte(0))),
    decryptCase("size", "another size", ten, 11),
    decryptCase("empty", "no bytes", Buffer.alloc(0), 0),
    decryptCase("appended", "an empty last chunk appended", bytes(ten, encrypt(fileKey, Buffer.alloc(0))))
  ]
}

const hash = blake3(encrypt(fileKey, pattern(100)))
const scalar = Primitives.stream("ephemeral", 32)
const wrap = (owner: Account, reader: Account, blobHash: Uint8Array = hash, key: Uint8Array = fileKey) => {
  const aad = bytes(blobHash, owner.ed32, reader.ed32)
  const { ct, enc } = hpkeSeal(scalar, reader.x25519, bytes("kez.file.key/1"), aad, key)
  return bytes(enc, ct)
}
const keyInput = (owner: Account, reader: Account) => ({
  owner: owner.primary,
  blob_hash: hex(hash),
  reader: reader.primary
})
const wrapped: Operation = {
  file: "files/wrap",
  operation: "fileKey.wrap",
  description:
    "input: content key, hash of the blob and X25519 ephemeral scalar, hexadecimal, owner and reader. result: the wrapped key, base64url.",
  valid: (
    [
      ["reader", "for another account", alice, bob],
      ["self", "for the owner", alice, alice]
    ] as const
  ).map(([id, why, owner, reader]) =>
    valid(
      id,
      ["KEZ-FIL-005"],
      why,
      { ...keyInput(owner, reader), key: hex(fileKey), ephemeral: hex(scalar) },
      base64Url(wrap(owner, reader))
    )
  )
}
const unwrapCase = (
  id: string,
  why: string,
  owner: Account,
  reader: Account,
  data: Buffer,
  blobHash: Uint8Array = hash
) =>
  invalid(
    id,
    ["KEZ-FIL-006"],
    why,
    { seed: hex(reader.seed), owner: owner.primary, blob_hash: hex(blobHash), wrapped: base64Url(data) },
    "content_key_invalid"
  )
const good = wrap(alice, bob)
const unwrapped: Operation = {
  file: "files/unwrap",
  operation: "fileKey.unwrap",
  description:
    "input: seed of the reader and hash of the blob, hexadecimal, owner, wrapped key, base64url. result: the content key.",
  valid: [
    valid(
      "reader",
      ["KEZ-FIL-005"],
      "the reader's",
      { seed: hex(bob.seed), owner: alice.primary, blob_hash: hex(hash), wrapped: base64Url(good) },
      hex(fileKey)
    )
  ],
  invalid: [
    unwrapCase("reader", "another reader", alice, carol, good),
    unwrapCase("owner", "another owner", mallory, bob, good),
    unwrapCase("blob", "another blob", alice, bob, good, blake3(pattern(5))),
    unwrapCase("changed", "a changed byte", alice, bob, changed(good, 50)),
    unwrapCase("enc", "a changed encapsulated key", alice, bob, changed(good, 5)),
    unwrapCase("zero", "an encapsulated key of small order", alice, bob, bytes(Buffer.alloc(32), good.subarray(32))),
    unwrapCase("short", "79 bytes", alice, bob, good.subarray(1)),
    unwrapCase("long", "81 bytes", alice, bob, bytes(good, byte(0)))
  ]
}

const base32 = (data: Uint8Array): string => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
  const bits = [...data].map((one) => one.toString(2).padStart(8, "0")).join("")
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[parseInt(five.padEnd(5, "0"), 2)]).join("")
}
const varint = (value: number): Buffer => {
  const out: Array<number> = []
  let rest = value
  for (; rest > 127; rest >>= 7) out.push((rest & 127) | 128)
  return byte(...out, rest)
}
/** A ticket without direct addresses. */
export const ticketOf = (endpoint: Account, blobHash: Uint8Array, relay?: string): string =>
  `blob${base32(bytes(byte(0), endpoint.ed32, ...(relay === undefined ? [byte(0)] : [byte(1), varint(relay.length), relay]), byte(0, 0), blobHash))}`
const rawTicket = (...parts: ReadonlyArray<Uint8Array | string>) => `blob${base32(bytes(...parts))}`
const plain = ticketOf(alice, hash)
const ip = (last: number, port: Buffer) => bytes(byte(0, 10, 0, 0, last), port)
const tickets: Operation = {
  file: "files/ticket",
  operation: "ticket.decode",
  description:
    "input: a ticket. result: endpoint and hash, hexadecimal, relay, direct addresses and format; the same ticket is written for it again. The first cases are captured from iroh-blobs 0.104.0.",
  valid: [
    ...native.tickets.map(({ addresses, endpoint, format, hash, relay, ticket }, i) =>
      valid(
        `native-${i + 1}`,
        ["KEZ-FIL-012"],
        "written by the native implementation",
        { ticket },
        {
          endpoint,
          hash,
          format,
          relay,
          addresses
        }
      )
    ),
    valid(
      "own",
      ["KEZ-FIL-012"],
      "a ticket as messages carry it",
      { ticket: ticketOf(alice, hash, "https://relay.example/") },
      { endpoint: alice.hex, hash: hex(hash), format: "raw", relay: "https://relay.example/", addresses: [] }
    )
  ],
  invalid: (
    [
      ["prefix", "another prefix", `node${plain.slice(4)}`],
      ["upper-case", "upper case", plain.toUpperCase()],
      ["mixed-case", "base32 in upper case", `blob${plain.slice(4).toUpperCase()}`],
      ["padding", "base32 padding", `${plain}=`],
      ["alphabet", "a character that is not of base32", `${plain.slice(0, -1)}1`],
      ["empty", "nothing after the prefix", "blob"],
      ["short", "a byte too few", rawTicket(byte(0), alice.ed32, byte(0, 0, 0), hash.subarray(1))],
      ["long", "a byte too many", rawTicket(byte(0), alice.ed32, byte(0, 0, 0), hash, byte(0))],
      ["variant", "an unknown variant", rawTicket(byte(1), alice.ed32, byte(0, 0, 0), hash)],
      ["format", "an unknown format", rawTicket(byte(0), alice.ed32, byte(0, 0, 2), hash)],
      ["option", "a wrong tag before the relay", rawTicket(byte(0), alice.ed32, byte(2, 0, 0), hash)],
      ["relay", "a relay that is no URL", rawTicket(byte(0), alice.ed32, byte(1, 3), "abc", byte(0, 0), hash)],
      [
        "relay-scheme",
        "a relay of another scheme",
        rawTicket(byte(0), alice.ed32, byte(1, 8), "file:///", byte(0, 0), hash)
      ],
      [
        "relay-form",
        "a relay that is not in the normal form of URLs",
        rawTicket(byte(0), alice.ed32, byte(1, 16), "https://Relay.ex", byte(0, 0), hash)
      ],
      ["varint", "a length written longer than needed", rawTicket(byte(0), alice.ed32, byte(0, 0x80, 0, 0), hash)],
      [
        "order",
        "addresses out of order",
        rawTicket(byte(0), alice.ed32, byte(0, 2), ip(2, byte(80)), ip(1, byte(80)), byte(0), hash)
      ],
      [
        "twice",
        "an address twice",
        rawTicket(byte(0), alice.ed32, byte(0, 2), ip(1, byte(80)), ip(1, byte(80)), byte(0), hash)
      ],
      [
        "port",
        "a port beyond 65535",
        rawTicket(byte(0), alice.ed32, byte(0, 1), ip(1, byte(0x80, 0x80, 4)), byte(0), hash)
      ],
      ["count", "more addresses than there are", rawTicket(byte(0), alice.ed32, byte(0, 9, 0), hash)]
    ] as const
  )
    .map(([id, why, ticket]) => invalid(id, ["KEZ-FIL-013"], why, { ticket }, "ticket_malformed"))
    .concat(
      invalid(
        "endpoint",
        ["KEZ-FIL-013"],
        "an endpoint of small order",
        { ticket: rawTicket(byte(0), byte(1), Buffer.alloc(31), byte(0, 0, 0), hash) },
        "key_rejected"
      )
    )
}

const shared: Operation = {
  file: "files/shared-ticket",
  operation: "ticket.shared",
  description:
    "input: a ticket of an offer or entry, who made it, and the blob hash beside it. result: the endpoint, hexadecimal.",
  valid: [
    valid(
      "own",
      ["KEZ-FIL-008"],
      "the author's device and the blob",
      { ticket: plain, owner: alice.primary, blob_hash: `blake3:${hex(hash)}` },
      alice.hex
    )
  ],
  invalid: (
    [
      ["endpoint", "another account's device", ticketOf(mallory, hash)],
      ["hash", "another blob", ticketOf(alice, blake3(pattern(5)))],
      ["collection", "a hash sequence", rawTicket(byte(0), alice.ed32, byte(0, 0, 1), hash)],
      ["address", "a direct address", rawTicket(byte(0), alice.ed32, byte(0, 1), ip(1, byte(80)), byte(0), hash)]
    ] as const
  ).map(([id, why, ticket]) =>
    invalid(
      id,
      ["KEZ-FIL-008"],
      why,
      { ticket, owner: alice.primary, blob_hash: `blake3:${hex(hash)}` },
      "ticket_mismatch"
    )
  )
}

export const operations: ReadonlyArray<Operation> = [
  tree,
  answers,
  read,
  requests,
  asked,
  cipher,
  decrypt,
  wrapped,
  unwrapped,
  tickets,
  shared
]
