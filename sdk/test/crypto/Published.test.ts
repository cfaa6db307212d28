/** Vectors that others published, on every backend: all give the published result, so all give the same one. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Result } from "effect"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import * as Canonical from "../../src/protocol/encoding/Canonical.ts"
import { admitHex } from "../../src/protocol/identity/KeyAdmission.ts"
import * as Mnemonic from "../../src/protocol/identity/Mnemonic.ts"
import * as Hpke from "../../src/protocol/messages/Hpke.ts"
import { Crypto } from "../../src/services/Crypto.ts"
import { backends } from "../kits/Backends.ts"
import { hex } from "../kits/CryptoVectors.ts"
import * as Published from "../kits/PublishedVectors.ts"

Published.announce()

interface Wycheproof<Group> {
  readonly numberOfTests: number
  readonly testGroups: ReadonlyArray<Group>
}
interface Case {
  readonly tcId: number
  readonly comment: string
  readonly flags: ReadonlyArray<string>
  readonly result: "valid" | "invalid" | "acceptable"
}
type Ed25519 = Wycheproof<{
  readonly publicKey: { readonly pk: string }
  readonly tests: ReadonlyArray<Case & { readonly msg: string; readonly sig: string }>
}>
type X25519 = Wycheproof<{
  readonly tests: ReadonlyArray<Case & { readonly public: string; readonly private: string; readonly shared: string }>
}>
type Aead = Wycheproof<{
  readonly ivSize: number
  readonly tests: ReadonlyArray<Case & Readonly<Record<"key" | "iv" | "aad" | "msg" | "ct" | "tag", string>>>
}>
type Hkdf = Wycheproof<{
  readonly tests: ReadonlyArray<
    Case & Readonly<Record<"ikm" | "salt" | "info" | "okm", string>> & { readonly size: number }
  >
}>
interface SpecCheck {
  readonly cases: ReadonlyArray<Readonly<Record<"message" | "pub_key" | "signature", string>>>
}
interface Rfc9180 {
  readonly setup: Readonly<Record<string, string>>
  readonly encryptions: ReadonlyArray<Readonly<Record<string, string>>>
}

const exitOf = <A, E>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, E>) =>
  Effect.exit(Crypto.use((crypto) => Effect.suspend(() => use(crypto))))

describe.skipIf(!Published.present).each(Object.entries(backends))("%s", (_, cryptoLayer) =>
  layer(cryptoLayer)((it) => {
    it.effect("Wycheproof: Ed25519 (KEZ-KEY-008)", () =>
      Effect.gen(function* () {
        const file = Published.load<Ed25519>("wycheproof-ed25519_test.json")
        let count = 0
        for (const group of file.testGroups) {
          const key = Result.getOrThrow(admitHex(group.publicKey.pk))
          for (const test of group.tests) {
            count += 1
            const verdict = yield* Crypto.use((c) => c.verify(key, hex(test.msg), hex(test.sig)))
            assert.strictEqual(verdict, test.result === "valid", `case ${test.tcId}: ${test.comment}`)
          }
        }
        assert.strictEqual(count, file.numberOfTests)
      })
    )

    it.effect("ed25519-speccheck: all twelve refused (KEZ-KEY-006, KEZ-KEY-008)", () =>
      Effect.gen(function* () {
        const { cases } = Published.load<SpecCheck>("ed25519-speccheck.json")
        assert.strictEqual(cases.length, 12)
        for (const [index, test] of cases.entries()) {
          const key = admitHex(test.pub_key)
          if (Result.isFailure(key)) {
            assert.strictEqual(key.failure.code, "key_rejected")
            continue
          }
          const verdict = yield* Crypto.use((c) => c.verify(key.success, hex(test.message), hex(test.signature)))
          assert.isFalse(verdict, `case ${index}`)
        }
      })
    )

    it.effect("Wycheproof: X25519 (KEZ-KEY-012)", () =>
      Effect.gen(function* () {
        const file = Published.load<X25519>("wycheproof-x25519_test.json")
        let count = 0
        for (const test of file.testGroups.flatMap((group) => group.tests)) {
          count += 1
          const agreed = yield* exitOf((c) =>
            Effect.flatMap(c.ephemeral(hex(test.private)), (key) => c.agreeEphemeral(key, hex(test.public)))
          )
          const expected = test.flags.includes("ZeroSharedSecret") ? "ZeroSharedSecret" : test.shared
          const answer = Exit.isSuccess(agreed)
            ? Bytes.toHex(agreed.value)
            : Result.merge(Result.map(Exit.findError(agreed), (error) => error._tag))
          assert.strictEqual(answer, expected, `case ${test.tcId}: ${test.comment}`)
        }
        assert.strictEqual(count, file.numberOfTests)
      })
    )

    it.effect("Wycheproof: ChaCha20-Poly1305", () =>
      Effect.gen(function* () {
        const file = Published.load<Aead>("wycheproof-chacha20_poly1305_test.json")
        let count = 0
        for (const test of file.testGroups.flatMap((group) => group.tests)) {
          count += 1
          const label = `case ${test.tcId}: ${test.comment}`
          const aead = { key: hex(test.key), nonce: hex(test.iv), aad: hex(test.aad) }
          const sealed = yield* exitOf((c) => c.aeadSeal(aead, hex(test.msg)))
          const opened = yield* exitOf((c) => c.aeadOpen(aead, hex(test.ct + test.tag)))
          if (test.result === "valid") {
            assert.strictEqual(Exit.isSuccess(sealed) ? Bytes.toHex(sealed.value) : "", test.ct + test.tag, label)
            assert.strictEqual(Exit.isSuccess(opened) ? Bytes.toHex(opened.value) : undefined, test.msg, label)
          } else if (test.flags.includes("InvalidNonceSize")) {
            assert.isTrue(Exit.hasDies(sealed) && Exit.hasDies(opened), label)
          } else {
            assert.isTrue(Exit.hasFails(opened), label)
          }
        }
        assert.strictEqual(count, file.numberOfTests)
      })
    )

    it.effect("Wycheproof: HKDF-SHA256", () =>
      Effect.gen(function* () {
        const file = Published.load<Hkdf>("wycheproof-hkdf_sha256_test.json")
        let count = 0
        for (const test of file.testGroups.flatMap((group) => group.tests)) {
          count += 1
          const okm = yield* exitOf((c) => c.hkdfSha256(hex(test.ikm), hex(test.salt), hex(test.info), test.size))
          const label = `case ${test.tcId}: ${test.comment}`
          if (test.result === "valid") {
            assert.strictEqual(Exit.isSuccess(okm) ? Bytes.toHex(okm.value) : "", test.okm, label)
          } else assert.isTrue(Exit.hasDies(okm), label)
        }
        assert.strictEqual(count, file.numberOfTests)
      })
    )

    it.effect("RFC 9180 appendix A.2.1: every intermediate value, both ways", () =>
      Effect.gen(function* () {
        const { setup, encryptions } = Published.load<Rfc9180>("hpke-base-x25519-chacha20poly1305.json")
        const value = (name: string) => hex(setup[name] ?? assert.fail(`no ${name}`))
        const schedule = (dh: Uint8Array) =>
          Crypto.use((c) =>
            Effect.gen(function* () {
              const shared = yield* c.hkdfSha256(
                Hpke.sharedSecretIkm(dh),
                new Uint8Array(0),
                Hpke.sharedSecretInfo(value("enc"), value("pkRm")),
                32
              )
              const infoHash = yield* c.hmacSha256(new Uint8Array(0), Hpke.infoHashIkm(value("info")))
              const context = Hpke.keyScheduleContext(infoHash)
              const secret = yield* c.hmacSha256(shared, Hpke.secretIkm)
              const expand = (info: Uint8Array) => c.hmacSha256(secret, Bytes.concat(info, Uint8Array.of(1)))
              const key = yield* expand(Hpke.keyInfo(context))
              const nonce = (yield* expand(Hpke.nonceInfo(context))).slice(0, 12)
              return { shared, context, secret, key, nonce }
            })
          )
        assert.deepStrictEqual(
          yield* Crypto.use((c) => c.hmacSha256(new Uint8Array(0), Hpke.pskIdHashIkm)),
          Hpke.pskIdHash,
          "the constant of Base mode"
        )
        const sender = yield* Crypto.use((c) => c.ephemeral(value("skEm")))
        const recipient = yield* Crypto.use((c) => c.ephemeral(value("skRm")))
        assert.deepStrictEqual(sender.publicKey, value("enc"))
        assert.deepStrictEqual(recipient.publicKey, value("pkRm"))
        const dh = yield* Crypto.use((c) => c.agreeEphemeral(sender, value("pkRm")))
        assert.deepStrictEqual(yield* Crypto.use((c) => c.agreeEphemeral(recipient, value("enc"))), dh)
        const got = yield* schedule(dh)
        assert.deepStrictEqual(got.shared, value("shared_secret"))
        assert.deepStrictEqual(got.context, value("key_schedule_context"))
        assert.deepStrictEqual(got.secret, value("secret"))
        assert.deepStrictEqual(got.key, value("key"))
        assert.deepStrictEqual(got.nonce, value("base_nonce"))
        assert.isAbove(encryptions.length, 0)
        for (const message of encryptions) {
          const [pt, aad, nonce, ct] = ["pt", "aad", "nonce", "ct"].map((name) => hex(message[name] ?? "")) as [
            Uint8Array,
            Uint8Array,
            Uint8Array,
            Uint8Array
          ]
          const aead = { key: got.key, nonce, aad }
          assert.deepStrictEqual(yield* Crypto.use((c) => c.aeadSeal(aead, pt)), ct)
          assert.deepStrictEqual(yield* Crypto.use((c) => c.aeadOpen(aead, ct)), pt)
        }
      })
    )
  })
)

describe.skipIf(!Published.present)("without a backend", () => {
  it("JCS: the published examples, byte for byte", () => {
    const { cases } = Published.load<{ cases: ReadonlyArray<Record<"name" | "input_json" | "canonical_hex", string>> }>(
      "jcs.json"
    )
    for (const test of cases) {
      // JSON.parse here: the examples hold fractions, which signed documents may not.
      assert.strictEqual(
        Bytes.toHex(Canonical.encode(JSON.parse(test.input_json ?? ""))),
        test.canonical_hex,
        test.name
      )
    }
  })

  it("BIP-39: entropy and words, the entropy being KEZ's seed", () => {
    const { english } = Published.load<{ english: ReadonlyArray<readonly [string, string, string, string]> }>(
      "bip39-english.json"
    )
    const lengths = new Map<number, number>()
    for (const [entropy, words] of english) {
      const count = words.split(" ").length
      lengths.set(count, (lengths.get(count) ?? 0) + 1)
      const seed = Mnemonic.toSeed(words)
      if (count === 24) {
        assert.strictEqual(Bytes.toHex(Result.getOrThrow(seed)), entropy)
        assert.strictEqual(Mnemonic.fromSeed(hex(entropy)), words)
      } else if (count === 12) assert.isTrue(Result.isSuccess(seed))
      else assert.isTrue(Result.isFailure(seed))
    }
    assert.deepStrictEqual([...lengths.keys()].sort(), [12, 18, 24])
  })
})
