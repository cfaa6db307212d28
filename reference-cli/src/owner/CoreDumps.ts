/** Keeps secrets in memory out of core dumps. Node has no `setrlimit`, so each platform does what it offers. */
import * as fs from "node:fs"

/**
 * Linux: a core of this process and of its children holds no memory, also where `core_pattern` pipes it to a collector that
 * ignores limits. Other systems have no such switch, and a /proc that cannot be written changes nothing.
 */
export const excludeMemory = (): void => {
  try {
    fs.writeFileSync("/proc/self/coredump_filter", "0")
  } catch {
    // Not Linux, or a sandbox without a writable /proc.
  }
}

/** The command line that runs `command` with a core size limit of 0. Windows writes no core dumps. */
export const limited = (platform: NodeJS.Platform, command: readonly [string, ...Array<string>]) =>
  platform === "win32" ? command : (["/bin/sh", "-c", 'ulimit -c 0; exec "$@"', "sh", ...command] as const)
