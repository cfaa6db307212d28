import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { brotliCompress, constants, gzip } from "node:zlib"
import type { Plugin } from "vite"

const compressible = /\.(html|js|css|json|svg|webmanifest|txt)$/

/** Writes a `.br` and a `.gz` beside each text file, so that the server compresses nothing at run time. */
export const compress = (): Plugin => ({
  name: "kez-compress",
  apply: "build",
  writeBundle: {
    order: "post",
    sequential: true,
    async handler({ dir = "dist" }) {
      const files = await readdir(dir, { recursive: true })
      await Promise.all(
        files
          .filter((name) => compressible.test(name) && !name.startsWith("."))
          .map(async (name) => {
            const path = join(dir, name)
            const bytes = await readFile(path)
            const [br, gz] = await Promise.all([
              promisify(brotliCompress)(bytes, {
                params: {
                  [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
                  [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length
                }
              }),
              promisify(gzip)(bytes, { level: 9 })
            ])
            if (br.length < bytes.length) await writeFile(`${path}.br`, br)
            if (gz.length < bytes.length) await writeFile(`${path}.gz`, gz)
          })
      )
    }
  }
})
