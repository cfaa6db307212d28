/** `kez-conformance vectors`: every case of the specification's vectors, asked of a shim. */
import { createWriteStream } from "node:fs"
import { makeProgress } from "../report/Terminal.ts"
import { wordsOf } from "../shim/ShimProcess.ts"
import { vectorChecks } from "../suite/Checks.ts"
import { UsageError } from "../suite/UsageError.ts"
import { runVectors } from "../vectors/Run.ts"
import { prepare } from "./Conclude.ts"
import { parse, readChecks, readNumber, readProfiles, runOptions } from "./Options.ts"

export const vectors = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, {
    ...runOptions,
    shim: { type: "string" },
    profile: { type: "string" },
    trace: { type: "string" }
  })
  if (values.shim === undefined) throw new UsageError("--shim is missing: the command that starts your shim")
  const command = wordsOf(values.shim)
  const profiles = readProfiles(values.profile)
  const seconds = readNumber("timeout", values.timeout, { least: 1, most: 600, otherwise: 20 })
  const checks = readChecks(vectorChecks(), values.only)
  const { conclude, seed } = prepare(values)

  const trace = values.trace === undefined ? undefined : createWriteStream(values.trace)
  const progress = makeProgress(process.stderr, checks.length)
  const { results, started } = await runVectors(checks, {
    command,
    seed,
    profiles,
    timeoutMillis: seconds * 1_000,
    trace: trace && ((line) => trace.write(`${line}\n`)),
    onResult: progress.take
  }).finally(() => {
    progress.end()
    trace?.end()
  })
  return conclude({
    command: "vectors",
    target: started.implementation,
    profiles: started.profiles.filter((profile) => profiles?.includes(profile) ?? true),
    partial: values.only !== undefined || profiles !== undefined,
    results
  })
}
