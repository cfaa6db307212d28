import { describe, expect, it } from "vitest"
import { marked } from "./Marked.ts"

const show = (text: string, query: string, limit = 240): string =>
  marked(text, query, limit)
    .map(({ isHit, text: part }) => (isHit ? `[${part}]` : part))
    .join("")

describe("marked", () => {
  it.each([
    ["The Plans", "plans", "The [Plans]"],
    ["café crème", "CREME cafe", "[café] [crème]"],
    ["cafe\u0301!", "cafe", "[cafe\u0301]!"],
    ["Straße", "strasse", "[Straße]"],
    ["ababab", "abab", "[abab]ab"],
    ["abcabc", "abc bca", "[abcabc]"],
    ["👍 yes 👍", "yes", "👍 [yes] 👍"],
    ["nothing", "x", "nothing"],
    ["", "x", ""]
  ])("marks %j for %j", (text, query, expected) => expect(show(text, query)).toBe(expected))

  it("shows a long text around the first hit", () => {
    const shown = show(`${"a ".repeat(400)}hit${" b".repeat(400)}`, "hit", 100)
    expect(shown).toMatch(/^…(?: ?a)+ \[hit\](?: b)+ ?…$/)
    expect(shown.length).toBeLessThan(110)
  })
})
