import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it, vi } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import { codeOf, fuzzBytes, fuzzText } from "../../kits/DecoderKit.ts"

const bytes = fc.uint8Array({ maxLength: 100 })

/** The module as a browser loads it. */
const inBrowsers = await (() => {
  vi.stubGlobal("Buffer", undefined)
  vi.resetModules()
  return import("../../../src/protocol/encoding/Bytes.ts").finally(() => vi.unstubAllGlobals())
})()

it("writes the same text without Buffer", () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), fc.nat(3), (value, offset) => {
      const part = value.subarray(offset)
      assert.strictEqual(inBrowsers.toHex(part), Bytes.toHex(part))
      assert.strictEqual(inBrowsers.toBase64Url(part), Bytes.toBase64Url(part))
    })
  ))

it("reads the same bytes, and refuses the same texts, without Buffer", () => {
  const near = fc.string({ unit: fc.constantFrom(..."AQRgwZ-_9z+/= \n\u00e9\u0141\ud800"), maxLength: 9 })
  const edited = fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(80), near).map(([value, at, put]) => {
    const text = Bytes.toBase64Url(value)
    return text.slice(0, at) + put + text.slice(at + put.length)
  })
  fc.assert(
    fc.property(fc.oneof(near, edited), (text) => {
      const [here, there] = [Bytes.fromBase64Url(text), inBrowsers.fromBase64Url(text)]
      if (Result.isSuccess(here)) assert.deepStrictEqual(Result.getOrThrow(there), here.success)
      else assert.deepInclude(Result.isFailure(there) ? there.failure : {}, { ...here.failure })
    }),
    { numRuns: 3000 }
  )
})

describe("hex (KEZ-CAN-001)", () => {
  it("round trips, as Buffer writes it", () =>
    fc.assert(
      fc.property(bytes, (value) => {
        assert.strictEqual(Bytes.toHex(value), Buffer.from(value).toString("hex"))
        assert.deepStrictEqual(Result.getOrThrow(Bytes.fromHex(Bytes.toHex(value))), value)
      })
    ))
  it("has one text for one value", () => {
    for (const text of ["0", "AB", "aB", "0x00", " 00", "00\n", "g0", "\u0660\u0660"]) {
      assert.strictEqual(codeOf(Bytes.fromHex(text)), "encoding_malformed", text)
    }
    fuzzText(Bytes.fromHex, bytes.map(Bytes.toHex))
  })
  it("tells hex of a length from other texts", () => {
    assert.isTrue(Bytes.isHex("00ff", 2))
    for (const text of ["", "00f", "00FF", "00ff00", "00fg", "0ff\n"]) assert.isFalse(Bytes.isHex(text, 2), text)
  })
})

describe("base64url (KEZ-CAN-002)", () => {
  it("round trips, as Buffer writes it", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (value) => {
        const text = Bytes.toBase64Url(value)
        assert.strictEqual(text, Buffer.from(value).toString("base64url"))
        assert.deepStrictEqual(Result.getOrThrow(Bytes.fromBase64Url(text)), value)
      })
    ))
  it("refuses padding, other alphabets, white space, impossible lengths and set trailing bits", () => {
    for (const text of [
      "QQ==",
      "QQ=",
      "+_8",
      "a/8",
      "QU I",
      "QUI\n",
      "A",
      "AAAAA",
      "QR",
      "QUJ",
      "\u00e9\u00e9",
      "QQ\u0100A"
    ]) {
      assert.strictEqual(codeOf(Bytes.fromBase64Url(text)), "encoding_malformed", text)
    }
  })
  it("whatever is accepted is the one text of its bytes", () =>
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."AQRgwZ-_9z+/=\u00e9"), maxLength: 9 }), (text) => {
        const decoded = Bytes.fromBase64Url(text)
        if (Result.isSuccess(decoded)) assert.strictEqual(Bytes.toBase64Url(decoded.success), text)
        else assert.strictEqual(decoded.failure.code, "encoding_malformed")
      }),
      { numRuns: 2000 }
    ))
  it("never throws", () => fuzzText(Bytes.fromBase64Url, bytes.map(Bytes.toBase64Url)))
})

describe("UTF-8", () => {
  it("round trips every well-formed text, byte order marks included", () =>
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const decoded = Bytes.fromUtf8(Bytes.utf8(text))
        assert.strictEqual(Result.getOrThrow(decoded), text)
      })
    ))
  it("keeps a byte order mark and refuses malformed sequences", () => {
    assert.strictEqual(Result.getOrThrow(Bytes.fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))), "\ufeffa")
    for (const wrong of [[0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      assert.strictEqual(codeOf(Bytes.fromUtf8(Uint8Array.from(wrong))), "encoding_malformed")
    }
    fuzzBytes(Bytes.fromUtf8, fc.string().map(Bytes.utf8))
  })
})

describe("integers, concatenation, equality", () => {
  it("writes big-endian integers", () => {
    assert.strictEqual(Bytes.toHex(Bytes.u32be(0x01020304)), "01020304")
    assert.strictEqual(Bytes.toHex(Bytes.u64be(Number.MAX_SAFE_INTEGER)), "001fffffffffffff")
    assert.strictEqual(Bytes.toHex(Bytes.u64be(0)), "0000000000000000")
  })
  it("concatenates and compares", () =>
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        assert.deepStrictEqual(Bytes.concat(a, b), Uint8Array.from([...a, ...b]))
        assert.strictEqual(Bytes.equal(a, b), Buffer.compare(a, b) === 0)
        assert.isTrue(Bytes.equal(a, a.slice()))
      })
    ))
})
