/** Where fetched files go: nothing is lost, whatever names they have and whatever is there. */
import { Effect } from "effect"
import * as fc from "fast-check"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeEach, describe, expect, it } from "vitest"
import * as SavePlan from "../../../src/commands/files/SavePlan.ts"

const root = fs.mkdtempSync(path.join(os.tmpdir(), "kez-saveplan-"))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))
let folder: string
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(root, "to-"))
})

interface File extends SavePlan.Named {
  readonly content: string
}

const file = (at: string, content = at): File => {
  const slash = at.lastIndexOf("/")
  const within = slash < 0 ? {} : { within: at.slice(0, slash) }
  return { name: at.slice(slash + 1), size: Buffer.byteLength(content), content, ...within }
}

const noQuestion = (at: string) => Effect.die(new Error(`asked about ${at}`))

/** Fetches as the command does; gives where each file lies, by what it was called. */
const fetchAll = (files: ReadonlyArray<File>, ask: (at: string) => Effect.Effect<SavePlan.Answer> = noQuestion) => {
  const plan = SavePlan.make(folder)
  const at: Record<string, string> = {}
  for (const wanted of files.toSorted(SavePlan.order)) {
    const isSame = (at: string) => Effect.sync(() => fs.readFileSync(at, "utf8") === wanted.content)
    const step = Effect.runSync(plan.step(wanted, isSame, ask))
    const called = path.join(wanted.within ?? "", wanted.name)
    if (step._tag === "Skip") {
      plan.claim(step.path)
      at[called] = `${step.because}: ${path.relative(folder, step.path)}`
      continue
    }
    const saved = path.join(folder, step.within, step.name)
    fs.mkdirSync(path.dirname(saved), { recursive: true })
    fs.writeFileSync(saved, wanted.content, { flag: step.overwrite ? "w" : "wx" })
    plan.claim(saved)
    at[called] = path.relative(folder, saved)
  }
  return at
}

const everything = (): ReadonlyArray<string> =>
  fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
    .toSorted()

describe("files whose names become one (KEZ-FIL-033)", () => {
  const cases = [
    ["characters that some systems forbid", ["a?.txt", "a_.txt", "a*.txt"], ["a_ (3).txt", "a_.txt", "a_ (2).txt"]],
    ["two spellings of one letter", ["\u00e9.txt", "e\u0301.txt"], ["\u00e9.txt", "\u00e9 (2).txt"]],
    ["a name with an invisible character", ["in\u200bvoice", "invoice"], ["invoice (2)", "invoice"]],
    ["folders", ["x?/a.txt", "x_/a.txt"], ["x_/a (2).txt", "x_/a.txt"]],
    ["a file and a folder", ["x?/a.txt", "x_"], ["x_ (2)/a.txt", "x_"]]
  ] as const

  it.each(cases)("get names of their own: %s", (_, names, places) => {
    const files = names.map((name) => file(name))
    const expected = Object.fromEntries(names.map((name, index) => [path.normalize(name), places[index]]))
    expect(fetchAll(files)).toEqual(expected)
    expect(everything()).toEqual([...names].toSorted())
    // The same again finds each where it is, in whatever order they come.
    const again = Object.fromEntries(Object.entries(expected).map(([name, at]) => [name, `same: ${at}`]))
    expect(fetchAll(files.toReversed())).toEqual(again)
  })

  it("get them also where everything that is there shall be replaced", () => {
    const files = [file("a?.txt"), file("a_.txt")]
    fetchAll(files, () => Effect.succeed("replace"))
    fs.writeFileSync(path.join(folder, "a_.txt"), "older")
    fetchAll(files, () => Effect.succeed("replace"))
    expect(everything()).toEqual(["a?.txt", "a_.txt"])
  })

  it("get them on a disk that does not tell capitals from small letters", () => {
    // Two names of one file are what such a disk shows.
    const plan = SavePlan.make(folder)
    const ask = noQuestion
    const never = () => Effect.succeed(false)
    const first = Effect.runSync(plan.step(file("README"), never, ask))
    expect(first).toMatchObject({ name: "README", overwrite: false })
    fs.writeFileSync(path.join(folder, "README"), "README")
    fs.linkSync(path.join(folder, "README"), path.join(folder, "readme"))
    plan.claim(path.join(folder, "README"))
    expect(Effect.runSync(plan.step(file("readme"), never, ask))).toMatchObject({ name: "readme (2)" })
  })
})

describe("a file that is there", () => {
  it("is skipped where it is the same, and asked about where it differs", () => {
    fs.writeFileSync(path.join(folder, "same"), "1")
    fs.writeFileSync(path.join(folder, "other"), "2")
    const files = [file("same", "1"), file("other", "new"), file("fresh")]
    const asked: Array<string> = []
    const ask = (at: string) =>
      Effect.sync((): SavePlan.Answer => {
        asked.push(path.basename(at))
        return "skip"
      })
    expect(fetchAll(files, ask)).toEqual({ same: "same: same", other: "answer: other", fresh: "fresh" })
    expect(asked).toEqual(["other"])
    expect(everything()).toEqual(["1", "2", "fresh"])
  })

  it("is replaced or kept, as the answer says", () => {
    fs.writeFileSync(path.join(folder, "a.txt"), "old")
    expect(fetchAll([file("a.txt", "new")], () => Effect.succeed("keep-both"))).toEqual({ "a.txt": "a (2).txt" })
    expect(everything()).toEqual(["new", "old"])
    expect(fetchAll([file("a.txt", "newer")], () => Effect.succeed("replace"))).toEqual({ "a.txt": "a.txt" })
    expect(everything()).toEqual(["new", "newer"])
  })

  it("is not replaced where it is a folder", () => {
    fs.mkdirSync(path.join(folder, "a"))
    expect(fetchAll([file("a")], () => Effect.succeed("replace"))).toEqual({ a: "a (2)" })
  })
})

it("loses no file, whatever they are called", () => {
  const letter = fc.constantFrom("a", "A", "?", "_", "*", ".", " ", "\u200b", "\u00e9", "e\u0301", "-", "\u202e")
  const name = fc.string({ unit: letter, minLength: 1, maxLength: 3 }).filter((text) => !/^\.{1,2}$/.test(text))
  const at = fc.array(name, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("/"))
  fc.assert(
    fc.property(
      fc.uniqueArray(at, { maxLength: 12 }),
      fc.constantFrom<SavePlan.Answer>("replace", "keep-both"),
      (names, answer) => {
        folder = fs.mkdtempSync(path.join(root, "any-"))
        const files = names.map((text) => file(text))
        fetchAll(files, () => Effect.succeed(answer))
        expect(everything()).toEqual(names.toSorted())
        fetchAll(files.toReversed())
        expect(everything()).toEqual(names.toSorted())
      }
    ),
    { numRuns: 150 }
  )
})
