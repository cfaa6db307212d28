import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Canonical from "../../../src/protocol/encoding/Canonical.ts"
import * as Json from "../../../src/protocol/encoding/Json.ts"

const json = fc.jsonValue({ noUnicodeString: false }).map((value) => value as Json.Json)

describe("JCS (KEZ-CAN-012)", () => {
  it("sorts names by UTF-16 unit, not by code point", () => {
    assert.strictEqual(
      Canonical.encodeText({ "\ufb33": 1, "\u{1f600}": 2, b: 3, "10": 4, "9": 5, "": 6 }),
      '{"":6,"10":4,"9":5,"b":3,"\u{1f600}":2,"\ufb33":1}'
    )
  })
  it("escapes only what must be, in the RFC's spelling", () => {
    assert.strictEqual(
      Canonical.encodeText('\u0000\b\t\n\u000b\f\r\u001f"\\/\u007f\u2028\u20ac'),
      '"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\/\u007f\u2028\u20ac"'
    )
  })
  it("writes integers up to 2^53 - 1 plainly", () => {
    assert.strictEqual(
      Canonical.encodeText([0, -1, 9007199254740991, -9007199254740991]),
      "[0,-1,9007199254740991,-9007199254740991]"
    )
  })
  it("does not depend on the order in which members were made, nor on the text parsed (KEZ-CAN-013)", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.nat(), { maxKeys: 8, noNullPrototype: true }), (members) => {
        const turned = Object.fromEntries(Object.entries(members).toReversed())
        assert.strictEqual(Canonical.encodeText(turned), Canonical.encodeText(members))
        const parsed = Json.parse(JSON.stringify(turned, null, 3), { maxBytes: 100_000 })
        if (Result.isSuccess(parsed))
          assert.deepStrictEqual(Canonical.encode(parsed.success), Canonical.encode(members))
      })
    ))
  it("says the same value, and saying it again changes nothing", () =>
    fc.assert(
      fc.property(json, (value) => {
        let canonical: string
        try {
          canonical = Canonical.encodeText(value)
        } catch (error) {
          assert.instanceOf(error, TypeError)
          assert.isFalse(JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes("\\ud"))
          return
        }
        assert.deepStrictEqual(JSON.parse(canonical), JSON.parse(JSON.stringify(value)))
        assert.strictEqual(Canonical.encodeText(JSON.parse(canonical)), canonical)
        assert.deepStrictEqual(Canonical.encode(value), Bytes.utf8(canonical))
      }),
      { numRuns: 500 }
    ))
  it("throws for what is no JSON of the protocol", () => {
    for (const wrong of ["\ud800", Number.NaN, Number.POSITIVE_INFINITY, { "\udc00": 1 }]) {
      assert.throws(() => Canonical.encode(wrong as Json.Json), TypeError)
    }
  })
})
