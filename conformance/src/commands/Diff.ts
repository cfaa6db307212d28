/** `kez-conformance diff OLD NEW`: what two reports say differently. */
import { readFileSync } from "node:fs"
import type { Report } from "../report/Report.ts"
import { UsageError } from "../suite/UsageError.ts"
import { isFailure } from "../suite/Verdict.ts"
import { parse } from "./Options.ts"

const read = (path: string): Report => {
  try {
    const report = JSON.parse(readFileSync(path, "utf8")) as Report
    if (report.report === 1 && Array.isArray(report.checks)) return report
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`)
  }
  throw new UsageError(`${path} is no report of this suite`)
}

/** Exit code 1 if a check fails in the new report that did not fail in the old one. */
export const diff = (args: ReadonlyArray<string>): number => {
  const { positionals, values } = parse(args, { json: { type: "boolean" } }, [2, 2])
  const [older, newer] = positionals.map(read) as [Report, Report]
  const before = new Map(older.checks.map(({ id, verdict }) => [id, verdict]))
  const changes = newer.checks.flatMap(({ id, verdict }) => {
    const was = before.get(id) ?? "absent"
    return was === verdict ? [] : [{ id, was, is: verdict }]
  })
  const now = new Set(newer.checks.map(({ id }) => id))
  for (const [id, was] of before) if (!now.has(id)) changes.push({ id, was, is: "absent" as never })
  if (values.json === true) process.stdout.write(`${JSON.stringify(changes, null, 2)}\n`)
  else if (changes.length === 0) process.stdout.write("The two reports say the same.\n")
  else for (const { id, is, was } of changes) process.stdout.write(`${id}: ${was} -> ${is}\n`)
  return changes.some(({ is, was }) => isFailure(is) && !isFailure(was as never)) ? 1 : 0
}
