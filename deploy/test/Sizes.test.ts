import { assert, describe, it } from "vitest"
import { sizeViolations } from "../tasks/checks/Sizes.ts"

const lines = (count: number) => "a\n".repeat(count)

/** `count` one-line files in a folder. */
const folder = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => [`${name}/File${i}.ts`, lines(1)] as const)

describe("sizes", () => {
  it("allows 400 lines and 15 files, and nothing beyond", () => {
    const within = new Map([...folder("a/src", 14), ["a/src/Long.ts", lines(400)] as const])
    assert.deepEqual(sizeViolations(within, {}), [])
    const beyond = new Map([...folder("a/src", 15), ["a/src/Long.ts", lines(401)] as const])
    assert.deepEqual(sizeViolations(beyond, {}), [
      "a/src/Long.ts has 401 lines and may have 400: split it by concept",
      "a/src holds 16 source files and may hold 15: group them"
    ])
  })

  it("counts only the files directly in a folder", () => {
    assert.deepEqual(sizeViolations(new Map([...folder("a/src", 15), ...folder("a/src/b", 15)]), {}), [])
  })

  it("lets an exempt file, or the files of an exempt folder, be longer", () => {
    const files = new Map([
      ["a/Table.ts", lines(900)],
      ["data/Vectors.ts", lines(900)]
    ])
    assert.deepEqual(sizeViolations(files, { "a/Table.ts": "data", data: "data" }), [])
  })
})
