/** `kez-conformance explain KEZ-DM-014`: what a requirement says, why, and what checks it. */
import { allScenarios } from "../clients/scenarios/All.ts"
import { serverChecks } from "../servers/AllChecks.ts"
import { type Check, type VectorCheck, vectorChecks } from "../suite/Checks.ts"
import { requirements, sectionOf } from "../suite/Data.ts"
import { UsageError } from "../suite/UsageError.ts"
import { parse } from "./Options.ts"

const caseOf = ({ case: { error, errorAnyOf, input, result } }: VectorCheck) => ({
  input,
  ...(error === undefined ? {} : { error }),
  ...(errorAnyOf === undefined ? {} : { errorAnyOf }),
  ...(result === undefined ? {} : { result })
})

export const explain = (args: ReadonlyArray<string>): number => {
  const { positionals, values } = parse(args, { json: { type: "boolean" } }, [1, 1])
  const [asked = ""] = positionals
  // The id of a check leads to its requirements.
  const checks: ReadonlyArray<Check | VectorCheck> = [...vectorChecks(), ...allScenarios, ...serverChecks]
  const check = checks.find(({ id }) => id === asked)
  const ids = check === undefined ? [asked.toUpperCase()] : check.requirements
  const rows = requirements().filter(({ id }) => ids.includes(id))
  if (rows.length === 0)
    throw new UsageError(`there is no requirement or check ${JSON.stringify(asked)}: kez-conformance list shows them`)
  const explained = rows.map((row) => ({
    ...row,
    section: sectionOf(row),
    checks: checks
      .filter((one) => one.requirements.includes(row.id))
      .map((one) => ({ id: one.id, why: one.why, operation: one.operation, ...("case" in one ? caseOf(one) : {}) }))
  }))
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify(explained, null, 2)}\n`)
    return 0
  }
  for (const { checks: found, excluded, id, level, section, spec, text } of explained)
    process.stdout.write(
      [
        `${id} (${level}), ${spec}`,
        "",
        `  ${text}`,
        "",
        ...(excluded === undefined ? [] : [`Not checked: ${excluded}`, ""]),
        section.replace(/^/gm, "    "),
        "",
        found.length === 0 ? "No check of this suite." : "Checks:",
        ...found.map((one) => `  ${one.id}  ${one.operation}: ${one.why}`),
        "",
        ""
      ].join("\n")
    )
  return 0
}
