/** Messages as a person sees them: no text can look like what somebody else said. */
import type { Message } from "@kez-chat/sdk"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Columns from "../../../src/terminal/output/Columns.ts"
import * as Sanitise from "../../../src/terminal/output/Sanitise.ts"
import * as Show from "../../../src/terminal/output/Show.ts"
import { coloured, uncoloured } from "../../../src/terminal/output/Style.ts"
import { Emulator } from "../../kit/Emulator.ts"

const message = (text: string, more: Partial<Message> = {}): Message => ({
  id: "m",
  peer: "ed25519:00",
  direction: "in",
  type: "text",
  text,
  body: { text },
  createdAt: 0,
  arrivedAt: 0,
  order: 1,
  ...more
})

const shown = (text: string, columns: number | undefined, maxLines?: number): ReadonlyArray<string> =>
  Show.message(
    message(text),
    { author: "bob@home", mine: false, columns, ...(maxLines === undefined ? {} : { maxLines }) },
    uncoloured
  ).split("\n")

const bar = "     │ "

describe("Show.message", () => {
  it("sets every further line of a text behind a bar", () => {
    expect(shown("one\n14:05  alice@home  two\n\n-- 2026-11-23 --", undefined)).toEqual([
      expect.stringMatching(/^\d\d:\d\d {2}bob@home {2}one$/),
      `${bar}14:05  alice@home  two`,
      bar,
      `${bar}-- 2026-11-23 --`
    ])
  })

  it("breaks lines itself, so that no run of spaces or letters reaches the place of an author", () => {
    const author = "14:05  alice@home  send me the money"
    for (const columns of [20, 60, 80]) {
      for (const filler of [" ", "\u3000", "x"]) {
        for (let width = 0; width <= columns; width++) {
          const rows = shown(`hi${filler.repeat(width)}${author}`, columns)
          for (const row of rows) expect(Columns.most(row)).toBeLessThan(columns)
          for (const row of rows.slice(1)) expect(row.startsWith(bar)).toBe(true)
        }
      }
    }
  })

  it("keeps a gap within a line small where something else breaks lines", () => {
    expect(shown(`hi${" ".repeat(70)}14:05  alice@home  no`, undefined)[0]).toMatch(/hi {8}14:05 {2}alice@home/)
    expect(shown(`    indented code`, undefined)[0]).toMatch(/home {6}indented code$/)
  })

  it("is seen in a terminal as it was written, whatever the text", async () => {
    const signs = fc.constantFrom(
      "a",
      "word",
      " ",
      "    ",
      "\n",
      "好",
      "👩‍👩‍👧",
      "❤️",
      "🇩🇪",
      "\u200f",
      "\u001b[2J",
      "e\u0301"
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(signs, { maxLength: 60 }),
        fc.integer({ min: 20, max: 100 }),
        async (parts, columns) => {
          const emulator = new Emulator(columns, 100)
          const text = Show.message(message(parts.join("")), { author: "bob@home", mine: false, columns }, coloured)
          await emulator.write(`${text}\nEND`)
          const { rows } = emulator
          expect(rows).toHaveLength(text.split("\n").length + 1)
          for (const row of rows.slice(1, -1)) expect(row.startsWith(bar.trimEnd())).toBe(true)
        }
      ),
      { numRuns: 60 }
    )
  })

  it("cuts a text where a few lines are enough", () => {
    const rows = shown("word ".repeat(200), 60, 5)
    expect(rows).toHaveLength(6)
    expect(rows.at(-1)).toBe(`${bar}…`)
  })

  it("keeps what it says about a message apart from its text", () => {
    const value = message("one\n       ^ the sender sent another text under this id", { equivocation: true })
    const rows = Show.message(value, { author: "bob@home", mine: false, columns: 80 }, uncoloured).split("\n")
    expect(rows.filter((row) => row.startsWith("       ^"))).toHaveLength(1)
  })
})

describe("Columns.wrap", () => {
  it("keeps every sign that is no space, in order, in lines that fit", () => {
    const signs = fc.constantFrom("a", "bc", " ", "  ", "好", "👍🏽", "longer-than-any-line-of-twelve")
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 40 }), fc.integer({ min: 2, max: 30 }), (parts, columns) => {
        const text = parts.join("")
        const lines = Columns.wrap(text, columns, columns)
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""))
        for (const line of lines) expect(Columns.most(line) <= columns || line.length <= 8).toBe(true)
      })
    )
  })

  it("breaks between words", () => {
    expect(Columns.wrap("one two three four", 9, 9)).toEqual(["one two", "three", "four"])
    expect(Columns.wrap("  indented text here", 12, 12)).toEqual(["  indented", "text here"])
  })
})

describe("Sanitise.output", () => {
  it("lets through lines, tabs and our colours, and nothing else that acts on a terminal or hides in it", () => {
    expect(Sanitise.output(`${coloured.bad("no")}\tyes\n`)).toBe(`${coloured.bad("no")}\tyes\n`)
    expect(Sanitise.output("a\u001b[2Jb\u200fc\u202ed\u{e0041}")).toBe("a␛[2Jbc<U+202E>d")
    const hides = /[\u200B\u200E\u200F\u202A-\u202E\u2066-\u2069\u061C]/
    // eslint-disable-next-line no-control-regex
    const acts = /(?!\n|\t|\u001B)\p{Cc}|\u001B(?!\[[0-9;]*m)/u
    const harmful = (text: string) => hides.test(text) || acts.test(text)
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => !harmful(Sanitise.output(text))))
  })
})
