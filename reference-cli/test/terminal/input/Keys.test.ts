import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Draft from "../../../src/terminal/input/Draft.ts"
import * as Keys from "../../../src/terminal/input/Keys.ts"

/** The keys of bytes that come in pieces which end at these places. */
const keysOf = (bytes: Buffer, cuts: ReadonlyArray<number>): ReadonlyArray<Keys.Key> => {
  const keys: Array<Keys.Key> = []
  const feed = Keys.decoder((key) => keys.push(key))
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  let from = 0
  for (const end of ends) {
    if (end > from) feed(bytes.subarray(from, end))
    from = end
  }
  return keys
}

describe("Keys.decoder", () => {
  it.each([
    ["a", { _tag: "Text", text: "a" }],
    ["好", { _tag: "Text", text: "好" }],
    ["👍", { _tag: "Text", text: "👍" }],
    [" ", { _tag: "Text", text: " " }],
    ["A", { _tag: "Text", text: "A" }],
    ["\r", { _tag: "Press", press: "enter" }],
    ["\n", { _tag: "Press", press: "enter" }],
    ["\u001b\r", { _tag: "Press", press: "newline" }],
    ["\u001b[A", { _tag: "Press", press: "up" }],
    ["\u001bOH", { _tag: "Press", press: "home" }],
    ["\u001b[1;5D", { _tag: "Press", press: "word-left" }],
    ["\u007f", { _tag: "Press", press: "backspace" }],
    ["\u001a", { _tag: "Press", press: "suspend" }],
    ["\u001c", { _tag: "Press", press: "quit" }],
    ["\u001b[200~a\r\nb\tc\u001b[31m\u001b[201~", { _tag: "Paste", text: "a\nb\tc[31m" }]
  ])("knows %j", (sequence, key) => {
    expect(keysOf(Buffer.from(sequence), [])).toEqual([key])
  })

  it("gives the same keys in whatever pieces they come", () => {
    const part = fc.constantFrom(
      "a",
      "好",
      "👩‍👩‍👧",
      "\r",
      "\u001b[A",
      "\u001b[200~one\rtwo 好\u001b[201~",
      "\u0003",
      "\u001b[3~"
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""))
        expect(keysOf(bytes, cuts)).toEqual(keysOf(bytes, []))
      })
    )
  })
})

describe("Draft", () => {
  const signs = fc.constantFrom("a", " ", "\n", "好", "e\u0301", "\u0301", "👩‍👩‍👧", "🇩🇪", "\u200d")
  const presses = fc.constantFrom<Keys.Press>(
    ...(["left", "right", "up", "down", "home", "end", "backspace", "delete", "word-left", "word-right"] as const),
    ...(["erase-word", "erase-to-start", "erase-to-end", "newline"] as const)
  )

  it("keeps the cursor between two graphemes, whatever is pressed", () => {
    const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
    fc.assert(
      fc.property(fc.array(fc.oneof(signs, presses), { maxLength: 40 }), (steps) => {
        let draft = Draft.empty
        for (const step of steps) {
          draft =
            Draft.press(draft, step as Keys.Press) ??
            (step.length < 12 && !/^[a-z-]{2,}$/.test(step) ? Draft.insert(draft, step) : draft)
          const places = [...graphemes.segment(draft.text)].map(({ index }) => index)
          expect([...places, draft.text.length]).toContain(draft.cursor)
        }
      })
    )
  })

  it("moves between lines, and takes away a whole emoji at once", () => {
    const at = Draft.press(Draft.of("one\ntwo"), "up")
    expect(at).toEqual({ text: "one\ntwo", cursor: 3 })
    expect(Draft.press(Draft.of("one\ntwo"), "down")).toBeUndefined()
    expect(Draft.press(Draft.of("a👩‍👩‍👧"), "backspace")).toEqual({ text: "a", cursor: 1 })
  })
})
