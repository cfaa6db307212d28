/** A run of checks against a shim: the options and the end that `vectors` and `client` share. */
import { createWriteStream } from "node:fs"
import { makeProgress } from "../report/Terminal.ts"
import type { Started } from "../shim/Protocol.ts"
import type { ShimOptions } from "../shim/ShimProcess.ts"
import { wordsOf } from "../shim/ShimProcess.ts"
import type { Check, Profile } from "../suite/Checks.ts"
import { UsageError } from "../suite/UsageError.ts"
import type { CheckResult } from "../suite/Verdict.ts"
import { prepare } from "./Conclude.ts"
import { readChecks, readNumber, readProfiles, runOptions } from "./Options.ts"

export const shimOptions = {
  ...runOptions,
  shim: { type: "string" },
  profile: { type: "string" },
  trace: { type: "string" }
} as const

type Values = Parameters<typeof prepare>[0] & {
  readonly shim?: string | undefined
  readonly profile?: string | undefined
  readonly trace?: string | undefined
  readonly timeout?: string | undefined
  readonly only?: ReadonlyArray<string> | undefined
}

interface Options extends ShimOptions {
  readonly seed: number
  readonly profiles: ReadonlyArray<Profile> | undefined
  readonly onResult: (result: CheckResult) => void
}

/** Runs those of the checks that the options name, writes the reports, and resolves with the exit code. */
export const runShim = async <C extends Check & { readonly profile: Profile }>(
  command: string,
  values: Values,
  all: ReadonlyArray<C>,
  run: (
    checks: ReadonlyArray<C>,
    options: Options
  ) => Promise<{ readonly started: Started; readonly results: ReadonlyArray<CheckResult> }>
): Promise<number> => {
  if (values.shim === undefined) throw new UsageError("--shim is missing: the command that starts your shim")
  const shim = wordsOf(values.shim)
  const profiles = readProfiles(values.profile)
  const seconds = readNumber("timeout", values.timeout, { least: 1, most: 600, otherwise: 20 })
  const checks = readChecks(all, values.only)
  const { conclude, seed } = prepare(values)

  const trace = values.trace === undefined ? undefined : createWriteStream(values.trace)
  const progress = makeProgress(process.stderr, checks.length)
  const { results, started } = await run(checks, {
    command: shim,
    seed,
    profiles,
    timeoutMillis: seconds * 1_000,
    trace: trace && ((line) => trace.write(`${line}\n`)),
    onResult: progress.take
  }).finally(() => {
    progress.end()
    trace?.end()
  })
  if (results.every(({ verdict }) => verdict === "not-applicable"))
    throw new UsageError(
      `nothing was checked: the shim claims ${started.profiles.join(", ")}, and the checks are for ` +
        [...new Set(checks.map(({ profile }) => profile))].join(", ")
    )
  return conclude({
    command,
    target: started.implementation,
    profiles: started.profiles.filter((profile) => profiles?.includes(profile) ?? true),
    partial: values.only !== undefined || profiles !== undefined,
    results
  })
}
