/** The three backends side by side: equal bytes out, and one verdict on signatures good, bent and hostile (KEZ-KEY-009). */
import { ed25519 } from "@noble/curves/ed25519.js"
import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js"
import { sha512 } from "@noble/hashes/sha2.js"
import { Effect, Layer, ManagedRuntime, Redacted, Result } from "effect"
import * as fc from "fast-check"
import { afterAll, assert, describe, it } from "vitest"
import { NobleCrypto } from "../../src/adapters/noble/index.ts"
import { NodeCrypto } from "../../src/adapters/node/index.ts"
import { WebCrypto } from "../../src/adapters/webcrypto/index.ts"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"
import { admit } from "../../src/protocol/identity/KeyAdmission.ts"
import { Crypto, type CryptoUnavailable } from "../../src/services/Crypto.ts"

const runtimes = [NodeCrypto.layer, WebCrypto.layer, NobleCrypto.layer].map(
  (layer: Layer.Layer<Crypto, CryptoUnavailable>) => ManagedRuntime.make(layer)
)
afterAll(() => Promise.all(runtimes.map((runtime) => runtime.dispose())))

/** What all of them answer; fails where they differ. */
const agreed = async <A, E>(use: (crypto: Crypto["Service"]) => Effect.Effect<A, E>): Promise<A> => {
  const [first, ...others] = await Promise.all(runtimes.map((runtime) => runtime.runPromise(Crypto.use(use))))
  for (const other of others) assert.deepStrictEqual(other, first)
  return first as A
}

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
  it("on hashes, HMAC, HKDF and AEAD of anything", () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 5000 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 1, max: 300 }),
        async (data, key, info, length) => {
          await agreed((c) => c.sha256(data))
          await agreed((c) => c.sha512(data))
          await agreed((c) => c.hmacSha256(key, data))
          const okm = await agreed((c) => c.hkdfSha256(data, key, info, length + 44))
          const aead = { key: okm.slice(0, 32), nonce: okm.slice(32, 44), aad: info }
          const sealed = await agreed((c) => c.aeadSeal(aead, data))
          assert.deepStrictEqual(await agreed((c) => c.aeadOpen(aead, sealed)), data)
        }
      ),
      { numRuns: 60 }
    ))

  it("on keys, signatures and shared secrets", () =>
    fc.assert(
      fc.asyncProperty(
        bytes32,
        bytes32,
        bytes32,
        fc.uint8Array({ maxLength: 100 }),
        async (one, two, scalar, message) => {
          const peer = Result.getOrThrow(admit(ed25519.getPublicKey(two)))
          await agreed((c) =>
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
        }
      ),
      { numRuns: 20 }
    ))

  it("on signatures with one bit bent, with S + L, and with a torsioned or tiny R", () =>
    fc.assert(
      fc.asyncProperty(
        bytes32,
        fc.uint8Array({ maxLength: 60 }),
        fc.bigInt({ min: 0n, max: 3n }),
        fc.bigInt({ min: 0n, max: 7n }),
        fc.nat(511),
        async (seed, message, r, t, bit) => {
          const key = Result.getOrThrow(admit(ed25519.getPublicKey(seed)))
          const signature = forge(seed, message, r, t)
          assert.strictEqual(await agreed((c) => c.verify(key, message, signature)), t === 0n)
          const bent = signature.slice()
          bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7))
          assert.isFalse(await agreed((c) => c.verify(key, message, bent)))
          const s = bytesToNumberLE(signature.subarray(32)) + order
          const raised = Bytes.concat(signature.subarray(0, 32), numberToBytesLE(s, 32))
          assert.isFalse(await agreed((c) => c.verify(key, message, raised)))
        }
      ),
      { numRuns: 40 }
    ))

  it("on random signatures, which nobody accepts", () =>
    fc.assert(
      fc.asyncProperty(bytes32, fc.uint8Array({ minLength: 64, maxLength: 64 }), async (seed, signature) => {
        const key = Result.getOrThrow(admit(ed25519.getPublicKey(seed)))
        assert.isFalse(await agreed((c) => c.verify(key, seed, signature)))
      }),
      { numRuns: 40 }
    ))
})
