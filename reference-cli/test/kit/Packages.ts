/** Programs that some tests need beside the repository. */
import { spawnSync } from "node:child_process"

/**
 * Whether a program is here. Tests that need it are skipped where it is not, with the line that installs it; with
 * KEZ_NO_SKIP they fail instead.
 */
export const has = (program: string, debianPackage: string, ...version: ReadonlyArray<string>): boolean => {
  if (spawnSync(program, version).error === undefined) return true
  const sentence = `${program} is not installed: apt-get install ${debianPackage}`
  if (process.env["KEZ_NO_SKIP"]) throw new Error(sentence)
  process.stderr.write(`Skipped: ${sentence}\n`)
  return false
}
