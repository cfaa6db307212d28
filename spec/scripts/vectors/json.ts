import { base64Url, bytes, fromHex } from "./Bytes.ts"
import { invalid, type Operation, valid } from "./Vectors.ts"

const depth = (levels: number, open = "[", close = "]") => open.repeat(levels) + close.repeat(levels)
const ok = (id: string, requirement: string, why: string, text: string, canonical: string) =>
  valid(id, [...new Set([requirement, "KEZ-CAN-012", "KEZ-CAN-013"])], why, { json: base64Url(bytes(text)) }, canonical)
const bad = (id: string, requirement: string, why: string, json: string | Uint8Array, error: string) =>
  invalid(id, [requirement], why, { json: base64Url(json) }, error)

const strict: Operation = {
  file: "json/strict",
  operation: "json.parse",
  description:
    "input: the bytes of a text, base64url; the size limit is 4,096 bytes unless `max_bytes` says otherwise. result: the canonical form (JCS) of the value.",
  valid: [
    ok("empty-object", "KEZ-CAN-005", "an empty object", "{}", "{}"),
    ok("white-space", "KEZ-CAN-005", "white space of all four kinds", ' \t\r\n{ "a" :\t1 }\n', '{"a":1}'),
    ok("sort", "KEZ-CAN-012", "members in another order", '{"b":1,"a":2,"aa":3,"A":4}', '{"A":4,"a":2,"aa":3,"b":1}'),
    ok(
      "sort-digits",
      "KEZ-CAN-012",
      "names of digits are sorted as text",
      '{"10":1,"9":2,"b":3}',
      '{"10":1,"9":2,"b":3}'
    ),
    ok(
      "sort-utf16",
      "KEZ-CAN-012",
      "UTF-16 order: U+1F600 comes before U+FB33",
      '{"\ufb33":1,"\u{1f600}":2}',
      '{"\u{1f600}":2,"\ufb33":1}'
    ),
    ok(
      "escapes",
      "KEZ-CAN-012",
      "escapes that JCS writes otherwise",
      '{"a":"\\u0041\\/\\u000a\\u001f\\u00e9\\u2028"}',
      '{"a":"A/\\n\\u001fé\u2028"}'
    ),
    ok("surrogate-pair", "KEZ-CAN-007", "a pair of surrogate escapes", '["\\ud83d\\ude00"]', '["\u{1f600}"]'),
    ok(
      "no-normalisation",
      "KEZ-CAN-011",
      "composed and decomposed stay apart",
      '{"\u00e9":1,"e\u0301":2}',
      '{"e\u0301":2,"\u00e9":1}'
    ),
    ok(
      "numbers",
      "KEZ-CAN-008",
      "the ends of the range",
      "[0,-1,9007199254740991,-9007199254740991]",
      "[0,-1,9007199254740991,-9007199254740991]"
    ),
    ok("literals", "KEZ-CAN-005", "true, false and null", "[true,false,null]", "[true,false,null]"),
    ok("depth-16", "KEZ-CAN-009", "16 levels", depth(16), depth(16)),
    ok("same-name-in-siblings", "KEZ-CAN-006", "one name in two objects", '[{"a":1},{"a":1}]', '[{"a":1},{"a":1}]'),
    ok(
      "prototype",
      "KEZ-CAN-007",
      "names that only sound dangerous",
      '{"constructor":1,"toString":2}',
      '{"constructor":1,"toString":2}'
    )
  ],
  invalid: [
    bad("empty", "KEZ-CAN-005", "nothing", "", "json_malformed"),
    bad("two-values", "KEZ-CAN-005", "two values", "{}{}", "json_malformed"),
    bad("trailing-comma", "KEZ-CAN-005", "a trailing comma", '{"a":1,}', "json_malformed"),
    bad("comment", "KEZ-CAN-005", "a comment", '{"a":1}// b', "json_malformed"),
    bad("block-comment", "KEZ-CAN-005", "a comment before the value", "/* a */{}", "json_malformed"),
    bad("single-quotes", "KEZ-CAN-005", "single quotes", "{'a':1}", "json_malformed"),
    bad("unquoted-name", "KEZ-CAN-005", "a name without quotes", "{a:1}", "json_malformed"),
    bad("control-character", "KEZ-CAN-005", "a line feed in a string", '"a\nb"', "json_malformed"),
    bad("bad-escape", "KEZ-CAN-005", "an escape that JSON does not have", '"\\x41"', "json_malformed"),
    bad("unclosed", "KEZ-CAN-005", "an object that is not closed", '{"a":1', "json_malformed"),
    bad("bom", "KEZ-CAN-005", "a byte order mark", fromHex("efbbbf7b7d"), "json_malformed"),
    bad("invalid-utf8", "KEZ-CAN-005", "a byte that is not UTF-8", fromHex("22ff22"), "json_malformed"),
    bad("overlong-utf8", "KEZ-CAN-005", "an overlong encoding of /", fromHex("22c0af22"), "json_malformed"),
    bad("utf8-surrogate", "KEZ-CAN-005", "a surrogate encoded as UTF-8", fromHex("22eda08022"), "json_malformed"),
    bad("utf16", "KEZ-CAN-005", "UTF-16", fromHex("7b007d00"), "json_malformed"),
    bad("literal-case", "KEZ-CAN-005", "True", "[True]", "json_malformed"),
    bad("nan", "KEZ-CAN-005", "NaN", "[NaN]", "json_malformed"),
    bad("leading-zero", "KEZ-CAN-005", "a leading zero", "[01]", "json_malformed"),
    bad("plus", "KEZ-CAN-005", "a leading plus", "[+1]", "json_malformed"),
    bad("duplicate", "KEZ-CAN-006", "a name twice", '{"a":1,"a":2}', "json_duplicate_name"),
    bad("duplicate-equal", "KEZ-CAN-006", "a name twice with one value", '{"a":1,"a":1}', "json_duplicate_name"),
    bad("duplicate-escaped", "KEZ-CAN-006", "a name twice, once escaped", '{"a":1,"\\u0061":2}', "json_duplicate_name"),
    bad("duplicate-nested", "KEZ-CAN-006", "in an inner object", '{"p":{"a":1,"a":2}}', "json_duplicate_name"),
    bad("duplicate-empty", "KEZ-CAN-006", "the empty name twice", '{"":1,"":2}', "json_duplicate_name"),
    bad("proto", "KEZ-CAN-007", "__proto__", '{"__proto__":{"a":1}}', "json_string"),
    bad("proto-escaped", "KEZ-CAN-007", "__proto__ with an escape", '{"__pr\\u006fto__":1}', "json_string"),
    bad("lone-high", "KEZ-CAN-007", "a high surrogate alone", '["\\ud800"]', "json_string"),
    bad("lone-low", "KEZ-CAN-007", "a low surrogate alone", '["\\udc00"]', "json_string"),
    bad("swapped-pair", "KEZ-CAN-007", "a pair in the wrong order", '["\\ude00\\ud83d"]', "json_string"),
    bad("lone-in-name", "KEZ-CAN-007", "a lone surrogate in a name", '{"\\ud800":1}', "json_string"),
    bad("fraction", "KEZ-CAN-008", "1.0", "[1.0]", "json_number"),
    bad("exponent", "KEZ-CAN-008", "1e3", "[1e3]", "json_number"),
    bad("huge", "KEZ-CAN-008", "1e400", "[1e400]", "json_number"),
    bad("minus-zero", "KEZ-CAN-008", "-0", "[-0]", "json_number"),
    bad("beyond-range", "KEZ-CAN-008", "2^53", "[9007199254740992]", "json_number"),
    bad(
      "beyond-range-rounded",
      "KEZ-CAN-008",
      "2^53 + 1, which a double cannot hold",
      "[9007199254740993]",
      "json_number"
    ),
    bad("below-range", "KEZ-CAN-008", "-2^53", "[-9007199254740992]", "json_number"),
    bad("depth-17-arrays", "KEZ-CAN-009", "17 levels of arrays", depth(17), "json_depth"),
    bad(
      "depth-17-objects",
      "KEZ-CAN-009",
      "17 levels of objects",
      `${'{"a":'.repeat(17)}1${"}".repeat(17)}`,
      "json_depth"
    ),
    invalid(
      "too-large",
      ["KEZ-CAN-010"],
      "one byte more than the limit",
      { json: base64Url("[1,2,3,4]"), max_bytes: 8 },
      "too_large"
    ),
    invalid(
      "too-large-utf8",
      ["KEZ-CAN-010"],
      "the limit counts bytes, not characters",
      { json: base64Url('"éé"'), max_bytes: 5 },
      "too_large"
    )
  ]
}

const times: Operation = {
  file: "json/time",
  operation: "time.parse",
  description: "input: a time. result: milliseconds since 1970-01-01T00:00:00Z.",
  valid: [
    ["example", "the example of the text", "2026-05-25T00:00:00Z"],
    ["epoch", "the epoch", "1970-01-01T00:00:00Z"],
    ["leap-day", "29 February", "2024-02-29T23:59:59Z"]
  ].map(([id, why, time]) =>
    valid(id as string, ["KEZ-CAN-003"], why as string, { time: time as string }, Date.parse(time as string))
  ),
  invalid: [
    ["fraction", "a fraction of a second", "2026-05-25T00:00:00.000Z"],
    ["offset", "an offset", "2026-05-25T00:00:00+00:00"],
    ["lower-case", "t and z", "2026-05-25t00:00:00z"],
    ["space", "a space for T", "2026-05-25 00:00:00Z"],
    ["no-seconds", "no seconds", "2026-05-25T00:00Z"],
    ["no-leap-day", "29 February of another year", "2026-02-29T00:00:00Z"],
    ["april-31", "a day that does not exist", "2026-04-31T00:00:00Z"],
    ["month-13", "a month that does not exist", "2026-13-01T00:00:00Z"],
    ["hour-24", "24:00:00", "2026-05-25T24:00:00Z"],
    ["leap-second", "a leap second", "2016-12-31T23:59:60Z"],
    ["date", "a date alone", "2026-05-25"],
    ["white-space", "white space behind it", "2026-05-25T00:00:00Z "]
  ].map(([id, why, time]) =>
    invalid(id as string, ["KEZ-CAN-003"], why as string, { time: time as string }, "timestamp_malformed")
  )
}

const base64: Operation = {
  file: "json/base64url",
  operation: "base64url.decode",
  description: "input: base64url as it arrives. result: the bytes, hexadecimal.",
  valid: ["", "f", "fo", "foo", "\u00fb\u00ff\u00bf"].map((text, i) =>
    valid(
      `bytes-${i}`,
      ["KEZ-CAN-002"],
      `${Buffer.from(text, "latin1").length} bytes`,
      { text: base64Url(Buffer.from(text, "latin1")) },
      Buffer.from(text, "latin1").toString("hex")
    )
  ),
  invalid: [
    ["padding", "padding", "Zg=="],
    ["trailing-bits-1", "a trailing bit set behind one byte", "Zh"],
    ["trailing-bits-2", "a trailing bit set behind two bytes", "Zm9"],
    ["length", "a length that cannot be", "Zm9vY"],
    ["standard-alphabet", "+ and /", "+/+/"],
    ["white-space", "a line feed", "Zm9v\n"],
    ["unicode", "a character beyond ASCII", "Zm9vé"]
  ].map(([id, why, text]) =>
    invalid(id as string, ["KEZ-CAN-002"], why as string, { text: text as string }, "encoding_malformed")
  )
}

const hexadecimal: Operation = {
  file: "json/hex",
  operation: "hex.decode",
  description: "input: hexadecimal as it arrives. result: the bytes, base64url.",
  valid: [
    valid("empty", ["KEZ-CAN-001"], "nothing", { text: "" }, ""),
    valid("bytes", ["KEZ-CAN-001"], "three bytes", { text: "00ff10" }, base64Url(fromHex("00ff10")))
  ],
  invalid: [
    ["upper-case", "upper case", "00FF"],
    ["odd", "an odd number of digits", "00f"],
    ["prefix", "a prefix", "0x00"],
    ["white-space", "white space", "00 ff"],
    ["letters", "letters beyond f", "00fg"]
  ].map(([id, why, text]) =>
    invalid(id as string, ["KEZ-CAN-001"], why as string, { text: text as string }, "encoding_malformed")
  )
}

export const operations: ReadonlyArray<Operation> = [strict, times, base64, hexadecimal]
