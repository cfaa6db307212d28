/** The reference client without one of its verifications: the scenarios notice each. */
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { patience } from "../../src/clients/Expect.ts"
import { runClients } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { selected, vectorChecks } from "../../src/suite/Checks.ts"
import { runVectors } from "../../src/vectors/Run.ts"
import { unverified, unverifiedTransfers } from "../wrong/Verifications.ts"
import { type Without, without } from "../wrong/Without.ts"

const suite = fileURLToPath(new URL("../../src/kez-conformance.ts", import.meta.url))

beforeAll(() => {
  patience.factor = 0.25
})
afterAll(() => {
  patience.factor = 1
})

const commandOf = (one: Without) => [process.execPath, without(one), "--conditions=kez-source", suite, "reference-shim"]

describe("the reference client does not verify", () => {
  it.each(unverified.map((one) => [one.name, one] as const))("%s", { timeout: 120_000 }, async (_, one) => {
    const command = commandOf(one)
    const scenarios = selected(allScenarios, one.kills)
    expect(scenarios).toHaveLength(one.kills.length)
    const { results } = await runClients(scenarios, { command, seed: 1, parallel: 2, timeoutMillis: 60_000 })
    expect(results.map(({ id, message, verdict }) => [id, verdict, message])).toEqual(
      scenarios.map(({ id }) => [id, "fail", expect.anything()])
    )
  })
})

describe("the reference's operations do not verify", () => {
  it.each(unverifiedTransfers.map((one) => [one.name, one] as const))("%s", { timeout: 120_000 }, async (_, one) => {
    const checks = selected(vectorChecks(), one.kills)
    expect(checks).toHaveLength(one.kills.length)
    const { results } = await runVectors(checks, { command: commandOf(one), seed: 1, timeoutMillis: 60_000 })
    expect(results.map(({ id, verdict }) => [id, verdict])).toEqual(checks.map(({ id }) => [id, "fail"]))
  })
})
