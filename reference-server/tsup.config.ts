import { cpSync, existsSync } from "node:fs"
import { basename } from "node:path"
import { defineConfig } from "tsup"

/** The page's build, which `npm run build` makes first. */
const page = "../reference-web/dist"

// One file for each server; only better-sqlite3, which has a native part, is installed beside them. What the SDK's entry for
// Node would load to move files is never reached here, so it is neither bundled nor installed.
export default defineConfig({
  entry: { "chat-server": "src/chat-server.ts", "sig-server": "src/sig-server.ts" },
  format: ["esm"],
  target: "node24",
  platform: "node",
  splitting: false,
  minify: true,
  dts: false,
  metafile: true,
  external: ["better-sqlite3", /^@number0\/iroh/],
  noExternal: [/^(?!better-sqlite3$|@number0\/iroh).*/],
  banner: {
    js: 'import { createRequire as kezCreateRequire } from "node:module";const require = kezCreateRequire(import.meta.url);'
  },
  onSuccess: async () => {
    cpSync("pages", "dist/pages", { recursive: true })
    // What begins with a dot records how the page was built.
    const filter = (path: string) => !basename(path).startsWith(".")
    if (existsSync(page)) cpSync(page, "dist/page", { recursive: true, filter })
  }
})
