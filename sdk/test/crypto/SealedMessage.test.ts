import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import * as IdentitySecret from "../../src/crypto/IdentitySecret.ts"
import { Hpke, Identity, SealedMessage, SignedEnvelope } from "../../src/crypto/index.ts"
import {
  Body,
  Bytes,
  Canonical,
  Envelope,
  type Json,
  Message,
  Padding,
  type Problem,
  Seal
} from "../../src/protocol/index.ts"
import { Crypto } from "../../src/services/Crypto.ts"
import { alice, bob, carol, codeOf, draft, fixture, frame, head, id, ok, seed, text } from "../kits/Accounts.ts"
import { backends } from "../kits/Backends.ts"
import { checkProperty } from "../kits/Property.ts"

/** Signs a payload as it is, the way a hostile account with a client of its own would. */
const forge = (identity: Identity.Identity, payload: Json.JsonObject, kez: Envelope.Kind = "chat_message") =>
  Crypto.use((crypto) =>
    Effect.map(
      SignedEnvelope.signText(crypto, IdentitySecret.of(identity), Envelope.signedText(payload)),
      (signature): Envelope.Envelope => ({ kez, payload, signature })
    )
  )

const sealTo = (reader: Identity.Identity, envelope: Envelope.Envelope | Uint8Array) =>
  SealedMessage.sealFrame(envelope instanceof Uint8Array ? envelope : Envelope.encode(envelope), reader.key)

const opens = (reader: Identity.Identity, sealed: Effect.Effect<Uint8Array, Problem.Problem, Crypto>) =>
  codeOf(Effect.flatMap(sealed, (bytes) => SealedMessage.openFrame(reader, bytes)))

const hello = draft(bob, text("hello"))
const signed = await fixture(SealedMessage.encrypt(alice, hello))

for (const [name, cryptoLayer] of Object.entries(backends))
  layer(cryptoLayer)(`SealedMessage on ${name}`, (it) => {
    it.effect("KEZ-SEQ-013 comes back to its recipient and to its sender, with one hash", () =>
      Effect.gen(function* () {
        const [a, b] = yield* Effect.all([Identity.fromSeed(seed(1)), Identity.fromSeed(seed(2))])
        const message = yield* SealedMessage.encrypt(a, draft(b, text("hello")))
        assert.deepStrictEqual(Envelope.encode(message.envelope), message.encoded)
        const theirs = yield* SealedMessage.sealFrame(message.encoded, b.key)
        const own = yield* SealedMessage.sealFrame(message.encoded, a.key)
        const incoming = yield* SealedMessage.openFrame(b, theirs)
        const sent = yield* SealedMessage.openFrame(a, own)
        assert.deepInclude(incoming, { role: "incoming", peer: a.key, hash: message.hash, body: text("hello") })
        assert.deepInclude(sent, { role: "sent", peer: b.key, hash: message.hash, body: text("hello") })
        assert.deepStrictEqual(incoming.envelope, message.envelope)
      })
    )

    it.effect("opens notes to self", () =>
      Effect.gen(function* () {
        const a = yield* Identity.fromSeed(seed(1))
        const opened = yield* Effect.flatMap(frame(a, draft(a, text("milk")), a), (bytes) =>
          SealedMessage.openFrame(a, bytes)
        )
        assert.deepInclude(opened, { role: "note", peer: a.key, body: text("milk") })
      })
    )

    it.effect("KEZ-DM-006 KEZ-DM-008 is what the specification's formulas give", () =>
      Effect.gen(function* () {
        const crypto = yield* Crypto
        const [a, b] = yield* Effect.all([Identity.fromSeed(seed(1)), Identity.fromSeed(seed(2))])
        const salt = new Uint8Array(32).fill(0x5a)
        const body = ok(Body.encode(text("hello")))
        const { envelope } = yield* SealedMessage.encrypt(a, { ...draft(b, text("hello")), salt })
        const { ciphertext, ...rest } = envelope.payload
        const shared = yield* crypto.agree(IdentitySecret.of(b), a.key)
        const info = Bytes.concat(Bytes.utf8("kez.chat.message/1"), Uint8Array.of(0), a.key.ed25519, b.key.ed25519)
        const okm = yield* crypto.hkdfSha256(shared, salt, info, 44)
        const aead = { key: okm.slice(0, 32), nonce: okm.slice(32), aad: Canonical.encode(rest) }
        const padded = Bytes.concat(
          Bytes.u32be(body.length),
          body,
          new Uint8Array(Padding.paddedLength(body.length) - body.length)
        )
        assert.strictEqual(ciphertext, Bytes.toBase64Url(yield* crypto.aeadSeal(aead, padded)))
      })
    )

    it.effect("KEZ-DM-009 carries bodies of 1, 32, 33 and 40,960 bytes in a frame, and no longer one", () =>
      Effect.gen(function* () {
        const crypto = yield* Crypto
        const [a, b] = yield* Effect.all([Identity.fromSeed(seed(1)), Identity.fromSeed(seed(2))])
        for (const length of [1, 32, 33, 40_960]) {
          const body = new Uint8Array(length).fill(0x31)
          const message = yield* SealedMessage.encryptBytes(crypto, a, draft(b, text("")), body)
          const sealed = yield* SealedMessage.sealFrame(message.encoded, b.key)
          assert.isAtMost(sealed.length, 65_536)
          const parsed = ok(Message.parse(message.envelope))
          const back = yield* SealedMessage.decrypt(crypto, b, a.key, parsed, Message.aad(message.envelope.payload))
          assert.deepStrictEqual(back, body)
        }
        const tooLong = SealedMessage.encryptBytes(crypto, a, draft(b, text("")), new Uint8Array(40_961))
        assert.strictEqual(yield* Effect.flip(tooLong).pipe(Effect.map(({ code }) => code)), "message_too_large")
      })
    )
  })

layer(NodeCrypto.layer)("SealedMessage", (it) => {
  it.effect("KEZ-SEQ-014 drops what was re-sealed to a third person", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* opens(carol, sealTo(carol, signed.encoded)), "message_misdirected")
    })
  )

  it.effect("KEZ-DM-013 opens for the reader it was sealed to only", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* opens(carol, frame(alice, hello, bob)), "frame_unreadable")
      const bytes = yield* frame(alice, hello, bob)
      const changed = (at: number) => opens(bob, Effect.succeed(bytes.with(at, (bytes[at] as number) ^ 1)))
      assert.strictEqual(yield* changed(0), "frame_malformed")
      assert.strictEqual(yield* changed(1), "frame_unreadable")
      assert.strictEqual(yield* changed(40), "frame_unreadable")
      assert.strictEqual(yield* changed(bytes.length - 1), "frame_unreadable")
      // An ephemeral key of small order, whose shared secret is zero.
      const zero = Uint8Array.from(bytes)
      zero.fill(0, 1, 33)
      assert.strictEqual(yield* opens(bob, Effect.succeed(zero)), "frame_unreadable")
    })
  )

  it.effect("KEZ-SEQ-013 parses strictly what was sealed", () =>
    Effect.gen(function* () {
      const inside = (content: string) => opens(bob, sealTo(bob, Bytes.utf8(content)))
      const encoded = Envelope.encodeText(signed.envelope)
      assert.strictEqual(yield* inside("hello"), "json_malformed")
      assert.strictEqual(yield* inside("{}"), "envelope_malformed")
      assert.strictEqual(yield* inside(encoded.replace('"seq":0', '"seq":0,"seq":1')), "json_duplicate_name")
      assert.strictEqual(yield* inside(encoded.replace('"seq":0', '"seq":0.0')), "json_number")
      assert.strictEqual(yield* inside(`\ufeff${encoded}`), "json_malformed")
      // Another spelling of the same JSON is the same message.
      assert.strictEqual(yield* inside(JSON.stringify(Envelope.toJson(signed.envelope), undefined, 1)), "accepted")
    })
  )

  it.effect("KEZ-SIG-006 takes chat messages only", () =>
    Effect.gen(function* () {
      const registration = yield* alice.signRegistration({ handle: "alice", server: "kez.lat", createdAt: 0 })
      assert.strictEqual(yield* opens(bob, sealTo(bob, registration)), "envelope_kind")
    })
  )

  it.effect("KEZ-SIG-011 verifies before anything is decrypted", () =>
    Effect.gen(function* () {
      const edit = (members: Json.JsonObject) =>
        opens(bob, sealTo(bob, { ...signed.envelope, payload: { ...signed.envelope.payload, ...members } }))
      assert.strictEqual(yield* edit({ created_at: "2027-01-01T00:00:00Z" }), "signature_invalid")
      assert.strictEqual(yield* edit({ id: id(2) }), "signature_invalid")
      assert.strictEqual(yield* edit({ future: true }), "signature_invalid")
      assert.strictEqual(yield* edit({ from: carol.primary }), "envelope_kind")
    })
  )

  it.effect("KEZ-DM-007 refuses a ciphertext that was signed by somebody else or moved to another header", () =>
    Effect.gen(function* () {
      // Carol strips Alice's signature and signs Alice's ciphertext as her own.
      const stolen = { ...signed.envelope.payload, from: carol.primary }
      assert.strictEqual(
        yield* opens(
          bob,
          Effect.flatMap(forge(carol, stolen), (e) => sealTo(bob, e))
        ),
        "message_undecryptable"
      )
      // Alice herself puts her ciphertext under another header.
      const moved = { ...signed.envelope.payload, seq: 5 }
      assert.strictEqual(
        yield* opens(
          bob,
          Effect.flatMap(forge(alice, moved), (e) => sealTo(bob, e))
        ),
        "message_undecryptable"
      )
      // Reflected: Bob sends Alice's ciphertext back to her.
      const back = { ...signed.envelope.payload, from: bob.primary, to: alice.primary }
      assert.strictEqual(
        yield* opens(
          alice,
          Effect.flatMap(forge(bob, back), (e) => sealTo(alice, e))
        ),
        "message_undecryptable"
      )
    })
  )

  it.effect("KEZ-DM-010 KEZ-DM-018 names wrong padding and malformed bodies of a validly signed message", () =>
    Effect.gen(function* () {
      const crypto = yield* Crypto
      /** A message whose padded plaintext is given as it is. */
      const withPlaintext = Effect.fnUntraced(function* (padded: Uint8Array) {
        const salt = new Uint8Array(32).fill(9)
        const header = Message.associatedPayload({ ...hello, from: alice.key }, salt)
        const shared = yield* Effect.orDie(crypto.agree(IdentitySecret.of(alice), bob.key))
        const okm = yield* crypto.hkdfSha256(shared, salt, Message.kdfInfo(alice.key, bob.key), 44)
        const aead = { key: okm.slice(0, 32), nonce: okm.slice(32), aad: Message.aad(header) }
        const ciphertext = Bytes.toBase64Url(yield* crypto.aeadSeal(aead, padded))
        return yield* sealTo(bob, yield* forge(alice, { ...header, ciphertext }))
      })
      const padded = ok(Padding.pad(ok(Body.encode(text("hello")))))
      assert.strictEqual(yield* opens(bob, withPlaintext(padded)), "accepted")
      assert.strictEqual(yield* opens(bob, withPlaintext(padded.with(padded.length - 1, 1))), "padding_invalid")
      assert.strictEqual(yield* opens(bob, withPlaintext(padded.with(2, 0xff))), "padding_invalid")
      assert.strictEqual(yield* opens(bob, withPlaintext(Bytes.concat(padded, new Uint8Array(32)))), "padding_invalid")
      const body = (content: string) => opens(bob, withPlaintext(ok(Padding.pad(Bytes.utf8(content)))))
      assert.strictEqual(yield* body("hi"), "json_malformed")
      assert.strictEqual(yield* body("[]"), "message_malformed")
      assert.strictEqual(yield* body('{"type":"text","text":"no head"}'), "message_malformed")
      assert.strictEqual(yield* body(`{"chain":${Canonical.encodeText({ ...head })},"type":"strange"}`), "accepted")
    })
  )

  it.effect(
    "KEZ-SEQ-015 KEZ-SEQ-017 KEZ-SEQ-018 tells repetition, equivocation and another sender's same id apart",
    () =>
      Effect.gen(function* () {
        const open = (from: Identity.Identity, message: SealedMessage.Draft) =>
          Effect.flatMap(frame(from, message, bob), (bytes) => SealedMessage.openFrame(bob, bytes))
        const repeated = yield* Effect.all([sealTo(bob, signed.encoded), sealTo(bob, signed.encoded)]).pipe(
          Effect.flatMap(([one, two]) => {
            assert.notDeepEqual(one, two)
            return Effect.all([SealedMessage.openFrame(bob, one), SealedMessage.openFrame(bob, two)])
          })
        )
        assert.strictEqual(repeated[0].hash, repeated[1].hash)
        const first = repeated[0]
        const equivocation = yield* open(alice, draft(bob, text("something else")))
        assert.strictEqual(Message.seenKey(equivocation.message), Message.seenKey(first.message))
        assert.notStrictEqual(equivocation.hash, first.hash)
        const fromCarol = yield* open(carol, draft(bob, text("hello")))
        assert.strictEqual(fromCarol.message.id, first.message.id)
        assert.notStrictEqual(Message.seenKey(fromCarol.message), Message.seenKey(first.message))
      })
  )

  it.effect("KEZ-SEQ-026 counts a receipt for messages to its author only", () =>
    Effect.gen(function* () {
      const sentTo: Record<string, string> = { [id(1)]: bob.key.hex, [id(2)]: carol.key.hex }
      const receipt: Body.Receipt = { type: "receipt", status: "delivered", ids: [id(1), id(2), id(3)], chain: head }
      const opened = yield* Effect.flatMap(frame(bob, draft(alice, receipt), alice), (bytes) =>
        SealedMessage.openFrame(alice, bytes)
      )
      assert(opened.body.type === "receipt")
      const counted = Body.countingIds(opened.body, (each) => sentTo[each] === opened.message.from.hex)
      assert.deepStrictEqual(counted, [id(1)])
    })
  )

  it.effect("answers whatever frame it is given", () =>
    Effect.gen(function* () {
      const bytes = yield* frame(alice, hello, bob)
      yield* checkProperty(
        [fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 3 }), fc.nat(3)],
        Effect.fnUntraced(function* (at, put, cut) {
          const edited = Bytes.concat(bytes.subarray(0, at), put, bytes.subarray(at + cut))
          const code = yield* codeOf(SealedMessage.openFrame(bob, edited))
          assert.strictEqual(code === "accepted", Bytes.equal(edited, bytes))
        }),
        { numRuns: 200 }
      )
      // Past the seal: whatever JSON a sender puts inside.
      yield* checkProperty(
        [fc.dictionary(fc.constantFrom("id", "to", "device", "seq", "salt", "ciphertext", "suite"), fc.jsonValue())],
        Effect.fnUntraced(function* (members) {
          const payload = { ...signed.envelope.payload, ...(members as Json.JsonObject) }
          if (Object.keys(members).length === 0) return
          const code = yield* opens(
            bob,
            Effect.flatMap(forge(alice, payload), (envelope) => sealTo(bob, envelope))
          )
          assert.notStrictEqual(code, "accepted")
        }),
        { numRuns: 100 }
      )
    })
  )

  it.effect("gives one verdict on every backend, synchronous or not, and again when it runs again", () =>
    Effect.gen(function* () {
      const bytes = yield* frame(alice, hello, bob)
      const each = yield* Effect.forEach(Object.values(backends), (backend) =>
        Effect.map(Effect.provide(Identity.fromSeed(seed(2)), backend), (reader) => ({ backend, reader }))
      )
      const verdicts = Effect.fnUntraced(function* (sealed: Uint8Array) {
        const all = yield* Effect.forEach(each, ({ backend, reader }) => {
          const opening = Effect.result(SealedMessage.openFrame(reader, sealed))
          return Effect.provide(Effect.all([opening, opening]), backend)
        })
        const [first] = all.flat()
        for (const verdict of all.flat()) assert.deepStrictEqual(verdict, first)
      })
      yield* verdicts(bytes)
      yield* checkProperty(
        [fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 3 }), fc.nat(3)],
        (at, put, cut) => verdicts(Bytes.concat(bytes.subarray(0, at), put, bytes.subarray(at + cut))),
        { numRuns: 30 }
      )
      const names = ["id", "from", "to", "device", "created_at", "seq", "prev", "salt", "ciphertext", "suite", "future"]
      yield* checkProperty(
        [
          fc.constantFrom(...names),
          fc.oneof(fc.jsonValue(), fc.constantFrom(carol.primary, id(2), "AA", "")),
          fc.boolean()
        ],
        Effect.fnUntraced(function* (name, value, isSigned) {
          const payload = { ...signed.envelope.payload, [name]: value } as Json.JsonObject
          const envelope = isSigned ? yield* forge(alice, payload) : { ...signed.envelope, payload }
          yield* verdicts(yield* sealTo(bob, envelope))
        }),
        { numRuns: 30 }
      )
    })
  )

  it.effect("seals with HPKE to the frame's own associated data", () =>
    Effect.gen(function* () {
      const bytes = yield* frame(alice, hello, bob)
      const sealed = ok(Seal.decode(bytes))
      const opened = yield* Hpke.open(bob, Seal.info, Seal.aad(bob.key), sealed)
      assert.strictEqual(ok(Envelope.parse(opened)).kez, "chat_message")
    })
  )
})
