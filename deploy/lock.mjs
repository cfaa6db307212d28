// A lock between processes: a file that exists while its holder works, and counts for nothing once the holder is gone.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { isAlive } from "./run-file.mjs"

function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return 0
  }
}

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
    if (holder > 0 && !isAlive(holder)) rmSync(file, { force: true })
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
