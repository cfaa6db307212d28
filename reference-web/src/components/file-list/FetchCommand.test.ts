import { FileName } from "@kez-chat/sdk/protocol"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fetchCommand, fileArgument, shellArgument } from "./FetchCommand.ts"

/** What a POSIX shell makes of a line: words, with single quotes and the escaped quote. Anything else it acts on fails. */
const wordsOf = (line: string): ReadonlyArray<string> => {
  const words: Array<string> = [""]
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (character === "'") {
      const end = line.indexOf("'", at + 1)
      if (end < 0) throw new Error("an open quote")
      words[words.length - 1] += line.slice(at + 1, end)
      at = end
    } else if (line.startsWith("\\'", at)) {
      words[words.length - 1] += "'"
      at += 1
    } else if (character === " ") words.push("")
    else if (/[\w@%+=:,./-]/.test(character)) words[words.length - 1] += character
    else throw new Error(`the shell acts on ${character}`)
  }
  return words
}

const id = "Ab3x_kq9-Xz81LmQp7aBcD"

describe("shellArgument", () => {
  it("is one word that the shell does not change", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        expect(wordsOf(shellArgument(text))).toEqual([text])
      })
    )
  })
})

describe("fileArgument", () => {
  it.each([
    ["plan.pdf", "plan.pdf"],
    ["it's.png", String.raw`'it'\''s.png'`],
    ["-rf", "./-rf"],
    ["@bob", "./@bob"],
    ["a\u202egnp.exe", undefined],
    ["\u001b[201~reboot", undefined]
  ])("of %j is %j", (name, argument) => expect(fileArgument(name)).toBe(argument))
})

describe("fetchCommand", () => {
  it.each([
    [{ name: "plans.pdf" }, "kez-chat fetch @chris/plans.pdf"],
    [{ name: "q3.pdf", folder: "reports/2026" }, "kez-chat fetch @chris/reports/2026/q3.pdf"],
    [{ name: "holiday photos (2).zip" }, "kez-chat fetch '@chris/holiday photos (2).zip'"],
    [{ name: "Übersicht.pdf" }, "kez-chat fetch '@chris/Übersicht.pdf'"]
  ])("names a readable file by its path: %j", (file, command) => {
    expect(fetchCommand("chris", { id, ...file })).toBe(command)
  })

  it.each([
    "'; rm -rf ~; echo '",
    "$(reboot).txt",
    "`reboot`",
    "a\u009b201~b",
    "a\u202efdp.exe",
    "a\u200bb",
    "\u3164.txt",
    "\u05d0\u05d1.txt",
    "e\u0301.txt",
    "\u0301.txt",
    "n".repeat(255)
  ])("names a file with surprises by its id: %j", (name) => {
    expect(fetchCommand("chris", { id, name })).toBe(`kez-chat fetch @chris/${id}`)
  })

  it("names an older version by its id, since its path means the newest", () => {
    expect(fetchCommand("chris", { id, name: "q3.pdf", replacedBy: "x" })).toBe(`kez-chat fetch @chris/${id}`)
  })

  it("is a command of three words that shows what it does, whatever the names are", () => {
    const name = fc.string({ unit: "binary", minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(name, fc.option(name, { nil: undefined }), (name, folder) => {
        const command = fetchCommand("chris@kez.lat", { id, name, ...(folder === undefined ? {} : { folder }) })
        const words = wordsOf(command)
        expect(words.slice(0, 2)).toEqual(["kez-chat", "fetch"])
        expect(words).toHaveLength(3)
        expect(FileName.display(command, 1000)).toBe(command)
      })
    )
  })
})
