import { ed25519, x25519 } from "@noble/curves/ed25519.js"
import { Effect, Result } from "effect"
import { randomBytes } from "node:crypto"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as NodeCrypto from "../../../src/adapters/node/NodeCrypto.ts"
import * as KeyAdmission from "../../../src/protocol/identity/KeyAdmission.ts"
import { codeOf, fuzzBytes, fuzzText } from "../../kits/DecoderKit.ts"

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
const key = seed.map((bytes) => ed25519.getPublicKey(bytes))
const detail = (hex: string) => {
  const result = KeyAdmission.admitHex(hex)
  return Result.isFailure(result) ? result.failure.detail : "admitted"
}

describe("key admission (KEZ-KEY-006)", () => {
  it("admits the public key of every seed, with its X25519 twin (KEZ-KEY-010, KEZ-KEY-011)", () =>
    fc.assert(
      fc.property(seed, (bytes) => {
        const publicKey = ed25519.getPublicKey(bytes)
        const admitted = Result.getOrThrow(KeyAdmission.admit(publicKey))
        assert.deepStrictEqual(admitted.ed25519, publicKey)
        assert.strictEqual(admitted.hex, Bytes.toHex(publicKey))
        assert.deepStrictEqual(admitted.x25519, x25519.getPublicKey(ed25519.utils.toMontgomerySecret(bytes)))
      }),
      { numRuns: 30 }
    ))
  it("gives one object for one key while it is remembered, and none for the caller's array", () => {
    const publicKey = ed25519.getPublicKey(new Uint8Array(32).fill(5))
    const first = Result.getOrThrow(KeyAdmission.admit(publicKey))
    publicKey[0] = (publicKey[0] as number) ^ 1
    assert.strictEqual(Result.getOrThrow(KeyAdmission.admitHex(first.hex)), first)
    assert.strictEqual(Bytes.toHex(first.ed25519), first.hex)
  })
  it("refuses the eight points of small order", () => {
    for (const hex of [
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
    ]) {
      assert.strictEqual(detail(hex), "the point is of small order")
    }
  })
  it("refuses a key with a torsion component, for each of the seven", () => {
    const torsion = ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    const honest = ed25519.Point.BASE.multiply(12345n)
    for (let i = 1n; i < 8n; i++) {
      const mixed = honest.add(torsion.multiplyUnsafe(i)).toHex()
      assert.strictEqual(detail(mixed), "the point has a torsion component")
      assert.strictEqual(codeOf(KeyAdmission.admitHex(mixed)), "key_rejected")
    }
    assert.strictEqual(detail(honest.toHex()), "admitted")
  })
  it("refuses encodings that are not canonical and bytes that are no point", () => {
    for (const hex of [
      `ee${"ff".repeat(30)}7f`,
      `ed${"ff".repeat(30)}7f`,
      `01${"00".repeat(30)}80`,
      `ec${"ff".repeat(31)}`,
      "ff".repeat(32),
      `02${"00".repeat(31)}`
    ]) {
      assert.strictEqual(codeOf(KeyAdmission.admitHex(hex)), "key_rejected", hex)
    }
  })
  it("refuses other lengths and spellings", () => {
    for (const length of [0, 31, 33, 64]) {
      assert.strictEqual(codeOf(KeyAdmission.admit(new Uint8Array(length).fill(1))), "key_malformed")
    }
    const { hex } = Result.getOrThrow(KeyAdmission.admit(ed25519.getPublicKey(new Uint8Array(32))))
    for (const text of [hex.toUpperCase(), ` ${hex}`, `0x${hex}`, hex.slice(1), `${hex}\n`]) {
      assert.strictEqual(codeOf(KeyAdmission.admitHex(text)), "key_malformed")
    }
  })
  it("gives the same verdicts with node:crypto's X25519, and with one that fails or errs", async () => {
    const torsion = ed25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
    let asked = 0
    /** What noble says of an encoding, most of which are no point, or one with a torsion component. */
    const byNoble = (bytes: Uint8Array) => {
      try {
        const point = ed25519.Point.fromBytes(bytes, true)
        return Bytes.equal(point.toBytes(), bytes) && !point.isSmallOrder() && point.isTorsionFree()
      } catch {
        return false
      }
    }
    const verdicts = () => {
      fc.assert(
        fc.property(seed, (bytes) => assert.strictEqual(detail(Bytes.toHex(bytes)) === "admitted", byNoble(bytes))),
        { numRuns: 40 }
      )
      for (let i = 0; i < 3; i++) {
        const honest = ed25519.Point.fromBytes(ed25519.getPublicKey(randomBytes(32)))
        for (const each of [honest, honest.negate()]) {
          assert.strictEqual(detail(each.toHex()), "admitted")
          for (let n = 1n; n < 8n; n++) {
            const mixed = each.add(torsion.multiplyUnsafe(n)).toHex()
            assert.strictEqual(detail(mixed), "the point has a torsion component")
          }
        }
      }
    }
    await Effect.runPromise(Effect.provide(Effect.void, NodeCrypto.layer))
    verdicts()
    // The same scalar with noble's X25519, which must leave an admissible key as it is.
    KeyAdmission.accelerate((scalar) => (point) => {
      asked++
      return x25519.scalarMult(scalar, point)
    })
    verdicts()
    assert.isAbove(asked, 0)
    for (const useless of [() => undefined, () => new Uint8Array(32)]) {
      KeyAdmission.accelerate(() => useless)
      verdicts()
    }
    KeyAdmission.accelerate(() => () => undefined)
  }, 60_000)
  it("never throws", () => {
    fuzzBytes(KeyAdmission.admit, key, 200)
    fuzzText(KeyAdmission.admitHex, key.map(Bytes.toHex), 200)
  })
  it("forgets nothing it should refuse when many keys pass through", () => {
    for (let i = 0; i < 4200; i++) KeyAdmission.admitHex(`02${i.toString(16).padStart(62, "0")}`)
    assert.strictEqual(detail(`01${"00".repeat(31)}`), "the point is of small order")
  }, 180_000)
})
