/** The shims written from the specification alone, each asked everything. */
import { describe, expect, it } from "vitest"
import { vectorChecks } from "../../src/suite/Checks.ts"
import { runVectors } from "../../src/vectors/Run.ts"
import { buildMillis, commandOf, shims } from "./ShimKit.ts"

describe.each(Object.keys(shims) as ReadonlyArray<keyof typeof shims>)("the shim in %s", (language) => {
  it("passes every check", { timeout: buildMillis + 600_000 }, async ({ skip }) => {
    const command = await commandOf(language, skip)
    const { results } = await runVectors(vectorChecks(), { command, seed: 1, timeoutMillis: 60_000 })
    expect(results.filter(({ verdict }) => verdict !== "pass").map(({ id, message }) => [id, message])).toEqual([])
  })
})
