import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Body, Bytes, Canonical, type Json } from "../../../src/protocol/index.ts"
import { head, id, ok, text, time } from "../../kits/Accounts.ts"
import { codeOf, fuzzBytes } from "../../kits/DecoderKit.ts"

const bytes = (length: number) => new Uint8Array(length).fill(5)
const bodies: ReadonlyArray<Body.Known> = [
  text("hello"),
  { ...text("with a fallback"), fallback: "hi" },
  {
    type: "file_share",
    filename: "report.pdf",
    media_type: "application/pdf",
    size: 1_234_567,
    blob_hash: `blake3:${"c".repeat(64)}`,
    ticket: "blobac...",
    wrapped_content_key: bytes(80),
    self_wrapped_content_key: bytes(80),
    thumbnail: bytes(8192),
    chain: head
  },
  { type: "receipt", status: "read", ids: [id(1), id(2)], chain: head },
  { type: "address_request", nonce: bytes(16), chain: head },
  {
    type: "address",
    nonce: bytes(16),
    addrs: ["192.0.2.1:4433", "[2001:db8::1]:4433"],
    relay_url: "https://relay.example/",
    expiresAt: time,
    chain: head
  },
  {
    type: "block_list",
    entries: [
      { who: `ed25519:${"b".repeat(64)}`, blocked: true, rev: 1 },
      { who: `ed25519:${"c".repeat(64)}`, blocked: false, rev: 7 }
    ],
    chain: head
  },
  { type: "device_position", epoch: "AAECAwQFBgcICQoLDA0ODw", upTo: 12, chain: head }
]
const read = (json: Json.Json) => Body.parse(Canonical.encode(json))
const code = (json: Json.Json) => codeOf(read(json))
const jsonOf = (body: Body.Known) => ok(Body.parse(ok(Body.encode(body)))).json

describe("Body", () => {
  it("KEZ-DM-018 reads the bodies it writes, as JCS", () => {
    for (const body of bodies) {
      const encoded = ok(Body.encode(body))
      const received = ok(Body.parse(encoded))
      assert.deepStrictEqual(received.body, body)
      assert.deepStrictEqual(Canonical.encode(received.json), encoded)
    }
  })

  it("KEZ-DM-019 needs its author's head", () => {
    for (const body of bodies) {
      const { chain: _, ...without } = jsonOf(body)
      assert.strictEqual(code(without), "message_malformed")
    }
    assert.strictEqual(code({ type: "text", text: "x", chain: { seq: -1, hash: head.hash } }), "message_malformed")
    assert.strictEqual(code({ type: "text", text: "x", chain: { seq: 0, hash: "sha256:" } }), "message_malformed")
    assert.strictEqual(code({ type: "strange", chain: null }), "message_malformed")
  })

  it("KEZ-DM-018 refuses another form than JCS", () => {
    const canonical = new TextDecoder().decode(ok(Body.encode(text("x"))))
    for (const other of [`${canonical} `, canonical.replace(":", ": "), canonical.replace('"x"', '"\\u0078"')]) {
      assert.strictEqual(codeOf(Body.parse(Bytes.utf8(other))), "message_malformed")
    }
    const { type, ...rest } = JSON.parse(canonical) as Json.JsonObject
    assert.strictEqual(codeOf(Body.parse(Bytes.utf8(JSON.stringify({ type, ...rest })))), "message_malformed")
    // What looks like an escape of a surrogate and is none.
    const path = text("C:\\udemy")
    assert.deepStrictEqual(ok(Body.parse(ok(Body.encode(path)))).body, path)
  })

  it("counts characters as code points", () => {
    const offered = (filename: string, media_type: string) =>
      code({ ...jsonOf(bodies[2] as Body.Known), filename, media_type })
    assert.strictEqual(offered("\u{1f600}".repeat(255), "\u{1f600}".repeat(127)), "accepted")
    assert.strictEqual(offered("\u{1f600}".repeat(256), "a"), "message_malformed")
    assert.strictEqual(offered("a", "\u{1f600}".repeat(128)), "message_malformed")
  })

  it("KEZ-DM-020 keeps reserved and unknown bodies with their fallback", () => {
    const unknown = { type: "poll", chain: { ...head }, fallback: "Anna asks: tea?", options: ["yes", "no"] }
    const received = ok(read(unknown))
    assert.deepStrictEqual<Body.Body>(received.body, {
      type: "other",
      name: "poll",
      reserved: false,
      chain: head,
      fallback: "Anna asks: tea?"
    })
    assert.deepStrictEqual<Json.Json>(received.json, unknown)
    for (const type of ["edit", "delete", "reaction", "typing"]) {
      assert.deepInclude(ok(read({ type, chain: { ...head } })).body, { type: "other", name: type, reserved: true })
    }
    assert.deepInclude(ok(read({ type: "other", chain: { ...head } })).body, { type: "other", name: "other" })
    assert.deepInclude(ok(read({ type: "toString", chain: { ...head } })).body, { name: "toString" })
  })

  it("KEZ-DM-021 KEZ-DM-022 KEZ-SEQ-030 refuses wrong members of known types", () => {
    const wrong = (n: number, members: Json.JsonObject) => {
      const found = code({ ...jsonOf(bodies[n] as Body.Known), ...members })
      assert.include(["message_malformed", "encoding_malformed", "timestamp_malformed"], found, JSON.stringify(members))
    }
    wrong(0, { text: "" })
    wrong(0, { text: 1 })
    wrong(0, { fallback: null })
    for (const filename of ["", "a/b", "..", ".", "a\\b", "a\nb", "x".repeat(256)]) wrong(2, { filename })
    wrong(2, { size: -1 })
    wrong(2, { blob_hash: "c".repeat(64) })
    wrong(2, { wrapped_content_key: Bytes.toBase64Url(bytes(79)) })
    wrong(2, { self_wrapped_content_key: "" })
    wrong(2, { thumbnail: Bytes.toBase64Url(bytes(8193)) })
    wrong(2, { media_type: null })
    wrong(2, { ticket: "x".repeat(1025) })
    wrong(3, { status: "seen" })
    wrong(3, { ids: [] })
    wrong(3, { ids: Array.from({ length: 129 }, (_, n) => id(n)) })
    wrong(3, { ids: ["short"] })
    wrong(3, { ids: id(1) })
    wrong(4, { nonce: Bytes.toBase64Url(bytes(15)) })
    wrong(5, { addrs: ["relay.example:443"] })
    wrong(5, { addrs: Array.from({ length: 33 }, () => "192.0.2.1:1") })
    wrong(5, { relay_url: "ftp://x" })
    wrong(5, { expires_at: 5 })
  })

  it("KEZ-DM-009 refuses to write what would not be read", () => {
    const overhead = ok(Body.encode(text("x"))).length - 1
    assert.strictEqual(ok(Body.encode(text("x".repeat(40_960 - overhead)))).length, 40_960)
    assert.strictEqual(codeOf(Body.encode(text("x".repeat(40_961 - overhead)))), "message_too_large")
    assert.strictEqual(codeOf(Body.encode(text(""))), "message_malformed")
    assert.strictEqual(codeOf(Body.encode(text("\ud800"))), "json_string")
    assert.strictEqual(
      codeOf(Body.encode({ type: "receipt", status: "read", ids: [], chain: head })),
      "message_malformed"
    )
    assert.strictEqual(codeOf(Body.encode({ ...text("x"), chain: { seq: 0.5, hash: "" } })), "message_malformed")
  })

  it("KEZ-SEQ-026 counts only the ids that we wrote to a receipt's author, once", () => {
    const receipt: Body.Receipt = { type: "receipt", status: "read", ids: [id(1), id(2), id(1), id(3)], chain: head }
    const ours = new Set([id(1), id(3)])
    assert.deepStrictEqual(
      Body.countingIds(receipt, (each) => ours.has(each)),
      [id(1), id(3)]
    )
  })

  it("answers whatever it is given", () => {
    fuzzBytes(
      Body.parse,
      fc.constantFrom(...bodies).map((body) => ok(Body.encode(body))),
      1000
    )
  })
})
