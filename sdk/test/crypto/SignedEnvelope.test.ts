import { assert, layer } from "@effect/vitest"
import { schnorr } from "@noble/curves/secp256k1.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { Effect } from "effect"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { Identity, SignedEnvelope, VerifiedChain, VerifiedRecord } from "../../src/crypto/index.ts"
import { Bytes, Endpoint, Envelope, type Json, PrimaryKey, Registration } from "../../src/protocol/index.ts"
import { alice, bob, codeOf, fixture, ok, seed, time } from "../kits/Accounts.ts"
import { backends } from "../kits/Backends.ts"

const claim = await fixture(alice.signClaim({ subject: "dns:example.org", createdAt: time }))

/** A nostr account's statement, signed with BIP-340 as KEZ says. */
const nostrSecret = new Uint8Array(32).fill(0x11)
const nostrPrimary = PrimaryKey.formatNostr(schnorr.getPublicKey(nostrSecret))
const nostrEnvelope = (kez: Envelope.Kind, members: Json.JsonObject): Envelope.Envelope => {
  const payload: Json.JsonObject = { version: 1, primary: nostrPrimary, ...members }
  const sig = Bytes.toHex(schnorr.sign(sha256(Envelope.signedBytes(payload)), nostrSecret))
  return { kez, payload, signature: { alg: "nostr-secp256k1-schnorr-sha256-jcs", key: nostrPrimary, sig } }
}
const nostrClaim = nostrEnvelope("claim", {
  type: "kez.claim",
  subject: "dns:example.org",
  created_at: "2026-01-01T00:00:00Z"
})

for (const [name, cryptoLayer] of Object.entries(backends))
  layer(cryptoLayer)(`SignedEnvelope on ${name}`, (it) => {
    const code = (envelope: Envelope.Envelope) =>
      Effect.match(SignedEnvelope.verify(envelope), {
        onFailure: ({ code }): string => code,
        onSuccess: ({ system }) => system
      })
    const withSig = (envelope: Envelope.Envelope, sig: string): Envelope.Envelope => ({
      ...envelope,
      signature: { ...envelope.signature, sig }
    })

    it.effect("KEZ-SIG-007 verifies Ed25519 over SHA-512 of JCS", () =>
      Effect.gen(function* () {
        const identity = yield* Identity.fromSeed(seed(1))
        assert.deepStrictEqual(yield* identity.signClaim({ subject: "dns:example.org", createdAt: time }), claim)
        assert.strictEqual(yield* code(claim), "ed25519")
        assert.strictEqual(
          yield* code({ ...claim, payload: { ...claim.payload, subject: "dns:evil.org" } }),
          "signature_invalid"
        )
        const flipped = claim.signature.sig.replace(/^./, (digit) => ((parseInt(digit, 16) ^ 1) & 15).toString(16))
        assert.strictEqual(yield* code(withSig(claim, flipped)), "signature_invalid")
      })
    )

    it.effect("KEZ-SIG-008 verifies BIP-340 over SHA-256 of JCS", () =>
      Effect.gen(function* () {
        assert.strictEqual(codeOfJson(nostrClaim), "accepted")
        assert.strictEqual(yield* code(nostrClaim), "nostr")
        assert.strictEqual(
          yield* code({ ...nostrClaim, payload: { ...nostrClaim.payload, subject: "dns:evil.org" } }),
          "signature_invalid"
        )
        assert.strictEqual(yield* code(withSig(nostrClaim, "f".repeat(128))), "signature_invalid")
        assert.strictEqual(yield* code(withSig(nostrClaim, claim.signature.sig)), "signature_invalid")
      })
    )

    it.effect("KEZ-KEY-008 refuses a torsioned R", () =>
      Effect.gen(function* () {
        const key = "ed25519:2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"
        const sig =
          "3ca40d9bdb2e49622cc48561a824a21b5d55215b5d5fae10264029508be9a2d4" +
          "c57fef34f5a5d3322a7f6585dbf38d3a9921031e7b76114174b381e232d0580d"
        const envelope: Envelope.Envelope = {
          kez: "claim",
          payload: { type: "kez.claim" },
          signature: { alg: "ed25519-sha512-jcs", key, sig }
        }
        assert.strictEqual(yield* code(envelope), "signature_invalid")
      })
    )
  })

const codeOfJson = (envelope: Envelope.Envelope) => {
  const parsed = Envelope.fromJson(Envelope.toJson(envelope))
  return parsed._tag === "Failure" ? parsed.failure.code : "accepted"
}

layer(NodeCrypto.layer)("nostr primaries", (it) => {
  it.effect("KEZ-KEY-002 have chains that verify", () =>
    Effect.gen(function* () {
      const event = nostrEnvelope("sigchain_event", {
        type: "kez.sigchain.event",
        seq: 0,
        created_at: "2026-01-01T00:00:00Z",
        op: "add",
        payload: { subject: "dns:example.org" }
      })
      const chain = yield* VerifiedChain.verify(nostrPrimary, [event])
      assert.strictEqual(chain.state.claims.length, 1)
      assert.strictEqual(chain.head?.hash, yield* SignedEnvelope.hash(event))
    })
  )

  it("KEZ-KEY-003 hold no chat account", () => {
    const registration = nostrEnvelope("handle_registration", {
      type: "kez.chat.handle_registration",
      handle: "alice",
      server: "kez.lat",
      created_at: "2026-01-01T00:00:00Z"
    })
    const parsed = Registration.parseRegistration(registration)
    assert(parsed._tag === "Failure" && parsed.failure.code === "key_malformed")
  })
})

layer(NodeCrypto.layer)("Identity", (it) => {
  it.effect("KEZ-KEY-004 prints and keeps nothing but its public key", () =>
    Effect.gen(function* () {
      const own = yield* Identity.fromSeed(seed(0x77))
      const seen = JSON.stringify(own) + String(Object.keys(own))
      assert.notInclude(seen, "77".repeat(8))
      assert.notProperty(own, "secret")
    })
  )

  it.effect("logs in to a broker by host and nonce only", () =>
    Effect.gen(function* () {
      const { brokerLogin } = alice
      assert.strictEqual(brokerLogin.account, alice.key)
      assert.match(brokerLogin.nkey, /^U[A-Z2-7]{55}$/)
      assert.strictEqual(brokerLogin.sign("kez.lat", "abcdefghijklmno").length, 64)
      assert.throws(() => brokerLogin.sign("kez.lat", "short"))
      assert.throws(() => brokerLogin.sign("KEZ.lat", "abcdefghijklmno"))
    })
  )

  it.effect("refuses malformed statements before it signs", () =>
    Effect.gen(function* () {
      const statement = { handle: "Alice", server: "kez.lat", createdAt: time }
      assert.strictEqual(yield* codeOf(alice.signRegistration(statement)), "handle_malformed")
      assert.strictEqual(yield* codeOf(alice.signDeletion({ ...statement, handle: "a" })), "handle_malformed")
      assert.strictEqual(
        yield* codeOf(alice.signClaim({ subject: "nothing", createdAt: time })),
        "identifier_malformed"
      )
    })
  )
})

const registration = await fixture(alice.signRegistration({ handle: "alice", server: "kez.lat", createdAt: time }))

layer(NodeCrypto.layer)("VerifiedRecord", (it) => {
  const record: Registration.HandleRecord = {
    handle: "alice@kez.lat",
    primary: alice.primary,
    registered_at: "2026-01-01T00:00:00Z",
    sigchain_url: "https://sig.kez.lat/",
    endpoints: [Endpoint.nats(alice.primary, "nats://kez.lat")],
    registration
  }
  const asked = { server: "kez.lat", handle: "alice" }
  const code = (members: Partial<Registration.HandleRecord>, question: VerifiedRecord.Question = asked) =>
    codeOf(VerifiedRecord.verify({ ...record, ...members }, question))

  it.effect("KEZ-REG-022 takes a record that its owner signed", () =>
    Effect.gen(function* () {
      const verified = yield* VerifiedRecord.verify(
        ok(Registration.parseRecord(Registration.recordToJson(record))),
        asked
      )
      assert.strictEqual(verified.key, alice.key)
      assert.strictEqual(verified.registration.handle, "alice")
      assert.strictEqual(yield* code({}, { server: "kez.lat", primary: alice.primary }), "accepted")
    })
  )

  it.effect("KEZ-REG-022 refuses records that lie", () =>
    Effect.gen(function* () {
      const bobs = yield* bob.signRegistration({ handle: "alice", server: "kez.lat", createdAt: time })
      const elsewhere = yield* alice.signRegistration({ handle: "alice", server: "evil.example", createdAt: time })
      const other = yield* alice.signRegistration({ handle: "malice", server: "kez.lat", createdAt: time })
      const deletion = yield* alice.signDeletion({ handle: "alice", server: "kez.lat", createdAt: time })
      const edited = { ...registration, payload: { ...registration.payload, created_at: "2027-01-01T00:00:00Z" } }
      assert.strictEqual(yield* code({ primary: bob.primary }), "record_invalid", "another's key")
      assert.strictEqual(yield* code({ registration: bobs }), "record_invalid", "another's registration")
      assert.strictEqual(yield* code({ registration: elsewhere }), "record_invalid", "another server")
      assert.strictEqual(yield* code({ registration: other }), "record_invalid", "another handle")
      assert.strictEqual(yield* code({ registration: deletion }), "record_invalid", "a deletion")
      assert.strictEqual(yield* code({ registration: edited }), "record_invalid", "edited")
      assert.strictEqual(yield* code({ handle: "bob@kez.lat" }), "record_invalid", "another label")
      assert.strictEqual(yield* code({}, { server: "kez.lat", handle: "bob" }), "record_invalid", "not what was asked")
      assert.strictEqual(yield* code({}, { server: "other.lat", handle: "alice" }), "record_invalid")
      assert.strictEqual(yield* code({}, { server: "kez.lat", primary: bob.primary }), "record_invalid")
    })
  )
})
