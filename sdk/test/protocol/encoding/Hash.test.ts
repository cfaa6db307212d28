import { assert, describe, it } from "vitest"
import * as Hash from "../../../src/protocol/encoding/Hash.ts"

const hex = "5e".repeat(32)

describe("Hash", () => {
  it("writes a hash from digits or bytes, and gives its digits back", () => {
    assert.strictEqual(Hash.format("sha256", hex), `sha256:${hex}`)
    assert.strictEqual(Hash.format("blake3", new Uint8Array(32).fill(0x5e)), `blake3:${hex}`)
    for (const name of ["sha256", "blake3"] as const) assert.strictEqual(Hash.hexOf(Hash.format(name, hex)), hex)
  })

  it("knows a hash of one function from every other text", () => {
    assert.isTrue(Hash.is("blake3", `blake3:${hex}`))
    assert.isTrue(Hash.is("sha256", Hash.blank("sha256")))
    for (const text of ["", hex, `sha256:${hex}`, `blake3:${hex}0`, `blake3:${hex.toUpperCase()}`, `blake3:${hex}\n`]) {
      assert.isFalse(Hash.is("blake3", text), text)
    }
  })
})
