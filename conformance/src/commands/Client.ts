/** `kez-conformance client`: whole clients in a world that misbehaves on cue. */
import { createWriteStream } from "node:fs"
import { availableParallelism } from "node:os"
import { allScenarios } from "../clients/scenarios/All.ts"
import { runClients } from "../clients/Run.ts"
import { makeProgress } from "../report/Terminal.ts"
import { wordsOf } from "../shim/ShimProcess.ts"
import { UsageError } from "../suite/UsageError.ts"
import { prepare } from "./Conclude.ts"
import { parse, readChecks, readNumber, readProfiles, runOptions } from "./Options.ts"

export const client = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, {
    ...runOptions,
    shim: { type: "string" },
    profile: { type: "string" },
    parallel: { type: "string" },
    trace: { type: "string" }
  })
  if (values.shim === undefined) throw new UsageError("--shim is missing: the command that starts your shim")
  const command = wordsOf(values.shim)
  const profiles = readProfiles(values.profile)
  const seconds = readNumber("timeout", values.timeout, { least: 1, most: 600, otherwise: 20 })
  const otherwise = Math.min(4, availableParallelism() + 1)
  const parallel = readNumber("parallel", values.parallel, { least: 1, most: 64, otherwise })
  const scenarios = readChecks(allScenarios, values.only)
  const { conclude, seed } = prepare(values)

  const trace = values.trace === undefined ? undefined : createWriteStream(values.trace)
  const progress = makeProgress(process.stderr, scenarios.length)
  const { results, started } = await runClients(scenarios, {
    command,
    seed,
    parallel,
    profiles,
    timeoutMillis: seconds * 1_000,
    trace: trace && ((line) => trace.write(`${line}\n`)),
    onResult: progress.take
  }).finally(() => {
    progress.end()
    trace?.end()
  })
  return conclude({
    command: "client",
    target: started.implementation,
    profiles: started.profiles.filter((profile) => profiles?.includes(profile) ?? true),
    partial: values.only !== undefined || profiles !== undefined,
    results
  })
}
