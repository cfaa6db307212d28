// A lock between processes: a file that exists while its holder works, and counts for nothing once the holder is gone.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { isAlive } from "../local/RunFile.ts"

function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return 0
  }
}

/** Whether nobody stands behind the lock any more: its holder is gone, or never got to write who it is. */
function isLeftBehind(file, holder) {
  if (holder > 0) return !isAlive(holder)
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
  return Date.now() - made > NAMELESS_MILLIS
}

/** A lock gets its holder's name at once; one that is without it for so long is left from a crash or a full disk. */
const NAMELESS_MILLIS = 3000

/** Runs `work` while holding `file`; `onWait` is told once who holds it meanwhile. */
export async function withLock(file, work, onWait = () => {}) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  for (let told = false; ;) {
    try {
      const handle = openSync(file, "wx", 0o600)
      writeSync(handle, String(process.pid))
      closeSync(handle)
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
    }
    const holder = holderOf(file)
    if (isLeftBehind(file, holder)) rmSync(file, { force: true })
    else {
      if (!told) onWait(holder)
      told = true
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
