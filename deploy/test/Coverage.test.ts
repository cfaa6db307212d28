/** What the conformance suite covers, and that it never becomes less unnoticed. */
import { expect, it } from "vitest"
import { type Coverage, coverageFaults, coveragePage, withCoverage } from "../tasks/checks/Coverage.ts"

const none = { all: 0, covered: 0, excluded: 0, repositoryOnly: 0 }
const coverage = (covered: number, excluded?: string, mutants = ["takes every signature"]): Coverage => ({
  totals: { MUST: { ...none, all: 2, covered }, SHOULD: none, MAY: none },
  mutants: { checked: 1, killed: mutants.length },
  requirements: [
    {
      id: "KEZ-TEST-1",
      level: "MUST",
      spec: "spec/envelope.md#envelope-members",
      checks: ["envelope/envelope.valid.json#claim", "envelope/envelope.valid.json#nostr"],
      mutants,
      repositoryTests: 1,
      ...(excluded === undefined ? {} : { excluded })
    },
    {
      id: "KEZ-TEST-2",
      level: "MUST",
      spec: "spec/envelope.md#envelope-members",
      checks: [],
      mutants: [],
      repositoryTests: 3
    }
  ]
})

it("may grow, and not shrink", () => {
  expect(coverageFaults(coverage(1), undefined)).toEqual([])
  expect(coverageFaults(coverage(2), coverage(1))).toEqual([])
  expect(coverageFaults(coverage(1), coverage(2))).toEqual([expect.stringContaining("1 requirements of level MUST")])
})

it("knows no requirement that is excluded and checked", () => {
  expect(coverageFaults(coverage(1, "not observable"), undefined)).toEqual([
    "KEZ-TEST-1 is excluded, and yet envelope/envelope.valid.json#claim checks it"
  ])
})

it("knows no check that notices nothing", () => {
  expect(coverageFaults(coverage(1, undefined, []), undefined)).toEqual([
    "KEZ-TEST-1 has checks, and no mutant in conformance/test that one of them notices"
  ])
})

it("fills what lies between the markers, again and again", () => {
  const page = "# Suite\n\n<!-- coverage: written by `npm run docs` -->\nold\n<!-- end of coverage -->\n\nmore"
  const once = withCoverage(page, coverage(1))
  expect(once).toContain("MUST covered 1 of 2.")
  expect(once).toContain("1 of 1 requirements with checks have a killing mutant")
  expect(once).not.toContain("old")
  expect(once.endsWith("more")).toBe(true)
  expect(withCoverage(once, coverage(1))).toBe(once)
  expect(() => withCoverage("no markers", coverage(1))).toThrow("markers")
})

it("lists each requirement with its checks, or what there is instead", () => {
  const page = coveragePage("note", coverage(1))
  expect(page).toContain("`envelope/envelope.valid.json` 2")
  expect(page).toContain("only tests of this repository: 3")
})
