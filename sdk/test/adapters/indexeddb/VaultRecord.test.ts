import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import {
  decode,
  defaultCost,
  encode,
  maxLength,
  maxPasskeys,
  type VaultRecord
} from "../../../src/adapters/indexeddb/VaultRecord.ts"
import { nearTexts } from "../../kits/DecoderKit.ts"

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

const record: fc.Arbitrary<VaultRecord> = fc
  .record({
    handle: fc.constantFrom("chris@kez.lat", "a-b_c@localhost"),
    primary: fc.constant(`ed25519:${"0a".repeat(32)}`),
    sealedSeed: bytes(60),
    salt: bytes(16),
    sealedKey: bytes(60),
    passkeys: fc.array(
      fc.record({
        kind: fc.constant("passkey" as const),
        credentialId: fc.uint8Array({ minLength: 1, maxLength: 64 }),
        prfSalt: bytes(32),
        sealedKey: bytes(60)
      }),
      { maxLength: 3 }
    )
  })
  .map(({ salt, sealedKey, passkeys, ...rest }) => ({
    v: 1,
    ...rest,
    slots: [{ kind: "passphrase", kdf: { name: "argon2id", ...defaultCost, salt }, sealedKey }, ...passkeys]
  }))

const one = fc.sample(record, { numRuns: 1, seed: 1 })[0]!

/** A record whose checksum is right, whatever it says. */
const signed = (json: string) => `${json}\n${bytesToHex(sha256(new TextEncoder().encode(json)))}`
const edited = (change: (json: Record<string, unknown> & { slots: Array<Record<string, unknown>> }) => void) => {
  const json = JSON.parse(encode(one).split("\n")[0]!)
  change(json)
  return signed(JSON.stringify(json))
}
const reason = (text: unknown) => {
  const decoded = decode(text)
  return Result.isFailure(decoded) ? decoded.failure.reason : "read"
}

describe("the record of the vault", () => {
  it("is read as it was written", () => {
    fc.assert(fc.property(record, (record) => assert.deepStrictEqual(decode(encode(record)), Result.succeed(record))))
  })

  it("is `damaged` with any character changed, and never anything worse", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), nearTexts(record.map(encode))), (text) => {
        const decoded = decode(text)
        if (Result.isSuccess(decoded)) assert.strictEqual(encode(decoded.success), text)
        else assert.strictEqual(decoded.failure.reason, "damaged")
      }),
      { numRuns: 300 }
    )
    const text = encode(one)
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === "1" ? "2" : "1"
      assert.strictEqual(reason(text.slice(0, at) + other + text.slice(at + 1)), "damaged")
    }
  })

  it("is refused in every other form, also with a right checksum", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), nearTexts(fc.constant(encode(one).split("\n")[0]!))), (json) => {
        assert.include(["damaged", "newer", "read"], reason(signed(json)))
      }),
      { numRuns: 500 }
    )
    for (const value of [undefined, null, 1, new ArrayBuffer(8), "", "\n", " ".repeat(maxLength + 1)]) {
      assert.strictEqual(reason(value), "damaged")
    }
  })

  it("asks for no cost outside its bounds, and for no other algorithm", () => {
    const kdfs: ReadonlyArray<Record<string, unknown>> = [
      { m: 47_103 },
      { m: 262_145 },
      { m: 65_536.5 },
      { m: "65536" },
      { t: 0 },
      { t: 9 },
      { p: 0 },
      { p: 5 },
      { name: "argon2i" },
      { salt: "" },
      { extra: 1 }
    ]
    for (const kdf of kdfs) {
      assert.strictEqual(reason(edited((json) => Object.assign(json.slots[0]!["kdf"] as object, kdf))), "damaged")
    }
    assert.strictEqual(reason(edited((json) => Object.assign(json.slots[0]!["kdf"] as object, { m: 262_144 }))), "read")
  })

  it("has one passphrase slot, the first, and a bounded number of passkeys", () => {
    const passkey = { kind: "passkey", credentialId: "AA", prfSalt: "A".repeat(43), sealedKey: "A".repeat(80) }
    const withPasskeys = (count: number) =>
      edited((json) => (json.slots = [json.slots[0]!, ...Array.from({ length: count }, () => passkey)]))
    assert.strictEqual(reason(withPasskeys(maxPasskeys)), "read")
    assert.strictEqual(reason(withPasskeys(maxPasskeys + 1)), "damaged")
    assert.strictEqual(reason(edited((json) => (json.slots = []))), "damaged")
    assert.strictEqual(reason(edited((json) => (json.slots = [passkey]))), "damaged")
    assert.strictEqual(reason(edited((json) => (json.slots = [json.slots[0]!, json.slots[0]!]))), "damaged")
  })

  it("is `newer` with a later version", () => {
    assert.strictEqual(reason(edited((json) => (json["v"] = 2))), "newer")
    assert.strictEqual(reason(edited((json) => (json["v"] = "1"))), "damaged")
    assert.strictEqual(reason(edited((json) => (json["handle"] = "chris"))), "damaged")
    assert.strictEqual(reason(edited((json) => (json["primary"] = "ed25519:00"))), "damaged")
  })
})
