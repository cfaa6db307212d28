// `run.json` in a home's data folder: what runs on it now. The CLI finds a local home by it; a second start reads it.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { execFileSync } from "node:child_process"
import { join, sep } from "node:path"

const fileIn = (folder) => join(folder, "run.json")

/** Whether a process of this id exists and has not ended: one that nobody has waited for yet is no more. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === "EPERM"
  }
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return !existsSync("/proc/self/status")
  }
}

/** The command line of a process, or "" when it cannot be seen. */
export function commandLine(pid) {
  try {
    if (existsSync("/proc/self/cmdline")) return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" })
  } catch {
    return ""
  }
}

/** Whether `pid` is a server of this data folder: process ids are reused, so its command line must name the folder. */
export const isServerOf = (folder, pid) => isAlive(pid) && commandLine(pid).includes(folder + sep)

/** What run.json says, or undefined when there is none or it cannot be read. */
export function readRun(folder) {
  try {
    const run = JSON.parse(readFileSync(fileIn(folder), "utf8"))
    return run.version === 1 && typeof run.urls === "object" && typeof run.processes === "object" ? run : undefined
  } catch {
    return undefined
  }
}

function write(folder, run) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(`${fileIn(folder)}.new`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${fileIn(folder)}.new`, fileIn(folder))
}

/** Notes this runner's processes, beside those of other runners on the folder (`--only`). */
export function record(folder, { serverName, urls, processes }) {
  const others = Object.entries(readRun(folder)?.processes ?? {}).filter(
    ([name, { pid, runner }]) => !(name in processes) && runner !== process.pid && isServerOf(folder, pid)
  )
  write(folder, { version: 1, serverName, urls, processes: { ...Object.fromEntries(others), ...processes } })
}

/** Takes these parts out; the last one out removes the file. */
export async function forget(folder, names) {
  const run = readRun(folder)
  if (run === undefined) return
  const left = Object.entries(run.processes).filter(
    ([name, { pid }]) => !names.includes(name) && isServerOf(folder, pid)
  )
  if (left.length === 0) rmSync(fileIn(folder), { force: true })
  else write(folder, { ...run, processes: Object.fromEntries(left) })
}
