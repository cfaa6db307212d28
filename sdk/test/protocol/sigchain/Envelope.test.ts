import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { NodeCrypto } from "../../../src/adapters/node/index.ts"
import { SignedEnvelope } from "../../../src/crypto/index.ts"
import { Bytes, Canonical, Envelope, type Json } from "../../../src/protocol/index.ts"
import { alice, bob, codeOf as failure, fixture, ok, time } from "../../kits/Accounts.ts"
import { codeOf, fuzzBytes, fuzzText } from "../../kits/DecoderKit.ts"
import { checkProperty } from "../../kits/Property.ts"

const claim = await fixture(alice.signClaim({ subject: "dns:example.org", createdAt: time }))
const json = Envelope.toJson(claim)
const change = (members: Json.JsonObject) => codeOf(Envelope.fromJson({ ...json, ...members }))
const changePayload = (members: Json.JsonObject) => change({ payload: { ...claim.payload, ...members } })
const changeSignature = (members: Json.JsonObject) => change({ signature: { ...claim.signature, ...members } })

layer(NodeCrypto.layer)("Envelope", (it) => {
  it.effect("KEZ-SIG-013 comes back from its JCS form, which is what is hashed", () =>
    Effect.gen(function* () {
      const encoded = Envelope.encode(claim)
      assert.deepStrictEqual(ok(Envelope.parse(encoded)), claim)
      assert.strictEqual(Envelope.encodeText(claim), Canonical.encodeText(json))
      assert.match(yield* SignedEnvelope.hash(claim), /^sha256:[0-9a-f]{64}$/)
    })
  )

  it("KEZ-SIG-001 has exactly its members", () => {
    assert.strictEqual(change({ note: "unsigned" }), "envelope_malformed")
    assert.strictEqual(changeSignature({ note: "unsigned" }), "envelope_malformed")
    const { payload, ...rest } = json
    assert.strictEqual(codeOf(Envelope.fromJson(rest)), "envelope_malformed")
    assert.strictEqual(change({ payload: [payload ?? null] }), "envelope_malformed")
    assert.strictEqual(change({ signature: null }), "envelope_malformed")
    for (const value of [null, 1, "x", true, [], {}]) {
      assert.strictEqual(codeOf(Envelope.fromJson(value)), "envelope_malformed")
    }
  })

  it.effect("KEZ-SIG-002 keeps members it does not know, under the signature", () =>
    Effect.gen(function* () {
      const text = Envelope.signedText(claim.payload)
      assert.notInclude(text, "future")
      const changed = ok(Envelope.fromJson({ ...json, payload: { ...claim.payload, future: { a: [1] } } }))
      assert.deepStrictEqual(ok(Envelope.parse(Envelope.encode(changed))).payload["future"], { a: [1] })
      assert.strictEqual(yield* failure(SignedEnvelope.verify(changed)), "signature_invalid")
    })
  )

  it("KEZ-SIG-003 KEZ-SIG-004 KEZ-SIG-005 agrees with the table of kinds", () => {
    assert.strictEqual(change({ kez: "sigchain_event" }), "envelope_kind")
    assert.strictEqual(change({ kez: "unknown" }), "envelope_kind")
    assert.strictEqual(change({ kez: "toString" }), "envelope_kind")
    assert.strictEqual(changePayload({ type: "kez.sigchain.event" }), "envelope_kind")
    assert.strictEqual(changePayload({ version: 2 }), "envelope_kind")
    assert.strictEqual(changePayload({ version: "1" }), "envelope_kind")
    assert.strictEqual(changePayload({ primary: bob.primary }), "envelope_kind")
    const { primary: _, ...anonymous } = claim.payload
    assert.strictEqual(change({ payload: anonymous }), "envelope_kind")
    // A chat message is signed by `from`, whatever `primary` says.
    const message = { ...claim.payload, type: "kez.chat.message", from: bob.primary }
    assert.strictEqual(change({ kez: "chat_message", payload: message }), "envelope_kind")
  })

  it("KEZ-SIG-009 KEZ-SIG-010 takes the key's own algorithm and 128 hex digits", () => {
    assert.strictEqual(changeSignature({ alg: "ed25519" }), "algorithm_unsupported")
    assert.strictEqual(changeSignature({ alg: "__proto__" }), "algorithm_unsupported")
    assert.strictEqual(changeSignature({ alg: "nostr-secp256k1-schnorr-sha256-jcs" }), "algorithm_unsupported")
    assert.strictEqual(changeSignature({ sig: claim.signature.sig.toUpperCase() }), "envelope_malformed")
    assert.strictEqual(changeSignature({ sig: claim.signature.sig.slice(2) }), "envelope_malformed")
    assert.strictEqual(changeSignature({ sig: 7 }), "envelope_malformed")
  })

  it("KEZ-KEY-007 admits the signer's key", () => {
    const smallOrder = `ed25519:${"00".repeat(32)}`
    const code = change({
      payload: { ...claim.payload, primary: smallOrder },
      signature: { ...claim.signature, key: smallOrder }
    })
    assert.strictEqual(code, "key_rejected")
  })

  it("gives the same texts for canonical input and for any other spelling", () => {
    const canonical = Envelope.encode(claim)
    const spelled = Bytes.utf8(
      JSON.stringify({ signature: json["signature"], payload: json["payload"], kez: "claim" }, undefined, 1)
    )
    const [a, b] = [ok(Envelope.parseEncoded(canonical)), ok(Envelope.parseEncoded(spelled))]
    assert.deepStrictEqual(a.signedBytes, Envelope.signedBytes(claim.payload))
    assert.deepStrictEqual(b.signedBytes, a.signedBytes)
    assert.deepStrictEqual(b.encoded, canonical)
    assert.deepStrictEqual(a.encoded, canonical)
  })

  it("finds the signed text in canonical envelopes of any payload", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__"),
          fc.nat()
        ),
        (more) => {
          const payload = { ...more, ...claim.payload }
          const envelope = ok(Envelope.fromJson({ ...json, payload }))
          const parsed = ok(Envelope.parseEncoded(Envelope.encode(envelope)))
          assert.deepStrictEqual(parsed.signedBytes, Canonical.encode(payload))
        }
      )
    )
  })

  it("cuts the same signature and signed bytes out of an encoding as parsing finds, and nothing out of others", () => {
    const signer = fc.constantFrom(alice.primary, bob.primary)
    const value = fc.jsonValue({ maxDepth: 3 }).filter((json) => !/[.eE]|-0/.test(JSON.stringify(json)))
    const encoding = fc
      .record({
        primary: signer,
        rest: fc.dictionary(fc.string(), value),
        sig: fc.uint8Array({ minLength: 64, maxLength: 64 })
      })
      .map(({ primary, rest, sig }) =>
        Envelope.encode({
          kez: "shared_files",
          payload: { ...(rest as Json.JsonObject), type: "kez.chat.shared_files", version: 1, primary },
          signature: { alg: "ed25519-sha512-jcs", key: primary, sig: Bytes.toHex(sig) }
        })
      )
    fc.assert(
      fc.property(encoding, (encoded) => {
        const parsed = Envelope.parseEncoded(encoded)
        if (parsed._tag === "Failure") return
        const cut = Envelope.cut(encoded, "shared_files")
        const { envelope, signedBytes } = parsed.success
        assert.deepStrictEqual(cut, { signedBytes, signature: envelope.signature })
        assert.isUndefined(Envelope.cut(encoded, "chat_message"))
        for (const other of [encoded.subarray(1), encoded.subarray(0, -1), Bytes.concat(encoded, Bytes.utf8(" "))]) {
          assert.isUndefined(Envelope.cut(other, "shared_files"))
        }
      })
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => Envelope.cut(bytes, "shared_files") === undefined))
  })

  it("answers whatever it is given", () => {
    const text = fc.constant(Envelope.encodeText(claim))
    fuzzText((input) => Envelope.parse(input), text)
    fuzzBytes((input) => Envelope.parseEncoded(input), text.map(Bytes.utf8))
  })

  it.effect("refuses every edit of a signed envelope, or says the same thing", () =>
    Effect.gen(function* () {
      const text = Envelope.encodeText(claim)
      yield* checkProperty(
        [fc.nat(text.length - 1), fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 1 })],
        Effect.fnUntraced(function* (at, put) {
          const parsed = Envelope.parse(text.slice(0, at) + put + text.slice(at + 1))
          if (parsed._tag === "Failure") return
          const holds = yield* failure(SignedEnvelope.verify(parsed.success).pipe(Effect.asVoid))
          assert.strictEqual(holds === "accepted", Envelope.encodeText(parsed.success) === text)
        }),
        { numRuns: 400 }
      )
    })
  )
})
