/** What the programs say about their flags and variables. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { bundled, type ProgramName } from "../../local/Bundles.ts"

const helps = new Map<string, Promise<string>>()

/** The help of a program, or of a command of it. */
export const helpOf = (program: ProgramName, ...command: ReadonlyArray<string>): Promise<string> => {
  const key = [program, ...command].join(" ")
  let help = helps.get(key)
  if (help === undefined) {
    help = bundled(program).then(async (file) => {
      const { stdout } = await promisify(execFile)(process.execPath, [file, ...command, "--help"])
      return stdout
    })
    helps.set(key, help)
  }
  return help
}

/** The flags, without their dashes, and the variables that a help names. */
export const namesOf = (help: string) => ({
  flags: new Set([...help.matchAll(/^ +--([a-z-]+)/gm)].map(([, name = ""]) => name)),
  variables: new Set([...help.matchAll(/\[env ([^\]]+)\]/g)].flatMap(([, names = ""]) => names.split(" or ")))
})
