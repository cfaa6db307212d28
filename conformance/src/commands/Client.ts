/** `kez-conformance client`: whole clients in a world that misbehaves on cue. */
import { availableParallelism } from "node:os"
import { runClients } from "../clients/Run.ts"
import { allScenarios } from "../clients/scenarios/All.ts"
import { parse, readNumber } from "./Options.ts"
import { runShim, shimOptions } from "./ShimRun.ts"

export const client = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, { ...shimOptions, parallel: { type: "string" } })
  const otherwise = Math.min(4, availableParallelism() + 1)
  const parallel = readNumber("parallel", values.parallel, { least: 1, most: 64, otherwise })
  return runShim("client", values, allScenarios, (scenarios, options) =>
    runClients(scenarios, { ...options, parallel })
  )
}
