/** `kez-conformance vectors`: every case of the specification's vectors, asked of a shim. */
import { randomInt } from "node:crypto"
import { createWriteStream, writeFileSync } from "node:fs"
import { badge } from "../report/Badge.ts"
import { html } from "../report/Html.ts"
import { junit } from "../report/JUnit.ts"
import { exitCodeOf, makeReport } from "../report/Report.ts"
import { makeProgress, summary } from "../report/Terminal.ts"
import { wordsOf } from "../shim/ShimProcess.ts"
import { excuse, readBaseline } from "../suite/Baseline.ts"
import { selected, vectorChecks } from "../suite/Checks.ts"
import { UsageError } from "../suite/UsageError.ts"
import { runVectors } from "../vectors/Run.ts"
import { parse, readNumber, readProfiles, runOptions } from "./Options.ts"

/** Writes a report, or refuses with a sentence: a run whose report is lost was for nothing. */
const write = (path: string, content: string): void => {
  try {
    writeFileSync(path, content)
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${(error as Error).message}`)
  }
}

export const vectors = async (args: ReadonlyArray<string>): Promise<number> => {
  const { values } = parse(args, runOptions)
  if (values.shim === undefined) throw new UsageError("--shim is missing: the command that starts your shim")
  const command = wordsOf(values.shim)
  const profiles = readProfiles(values.profile)
  const seed = readNumber("seed", values.seed, { least: 0, most: 2 ** 32 - 1, otherwise: randomInt(2 ** 32 - 1) })
  const seconds = readNumber("timeout", values.timeout, { least: 1, most: 600, otherwise: 20 })
  const baseline = values.baseline === undefined ? [] : readBaseline(values.baseline)
  const checks = selected(vectorChecks(), values.only ?? [])
  if (checks.length === 0) throw new UsageError(`no check fits ${(values.only ?? []).join(", ")}`)

  const trace = values.trace === undefined ? undefined : createWriteStream(values.trace)
  const progress = makeProgress(process.stderr, checks.length)
  const began = new Date()
  const run = await runVectors(checks, {
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

  const { results, stale } = excuse(run.results, baseline)
  const report = makeReport(
    {
      command: "vectors",
      target: run.started.implementation,
      profiles: run.started.profiles.filter((profile) => profiles?.includes(profile) ?? true),
      seed,
      // With --only or --profile the rest of the baseline was not checked.
      staleBaseline: values.only === undefined && profiles === undefined ? stale : [],
      ...(values.deterministic === true
        ? {}
        : { startedAt: began.toISOString(), seconds: Math.round((Date.now() - began.getTime()) / 100) / 10 })
    },
    results
  )
  const text = JSON.stringify(report, null, 2)
  if (values.report !== undefined) write(values.report, `${text}\n`)
  if (values.junit !== undefined) write(values.junit, junit(report))
  if (values.html !== undefined) write(values.html, html(report))
  if (values.badge !== undefined) write(values.badge, `${JSON.stringify(badge(report))}\n`)
  process.stdout.write(`${values.json === true ? text : summary(report)}\n`)
  return exitCodeOf(report)
}
