/** People at a terminal beside those in a browser: the real program, with the home of a stage or what stands before it. */
import { afterAll, beforeAll } from "vitest"
import { buildProgram, Machine, type Program } from "../../../reference-cli/test/kit/Program.ts"

/** Builds the program before all tests; `home` is called after the stage is set. */
export const useTerminals = (home: () => string): { readonly machine: Machine } => {
  let program: Program | undefined
  let machine: Machine | undefined

  beforeAll(async () => {
    program = await buildProgram()
    machine = new Machine(program, home())
  }, 180_000)

  afterAll(async () => {
    await machine?.remove()
    program?.remove()
  })

  return {
    get machine() {
      if (machine === undefined) throw new Error("the program is not built yet")
      return machine
    }
  }
}
