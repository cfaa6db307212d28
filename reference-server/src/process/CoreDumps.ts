/** Keeps keys, secrets and traffic out of core dumps. */
import { writeFileSync } from "node:fs"

/**
 * On Linux a core dump of this process contains no memory, even if a collector ignores `ulimit -c`. Node has no
 * setrlimit, so on other systems the service manager has to set the limit.
 */
export const excludeMemory = (): void => {
  try {
    writeFileSync("/proc/self/coredump_filter", "0")
  } catch {
    // Not Linux, or a sandbox without a writable /proc.
  }
}
