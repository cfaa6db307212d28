import { assert, describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { NodeCrypto } from "../../../src/adapters/node/index.ts"
import { SafetyNumber as Verb, SealedMessage } from "../../../src/crypto/index.ts"
import { Bytes, Canonical, Envelope, type Json, Message, SafetyNumber, Seal } from "../../../src/protocol/index.ts"
import { alice, bob, carol, draft, fixture, id, ok, text, time } from "../../kits/Accounts.ts"
import { answers, codeOf, fuzzBytes, fuzzText } from "../../kits/DecoderKit.ts"

const { envelope } = await fixture(SealedMessage.encrypt(alice, draft(bob, text("hello"))))
const edited = (members: Json.JsonObject): Envelope.Envelope => ({
  ...envelope,
  payload: { ...envelope.payload, ...members }
})
const code = (members: Json.JsonObject) => codeOf(Message.parse(edited(members)))
const base64url = (length: number) => Bytes.toBase64Url(new Uint8Array(length))

describe("Message", () => {
  it("reads what identities send", () => {
    const message = ok(Message.parse(envelope))
    assert.deepInclude(message, { id: id(1), device: id(77), seq: 0, createdAt: time })
    assert.strictEqual(message.from, alice.key)
    assert.strictEqual(message.to, bob.key)
    assert.strictEqual(message.salt.length, 32)
    assert.notProperty(message, "prev")
  })

  it("KEZ-DM-001 has every member in its form", () => {
    assert.strictEqual(code({ future: [1] }), "accepted")
    for (const members of [
      { id: base64url(15) },
      { id: base64url(17) },
      { id: `${id(1).slice(0, 21)}B` },
      { id: 1 },
      { device: "" },
      { seq: -1 },
      { seq: "0" },
      { prev: "sha256:00" },
      { prev: null },
      { salt: base64url(31) },
      { salt: base64url(33) },
      { ciphertext: base64url(51) },
      { ciphertext: base64url(40_981) },
      { ciphertext: "" },
      { ciphertext: null },
      { suite: 1 }
    ] as ReadonlyArray<Json.JsonObject>) {
      assert.strictEqual(code(members), "message_malformed", JSON.stringify(members).slice(0, 60))
    }
    assert.strictEqual(code({ ciphertext: base64url(52) }), "accepted")
    assert.strictEqual(code({ ciphertext: base64url(40_980) }), "accepted")
    assert.strictEqual(code({ created_at: "2026-01-01" }), "timestamp_malformed")
  })

  it("refuses set bits after the last byte and other spellings of base64url", () => {
    const salt = String(envelope.payload["salt"])
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".indexOf(salt.slice(-1))
    const trailing = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last | 1]
    assert.strictEqual(code({ salt: salt.slice(0, -1) + trailing }), "encoding_malformed")
    assert.strictEqual(code({ ciphertext: `${base64url(52).slice(0, -1)}B` }), "encoding_malformed")
    assert.strictEqual(code({ ciphertext: `${base64url(52)}=` }), "encoding_malformed")
    assert.strictEqual(code({ ciphertext: base64url(52).replace("AA", "+/") }), "encoding_malformed")
  })

  it("KEZ-DM-002 KEZ-DM-005 takes admitted ed25519 primaries and the one suite", () => {
    assert.strictEqual(code({ to: `ed25519:${"00".repeat(32)}` }), "key_rejected")
    assert.strictEqual(code({ to: "bob@kez.lat" }), "key_malformed")
    const nostr = "nostr:npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6"
    assert.strictEqual(code({ to: nostr }), "key_malformed")
    assert.strictEqual(code({ suite: "x25519-hkdf-sha256-aes256gcm" }), "suite_unsupported")
  })

  it("KEZ-DM-007 binds every member but the ciphertext", () => {
    const payload: Json.JsonObject = { ...envelope.payload, future: "kept" }
    const bound = JSON.parse(Message.associatedText(payload)) as Json.JsonObject
    const { ciphertext: _, ...rest } = payload
    assert.deepStrictEqual(bound, rest)
    assert.strictEqual(Message.associatedText(payload), Canonical.encodeText(rest))
  })

  it("KEZ-DM-007 cuts the same bytes out of the signed ones, whatever members a later version adds", () => {
    const { ciphertext } = envelope.payload
    const added: Array<Json.JsonObject> = [
      {},
      { future: "kept" },
      { a: { ciphertext: "inner" } },
      { a: `"ciphertext":"${ciphertext}",` },
      { ciphertex: "before" },
      { ciphertextual: "after" },
      { é: "ü" }
    ]
    for (const more of added) {
      const payload: Json.JsonObject = { ...envelope.payload, ...more }
      const signed = Envelope.signedBytes(payload)
      const before = signed.slice()
      assert.deepStrictEqual(Message.aadOf(payload, signed), Message.aad(payload))
      assert.deepStrictEqual(signed, before)
    }
  })

  it("KEZ-SEQ-014 gives every message exactly one role, or none", () => {
    const role = (me: typeof alice, from: typeof alice, to: typeof alice) =>
      Message.roleOf(me.key, { from: from.key, to: to.key })
    assert.deepStrictEqual(ok(role(bob, alice, bob)), { role: "incoming", peer: alice.key })
    assert.deepStrictEqual(ok(role(alice, alice, bob)), { role: "sent", peer: bob.key })
    assert.deepStrictEqual(ok(role(alice, alice, alice)), { role: "note", peer: alice.key })
    assert.strictEqual(codeOf(role(carol, alice, bob)), "message_misdirected")
  })

  it("KEZ-SEQ-015 KEZ-SEQ-018 KEZ-SEQ-024 names messages and places by their sender", () => {
    const one = ok(Message.parse(envelope))
    assert.notStrictEqual(Message.seenKey(one), Message.seenKey({ ...one, from: carol.key }))
    assert.strictEqual(Message.seenKey(one), Message.seenKey({ ...one, to: carol.key } as Message.Message))
    const places = [
      one,
      { ...one, seq: 1 },
      { ...one, device: id(1) },
      { ...one, to: carol.key },
      { ...one, from: bob.key }
    ]
    assert.strictEqual(new Set(places.map(Message.sequenceKey)).size, places.length)
  })

  it("KEZ-SEQ-025 counts what is missing before a message", () => {
    assert.strictEqual(Message.gapBefore(undefined, 0), 0)
    assert.strictEqual(Message.gapBefore(undefined, 3), 3)
    assert.strictEqual(Message.gapBefore(4, 5), 0)
    assert.strictEqual(Message.gapBefore(4, 7), 2)
    assert.strictEqual(Message.gapBefore(4, 4), "earlier")
    assert.strictEqual(Message.gapBefore(4, 0), "earlier")
  })

  it("KEZ-SEQ-023 finds times outside -30 d / +10 min suspicious", () => {
    const day = 86_400_000
    assert.isFalse(Message.isSuspicious(time, time + 30 * day))
    assert.isTrue(Message.isSuspicious(time, time + 30 * day + 1))
    assert.isFalse(Message.isSuspicious(time + 600_000, time))
    assert.isTrue(Message.isSuspicious(time + 600_001, time))
  })

  it("answers whatever members a message has", () => {
    const value = fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json.Json>
    const names = fc.constantFrom("id", "to", "device", "created_at", "seq", "prev", "suite", "salt", "ciphertext")
    fc.assert(fc.property(fc.dictionary(names, value), (members) => answers(Message.parse, edited(members))))
  })
})

describe("Seal", () => {
  it("KEZ-DM-011 lays a frame out as version, ephemeral key and ciphertext", () => {
    const enc = new Uint8Array(32).fill(7)
    const ciphertext = new Uint8Array(17).fill(9)
    const frame = ok(Seal.encode({ enc, ciphertext }))
    assert.deepStrictEqual(frame, Bytes.concat(Uint8Array.of(1), enc, ciphertext))
    assert.deepStrictEqual(ok(Seal.decode(frame)), { enc, ciphertext })
    assert.strictEqual(Bytes.toHex(Seal.aad(bob.key)), `01${bob.key.hex}`)
  })

  it("KEZ-DM-012 KEZ-DM-013 bounds frames", () => {
    const enc = new Uint8Array(32)
    assert.strictEqual(codeOf(Seal.encode({ enc, ciphertext: new Uint8Array(65_503) })), "accepted")
    assert.strictEqual(codeOf(Seal.encode({ enc, ciphertext: new Uint8Array(65_504) })), "message_too_large")
    const frame = (length: number, version = 1) => codeOf(Seal.decode(new Uint8Array(length).fill(version, 0, 1)))
    assert.strictEqual(frame(0), "frame_malformed")
    assert.strictEqual(frame(49), "frame_malformed")
    assert.strictEqual(frame(50), "accepted")
    assert.strictEqual(frame(50, 2), "frame_malformed")
    assert.strictEqual(frame(65_536), "accepted")
    assert.strictEqual(frame(65_537), "frame_malformed")
    fuzzBytes(Seal.decode, fc.uint8Array({ minLength: 50, maxLength: 60 }))
  })
})

layer(NodeCrypto.layer)("SafetyNumber", (it) => {
  it.effect("KEZ-KEY-013 KEZ-KEY-014 is the same for both sides and comes back from its code", () =>
    Effect.gen(function* () {
      const [ours, theirs, other] = yield* Effect.all([
        Verb.of(alice.key, bob.key),
        Verb.of(bob.key, alice.key),
        Verb.of(alice.key, carol.key)
      ])
      assert.deepStrictEqual(ours, theirs)
      assert.notStrictEqual(ours.digits, other.digits)
      assert.match(ours.digits, /^(\d{5} ){11}\d{5}$/)
      assert.deepStrictEqual(ok(SafetyNumber.parseQr(ours.qr)), ours.digest)
      assert.isTrue(SafetyNumber.matches(ours.digits.replaceAll(" ", "\n"), ours.digest))
      assert.isFalse(SafetyNumber.matches(other.digits, ours.digest))
    })
  )

  it("writes each group as u40 modulo 100,000 with leading zeros", () => {
    const digest = new Uint8Array(64)
    digest.set([0xff, 0xff, 0xff, 0xff, 0xff], 0)
    digest.set([0, 0, 0, 0, 7], 5)
    assert.isTrue(
      SafetyNumber.format(digest).startsWith(`${String((2 ** 40 - 1) % 100_000).padStart(5, "0")} 00007 00000`)
    )
  })

  it("refuses every other code", () => {
    const qr = SafetyNumber.formatQr(new Uint8Array(64))
    for (const wrong of ["", qr.slice(1), `${qr}A`, qr.slice(0, -1), `${qr.slice(0, -1)}B`, `${qr}=`]) {
      assert.strictEqual(codeOf(SafetyNumber.parseQr(wrong)), "encoding_malformed")
    }
    fuzzText(SafetyNumber.parseQr, fc.constant(qr))
  })
})
