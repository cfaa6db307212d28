/** The three backends side by side: equal bytes out, and one verdict on signatures good, bent and hostile (KEZ-KEY-009). */
import { assert, describe, it } from "@effect/vitest"
import { ed25519 } from "@noble/curves/ed25519.js"
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js"
import { sha512 } from "@noble/hashes/sha2.js"
import { Effect, Redacted, Result } from "effect"
import * as fc from "fast-check"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import { admit } from "../../src/protocol/identity/KeyAdmission.ts"
import { Crypto } from "../../src/services/Crypto.ts"
import { fixture } from "../kits/Accounts.ts"
import { backends } from "../kits/Backends.ts"
import { checkProperty } from "../kits/Property.ts"

const services = await fixture(
  Effect.forEach(Object.values(backends), (cryptoLayer) => Effect.provide(Crypto, cryptoLayer))
)

/** What all of them answer; fails where they differ. */
const agreed = Effect.fnUntraced(function* <A, E>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, E>) {
  const [first, ...others] = yield* Effect.forEach(services, use)
  for (const other of others) assert.deepStrictEqual(other, first)
  return first as A
})

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const order = ed25519.Point.Fn.ORDER
const torsion = ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")

/** A signature with R = r*B + t*(a point of order 8) and the S that satisfies the cofactored equation. */
const forge = (seed: Uint8Array, message: Uint8Array, r: bigint, t: bigint): Uint8Array => {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed)
  const point = ed25519.Point.BASE.multiplyUnsafe(r % order).add(torsion.multiplyUnsafe(t))
  const k = bytesToNumberLE(sha512(Bytes.concat(point.toBytes(), pointBytes, message)))
  return Bytes.concat(point.toBytes(), numberToBytesLE((r + k * scalar) % order, 32))
}

describe("the backends agree", () => {
  it.effect("on hashes, HMAC, HKDF and AEAD of anything", () =>
    checkProperty(
      [
        fc.uint8Array({ maxLength: 5000 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 1, max: 300 })
      ],
      Effect.fnUntraced(function* (data, key, info, length) {
        yield* agreed((c) => c.sha256(data))
        yield* agreed((c) => c.sha512(data))
        yield* agreed((c) => c.hmacSha256(key, data))
        const okm = yield* agreed((c) => c.hkdfSha256(data, key, info, length + 44))
        const aead = { key: okm.slice(0, 32), nonce: okm.slice(32, 44), aad: info }
        const sealed = yield* agreed((c) => c.aeadSeal(aead, data))
        assert.deepStrictEqual(yield* agreed((c) => c.aeadOpen(aead, sealed)), data)
      }),
      { numRuns: 60 }
    )
  )

  it.effect("on keys, signatures and shared secrets", () =>
    checkProperty(
      [bytes32, bytes32, bytes32, fc.uint8Array({ maxLength: 100 })],
      Effect.fnUntraced(function* (one, two, scalar, message) {
        const peer = Result.getOrThrow(admit(ed25519.getPublicKey(two)))
        yield* agreed((c) =>
          Effect.gen(function* () {
            const key = yield* c.importSeed(Redacted.make(one))
            const once = yield* c.ephemeral(scalar)
            return [
              key.publicKey.hex,
              yield* c.sign(key, message),
              c.signSync(key, message),
              yield* c.agree(key, peer),
              once.publicKey,
              yield* c.agreeEphemeral(once, peer),
              yield* c.agreeWithEphemeral(key, once.publicKey)
            ]
          })
        )
      }),
      { numRuns: 20 }
    )
  )

  it.effect("on signatures with one bit bent, with S + L, and with a torsioned or tiny R", () =>
    checkProperty(
      [
        bytes32,
        fc.uint8Array({ maxLength: 60 }),
        fc.bigInt({ min: 0n, max: 3n }),
        fc.bigInt({ min: 0n, max: 7n }),
        fc.nat(511)
      ],
      Effect.fnUntraced(function* (seed, message, r, t, bit) {
        const key = Result.getOrThrow(admit(ed25519.getPublicKey(seed)))
        const signature = forge(seed, message, r, t)
        assert.strictEqual(yield* agreed((c) => c.verify(key, message, signature)), t === 0n)
        const bent = signature.slice()
        bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7))
        assert.isFalse(yield* agreed((c) => c.verify(key, message, bent)))
        const s = bytesToNumberLE(signature.subarray(32)) + order
        const raised = Bytes.concat(signature.subarray(0, 32), numberToBytesLE(s, 32))
        assert.isFalse(yield* agreed((c) => c.verify(key, message, raised)))
      }),
      { numRuns: 40 }
    )
  )

  it.effect("on random signatures, which nobody accepts", () =>
    checkProperty(
      [bytes32, fc.uint8Array({ minLength: 64, maxLength: 64 })],
      Effect.fnUntraced(function* (seed, signature) {
        const key = Result.getOrThrow(admit(ed25519.getPublicKey(seed)))
        assert.isFalse(yield* agreed((c) => c.verify(key, seed, signature)))
      }),
      { numRuns: 40 }
    )
  )
})
