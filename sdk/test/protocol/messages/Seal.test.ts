import { assert, describe, it } from "vitest"
import { Bytes, Limits, Seal } from "../../../src/protocol/index.ts"
import { ok } from "../../kits/Accounts.ts"
import { codeOf } from "../../kits/DecoderKit.ts"

const enc = Uint8Array.from({ length: Limits.keyBytes }, (_, i) => i + 1)
const frame = ok(Seal.encode({ enc, ciphertext: new Uint8Array(Limits.tagBytes + 1).fill(7) }))

describe("Seal", () => {
  it("lays out version, ephemeral key and ciphertext, and reads them back", () => {
    assert.strictEqual(frame[0], Seal.version)
    assert.deepStrictEqual(ok(Seal.decode(frame)), { enc, ciphertext: frame.subarray(1 + Limits.keyBytes) })
  })

  it("names a frame by its ephemeral key", () => {
    assert.strictEqual(Seal.ephemeralKeyOf(frame), Bytes.toHex(enc))
    assert.strictEqual(Seal.ephemeralKeyOf(frame), Bytes.toHex(ok(Seal.decode(frame)).enc))
  })

  it("refuses other versions and lengths", () => {
    const tooShort = frame.subarray(0, Seal.overhead)
    for (const bytes of [new Uint8Array(), frame.with(0, 2), tooShort, new Uint8Array(Limits.frameBytes + 1).fill(1)]) {
      assert.strictEqual(codeOf(Seal.decode(bytes)), "frame_malformed")
    }
    const ciphertext = new Uint8Array(Limits.frameBytes - Limits.keyBytes)
    assert.strictEqual(codeOf(Seal.encode({ enc, ciphertext })), "message_too_large")
  })
})
