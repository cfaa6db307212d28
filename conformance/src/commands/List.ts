/** `kez-conformance list`: requirements with their checks, or the operations of the shim protocol. */
import { clientOperations } from "../clients/Operations.ts"
import { allScenarios } from "../clients/scenarios/All.ts"
import { serverChecks } from "../servers/AllChecks.ts"
import { type Check, profiles, selected, vectorChecks } from "../suite/Checks.ts"
import { requirements } from "../suite/Data.ts"
import { parse } from "./Options.ts"

interface Listed {
  readonly operation: string
  readonly profile: string
  readonly description: string
  /** How many cases of the vectors ask for it; absent for the operations of clients. */
  checks?: number
}

const operations = (): ReadonlyArray<Listed> => {
  const found = new Map<string, Listed>()
  for (const { description, operation, profile } of vectorChecks()) {
    const known = found.get(operation)
    if (known === undefined) found.set(operation, { operation, profile, checks: 1, description })
    else known.checks = (known.checks ?? 0) + 1
  }
  const ofClients = Object.entries(clientOperations).map(([operation, one]) => ({ operation, ...one }))
  return [...found.values(), ...ofClients]
}

export const list = (args: ReadonlyArray<string>): number => {
  const { values } = parse(args, {
    json: { type: "boolean" },
    operations: { type: "boolean" },
    only: { type: "string", multiple: true }
  })
  if (values.operations === true) {
    const all = operations()
    if (values.json === true) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
    else
      for (const profile of profiles) {
        process.stdout.write(`${profile}\n`)
        for (const one of all.filter((each) => each.profile === profile))
          process.stdout.write(
            `  ${one.operation}${one.checks === undefined ? "" : `  (${one.checks} checks)`}\n    ${one.description}\n`
          )
      }
    return 0
  }
  const checks = selected<Check>([...vectorChecks(), ...allScenarios, ...serverChecks], values.only ?? [])
  const rows = requirements()
    .map(({ excluded, id, level, spec, text }) => ({
      id,
      level,
      spec,
      text,
      ...(excluded === undefined ? {} : { excluded }),
      checks: checks.filter((check) => check.requirements.includes(id)).map((check) => check.id)
    }))
    .filter(({ checks: found }) => values.only === undefined || found.length > 0)
  if (values.json === true) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else
    for (const { checks: found, id, level, text } of rows)
      process.stdout.write(`${id}  ${level.padEnd(6)}  ${String(found.length).padStart(3)} checks  ${text}\n`)
  return 0
}
