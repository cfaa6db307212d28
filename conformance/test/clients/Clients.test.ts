/** The scenarios of clients: the reference passes some of them here, all of them in `slow`, and each has a mutant. */
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { runClients } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { selected } from "../../src/suite/Checks.ts"
import { requirements } from "../../src/suite/Data.ts"
import { clientMutants } from "./ClientMutants.ts"
import { preyOf, survivors } from "./Survivors.ts"

const shim = [
  process.execPath,
  "--conditions=kez-source",
  fileURLToPath(new URL("../../src/kez-conformance.ts", import.meta.url)),
  "reference-shim"
]

describe("the scenarios of clients", () => {
  it("have ids of their own, and name requirements that exist", () => {
    expect(new Set(allScenarios.map(({ id }) => id)).size).toBe(allScenarios.length)
    const known = new Set(requirements().map(({ id }) => id))
    expect(allScenarios.flatMap((one) => one.requirements).filter((id) => !known.has(id))).toEqual([])
  })

  it("each have a mutant, and each mutant a scenario", () => {
    const noticed = new Set(clientMutants.flatMap(preyOf).map(({ id }) => id))
    expect(allScenarios.map(({ id }) => id).filter((id) => !noticed.has(id))).toEqual([])
    const stale = clientMutants.flatMap(({ kills }) => kills.filter((id) => selected(allScenarios, [id]).length === 0))
    expect(stale).toEqual([])
  })

  it("hold for the reference, in a shim that is killed on the way", async () => {
    const some = selected(allScenarios, [
      "client/sending#killed-without-answer",
      "client/frames#forged-author-live",
      "client/chains#rollback",
      "client/key-changes#accept",
      "client/manifests#rollback"
    ])
    const { results } = await runClients(some, { command: shim, seed: 1, parallel: 2, timeoutMillis: 60_000 })
    expect(results.filter(({ verdict }) => verdict !== "pass")).toEqual([])
  })

  it("notice clients that are wrong", async () => {
    const some = ["stops for nothing", "draws a Kez-Id for each attempt", "keeps whom it refused to add"]
    const narrow = ["client/chains#rollback", "client/sending#killed-without-answer", "client/records#text-proto"]
    const mutants = clientMutants
      .filter(({ name }) => some.includes(name))
      .map((mutant) => ({ ...mutant, kills: narrow.filter((id) => preyOf(mutant).some((one) => one.id === id)) }))
    expect(await survivors(mutants)).toEqual([])
  })
})
