import { cpSync } from "node:fs"
import { defineConfig } from "tsup"

// Self-contained: the suite, the reference implementation and the specification's data, so that whoever installs the
// package needs nothing else but the binaries of optional packages.
export default defineConfig({
  entry: { "kez-conformance": "src/kez-conformance.ts" },
  format: ["esm"],
  target: "node24",
  platform: "node",
  splitting: true,
  minify: true,
  dts: false,
  clean: true,
  metafile: true,
  external: [/^@number0\/iroh/, "better-sqlite3", "@napi-rs/keyring"],
  noExternal: [/^(?!@number0\/iroh|better-sqlite3$|@napi-rs\/keyring).*/],
  banner: {
    js: 'import { createRequire as kezCreateRequire } from "node:module";const require = kezCreateRequire(import.meta.url);'
  },
  onSuccess: async () => {
    const isData = (path: string) => !path.includes("/spec/scripts")
    cpSync("../spec", "dist/data", { recursive: true, filter: isData })
  }
})
