// Whether the build was made from the present sources: a hash over everything that goes into it.
import { createHash } from "node:crypto"
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { cache, root } from "./paths.mjs"

const stamp = join(cache, "build.sha256")

/** What the build reads. */
const INPUTS = [
  "package-lock.json",
  "tsconfig.base.json",
  "deploy/tasks/build.ts",
  "{sdk,reference-server,reference-cli,conformance}/{package.json,tsconfig.build.json,tsup.config.ts}",
  "{sdk,reference-server,reference-cli,conformance}/src/**/*",
  "reference-server/pages/*",
  "conformance/schemas/*",
  "spec/{*.md,requirements.json,schemas/*,vectors/**/*}",
  "reference-web/{package.json,tsconfig.json,vite.config.ts,custom-elements-manifest.config.mjs,index.html}",
  "reference-web/{src,public,build}/**/*"
]

/** Beside the page's sources, and in no build. */
const NOT_INPUTS = ["reference-web/src/gallery/**", "reference-web/src/**/*.{story,test}.ts"]

const OUTPUTS = [
  "sdk/dist/index.js",
  "reference-server/dist/chat-server.js",
  "reference-server/dist/sig-server.js",
  "reference-server/dist/page/index.html",
  "reference-cli/dist/kez-chat.js",
  "conformance/dist/kez-conformance.js"
]

function fingerprint() {
  const hash = createHash("sha256")
  const entries = globSync(INPUTS, { cwd: root, exclude: NOT_INPUTS, withFileTypes: true }).filter((entry) =>
    entry.isFile()
  )
  for (const file of entries.map(({ parentPath, name }) => join(parentPath, name)).sort())
    hash.update(`${file.slice(root.length)}\0`).update(readFileSync(file))
  return hash.digest("hex")
}

/** Whether every output exists and was made from the present sources. */
export function isBuilt(): boolean {
  return (
    OUTPUTS.every((file) => existsSync(join(root, file))) &&
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === fingerprint()
  )
}

/** Hashes the sources before a build; the function it returns records that hash, so an edit meanwhile is noticed. */
export function beginStamp(): () => void {
  const value = fingerprint()
  return () => {
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, value)
  }
}
