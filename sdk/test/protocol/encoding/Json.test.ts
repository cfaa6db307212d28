import { Result } from "effect"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Bytes from "../../../src/protocol/encoding/Bytes.ts"
import * as Canonical from "../../../src/protocol/encoding/Canonical.ts"
import * as Json from "../../../src/protocol/encoding/Json.ts"
import { answers, codeOf, fuzzBytes, nearTexts } from "../../kits/DecoderKit.ts"

const limits = { maxBytes: 100_000 }
const parse = (text: string | Uint8Array) => Json.parse(text, limits)
const text = fc.string({ unit: "grapheme" })

/** Any value that the protocol can express. */
const { value: strict } = fc.letrec<{ value: Json.Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    text,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(
      text.filter((name) => name !== "__proto__"),
      tie("value"),
      { maxKeys: 5, noNullPrototype: true }
    )
  )
}))

/** The texts of a value: as JSON.stringify writes it, indented, canonical, and with every character escaped. */
const written = strict.chain((value) =>
  fc.constantFrom(
    JSON.stringify(value),
    JSON.stringify(value, null, 2),
    JSON.stringify(value, null, "\t").replaceAll("\n", "\r\n"),
    Canonical.encodeText(value),
    ` ${Canonical.encodeText(value)}\n`
  )
)

describe("strict JSON agrees with JSON.parse", () => {
  it("on every value of the protocol, however it is written", () =>
    fc.assert(
      fc.property(written, (source) => {
        const expected: unknown = JSON.parse(source)
        assert.deepStrictEqual(Result.getOrThrow(parse(source)), expected)
        assert.deepStrictEqual(Result.getOrThrow(parse(Bytes.utf8(source))), expected)
      }),
      { numRuns: 500 }
    ))

  it("on texts near valid ones: it never accepts more, and refuses more only for its own reasons", () =>
    fc.assert(
      fc.property(nearTexts(written), (source) => {
        answers(parse, source)
        const decoded = parse(source)
        let expected: { value: unknown } | undefined
        try {
          expected = { value: JSON.parse(source) }
        } catch {
          expected = undefined
        }
        if (expected === undefined) {
          assert.include(
            ["json_malformed", "json_number", "json_string", "json_duplicate_name", "json_depth"],
            codeOf(decoded)
          )
        } else if (Result.isSuccess(decoded)) assert.deepStrictEqual(decoded.success, expected.value)
        else assert.include(["json_number", "json_string", "json_duplicate_name", "json_depth"], decoded.failure.code)
      }),
      { numRuns: 3000 }
    ))

  it("on soups of JSON's own characters", () =>
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom(
            ...'{}[],:"\\/ \n\t',
            "0",
            "1",
            "-",
            ".",
            "e",
            "E",
            "+",
            "u",
            "true",
            "null",
            "\ufeff",
            "\u00a0",
            "\u2028",
            "//",
            "/*",
            "*/"
          ),
          maxLength: 14
        }),
        (source) => {
          const decoded = parse(source)
          let valid = true
          try {
            JSON.parse(source)
          } catch {
            valid = false
          }
          if (Result.isSuccess(decoded)) assert.isTrue(valid, source)
          else if (valid) assert.notStrictEqual(decoded.failure.code, "json_malformed", source)
        }
      ),
      { numRuns: 5000 }
    ))

  it("white space around a text changes nothing, refusals included", () =>
    fc.assert(
      fc.property(fc.oneof(written, nearTexts(written)), (source) => {
        const [bare, spaced] = [parse(source), parse(` ${source}\n`)]
        if (Result.isSuccess(bare)) assert.deepStrictEqual(Result.getOrThrow(spaced), bare.success)
        else assert.strictEqual(codeOf(spaced), bare.failure.code)
      }),
      { numRuns: 1000 }
    ))
})

const refused = (code: string, sources: ReadonlyArray<string>) => {
  for (const source of sources) assert.strictEqual(codeOf(parse(source)), code, source)
}
const arrays = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
const objects = (depth: number) => '{"a":'.repeat(depth - 1) + "{}" + "}".repeat(depth - 1)

describe("what strict JSON refuses", () => {
  it("texts that are not RFC 8259 (KEZ-CAN-005)", () =>
    refused("json_malformed", [
      "",
      " ",
      "nul",
      "True",
      "undefined",
      "NaN",
      "'a'",
      "{a:1}",
      "[1,]",
      '{"a":1,}',
      "[,1]",
      "[1 2]",
      '{"a" 1}',
      '{"a":}',
      "1 2",
      "{}{}",
      "[",
      '{"a":1',
      '"a',
      '"\\x"',
      '"\\u12"',
      "01",
      "00",
      "-",
      "-a",
      "+1",
      ".5",
      "// c\n1",
      "/**/1",
      "1//",
      "[1/**/]",
      '"\t"',
      '"\n"',
      '"\u0000"',
      '"\u001f"',
      "\ufeff1",
      "\u00a01",
      "\u20281",
      "\v1",
      "\f1"
    ]))
  it("malformed UTF-8 and a byte order mark in bytes (KEZ-CAN-005)", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xef, 0xbb, 0xbf, 0x31],
      [0xff, 0xfe, 0x31, 0x00]
    ]) {
      assert.strictEqual(codeOf(parse(Uint8Array.from(bytes))), "json_malformed")
    }
  })
  it("a member named twice, also when escaped, nested or behind others (KEZ-CAN-006)", () =>
    refused("json_duplicate_name", [
      '{"a":1,"a":2}',
      '{"a":1,"a":1}',
      '{"a":1,"b":2,"\\u0061":3}',
      '[{"":1,"":1}]',
      '{"x":{"a":{},"a":{}}}',
      '{"a":{"a":1},"a":2}',
      '{"constructor":1,"constructor":1}',
      '{"1":1,"1":1}'
    ]))
  it("one name in different objects is no repetition", () => {
    const source = '{"a":{"a":[{"a":1},{"a":2}]},"constructor":1,"toString":2,"hasOwnProperty":3}'
    assert.deepStrictEqual(Result.getOrThrow(parse(source)), JSON.parse(source))
  })
  it("numbers in any other form or range (KEZ-CAN-008)", () => {
    refused("json_number", [
      "1.0",
      "0.5",
      "1e3",
      "1E3",
      "1e+2",
      "10e-1",
      "-0",
      "-0.0",
      "9007199254740992",
      "-9007199254740992",
      "9007199254740993",
      "1e400",
      "[1,2.5]",
      '{"a":-0}',
      "123456789012345678901234567890"
    ])
    for (const good of ["0", "-1", "9007199254740991", "-9007199254740991"]) {
      assert.strictEqual(Result.getOrThrow(parse(good)), Number(good))
    }
  })
  it("lone surrogates, raw and escaped, in values and names, and __proto__ (KEZ-CAN-007)", () => {
    refused("json_string", [
      '"\\ud800"',
      '"\\udc00"',
      '"\\udc00\\ud800"',
      '"a\\ud83d"',
      '{"\\ud800":1}',
      '"\ud800"',
      '"\ud83dx"',
      '{"__proto__":1}',
      '{"a":{"__proto__":{}}}',
      '{"\\u005f_proto__":1}'
    ])
    assert.strictEqual(Result.getOrThrow(parse('"\\ud83d\\ude00\\u00E9"')), "\u{1f600}\u00e9")
    assert.strictEqual(Result.getOrThrow(parse('"__proto__"')), "__proto__")
    assert.deepStrictEqual(Object.getPrototypeOf(Result.getOrThrow(parse("{}"))), Object.prototype)
  })
  it("more than sixteen levels, the outermost counted (KEZ-CAN-009)", () => {
    for (const nested of [arrays, objects]) {
      for (const space of ["", " "]) {
        assert.isTrue(Result.isSuccess(parse(space + nested(16))))
        assert.strictEqual(codeOf(parse(space + nested(17))), "json_depth")
        assert.strictEqual(codeOf(Json.parse(space + nested(2), { ...limits, maxDepth: 1 })), "json_depth")
      }
    }
    assert.strictEqual(codeOf(Json.parse(arrays(2_000_000), { maxBytes: 4_194_304 })), "json_depth")
    assert.strictEqual(codeOf(Json.parse("[".repeat(4_000_000), { maxBytes: 4_194_304 })), "json_depth")
    assert.strictEqual(codeOf(Json.parse('{"a":'.repeat(800_000), { maxBytes: 4_194_304 })), "json_depth")
  })
  it("more bytes than the limit, counted as UTF-8 (KEZ-CAN-010)", () => {
    const source = '"\u20ac\u20ac"'
    assert.isTrue(Result.isSuccess(Json.parse(source, { maxBytes: 8 })))
    assert.strictEqual(codeOf(Json.parse(source, { maxBytes: 7 })), "too_large")
    assert.isTrue(Result.isSuccess(Json.parse(Bytes.utf8(source), { maxBytes: 8 })))
    assert.strictEqual(codeOf(Json.parse(Bytes.utf8(source), { maxBytes: 7 })), "too_large")
    assert.strictEqual(codeOf(Json.parse("not json at all", { maxBytes: 5 })), "too_large")
  })
  it("takes strings as they are: composed and decomposed stay different (KEZ-CAN-011)", () => {
    assert.strictEqual(Result.getOrThrow(parse('"e\u0301"')), "e\u0301")
    assert.deepStrictEqual(Result.getOrThrow(parse('{"\u00e9":1,"e\u0301":2}')), { "\u00e9": 1, "e\u0301": 2 })
  })
  it("never throws on bytes", () => fuzzBytes(parse, written.map(Bytes.utf8)))
})

describe("isObject", () => {
  it("is for objects only", () => {
    assert.isTrue(Json.isObject({}))
    for (const other of [null, [], "", 0, true, undefined]) assert.isFalse(Json.isObject(other))
  })
})
