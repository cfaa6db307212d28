import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import * as Versions from "../../../../src/client/files/share/Versions.ts"

const at = (id: string, sharedAt: number, name = "a.txt", folder?: string) => ({
  id,
  sharedAt,
  name,
  ...(folder === undefined ? {} : { folder })
})

describe("several shares of one path", () => {
  it("lead to the newest, each path by itself and in any order (KEZ-MAN-040)", () => {
    const files = [at("1", 1), at("2", 3), at("3", 2), at("4", 1, "a.txt", "b"), at("5", 1, "b/a.txt")]
    const replaced = (list: typeof files) =>
      Object.fromEntries(Versions.withReplacements(list).map(({ id, replacedBy }) => [id, replacedBy]))
    // A path is a path, whether its folder is said or part of the name, which no manifest holds.
    const expected = { 1: "2", 2: undefined, 3: "2", 4: "5", 5: undefined }
    assert.deepStrictEqual(replaced(files), expected)
    assert.deepStrictEqual(replaced(files.toReversed()), expected)
  })

  it("have exactly one that is current, whatever their times", () => {
    const file = fc.record({ sharedAt: fc.integer({ min: 0, max: 3 }), name: fc.constantFrom("a", "b") })
    fc.assert(
      fc.property(fc.array(file, { maxLength: 20 }), (some) => {
        const files = some.map((one, index) => ({ ...one, id: String(index).padStart(2, "0") }))
        const listed = Versions.withReplacements(files)
        for (const name of new Set(files.map((one) => one.name))) {
          const current = listed.filter((one) => one.name === name && one.replacedBy === undefined)
          assert.lengthOf(current, 1)
          for (const older of listed.filter((one) => one.name === name && one.replacedBy !== undefined)) {
            assert.strictEqual(older.replacedBy, current[0]!.id)
            assert.isAtMost(older.sharedAt, current[0]!.sharedAt)
          }
        }
      })
    )
  })

  it("stay current where the newer one is not for the same people", () => {
    const listed = Versions.withReplacements([at("1", 1), at("2", 2), at("3", 3)], (newer) => newer.id === "2")
    assert.deepStrictEqual(
      listed.map(({ replacedBy }) => replacedBy),
      ["2", undefined, undefined]
    )
  })
})
