import * as fc from "fast-check"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { FileName } from "../../../src/protocol/index.ts"

const hostile = [
  "../../etc/passwd",
  "..\\..\\windows\\system32\\drivers",
  "/etc/passwd",
  "C:\\autoexec.bat",
  "C:evil",
  "\\\\server\\share\\x",
  "..",
  ".",
  "...",
  "",
  " ",
  "\u00a0\u3000",
  "-",
  "-rf",
  " --no-preserve-root",
  `-${"a".repeat(252)}.a`,
  "a/../../b",
  "a\0.txt",
  "a\nb\r\tc",
  "\u001b[2J\u001b]0;pwned\u0007",
  "invoice\u202excod.exe",
  "\u2066a\u2069\u200f\u061c",
  "zero\u200bwidth\ufeff",
  "CON",
  "con.txt",
  "NUL.tar.gz",
  "com1",
  "COM\u00b9.log",
  "LPT9.",
  "CONIN$",
  "aux .txt",
  "file.txt:stream",
  "file.txt.",
  "file.txt ",
  ".bashrc",
  "a".repeat(10_000),
  "\u{1f4c4}".repeat(10_000),
  "../".repeat(10_000),
  "é".normalize("NFD").repeat(200),
  "\ud800lone\udfff",
  "~/.ssh/authorized_keys",
  "%2e%2e%2f",
  "$(rm -rf)",
  '*?"<>|',
  "\u3164",
  `${"a".repeat(300)}.tar.gz`
]

const isDevice = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\..*)?$/i

/** A name that is one harmless path part on every system. */
const harmless = (name: string, received: string) => {
  const label = JSON.stringify(received.slice(0, 60))
  assert.isAbove(name.length, 0, label)
  assert.isAtMost(new TextEncoder().encode(name).length, 255, label)
  assert.notMatch(name, /[/\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u, label)
  assert.notMatch(name, /^[-. ]|[. ]$/, label)
  assert.notMatch(name, isDevice, label)
  assert.isTrue(name.isWellFormed(), label)
  assert.strictEqual(name.normalize("NFC"), name, label)
  for (const { join, dirname, resolve } of [path.posix, path.win32]) {
    const folder = resolve("/downloads")
    assert.strictEqual(dirname(resolve(join(folder, name))), folder, label)
  }
}

describe("FileName", () => {
  it("KEZ-FIL-010 makes hostile names harmless", () => {
    for (const received of hostile) harmless(FileName.safe(received), received)
  })

  it("KEZ-FIL-010 makes every name harmless, once and for all", () => {
    const names = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ maxLength: 300 }),
      fc.array(fc.constantFrom(...hostile), { maxLength: 4 }).map((parts) => parts.join(""))
    )
    fc.assert(
      fc.property(names, (received) => {
        const name = FileName.safe(received)
        harmless(name, received)
        assert.strictEqual(FileName.safe(name), name)
        for (const part of FileName.safeFolder(received)) harmless(part, received)
      }),
      { numRuns: 400 }
    )
  })

  it("leaves good names alone", () => {
    for (const name of [
      "report.pdf",
      "Straße.txt",
      "日本語.md",
      "a b (1).tar.gz",
      "no extension",
      "\u{1f4c4}.txt",
      "console.log"
    ]) {
      assert.strictEqual(FileName.safe(name), name)
    }
  })

  it("keeps what can be kept", () => {
    assert.strictEqual(FileName.safe("../../etc/passwd"), "_.._etc_passwd")
    assert.strictEqual(FileName.safe("invoice\u202excod.exe"), "invoicexcod.exe")
    assert.strictEqual(FileName.safe("con.txt"), "_con.txt")
    assert.strictEqual(FileName.safe("-rf"), "_-rf")
    assert.strictEqual(FileName.safe("a-b"), "a-b")
    assert.deepStrictEqual(FileName.safeFolder("-r/-f"), ["_-r", "_-f"])
    assert.strictEqual(FileName.safe(" .hidden. "), "hidden")
    assert.strictEqual(FileName.safe(".."), "unnamed")
    assert.match(FileName.safe(`${"é".repeat(300)}.pdf`), /^é{125}\.pdf$/)
    assert.match(FileName.safe(`${"a".repeat(10_000)}.pdf`), /^a{251}\.pdf$/)
    assert.deepStrictEqual(FileName.safeFolder("photos/2026/../x"), ["photos", "2026", "x"])
    assert.deepStrictEqual(FileName.safeFolder("/../.."), [])
    assert.strictEqual(FileName.safeFolder("a/".repeat(100)).length, 16)
  })

  it("KEZ-FIL-011 shows names on one line, without tricks, shortened", () => {
    assert.strictEqual(FileName.display("report.pdf"), "report.pdf")
    assert.strictEqual(FileName.display("invoice\u202excod.exe"), "invoice\ufffdxcod.exe")
    assert.strictEqual(FileName.display("a\nb\u001b[2J"), "a b\ufffd[2J")
    assert.strictEqual([...FileName.display("\u{1f4c4}".repeat(10_000))].length, 120)
    assert.strictEqual(FileName.display("abcdef", 4), "abc\u2026")
    for (const received of hostile) assert.notMatch(FileName.display(received), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  })
})

describe("numbered", () => {
  it("puts the number before the extension", () => {
    const cases = [
      ["report.pdf", "report (2).pdf"],
      ["a.tar.gz", "a.tar (2).gz"],
      ["README", "README (2)"],
      ["no extension. at all", "no extension. at all (2)"],
      [`${"x".repeat(251)}.txt`, `${"x".repeat(247)} (2).txt`]
    ] as const
    for (const [name, expected] of cases) assert.strictEqual(FileName.numbered(name, 2), expected)
  })

  it("keeps a safe name safe, and never gives the same one twice", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.integer({ min: 2, max: 10_000 }), (text, n) => {
        const name = FileName.safe(text)
        const other = FileName.numbered(name, n)
        assert.strictEqual(FileName.safe(other), other)
        assert.notStrictEqual(other, FileName.numbered(name, n + 1))
      })
    )
  })
})
