// A lock between processes: a file that names its holder. Ours because set-up takes it before anything is installed.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { errorCode, isAlive } from "./processes.mjs"

/** A holder writes its id at once. A lock still empty after this time was left by a crash or a full disk. */
const NAMELESS_MILLIS = 3000

/** Process id in the lock file, 0 when there is none. @param {string} file */
function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return 0
  }
}

/** Whether the lock is stale: its holder is gone, or never wrote its id. @param {string} file @param {number} holder */
function isStale(file, holder) {
  if (holder > 0) return !isAlive(holder)
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
  return Date.now() - made > NAMELESS_MILLIS
}

/**
 * Runs `work` while holding the lock `file`. `onWait` is called once, with the holder's process id, when it must wait.
 *
 * @template A
 * @param {string} file
 * @param {() => Promise<A>} work
 * @param {(holder: number) => void} [onWait]
 * @returns {Promise<A>}
 */
export async function withLock(file, work, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  for (let reported = false; ;) {
    try {
      const handle = openSync(file, "wx", 0o600)
      writeSync(handle, String(process.pid))
      closeSync(handle)
      break
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error
    }
    const holder = holderOf(file)
    if (isStale(file, holder)) rmSync(file, { force: true })
    else {
      if (!reported) onWait(holder)
      reported = true
      await pause(150)
    }
  }
  const release = () => rmSync(file, { force: true })
  process.once("exit", release)
  try {
    return await work()
  } finally {
    process.off("exit", release)
    release()
  }
}
