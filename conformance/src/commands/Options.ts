/** The options that several commands share, read by Node's own parser. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util"
import { type Check, type Profile, profiles, selected } from "../suite/Checks.ts"
import { UsageError } from "../suite/UsageError.ts"

const isProfile = (name: string): name is Profile => (profiles as ReadonlyArray<string>).includes(name)

/** Parses the arguments of a command; what is unknown, missing or given twice is a `UsageError`. */
export const parse = <T extends ParseArgsOptionsConfig>(
  args: ReadonlyArray<string>,
  options: T,
  operands: readonly [least: number, most: number] = [0, 0]
) => {
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { length } = parsed.positionals
  if (length < operands[0]) throw new UsageError("an argument is missing")
  if (length > operands[1])
    throw new UsageError(`there is no place for ${JSON.stringify(parsed.positionals[operands[1]])}`)
  return parsed
}

/** The flags of every run. */
export const runOptions = {
  spec: { type: "string" },
  only: { type: "string", multiple: true },
  baseline: { type: "string" },
  report: { type: "string" },
  junit: { type: "string" },
  html: { type: "string" },
  badge: { type: "string" },
  seed: { type: "string" },
  timeout: { type: "string" },
  deterministic: { type: "boolean" },
  json: { type: "boolean" }
} as const

export const readProfiles = (text: string | undefined): ReadonlyArray<Profile> | undefined =>
  text?.split(",").map((name) => {
    if (isProfile(name)) return name
    throw new UsageError(`there is no profile ${JSON.stringify(name)}: there are ${profiles.join(", ")}`)
  })

/** The checks that `--only` names; all of them without it. */
export const readChecks = <C extends Check>(
  checks: ReadonlyArray<C>,
  only: ReadonlyArray<string> | undefined
): ReadonlyArray<C> => {
  const found = selected(checks, only ?? [])
  if (found.length === 0) throw new UsageError(`no check fits ${(only ?? []).join(", ")}`)
  return found
}

/** A whole number of an option. */
export const readNumber = (
  name: string,
  text: string | undefined,
  { least, most, otherwise }: { readonly least: number; readonly most: number; readonly otherwise: number }
): number => {
  if (text === undefined) return otherwise
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`)
}
