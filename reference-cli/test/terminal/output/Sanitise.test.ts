import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Sanitise from "../../../src/terminal/output/Sanitise.ts"

/** What no text from outside may bring to a terminal. */
// eslint-disable-next-line no-control-regex
const harmful = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/

const anything = fc.string({ unit: "binary", maxLength: 200 })

describe("Sanitise.text", () => {
  it("lets no control or bidi character through, whatever comes", () => {
    fc.assert(fc.property(anything, (input) => !harmful.test(Sanitise.text(input))))
  })

  it.each([
    ["\u001b[2J\u001b]0;title\u0007", "␛[2J␛]0;title␇"],
    ["\u009b2J", "\uFFFD2J"],
    ["safe\u202Etxt.exe", "safe<U+202E>txt.exe"],
    ["a\u2066b\u2069", "a<U+2066>b<U+2069>"],
    ["zero\u200Bwidth\uFEFF", "zerowidth"],
    ["a\r\nb\rc\u2028d", "a\nb\nc\nd"],
    ["a\tb", "a    b"],
    ["a\u{E0041}\u{E0042}b", "ab"],
    [`a${"\u0301".repeat(50)}b`, `a${"\u0301".repeat(4)}b`],
    ["\uD800", "\uFFFD"],
    ["\u007f", "␡"]
  ])("shows %j as %j", (input, shown) => {
    expect(Sanitise.text(input)).toBe(shown)
  })

  it.each(["hello", "line one\nline two", "Grüße, 世界", "👩‍👩‍👧‍👦 👍🏽 ❤️", "नमस्ते", "שלום", "مرحبا"])(
    "leaves %j as it is",
    (text) => {
      expect(Sanitise.text(text)).toBe(text)
    }
  )
})

describe("Sanitise.line", () => {
  it("is one line, always", () => {
    fc.assert(fc.property(anything, (input) => !Sanitise.line(input).includes("\n")))
    expect(Sanitise.line("a\nb")).toBe("a ⏎ b")
  })
})

describe("Sanitise.json", () => {
  it("is the same value, without a character that a terminal acts on or hides", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const text = Sanitise.json(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(harmful.test(text)).toBe(false)
      })
    )
  })

  it("escapes what JSON itself would leave", () => {
    expect(Sanitise.json({ text: "\u009b\u202e\u007f" })).toBe('{"text":"\\u009b\\u202e\\u007f"}')
  })

  it("escapes whatever the text for people leaves out: names that look alike are not alike", () => {
    for (const hidden of ["\u{E0041}", "\u061C", "\u034F", "\u115F", "\u180E", "\u3164", "\uFFA0"]) {
      expect(Sanitise.line(`a${hidden}b`)).toBe("ab")
      const text = Sanitise.json({ name: `a${hidden}b` })
      expect(text).toMatch(/^[\x20-\x7e]*$/)
      expect(JSON.parse(text)).toEqual({ name: `a${hidden}b` })
    }
  })
})
