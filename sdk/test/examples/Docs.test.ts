/** Code that the README shows from a file is that file. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"

const sdk = path.resolve(import.meta.dirname, "../..")
const pages = ["README.md", ...fs.readdirSync(path.join(sdk, "docs")).map((name) => `docs/${name}`)]
const shown = pages.flatMap((page) =>
  [...fs.readFileSync(path.join(sdk, page), "utf8").matchAll(/<!-- file: (\S+) -->\n+```\w*\n(.*?)```/gs)].map(
    ([, file, code]) => ({ page, file: file ?? "", code: code ?? "" })
  )
)

describe("examples in the documentation", () => {
  it("are there", () => {
    expect(shown.map(({ file }) => file)).toEqual(
      expect.arrayContaining(["examples/chat.ts", "examples/chat-promise.ts"])
    )
  })

  it.each(shown)("$page shows $file as it is, and it has at most 40 lines", ({ code, file }) => {
    const text = fs.readFileSync(path.join(sdk, file), "utf8")
    expect(code).toBe(text)
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(40)
  })
})
