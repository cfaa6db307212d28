/**
 * Ends a program together with the one that started it. Under npm that is npm itself: it passes no signal on to what its
 * shell has started, and a killed parent can pass on nothing.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { commandLine, isAlive } from "../local/RunFile.ts"

/** How often to look, in milliseconds. Elsewhere than on Linux each look costs a `ps`. */
const LOOK_EVERY = process.platform === "linux" ? 250 : 2000

/** The parent of a process; 0 when it cannot be seen. */
function parentOf(pid) {
  try {
    if (process.platform === "linux")
      // The name in parentheses may hold anything, parentheses included.
      return Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1).trim().split(" ")[1])
    return Number(execFileSync("ps", ["-p", String(pid), "-o", "ppid="], { encoding: "utf8" }))
  } catch {
    return 0
  }
}

/**
 * Sends this process SIGTERM once its parent is gone. `script` is the name of the npm script's program: a parent whose
 * command line has it is the shell between npm and us, and then npm is watched as well.
 */
export function endWithParent(script) {
  const parent = process.ppid
  const throughShell = script !== undefined && process.platform !== "win32" && commandLine(parent).includes(script)
  const npm = throughShell ? parentOf(parent) : 0
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent) && (npm === 0 || parentOf(parent) === npm)) return
    clearInterval(timer)
    process.kill(process.pid, "SIGTERM")
  }, LOOK_EVERY)
  timer.unref()
}
