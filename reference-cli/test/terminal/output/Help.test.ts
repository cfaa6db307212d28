import * as CliOutput from "effect/cli/CliOutput"
import { expect, it } from "vitest"
import * as Help from "../../../src/terminal/output/Help.ts"

it("breaks long descriptions below their column", () => {
  const dim = "\u001b[2mN\u001b[0m"
  const help = Help.fit(
    [
      "FLAGS",
      `  --passphrase-fd ${dim}    Read the passphrase from this file descriptor (or from KEZ_PASSPHRASE_FILE)`,
      "  --json                  Print JSON: one object, or one a line for streams"
    ].join("\n"),
    60
  )
  expect(help.split("\n")).toEqual([
    "FLAGS",
    `  --passphrase-fd ${dim}    Read the passphrase from this file`,
    "                       descriptor (or from",
    "                       KEZ_PASSPHRASE_FILE)",
    "  --json                  Print JSON: one object, or one a",
    "                          line for streams"
  ])
})

it("leaves alone what fits, what has no spaces, and what a narrow terminal would only break worse", () => {
  const lines = ["", "  kez-chat register alice", `  ${"x".repeat(70)}`, `${" ".repeat(40)}far to the right, far`]
  for (const line of lines) expect(Help.fit(line, 60)).toBe(line)
})

it("keeps every line within the terminal", () => {
  const text = `  ${"word ".repeat(200)}`
  for (const columns of [20, 40, 80, 200])
    for (const line of Help.fit(text, columns).split("\n"))
      expect(CliOutput.displayWidth(line.trimEnd())).toBeLessThanOrEqual(columns)
})
