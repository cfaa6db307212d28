/** What every `Crypto` backend must do, whoever implements it: one set of bytes, one verdict. */
import { assert, describe, layer } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js"
import { sha512 } from "@noble/hashes/sha2.js"
import { Effect, Exit, type Layer, Redacted, Result } from "effect"
import * as fc from "fast-check"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import type { AdmittedKey } from "../../src/protocol/identity/KeyAdmission.ts"
import { type Backend, Crypto, type SecretKey } from "../../src/services/Crypto.ts"
import {
  admitted,
  aead,
  hex,
  identities,
  kez,
  rfc7748,
  rfc8032,
  sealed,
  smallOrder,
  sunscreen,
  torsioned
} from "./CryptoVectors.ts"
import { checkProperty } from "./Property.ts"

const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const ascii = Bytes.utf8
const empty = new Uint8Array(0)
const order = ed25519.Point.Fn.ORDER

type Use<A, E> = (crypto: Crypto["Service"]) => Effect.Effect<A, E>
const hexOf = <E>(use: Use<Uint8Array, E>) => Effect.map(Crypto.use(use), Bytes.toHex)
const failure = <A, E>(use: Use<A, E>) => Effect.flip(Crypto.use(use))
/** All that can be read from a value: its own properties, hidden ones included, and what it prints as. */
const shown = (value: unknown, depth = 10): string => {
  if (typeof value !== "object" || value === null || depth === 0) return String(value)
  if (value instanceof Uint8Array) return `${value.join()} ${Bytes.toHex(value)}`
  const members = Reflect.ownKeys(value).map((name) => `${String(name)}: ${shown(Reflect.get(value, name), depth - 1)}`)
  return [String(value), JSON.stringify(value), ...members].join("\n")
}
/** What is printed of the defect. */
const defect = <A, E>(use: Use<A, E>) =>
  Effect.map(Effect.exit(Crypto.use((crypto) => Effect.suspend(() => use(crypto)))), (exit) => {
    assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
    return shown(exit)
  })
const secret = (seed: Uint8Array) => Crypto.use((crypto) => crypto.importSeed(Redacted.make(seed)))

export const cryptoKit = <E>(backend: Backend, cryptoLayer: Layer.Layer<Crypto, E>): void =>
  layer(cryptoLayer)(`Crypto (${backend})`, (it) => {
    it.effect("says who answers", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* Crypto.use((crypto) => Effect.succeed(crypto.backend)), backend)
      })
    )

    describe("random bytes", () => {
      it.effect("have the length asked for, also beyond one call of the platform, and differ", () =>
        Effect.gen(function* () {
          for (const length of [0, 1, 32, 65_536, 200_000]) {
            assert.strictEqual((yield* Crypto.use((crypto) => crypto.randomBytes(length))).length, length)
          }
          assert.notStrictEqual(yield* hexOf((c) => c.randomBytes(32)), yield* hexOf((c) => c.randomBytes(32)))
          const long = yield* Crypto.use((c) => c.randomBytes(200_000))
          assert.notDeepEqual(long.subarray(0, 32), long.subarray(-32))
        })
      )
    })

    describe("hashes", () => {
      it.effect("FIPS 180-4 examples, short and long", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* hexOf((c) => c.sha256(ascii("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
          )
          assert.strictEqual(
            yield* hexOf((c) => c.sha256(filled(1_000_000, 0x61))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
          )
          assert.strictEqual(
            yield* hexOf((c) => c.sha512(ascii("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
          )
          assert.strictEqual(
            yield* hexOf((c) => c.sha512(filled(1_000_000, 0x61))),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
          )
        })
      )
      it.effect("answers are plain bytes of their own memory", () =>
        Effect.gen(function* () {
          const hash = yield* Crypto.use((c) => c.sha256(empty))
          assert.strictEqual(Object.getPrototypeOf(hash), Uint8Array.prototype)
          const copy = hash.slice(0, 1)
          copy[0] = (copy[0] as number) ^ 0xff
          assert.strictEqual(Bytes.toHex(hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        })
      )
    })

    describe("HMAC and HKDF", () => {
      it.effect("RFC 4231 cases 1, 2 and 6", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* hexOf((c) => c.hmacSha256(filled(20, 0x0b), ascii("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
          )
          assert.strictEqual(
            yield* hexOf((c) => c.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
          )
          assert.strictEqual(
            yield* hexOf((c) =>
              c.hmacSha256(filled(131, 0xaa), ascii("Test Using Larger Than Block-Size Key - Hash Key First"))
            ),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
          )
        })
      )
      it.effect("an empty key and an empty salt count as zeros", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* hexOf((c) => c.hmacSha256(empty, ascii("x"))),
            yield* hexOf((c) => c.hmacSha256(filled(32, 0), ascii("x")))
          )
          assert.strictEqual(
            yield* hexOf((c) => c.hkdfSha256(ascii("ikm"), empty, empty, 42)),
            yield* hexOf((c) => c.hkdfSha256(ascii("ikm"), filled(32, 0), empty, 42))
          )
        })
      )
      it.effect("RFC 5869 cases 1 and 3", () =>
        Effect.gen(function* () {
          assert.strictEqual(
            yield* hexOf((c) =>
              c.hkdfSha256(filled(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42)
            ),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
          )
          assert.strictEqual(
            yield* hexOf((c) => c.hkdfSha256(filled(22, 0x0b), empty, empty, 42)),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
          )
        })
      )
      it.effect("empty input, a long info and the largest output work; more is a defect", () =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Crypto.use((c) => c.hkdfSha256(empty, empty, filled(3000, 7), 64))).length, 64)
          assert.strictEqual((yield* Crypto.use((c) => c.hkdfSha256(ascii("k"), empty, empty, 8160))).length, 8160)
          yield* defect((c) => c.hkdfSha256(ascii("k"), empty, empty, 8161))
        })
      )
    })

    describe("ChaCha20-Poly1305", () => {
      it.effect("RFC 8439 section 2.8.2", () =>
        Effect.gen(function* () {
          assert.strictEqual(yield* hexOf((c) => c.aeadSeal(aead, ascii(sunscreen))), sealed)
          assert.strictEqual(
            Result.getOrThrow(Bytes.fromUtf8(yield* Crypto.use((c) => c.aeadOpen(aead, hex(sealed))))),
            sunscreen
          )
        })
      )
      it.effect("opens what it sealed, of any length", () =>
        checkProperty(
          [fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 100 })],
          Effect.fnUntraced(function* (plain, aad) {
            const opened = yield* Crypto.use((c) =>
              Effect.flatMap(c.aeadSeal({ ...aead, aad }, plain), (ct) => c.aeadOpen({ ...aead, aad }, ct))
            )
            assert.deepStrictEqual(opened, plain)
          }),
          { numRuns: 30 }
        )
      )
      it.effect("any flipped bit and any cut is refused", () =>
        checkProperty(
          [fc.nat(sealed.length / 2 - 1), fc.nat(7)],
          Effect.fnUntraced(function* (at, bit) {
            const bytes = hex(sealed)
            assert.strictEqual(
              (yield* failure((c) => c.aeadOpen(aead, bytes.subarray(0, at))))._tag,
              "DecryptionFailed"
            )
            bytes[at] = (bytes[at] as number) ^ (1 << bit)
            assert.strictEqual((yield* failure((c) => c.aeadOpen(aead, bytes)))._tag, "DecryptionFailed")
          }),
          { numRuns: 30 }
        )
      )
      it.effect("another nonce, key or associated data is refused", () =>
        Effect.gen(function* () {
          for (const wrong of [{ nonce: filled(12, 0) }, { key: filled(32, 0) }, { aad: empty }]) {
            const error = yield* failure((c) => c.aeadOpen({ ...aead, ...wrong }, hex(sealed)))
            assert.strictEqual(error._tag, "DecryptionFailed")
          }
        })
      )
      it.effect("keys and nonces of another length are defects", () =>
        Effect.gen(function* () {
          for (const wrong of [{ nonce: filled(8, 0) }, { nonce: filled(24, 0) }, { key: filled(31, 0) }]) {
            yield* defect((c) => c.aeadSeal({ ...aead, ...wrong }, empty))
            yield* defect((c) => c.aeadOpen({ ...aead, ...wrong }, hex(sealed)))
            yield* defect((c) => c.aeadOpen({ ...aead, ...wrong }, empty))
          }
        })
      )
    })

    describe("Ed25519 (KEZ-KEY-008, KEZ-KEY-009)", () => {
      it.effect("RFC 8032 section 7.1", () =>
        Effect.gen(function* () {
          for (const vector of rfc8032) {
            const key = yield* secret(hex(vector.seed))
            assert.strictEqual(key.publicKey.hex, vector.key)
            assert.strictEqual(yield* hexOf((c) => c.sign(key, hex(vector.message))), vector.signature)
            assert.strictEqual(
              yield* hexOf((c) => Effect.sync(() => c.signSync(key, hex(vector.message)))),
              vector.signature
            )
            assert.isTrue(yield* Crypto.use((c) => c.verify(key.publicKey, hex(vector.message), hex(vector.signature))))
          }
        })
      )
      it.effect("KEZ's seeds and public keys", () =>
        Effect.gen(function* () {
          for (const [seed, key] of kez) assert.strictEqual((yield* secret(hex(seed))).publicKey.hex, key)
        })
      )
      it.effect("signs and verifies any message with any seed; other messages, keys and signatures are refused", () =>
        checkProperty(
          [fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 200 }), fc.nat(63), fc.nat(7)],
          Effect.fnUntraced(function* (seed, message, at, bit) {
            const key = yield* secret(seed)
            const other = yield* secret(filled(32, 0xee))
            const signature = yield* Crypto.use((c) => c.sign(key, message))
            const bent = signature.slice()
            bent[at] = (bent[at] as number) ^ (1 << bit)
            const verify = (k: AdmittedKey, m: Uint8Array, s: Uint8Array) => Crypto.use((c) => c.verify(k, m, s))
            assert.isTrue(yield* verify(key.publicKey, message, signature))
            assert.isFalse(yield* verify(key.publicKey, message, bent))
            assert.isFalse(yield* verify(key.publicKey, Bytes.concat(message, filled(1, 0)), signature))
            assert.isFalse(yield* verify(other.publicKey, message, signature))
          }),
          { numRuns: 15 }
        )
      )
      it.effect("a signature of another length is refused", () =>
        Effect.gen(function* () {
          const key = yield* secret(filled(32, 1))
          const signature = yield* Crypto.use((c) => c.sign(key, empty))
          for (const wrong of [
            empty,
            signature.subarray(0, 63),
            Bytes.concat(signature, filled(1, 0)),
            filled(32, 0)
          ]) {
            assert.isFalse(yield* Crypto.use((c) => c.verify(key.publicKey, empty, wrong)))
          }
        })
      )
      it.effect("a torsioned R is refused", () =>
        Effect.gen(function* () {
          assert.isTrue(
            ed25519.verify(torsioned.signature, torsioned.message, hex(torsioned.key), { zip215: false }),
            "the case no longer shows what it should: noble alone refuses it too"
          )
          assert.isFalse(
            yield* Crypto.use((c) => c.verify(admitted(torsioned.key), torsioned.message, torsioned.signature))
          )
        })
      )
      it.effect("S + L is refused", () =>
        Effect.gen(function* () {
          const key = yield* secret(filled(32, 1))
          const signature = yield* Crypto.use((c) => c.sign(key, empty))
          const s = bytesToNumberLE(signature.subarray(32)) + order
          const malleated = Bytes.concat(signature.subarray(0, 32), numberToBytesLE(s, 32))
          assert.isFalse(yield* Crypto.use((c) => c.verify(key.publicKey, empty, malleated)))
        })
      )
      it.effect("R = identity verifies in its canonical encoding only", () =>
        Effect.gen(function* () {
          const seed = filled(32, 3)
          const { scalar } = ed25519.utils.getExtendedPublicKey(seed)
          const key = (yield* secret(seed)).publicKey
          const message = ascii("nonce zero")
          // A signer who chose r = 0: S = k * a, for each of the four byte strings that decode to the identity.
          const signed = (r: Uint8Array) => {
            const k = bytesToNumberLE(sha512(Bytes.concat(r, key.ed25519, message)))
            return Bytes.concat(r, numberToBytesLE((k * scalar) % order, 32))
          }
          const verdicts: Array<boolean> = []
          for (const r of identities) verdicts.push(yield* Crypto.use((c) => c.verify(key, message, signed(hex(r)))))
          assert.deepStrictEqual(verdicts, [true, false, false, false])
        })
      )
      it.effect("a seed of another length is a defect that does not show it (KEZ-KEY-005)", () =>
        Effect.gen(function* () {
          for (const length of [0, 31, 33, 64]) {
            const shown = yield* defect((c) => c.importSeed(Redacted.make(filled(length, 0xa7))))
            assert.notMatch(shown, /a7a7|167, ?167/)
          }
        })
      )
      it.effect("a secret key prints as its public key (KEZ-KEY-005)", () =>
        Effect.gen(function* () {
          const key = yield* secret(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
          const text = shown({ key })
          assert.include(text, key.publicKey.hex)
          assert.notInclude(text, "9d61b19d")
          assert.deepStrictEqual(Reflect.ownKeys(key), ["publicKey"])
        })
      )
      it.effect("keys of another backend, and copies, are defects", () =>
        Effect.gen(function* () {
          const key = yield* secret(filled(32, 1))
          const copy = { publicKey: key.publicKey } as SecretKey
          yield* defect((c) => c.sign(copy, empty))
          yield* defect((c) => c.agree(copy, key.publicKey))
          yield* defect((c) => c.agreeEphemeral({ publicKey: key.publicKey.x25519 }, key.publicKey))
        })
      )
    })

    describe("X25519", () => {
      it.effect("RFC 7748 sections 5.2 and 6.1, with raw scalars and u-coordinates", () =>
        Effect.gen(function* () {
          for (const [scalar, u, shared] of rfc7748) {
            assert.strictEqual(
              yield* hexOf((c) => Effect.flatMap(c.ephemeral(hex(scalar)), (key) => c.agreeEphemeral(key, hex(u)))),
              shared
            )
          }
          const bob = yield* Crypto.use((c) =>
            c.ephemeral(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
          )
          assert.strictEqual(
            Bytes.toHex(bob.publicKey),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
          )
        })
      )
      it.effect("both sides of every exchange get the same secret", () =>
        checkProperty(
          [fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 })],
          Effect.fnUntraced(function* (one, two) {
            const [a, b] = [yield* secret(one), yield* secret(two)]
            const once = yield* Crypto.use((c) => c.ephemeral())
            assert.deepStrictEqual(
              yield* Crypto.use((c) => c.agree(a, b.publicKey)),
              yield* Crypto.use((c) => c.agree(b, a.publicKey))
            )
            const sent = yield* Crypto.use((c) => c.agreeEphemeral(once, b.publicKey))
            assert.deepStrictEqual(yield* Crypto.use((c) => c.agreeWithEphemeral(b, once.publicKey)), sent)
            assert.deepStrictEqual(yield* Crypto.use((c) => c.agreeEphemeral(once, b.publicKey.x25519)), sent)
          }),
          { numRuns: 10 }
        )
      )
      it.effect("gives another pair each time", () =>
        Effect.gen(function* () {
          const [a, b] = [yield* Crypto.use((c) => c.ephemeral()), yield* Crypto.use((c) => c.ephemeral())]
          assert.strictEqual(a.publicKey.length, 32)
          assert.notDeepEqual(a.publicKey, b.publicKey)
        })
      )
      it.effect("an all-zero secret is an error, for every point of small order (KEZ-KEY-012)", () =>
        Effect.gen(function* () {
          const key = yield* secret(filled(32, 1))
          const once = yield* Crypto.use((c) => c.ephemeral())
          for (const u of smallOrder) {
            assert.strictEqual((yield* failure((c) => c.agreeWithEphemeral(key, hex(u))))._tag, "ZeroSharedSecret")
            assert.strictEqual((yield* failure((c) => c.agreeEphemeral(once, hex(u))))._tag, "ZeroSharedSecret")
          }
        })
      )
      it.effect("scalars and public keys of another length are defects", () =>
        Effect.gen(function* () {
          const key = yield* secret(filled(32, 1))
          const once = yield* Crypto.use((c) => c.ephemeral())
          yield* defect((c) => c.ephemeral(filled(31, 1)))
          yield* defect((c) => c.agreeWithEphemeral(key, filled(33, 9)))
          yield* defect((c) => c.agreeEphemeral(once, filled(31, 9)))
        })
      )
    })
  })
