/** Runs mutants, several scenarios at once, and tells which scenarios notice nothing. */
import { patience } from "../../src/clients/Expect.ts"
import { play } from "../../src/clients/Run.ts"
import { allScenarios } from "../../src/clients/scenarios/All.ts"
import { selected } from "../../src/suite/Checks.ts"
import { type ClientMutant, MutantDriver } from "./MutantDriver.ts"

/** The scenarios that a mutant must fail. */
export const preyOf = ({ kills }: ClientMutant) => selected(allScenarios, kills)

/** The scenarios that pass although they must fail, as `mutant: scenario`. */
export const survivors = async (mutants: ReadonlyArray<ClientMutant>, width = 6): Promise<ReadonlyArray<string>> => {
  patience.factor = 0.25
  const open = mutants.flatMap((mutant) => preyOf(mutant).map((scenario) => ({ mutant, scenario })))
  const found: Array<string> = []
  const work = async () => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const driver = new MutantDriver(next.mutant)
      const { verdict } = await play(next.scenario, driver, { prepare: (world) => driver.prepare(world) })
      await driver.kill()
      if (verdict !== "fail") found.push(`${next.mutant.name}: ${next.scenario.id}`)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  patience.factor = 1
  return found.toSorted()
}
