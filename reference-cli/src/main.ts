/** The program's start. What is asked most by scripts, its version, is answered before anything else is loaded. */
import { writeSync } from "node:fs"
import { version } from "./Version.ts"

/** Whether the version was asked for alone, and written. Where it cannot be written, the whole program says so. */
const saidVersion = (): boolean => {
  const [first, ...more] = process.argv.slice(2)
  if (first !== "--version" || more.length > 0) return false
  const line = `kez-chat ${version}\n`
  try {
    return writeSync(1, line) === line.length
  } catch {
    return false
  }
}

if (!saidVersion()) await import("./Process.ts")
