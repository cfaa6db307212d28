/** The shims written from the specification alone, each asked everything; those with clients in every scenario of theirs. */
import { describe, expect, it } from "vitest"
import { vectorChecks } from "../../src/suite/Checks.ts"
import { runVectors } from "../../src/vectors/Run.ts"
import { runClients } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { buildMillis, commandOf, shims } from "./ShimKit.ts"

describe.each(Object.keys(shims) as ReadonlyArray<keyof typeof shims>)("the shim in %s", (language) => {
  it(
    "passes every check that it takes part in: all but those of proofs",
    { timeout: buildMillis + 600_000 },
    async ({ skip }) => {
      const command = await commandOf(language, skip)
      const { results } = await runVectors(vectorChecks(), { command, seed: 1, timeoutMillis: 60_000 })
      const asked = results.filter(({ id, verdict }) => !id.startsWith("proofs/") || verdict !== "not-applicable")
      expect(asked.filter(({ verdict }) => verdict !== "pass").map(({ id, message }) => [id, message])).toEqual([])
    }
  )
})

describe.each(["python", "rust"] as const)("the client in %s", (language) => {
  it(
    "passes every scenario of messages and files that it has the operations for",
    { timeout: buildMillis + 600_000 },
    async ({ skip }) => {
      const command = await commandOf(language, skip)
      // The one in Rust reads lists of files and publishes none.
      const isOwnList = (id: string) => /^client\/(?:sharing|devices)#/.test(id)
      const scenarios = allScenarios.filter(
        ({ id, profile }) => profile !== "transfer" && (language === "python" || !isOwnList(id))
      )
      const { results } = await runClients(scenarios, { command, seed: 1, parallel: 6, timeoutMillis: 60_000 })
      const failed = results.filter(({ verdict }) => verdict !== "pass" && verdict !== "not-applicable")
      expect(failed.map(({ actual, id, message }) => [id, message, actual])).toEqual([])
    }
  )
})
