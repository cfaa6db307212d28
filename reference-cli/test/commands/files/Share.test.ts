/** How the command line of `share` is read: who, then what. */
import { Effect } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { it } from "@effect/vitest"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { type Input, order } from "../../../src/commands/files/Share.ts"

let folder: string
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "kez-share-"))
  for (const name of ["a.txt", "b.txt", "@odd.txt"]) fs.writeFileSync(path.join(folder, name), "x")
  fs.mkdirSync(path.join(folder, "photos"))
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

const read = (what: ReadonlyArray<string>, more: Partial<Input> = {}) =>
  Effect.result(order({ what, with: [], public: false, unlisted: false, wait: false, ...more }, folder, "default"))
const at = (name: string) => path.join(folder, name)

describe("order", () => {
  it.live.each<[ReadonlyArray<string>, Partial<Input>, ReadonlyArray<string>, ReadonlyArray<string>]>([
    [["@chris", "a.txt"], {}, ["@chris"], ["a.txt"]],
    [["chris", "a.txt", "b.txt"], {}, ["chris"], ["a.txt", "b.txt"]],
    [["@chris", "@dana", "a.txt", "photos"], {}, ["@chris", "@dana"], ["a.txt", "photos"]],
    [["@chris", "a.txt"], { with: ["dana", "@chris"] }, ["@chris", "dana"], ["a.txt"]],
    [["a.txt"], { with: ["dana"] }, ["dana"], ["a.txt"]],
    [["a.txt", "b.txt"], { public: true }, [], ["a.txt", "b.txt"]],
    [["@chris", "a.txt"], { public: true }, ["@chris"], ["a.txt"]],
    [["@chris", "@odd.txt"], {}, ["@chris"], ["@odd.txt"]],
    [["@chris", "a.txt", "./a.txt"], {}, ["@chris"], ["a.txt"]]
  ])("%j %j", ([what, more, readers, paths]) =>
    Effect.gen(function* () {
      expect(yield* read(what, more)).toMatchObject({ success: { readers, paths: paths.map(at) } })
    })
  )

  it.live.each<[ReadonlyArray<string>, Partial<Input>, RegExp]>([
    [["a.txt"], {}, /^say who may fetch it first/],
    [["a.txt", "@chris"], {}, /^who may fetch it comes first: kez-chat share @chris a\.txt$/],
    [["@chris"], {}, /^say which file/],
    [["chris"], {}, /^say which file/],
    [["@chris", "c.txt"], {}, /^there is no file c\.txt$/],
    [["@chris", "stra\uFFFDe.txt"], {}, /not UTF-8 cannot be shared, so rename it/],
    [["chris", "a.txt"], { public: true }, /^there is no file chris$/],
    [["a.txt", "@chris"], { public: true }, /^there is no file @chris; contacts come first/],
    [["@chris", "a.txt"], { public: true, unlisted: true }, /contradict/],
    [["a.txt"], { public: true, wait: true }, /--wait is for contacts/],
    [["@chris", "/dev/null"], {}, /neither a file nor a folder/]
  ])("%j %j is refused in a sentence", ([what, more, message]) =>
    Effect.gen(function* () {
      expect(yield* read(what, more)).toMatchObject({ failure: { exit: 2, message: expect.stringMatching(message) } })
    })
  )

  it.live("says that a file cannot be read", () =>
    Effect.gen(function* () {
      fs.symlinkSync("circle.txt", at("circle.txt"))
      fs.writeFileSync(at("closed.txt"), "x", { mode: 0o000 })
      // Root may read everything, but nobody finds the end of a circle.
      for (const name of process.getuid?.() === 0 ? ["circle.txt"] : ["circle.txt", "closed.txt"]) {
        expect(yield* read(["@chris", name])).toMatchObject({
          failure: { message: expect.stringContaining(`${name} cannot be read: `) }
        })
      }
    })
  )
})
