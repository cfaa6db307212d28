import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Plugin } from "vite"

/** The file beside the build that lists the modules in it, for the notices of third parties. */
const record = ".vite/modules.json"

/**
 * Records which modules a build contains, those of the worker too. `collect` is a plugin of the page and of its workers;
 * `write` is one of the page alone, since its bundle is written last.
 */
export const packages = () => {
  const modules = new Set<string>()
  const collect = (): Plugin => ({
    name: "kez-collect-modules",
    apply: "build",
    generateBundle(_, bundle) {
      for (const output of Object.values(bundle))
        if (output.type === "chunk")
          for (const [id, { renderedLength }] of Object.entries(output.modules)) {
            // Vite's own modules begin with a zero byte, and a query says how a file was read.
            if (renderedLength > 0) modules.add(id.replace("\0", "").replace(/\?.*$/, ""))
          }
    }
  })
  const write = (): Plugin => ({
    name: "kez-write-modules",
    apply: "build",
    writeBundle: {
      order: "post",
      sequential: true,
      async handler({ dir = "dist" }) {
        await mkdir(join(dir, ".vite"), { recursive: true })
        await writeFile(join(dir, record), JSON.stringify([...modules].sort()))
      }
    }
  })
  return { collect, write }
}
