/** What every `Crypto` backend must do, whoever implements it: one set of bytes, one verdict. */
import { ed25519 } from "@noble/curves/ed25519.js"
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js"
import { sha512 } from "@noble/hashes/sha2.js"
import { Effect, Exit, Layer, ManagedRuntime, Redacted, Result } from "effect"
import * as fc from "fast-check"
import { inspect } from "node:util"
import { afterAll, assert, describe, it } from "vitest"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import { admitHex, type AdmittedKey } from "../../src/protocol/identity/KeyAdmission.ts"
import { Crypto, type Backend, type SecretKey } from "../../src/services/Crypto.ts"

export const hex = (text: string): Uint8Array => Result.getOrThrow(Bytes.fromHex(text))
export const admitted = (text: string): AdmittedKey => Result.getOrThrow(admitHex(text))
const filled = (length: number, value: number) => new Uint8Array(length).fill(value)
const ascii = Bytes.utf8
const empty = new Uint8Array(0)
const order = ed25519.Point.Fn.ORDER

/** spec/identity.md: admissible key, cofactored equation holds, R is torsioned. */
const torsioned = {
  key: "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12",
  message: sha512(ascii('{"type":"kez.claim"}')),
  signature: hex(
    "3ca40d9bdb2e49622cc48561a824a21b5d55215b5d5fae10264029508be9a2d4" +
      "c57fef34f5a5d3322a7f6585dbf38d3a9921031e7b76114174b381e232d0580d"
  )
}

/** RFC 8032 section 7.1, tests 1 to 3 and SHA(abc). */
const rfc8032 = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
  },
  {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
  },
  {
    seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    key: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    message:
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    signature:
      "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
  }
]

/** Seeds and public keys that KEZ published. */
const kez = [
  ["00".repeat(32), "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"],
  [
    "09451c0f06588db78205e32a793536e15ae263c8f9ee6d14f5c6fd82b8bd20da",
    "9403c32e0d3b4ce51105c0bcac09a0d73be0cca98a6bf7b3cd434651be866d70"
  ],
  [
    "9df434a2bd5dc767ee949d8ab95ca09c4ebbb88cefc3d0b1523f6b2a744ca824",
    "cc99d06b15ccb83a5ca43f25dd3d27f50638c1c6fbe3a822352da3e07156ce03"
  ],
  ["42".repeat(32), "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"]
] as const

/** The u-coordinates of small order below 2^255, and two that reduce to them. */
const smallOrder = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`
]

/** The byte strings that decode to the identity of Ed25519; the first is canonical. */
const identities = [
  `01${"00".repeat(30)}00`,
  `01${"00".repeat(30)}80`,
  `ee${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}ff`
]

export const cryptoKit = <E>(backend: Backend, layer: Layer.Layer<Crypto, E>): unknown =>
  describe(`Crypto (${backend})`, () => {
    const runtime = ManagedRuntime.make(layer)
    afterAll(() => runtime.dispose())
    const run = <A, F>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, F>) => runtime.runPromise(Crypto.use(use))
    const hexOf = <F>(use: (crypto: Crypto["Service"]) => Effect.Effect<Uint8Array, F>) => run(use).then(Bytes.toHex)
    const failure = <A, F>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, F>) =>
      run((crypto) => Effect.flip(use(crypto)))
    const isDefect = async <A, F>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, F>) => {
      const exit = await runtime.runPromiseExit(Crypto.use((crypto) => Effect.suspend(() => use(crypto))))
      assert.isTrue(Exit.isFailure(exit) && Exit.hasDies(exit))
      return inspect(exit, { depth: 10 })
    }
    const secret = (seed: Uint8Array): Promise<SecretKey> => run((crypto) => crypto.importSeed(Redacted.make(seed)))

    it("says who answers", async () => {
      assert.strictEqual(await run((crypto) => Effect.succeed(crypto.backend)), backend)
    })

    describe("random bytes", () => {
      it("have the length asked for, also beyond one call of the platform, and differ", async () => {
        for (const length of [0, 1, 32, 65_536, 200_000]) {
          assert.strictEqual((await run((crypto) => crypto.randomBytes(length))).length, length)
        }
        assert.notStrictEqual(await hexOf((c) => c.randomBytes(32)), await hexOf((c) => c.randomBytes(32)))
        const long = await run((c) => c.randomBytes(200_000))
        assert.notDeepEqual(long.subarray(0, 32), long.subarray(-32))
      })
    })

    describe("hashes", () => {
      it("FIPS 180-4 examples, short and long", async () => {
        assert.strictEqual(
          await hexOf((c) => c.sha256(ascii("abc"))),
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        assert.strictEqual(
          await hexOf((c) => c.sha256(filled(1_000_000, 0x61))),
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
        assert.strictEqual(
          await hexOf((c) => c.sha512(ascii("abc"))),
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        )
        assert.strictEqual(
          await hexOf((c) => c.sha512(filled(1_000_000, 0x61))),
          "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
        )
      })
      it("answers are plain bytes of their own memory", async () => {
        const hash = await run((c) => c.sha256(empty))
        assert.strictEqual(Object.getPrototypeOf(hash), Uint8Array.prototype)
        const copy = hash.slice(0, 1)
        copy[0] = (copy[0] as number) ^ 0xff
        assert.strictEqual(Bytes.toHex(hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
      })
    })

    describe("HMAC and HKDF", () => {
      it("RFC 4231 cases 1, 2 and 6", async () => {
        assert.strictEqual(
          await hexOf((c) => c.hmacSha256(filled(20, 0x0b), ascii("Hi There"))),
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        )
        assert.strictEqual(
          await hexOf((c) => c.hmacSha256(ascii("Jefe"), ascii("what do ya want for nothing?"))),
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
        assert.strictEqual(
          await hexOf((c) =>
            c.hmacSha256(filled(131, 0xaa), ascii("Test Using Larger Than Block-Size Key - Hash Key First"))
          ),
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        )
      })
      it("an empty key and an empty salt count as zeros", async () => {
        assert.strictEqual(
          await hexOf((c) => c.hmacSha256(empty, ascii("x"))),
          await hexOf((c) => c.hmacSha256(filled(32, 0), ascii("x")))
        )
        assert.strictEqual(
          await hexOf((c) => c.hkdfSha256(ascii("ikm"), empty, empty, 42)),
          await hexOf((c) => c.hkdfSha256(ascii("ikm"), filled(32, 0), empty, 42))
        )
      })
      it("RFC 5869 cases 1 and 3", async () => {
        assert.strictEqual(
          await hexOf((c) =>
            c.hkdfSha256(filled(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"), 42)
          ),
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        assert.strictEqual(
          await hexOf((c) => c.hkdfSha256(filled(22, 0x0b), empty, empty, 42)),
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        )
      })
      it("empty input, a long info and the largest output work; more is a defect", async () => {
        assert.strictEqual((await run((c) => c.hkdfSha256(empty, empty, filled(3000, 7), 64))).length, 64)
        assert.strictEqual((await run((c) => c.hkdfSha256(ascii("k"), empty, empty, 8160))).length, 8160)
        await isDefect((c) => c.hkdfSha256(ascii("k"), empty, empty, 8161))
      })
    })

    describe("ChaCha20-Poly1305", () => {
      const aead = {
        key: hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
        nonce: hex("070000004041424344454647"),
        aad: hex("50515253c0c1c2c3c4c5c6c7")
      }
      const sunscreen =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
      const sealed =
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
      it("RFC 8439 section 2.8.2", async () => {
        assert.strictEqual(await hexOf((c) => c.aeadSeal(aead, ascii(sunscreen))), sealed)
        assert.strictEqual(
          Result.getOrThrow(Bytes.fromUtf8(await run((c) => c.aeadOpen(aead, hex(sealed))))),
          sunscreen
        )
      })
      it("opens what it sealed, of any length", () =>
        fc.assert(
          fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 100 }), async (plain, aad) => {
            const opened = await run((c) =>
              Effect.flatMap(c.aeadSeal({ ...aead, aad }, plain), (ct) => c.aeadOpen({ ...aead, aad }, ct))
            )
            assert.deepStrictEqual(opened, plain)
          }),
          { numRuns: 30 }
        ))
      it("any flipped bit and any cut is refused", () =>
        fc.assert(
          fc.asyncProperty(fc.nat(sealed.length / 2 - 1), fc.nat(7), async (at, bit) => {
            const bytes = hex(sealed)
            assert.strictEqual((await failure((c) => c.aeadOpen(aead, bytes.subarray(0, at))))._tag, "DecryptionFailed")
            bytes[at] = (bytes[at] as number) ^ (1 << bit)
            assert.strictEqual((await failure((c) => c.aeadOpen(aead, bytes)))._tag, "DecryptionFailed")
          }),
          { numRuns: 30 }
        ))
      it("another nonce, key or associated data is refused", async () => {
        for (const wrong of [{ nonce: filled(12, 0) }, { key: filled(32, 0) }, { aad: empty }]) {
          const error = await failure((c) => c.aeadOpen({ ...aead, ...wrong }, hex(sealed)))
          assert.strictEqual(error._tag, "DecryptionFailed")
        }
      })
      it("keys and nonces of another length are defects", async () => {
        for (const wrong of [{ nonce: filled(8, 0) }, { nonce: filled(24, 0) }, { key: filled(31, 0) }]) {
          await isDefect((c) => c.aeadSeal({ ...aead, ...wrong }, empty))
          await isDefect((c) => c.aeadOpen({ ...aead, ...wrong }, hex(sealed)))
          await isDefect((c) => c.aeadOpen({ ...aead, ...wrong }, empty))
        }
      })
    })

    describe("Ed25519 (KEZ-KEY-008, KEZ-KEY-009)", () => {
      it("RFC 8032 section 7.1", async () => {
        for (const vector of rfc8032) {
          const key = await secret(hex(vector.seed))
          assert.strictEqual(key.publicKey.hex, vector.key)
          assert.strictEqual(await hexOf((c) => c.sign(key, hex(vector.message))), vector.signature)
          assert.strictEqual(
            await hexOf((c) => Effect.sync(() => c.signSync(key, hex(vector.message)))),
            vector.signature
          )
          assert.isTrue(await run((c) => c.verify(key.publicKey, hex(vector.message), hex(vector.signature))))
        }
      })
      it("KEZ's seeds and public keys", async () => {
        for (const [seed, key] of kez) assert.strictEqual((await secret(hex(seed))).publicKey.hex, key)
      })
      it("signs and verifies any message with any seed; other messages, keys and signatures are refused", () =>
        fc.assert(
          fc.asyncProperty(
            fc.uint8Array({ minLength: 32, maxLength: 32 }),
            fc.uint8Array({ maxLength: 200 }),
            fc.nat(63),
            fc.nat(7),
            async (seed, message, at, bit) => {
              const key = await secret(seed)
              const other = await secret(filled(32, 0xee))
              const signature = await run((c) => c.sign(key, message))
              const bent = signature.slice()
              bent[at] = (bent[at] as number) ^ (1 << bit)
              const verify = (k: AdmittedKey, m: Uint8Array, s: Uint8Array) => run((c) => c.verify(k, m, s))
              assert.isTrue(await verify(key.publicKey, message, signature))
              assert.isFalse(await verify(key.publicKey, message, bent))
              assert.isFalse(await verify(key.publicKey, Bytes.concat(message, filled(1, 0)), signature))
              assert.isFalse(await verify(other.publicKey, message, signature))
            }
          ),
          { numRuns: 15 }
        ))
      it("a signature of another length is refused", async () => {
        const key = await secret(filled(32, 1))
        const signature = await run((c) => c.sign(key, empty))
        for (const wrong of [empty, signature.subarray(0, 63), Bytes.concat(signature, filled(1, 0)), filled(32, 0)]) {
          assert.isFalse(await run((c) => c.verify(key.publicKey, empty, wrong)))
        }
      })
      it("a torsioned R is refused", async () => {
        assert.isTrue(
          ed25519.verify(torsioned.signature, torsioned.message, hex(torsioned.key), { zip215: false }),
          "the case no longer shows what it should: noble alone refuses it too"
        )
        assert.isFalse(await run((c) => c.verify(admitted(torsioned.key), torsioned.message, torsioned.signature)))
      })
      it("S + L is refused", async () => {
        const key = await secret(filled(32, 1))
        const signature = await run((c) => c.sign(key, empty))
        const s = bytesToNumberLE(signature.subarray(32)) + order
        const malleated = Bytes.concat(signature.subarray(0, 32), numberToBytesLE(s, 32))
        assert.isFalse(await run((c) => c.verify(key.publicKey, empty, malleated)))
      })
      it("R = identity verifies in its canonical encoding only", async () => {
        const seed = filled(32, 3)
        const { scalar } = ed25519.utils.getExtendedPublicKey(seed)
        const key = (await secret(seed)).publicKey
        const message = ascii("nonce zero")
        // A signer who chose r = 0: S = k * a, for each of the four byte strings that decode to the identity.
        const signed = (r: Uint8Array) => {
          const k = bytesToNumberLE(sha512(Bytes.concat(r, key.ed25519, message)))
          return Bytes.concat(r, numberToBytesLE((k * scalar) % order, 32))
        }
        const verdicts: Array<boolean> = []
        for (const r of identities) verdicts.push(await run((c) => c.verify(key, message, signed(hex(r)))))
        assert.deepStrictEqual(verdicts, [true, false, false, false])
      })
      it("a seed of another length is a defect that does not show it (KEZ-KEY-005)", async () => {
        for (const length of [0, 31, 33, 64]) {
          const shown = await isDefect((c) => c.importSeed(Redacted.make(filled(length, 0xa7))))
          assert.notMatch(shown, /a7a7|167, ?167/)
        }
      })
      it("a secret key prints as its public key (KEZ-KEY-005)", async () => {
        const key = await secret(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        for (const shown of [String(key), JSON.stringify({ key }), inspect({ key }, { depth: 9, showHidden: true })]) {
          assert.include(shown, key.publicKey.hex)
          assert.notInclude(shown, "9d61b19d")
        }
        assert.deepStrictEqual(Reflect.ownKeys(key), ["publicKey"])
      })
      it("keys of another backend, and copies, are defects", async () => {
        const key = await secret(filled(32, 1))
        const copy = { publicKey: key.publicKey } as SecretKey
        await isDefect((c) => c.sign(copy, empty))
        await isDefect((c) => c.agree(copy, key.publicKey))
        await isDefect((c) => c.agreeEphemeral({ publicKey: key.publicKey.x25519 }, key.publicKey))
      })
    })

    describe("X25519", () => {
      it("RFC 7748 sections 5.2 and 6.1, with raw scalars and u-coordinates", async () => {
        for (const [scalar, u, shared] of [
          [
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
          ],
          [
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
          ],
          [
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
          ]
        ] as const) {
          assert.strictEqual(
            await hexOf((c) => Effect.flatMap(c.ephemeral(hex(scalar)), (key) => c.agreeEphemeral(key, hex(u)))),
            shared
          )
        }
        const bob = await run((c) =>
          c.ephemeral(hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))
        )
        assert.strictEqual(
          Bytes.toHex(bob.publicKey),
          "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
        )
      })
      it("both sides of every exchange get the same secret", () =>
        fc.assert(
          fc.asyncProperty(
            fc.uint8Array({ minLength: 32, maxLength: 32 }),
            fc.uint8Array({ minLength: 32, maxLength: 32 }),
            async (one, two) => {
              const [a, b] = [await secret(one), await secret(two)]
              const once = await run((c) => c.ephemeral())
              assert.deepStrictEqual(
                await run((c) => c.agree(a, b.publicKey)),
                await run((c) => c.agree(b, a.publicKey))
              )
              const sent = await run((c) => c.agreeEphemeral(once, b.publicKey))
              assert.deepStrictEqual(await run((c) => c.agreeWithEphemeral(b, once.publicKey)), sent)
              assert.deepStrictEqual(await run((c) => c.agreeEphemeral(once, b.publicKey.x25519)), sent)
            }
          ),
          { numRuns: 10 }
        ))
      it("gives another pair each time", async () => {
        const [a, b] = [await run((c) => c.ephemeral()), await run((c) => c.ephemeral())]
        assert.strictEqual(a.publicKey.length, 32)
        assert.notDeepEqual(a.publicKey, b.publicKey)
      })
      it("an all-zero secret is an error, for every point of small order (KEZ-KEY-012)", async () => {
        const key = await secret(filled(32, 1))
        const once = await run((c) => c.ephemeral())
        for (const u of smallOrder) {
          assert.strictEqual((await failure((c) => c.agreeWithEphemeral(key, hex(u))))._tag, "ZeroSharedSecret")
          assert.strictEqual((await failure((c) => c.agreeEphemeral(once, hex(u))))._tag, "ZeroSharedSecret")
        }
      })
      it("scalars and public keys of another length are defects", async () => {
        const key = await secret(filled(32, 1))
        const once = await run((c) => c.ephemeral())
        await isDefect((c) => c.ephemeral(filled(31, 1)))
        await isDefect((c) => c.agreeWithEphemeral(key, filled(33, 9)))
        await isDefect((c) => c.agreeEphemeral(once, filled(31, 9)))
      })
    })
  })
