import { wordlist } from "@scure/bip39/wordlists/english.js"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Mnemonic from "../../../src/protocol/identity/Mnemonic.ts"
import * as WrittenWords from "../../../src/protocol/identity/WrittenWords.ts"

const words = Mnemonic.fromSeed(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1))
const list = words.split(" ")
const short = "legal winner thank year wave sausage worth useful legal winner thank yellow"

const read = (text: string) => Result.getOrElse(WrittenWords.read(text), (issue) => issue)
const issue = (text: string) => Result.getOrThrow(Result.flip(WrittenWords.read(text)))

/** Four numbered columns, read downwards. */
const columns = Array.from({ length: 6 }, (_, row) =>
  [0, 6, 12, 18].map((from) => `${String(from + row + 1).padStart(4)}  ${list[from + row]!.padEnd(10)}`).join("")
).join("\n")

describe("WrittenWords.read", () => {
  it.each([
    ["plain", words],
    ["one a line", list.join("\r\n")],
    ["capitals", words.toUpperCase()],
    ["commas", list.join(",")],
    ["quotes", list.map((word) => `"${word}"`).join(", ")],
    ["typographic quotes and semicolons", list.map((word) => `“${word}”`).join("; ")],
    ["a JSON list", JSON.stringify(list)],
    ["numbers with full stops", list.map((word, index) => `${index + 1}. ${word}`).join("\n")],
    ["numbers with brackets, on one line", list.map((word, index) => `${index + 1})${word}`).join(" ")],
    ["numbers that touch the words", list.map((word, index) => `${index + 1}${word}`).join(" ")],
    ["numbers of two digits", list.map((word, index) => `#${String(index + 1).padStart(2, "0")} ${word}`).join("\n")],
    ["numbered columns", columns],
    ["a whole screen", `Your 24 words\n\nThey are your account, and 12 words are KEZ's.\n\n${columns}\n\nPress Enter`],
    [
      "numbers out of order",
      list
        .map((word, index) => `${index + 1} ${word}`)
        .toReversed()
        .join("\n")
    ],
    ["four letters", list.map((word) => word.slice(0, 4)).join(" ")],
    [
      "invisible characters",
      list.map((word) => `\u200b${word.slice(0, 2)}\u2060${word.slice(2)}\ufeff`).join(" \u200f")
    ],
    ["no-break spaces and full-width letters", list.join("\u00a0").replace("a", "\uff41")]
  ])("KEZ-MNE-009, KEZ-MNE-010 takes %s", (_, text) => {
    expect(read(text)).toBe(words)
  })

  it("takes KEZ's 12 words, also numbered", () => {
    expect(read(short)).toBe(short)
    expect(
      read(
        short
          .split(" ")
          .map((word, index) => `${index + 1}. ${word}`)
          .join("\n")
      )
    ).toBe(short)
  })

  it("KEZ-MNE-010 takes four letters or more of each word of the list for that word", () => {
    for (const word of wordlist)
      for (let length = 4; length <= word.length; length++) {
        const found = WrittenWords.wordOf(word.slice(0, length))
        expect(found === word || found === word.slice(0, length)).toBe(true)
      }
    expect(WrittenWords.wordOf("aba")).toBeUndefined()
    expect(WrittenWords.wordOf("abandonn")).toBeUndefined()
  })

  it("KEZ-MNE-011 names the place of a word that is not in the list, and what it may be, and no other word", () => {
    const wrong = list.with(6, "abandn").with(20, "zzzzz")
    expect(issue(wrong.join(" "))).toEqual({
      _tag: "Unknown",
      words: [
        { position: 7, nearest: ["abandon"] },
        { position: 21, nearest: [] }
      ],
      count: 24
    })
    const numbered = wrong.map((word, index) => `${index + 1}. ${word}`)
    expect(issue(numbered.join("\n"))).toMatchObject({ words: [{ position: 7 }, { position: 21 }] })
    expect(
      issue(
        `24 words\n${list
          .with(23, "qqqq")
          .map((word, index) => `${index + 1} ${word}`)
          .join("\n")}`
      )
    ).toEqual({
      _tag: "Unknown",
      words: [{ position: 24, nearest: [] }],
      count: 24
    })
  })

  it("counts, names numbers without a word, and notices a wrong checksum", () => {
    expect(issue("")).toEqual({ _tag: "Count", count: 0 })
    expect(issue(list.slice(1).join(" "))).toEqual({ _tag: "Count", count: 23 })
    expect(issue(list.map((word, index) => (index === 4 ? "" : `${index + 1}. ${word}`)).join("\n"))).toEqual({
      _tag: "Missing",
      positions: [5],
      count: 23
    })
    expect(issue(list.toReversed().join(" "))).toEqual({ _tag: "Checksum", count: 24 })
  })

  it("is total, and gives only what Mnemonic.toSeed takes", () => {
    const token = fc.oneof(
      fc.constantFrom(...list, "24", "12.", ",", "\n"),
      fc.string({ unit: "binary", maxLength: 6 })
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
        const found = WrittenWords.read(tokens.join(" "))
        if (Result.isSuccess(found)) expect(Result.isSuccess(Mnemonic.toSeed(found.success))).toBe(true)
      }),
      { numRuns: 30 }
    )
  })
})
