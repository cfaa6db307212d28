/** Keeps the broker's keys, the internal secret and what passes through out of core dumps. */
import { writeFileSync } from "node:fs"

/**
 * Linux: a core of this process holds no memory, also where a collector takes it that ignores `ulimit -c`. Node has no
 * setrlimit, so elsewhere what starts the server has to set the limit.
 */
export const excludeMemory = (): void => {
  try {
    writeFileSync("/proc/self/coredump_filter", "0")
  } catch {
    // Not Linux, or a sandbox without a writable /proc.
  }
}
