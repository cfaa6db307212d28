import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { Padding } from "../../../src/protocol/index.ts"
import { ok } from "../../kits/Accounts.ts"
import { codeOf, fuzzBytes } from "../../kits/DecoderKit.ts"

/** NIP-44's own formula, written from its text. */
const nip44 = (length: number): number => {
  const nextPower = 2 ** (Math.floor(Math.log2(length - 1)) + 1)
  const chunk = nextPower <= 256 ? 32 : nextPower / 8
  return length <= 32 ? 32 : chunk * (Math.floor((length - 1) / chunk) + 1)
}

describe("Padding", () => {
  it("KEZ-DM-010 has the sizes of NIP-44", () => {
    for (const [length, padded] of [
      [1, 32],
      [32, 32],
      [33, 64],
      [300, 320],
      [1000, 1024],
      [40_960, 40_960]
    ] as const) {
      assert.strictEqual(Padding.paddedLength(length), padded)
    }
    for (let length = 1; length <= 40_960; length++) {
      assert.strictEqual(Padding.paddedLength(length), nip44(length), `length ${length}`)
    }
  })

  it("KEZ-DM-009 takes bodies of 1, 32, 33 and 40,960 bytes and no longer one", () => {
    for (const length of [1, 32, 33, 40_960]) {
      const body = new Uint8Array(length).fill(0xab)
      assert.deepStrictEqual(ok(Padding.unpad(ok(Padding.pad(body)))), body)
    }
    assert.strictEqual(codeOf(Padding.pad(new Uint8Array(40_961))), "message_too_large")
    assert.strictEqual(codeOf(Padding.pad(new Uint8Array(0))), "message_malformed")
  })

  it("KEZ-DM-010 refuses every other plaintext", () => {
    const padded = ok(Padding.pad(new Uint8Array(33).fill(1)))
    const changed = (at: number, value: number) => codeOf(Padding.unpad(padded.with(at, value)))
    assert.strictEqual(changed(3, 0), "padding_invalid")
    assert.strictEqual(changed(3, 32), "padding_invalid")
    assert.strictEqual(changed(3, 65), "padding_invalid")
    assert.strictEqual(changed(0, 1), "padding_invalid")
    assert.strictEqual(changed(4 + 33, 1), "padding_invalid")
    assert.strictEqual(changed(padded.length - 1, 1), "padding_invalid")
    assert.strictEqual(codeOf(Padding.unpad(padded.subarray(0, -1))), "padding_invalid")
    assert.strictEqual(codeOf(Padding.unpad(Uint8Array.of(...padded, 0))), "padding_invalid")
    assert.strictEqual(codeOf(Padding.unpad(new Uint8Array(36))), "padding_invalid")
    assert.strictEqual(codeOf(Padding.unpad(new Uint8Array(3))), "padding_invalid")
  })

  it("comes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), (body) => {
        assert.deepStrictEqual(ok(Padding.unpad(ok(Padding.pad(body)))), body)
      })
    )
  })

  it("answers whatever it is given", () => {
    fuzzBytes(
      Padding.unpad,
      fc.uint8Array({ minLength: 1, maxLength: 100 }).map((body) => ok(Padding.pad(body)))
    )
  })
})
