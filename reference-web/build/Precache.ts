import { createHash } from "node:crypto"
import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Plugin } from "vite"

/** The line of the service worker that the list of files replaces. */
const placeholder = "BUILD_FILES"

/** Puts the paths of this build's files, and a name for the cache that follows from them, into `service-worker.js`. */
export const precache = (): Plugin => ({
  name: "kez-precache",
  apply: "build",
  writeBundle: {
    order: "pre",
    sequential: true,
    async handler({ dir = "dist" }) {
      const files = (await readdir(dir, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
        .filter((path) => path !== "service-worker.js" && !path.startsWith("gallery") && !path.startsWith("."))
        .sort()
      const worker = join(dir, "service-worker.js")
      const text = await readFile(worker, "utf8")
      const list = files.map((path) => (path === "index.html" ? "./" : `./${path}`))
      const hash = createHash("sha256").update(list.join("\n"))
      hash.update(await readFile(join(dir, "index.html")))
      const value = JSON.stringify({ name: hash.digest("hex").slice(0, 16), files: list })
      if (!text.includes(placeholder)) throw new Error(`service-worker.js has no ${placeholder}`)
      await writeFile(worker, text.replace(placeholder, value))
    }
  }
})
