// Questions about processes that Node has no answer for. Ours because it runs before anything is installed.
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** Interval between two checks of the parent, in milliseconds. Except on Linux each check starts a `ps`. */
const CHECK_PARENT_EVERY = process.platform === "linux" ? 250 : 2000

/** The `code` of a system error, such as `ENOENT`. @param {unknown} error */
export const errorCode = (error) => (error instanceof Error && "code" in error ? error.code : undefined)

/** Whether a process of this id runs; a zombie (ended, not yet waited for) does not. @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) === "EPERM"
  }
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return !existsSync("/proc/self/status")
  }
}

/** The command line of a process, or "" when it cannot be read. @param {number} pid */
export function commandLine(pid) {
  try {
    if (existsSync("/proc/self/cmdline")) return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
    return execFileSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" })
  } catch {
    return ""
  }
}

/** The parent of a process, or 0 when it cannot be read. @param {number} pid */
function parentOf(pid) {
  try {
    if (process.platform === "linux")
      // The second field is the program's name in parentheses, and the name may contain parentheses too.
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)?.trim().split(" ")[1])
    return Number(execFileSync("ps", ["-p", String(pid), "-o", "ppid="], { encoding: "utf8" }))
  } catch {
    return 0
  }
}

/**
 * Sends this process SIGTERM once its parent is gone: npm passes no signal on to what its shell has started, and a
 * killed parent cannot. `script` is the program of the npm script: when the parent's command line has it, the parent is
 * the shell between npm and this process, and npm is watched as well.
 *
 * @param {string} [script]
 */
export function endWithParent(script) {
  const parent = process.ppid
  const throughShell = script !== undefined && process.platform !== "win32" && commandLine(parent).includes(script)
  const npm = throughShell ? parentOf(parent) : 0
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent) && (npm === 0 || parentOf(parent) === npm)) return
    clearInterval(timer)
    process.kill(process.pid, "SIGTERM")
  }, CHECK_PARENT_EVERY)
  timer.unref()
}
