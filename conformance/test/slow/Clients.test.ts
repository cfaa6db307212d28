/** Every scenario of clients against the reference, and every mutant against its scenarios. */
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { runClients } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { clientMutants } from "../clients/ClientMutants.ts"
import { survivors } from "../clients/Survivors.ts"

const shim = [
  process.execPath,
  "--conditions=kez-source",
  fileURLToPath(new URL("../../src/kez-conformance.ts", import.meta.url)),
  "reference-shim"
]

describe("clients", () => {
  it("the reference passes every scenario", async () => {
    const { results } = await runClients(allScenarios, { command: shim, seed: 1, parallel: 3, timeoutMillis: 60_000 })
    expect(results.filter(({ verdict }) => verdict !== "pass")).toEqual([])
  })

  it("no mutant survives", async () => {
    expect(await survivors(clientMutants)).toEqual([])
  })
})
