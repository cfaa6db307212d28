import { assert, describe, it } from "vitest"
import { barsOf, type Manifest, measure } from "../tasks/checks/PageSizes.ts"

const manifest: Manifest = {
  "_page.js": {
    name: "page",
    file: "page.js",
    imports: ["_lit.js"],
    dynamicImports: ["src/Settings.ts", "src/shell/inside.ts"],
    css: ["page.css"]
  },
  "_lit.js": { file: "lit.js" },
  "src/shell/inside.ts": { file: "inside.js", imports: ["_lit.js"] },
  "src/Settings.ts": { file: "settings.js", imports: ["_lit.js"], dynamicImports: ["../node_modules/qr/decode.js"] },
  "../node_modules/qr/decode.js": { file: "decode.js" },
  "src/service-worker.ts": { file: "service-worker.js" }
}

describe("sizes of the page", () => {
  const texts: Readonly<Record<string, string>> = {
    "account.js": 'import{a as b}from"./bytes.js";import "./side.js";const lazy=()=>import("./argon2.js")',
    "bytes.js": 'import * as x from "./deep.js"'
  }
  const scripts = ["account.js", "argon2.js", "bytes.js", "deep.js", "side.js"]
  const bars = barsOf(
    manifest,
    ["page.js", "lit.js", "inside.js", "settings.js", ...scripts],
    (file) => texts[file] ?? ""
  )

  it("follow the graph: static imports first, then an open account, every screen but the scanner, the worker apart", () => {
    const files = bars.map(({ files, what }) => [what, files.toSorted()])
    assert.deepEqual(files.slice(0, 5), [
      ["page before its first screen", ["lit.js", "page.css", "page.js"]],
      ["page of an open account", ["inside.js", "lit.js", "page.css", "page.js"]],
      ["page, every screen", ["inside.js", "lit.js", "page.css", "page.js", "settings.js"]],
      ["account worker at its start", ["account.js", "bytes.js", "deep.js", "side.js"]],
      ["account worker, every part", scripts]
    ])
    assert.includeMembers(files[5]![1] as string[], ["index.html", "page.js", "theme.css"])
    assert.notIncludeMembers(files[5]![1] as string[], ["settings.js", "account.js"])
  })

  it("are in one row each, and a sentence names the files of a bar that is missed", () => {
    assert.deepEqual(measure(bars, () => 1000).violations, [])
    const { rows, violations } = measure(bars, (file) => (file === "settings.js" ? 112_000 : 1000))
    assert.lengthOf(rows, 6)
    assert.match(rows[3]!, /^account worker at its start +4\.0 kB gzip +of 256\.0 kB +4 files$/)
    assert.lengthOf(violations, 1)
    assert.match(violations[0]!, /^page, every screen: 116\.0 kB gzip and may have 115\.0 kB: .*settings\.js/)
  })
})
