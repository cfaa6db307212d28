/** WebCrypto where the platform refuses private keys that begin with a zero byte, as WebKitGTK does. */
import { assert, describe, layer } from "@effect/vitest"
import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { Effect, Redacted, Result } from "effect"
import { afterAll, beforeAll, vi } from "vitest"
import { NobleCrypto } from "../../src/adapters/noble/index.ts"
import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import { admit } from "../../src/protocol/identity/KeyAdmission.ts"
import { Crypto } from "../../src/services/Crypto.ts"

const { subtle } = globalThis.crypto
const importKey = subtle.importKey.bind(subtle) as (...args: ReadonlyArray<unknown>) => Promise<CryptoKey>
const generateKey = subtle.generateKey.bind(subtle) as (...args: ReadonlyArray<unknown>) => Promise<CryptoKeyPair>
const refused = (): DOMException => new DOMException("", "OperationError")

let attempts = 0

beforeAll(() => {
  vi.spyOn(subtle, "importKey").mockImplementation(async (...args: ReadonlyArray<unknown>) => {
    const [format, der] = args as [string, Uint8Array]
    if (format === "pkcs8" && der.at(-32) === 0) throw refused()
    return importKey(...args)
  })
  // Two of three attempts fail.
  vi.spyOn(subtle, "generateKey").mockImplementation((async (...args: ReadonlyArray<unknown>) => {
    attempts += 1
    if (attempts % 3 !== 0) throw refused()
    return generateKey(...args)
  }) as typeof subtle.generateKey)
})

afterAll(() => vi.restoreAllMocks())

const seeds = Array.from({ length: 1000 }, (_, index) => {
  const seed = new Uint8Array(32).fill(7)
  new DataView(seed.buffer).setUint16(30, index)
  return seed
})
/** Its X25519 scalar begins with zero, as one of 32 does. */
const ofZeroScalar = seeds.find((seed) => ed25519.utils.toMontgomerySecret(seed)[0] === 0)!
const ofZeroSeed = seeds[0]!.with(0, 0)
const peer = Result.getOrThrow(admit(ed25519.getPublicKey(seeds[1]!)))
const message = Bytes.utf8("signed all the same")

layer(WebCrypto.layer)("Crypto (webcrypto) without keys that begin with zero", (it) => {
  describe.each([
    ["seed", ofZeroSeed],
    ["scalar", ofZeroScalar]
  ])("of a %s", (_, seed) => {
    const onBoth = <A, E>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, E>) =>
      Effect.gen(function* () {
        const answer = yield* Crypto.use(use)
        assert.deepStrictEqual(answer, yield* Effect.provide(Crypto.use(use), NobleCrypto.layer))
        return answer
      })

    it.effect("signs and agrees as noble does", () =>
      Effect.gen(function* () {
        yield* onBoth((crypto) =>
          Effect.flatMap(crypto.importSeed(Redacted.make(seed)), (key) => crypto.sign(key, message))
        )
        yield* onBoth((crypto) =>
          Effect.flatMap(crypto.importSeed(Redacted.make(seed)), (key) => crypto.agree(key, peer))
        )
      })
    )
  })

  it.effect("makes ephemeral pairs, given and new", () =>
    Effect.gen(function* () {
      const scalar = ofZeroSeed
      const given = yield* Crypto.use((crypto) => crypto.ephemeral(scalar))
      assert.deepStrictEqual(given.publicKey, x25519.getPublicKey(scalar))
      assert.deepStrictEqual(
        yield* Crypto.use((crypto) => crypto.agreeEphemeral(given, peer)),
        x25519.getSharedSecret(scalar, peer.x25519)
      )
      const made = yield* Crypto.use((crypto) => crypto.ephemeral())
      const own = yield* Crypto.use((crypto) => crypto.importSeed(Redacted.make(ofZeroScalar)))
      assert.deepStrictEqual(
        yield* Crypto.use((crypto) => crypto.agreeEphemeral(made, own.publicKey)),
        yield* Crypto.use((crypto) => crypto.agreeWithEphemeral(own, made.publicKey))
      )
    })
  )
})
