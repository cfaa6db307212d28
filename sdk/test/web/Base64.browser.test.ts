/** The base64url of an engine that has a decoder of its own, which Node has not before version 25. */
import { Result } from "effect"
import * as fc from "fast-check"
import { assert, it } from "vitest"
import * as Bytes from "../../src/protocol/encoding/Bytes.ts"

it("decodes what it encodes", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (value) => {
      assert.deepStrictEqual(Result.getOrThrow(Bytes.fromBase64Url(Bytes.toBase64Url(value))), value)
    })
  ))

it("accepts one text for one value (KEZ-CAN-002)", () =>
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."AQRgwZ-_9z+/= \n\u00e9\u0100"), maxLength: 9 }), (text) => {
      const decoded = Bytes.fromBase64Url(text)
      if (Result.isSuccess(decoded)) assert.strictEqual(Bytes.toBase64Url(decoded.success), text)
      else assert.strictEqual(decoded.failure.code, "encoding_malformed")
    }),
    { numRuns: 5000 }
  ))
