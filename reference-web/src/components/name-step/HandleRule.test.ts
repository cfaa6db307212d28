import { expect, it } from "vitest"
import { handleProblem, similarNames, typedName } from "./HandleRule.ts"

it.each([
  ["chris", undefined],
  ["a_b", undefined],
  ["0-1", undefined],
  ["a".repeat(32), undefined],
  ["ab", "short"],
  ["a".repeat(33), "long"],
  ["-ab", "start"],
  ["_ab", "start"],
  ["Chris", "character"],
  ["chriß", "character"],
  ["a b c", "character"]
] as const)("%s: %s", (name, reason) => {
  expect(handleProblem(name)?.reason).toBe(reason)
})

it("names a whole character", () => {
  expect(handleProblem("chris🌊")).toEqual({ reason: "character", found: "🌊" })
})

it("understands a handle as people write it", () => {
  expect(typedName(" @Chris ", "kez.lat")).toBe("chris")
  expect(typedName("chris@kez.lat", "kez.lat")).toBe("chris")
  expect(typedName("chris@other.example", "kez.lat")).toBe("chris@other.example")
})

it("suggests names that keep the rule", () => {
  expect(similarNames("a".repeat(31))).toEqual([])
  expect(similarNames("chris").every((name) => handleProblem(name) === undefined)).toBe(true)
})
