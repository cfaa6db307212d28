/** People at a terminal beside those in a browser: the real program, with the home of a stage or what stands before it. */
import { afterAll, beforeAll } from "vitest"
import { bundled } from "../../../deploy/local/Bundles.ts"
import { Machine } from "../../../reference-cli/test/kit/Program.ts"

/** Sets up a machine before all tests; `home` is called after the stage is set. */
export const useTerminals = (home: () => string): { readonly machine: Machine } => {
  let machine: Machine | undefined

  beforeAll(async () => {
    machine = new Machine(await bundled("kez-chat"), home())
  }, 180_000)

  afterAll(async () => {
    await machine?.remove()
  })

  return {
    get machine() {
      if (machine === undefined) throw new Error("the machine is not set up yet")
      return machine
    }
  }
}
