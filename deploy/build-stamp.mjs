// Whether the build is that of the sources as they are: a hash over what goes into it.
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { cache, root } from "./paths.mjs"

const stamp = join(cache, "build.sha256")

/** Every file that the build reads: sources, package and compiler settings, the build script itself. */
const inputs = [
  "package-lock.json",
  "tsconfig.base.json",
  "deploy/build.mjs",
  "sdk",
  "reference-server",
  "reference-cli"
]

const outputs = [
  "sdk/dist/index.js",
  "reference-server/dist/chat-server.js",
  "reference-server/dist/sig-server.js",
  "reference-cli/dist/kez-chat.js"
]

function* files(path) {
  if (!existsSync(path)) return
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const inside = join(path, entry.name)
    if (entry.isFile()) yield inside
    else if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== "dist") yield* files(inside)
  }
}

function fingerprint() {
  const hash = createHash("sha256")
  for (const input of inputs) {
    const path = join(root, input)
    const list = /\.\w+$/.test(input) ? [path] : [...files(join(path, "src")), ...configs(path)]
    for (const file of list) hash.update(`${relative(root, file)}\0`).update(readFileSync(file))
  }
  return hash.digest("hex")
}

const configs = (folder) =>
  ["package.json", "tsconfig.build.json", "tsup.config.ts"].map((name) => join(folder, name)).filter(existsSync)

/** Whether every output is there and made from the sources as they are now. */
export function isBuilt() {
  return (
    outputs.every((file) => existsSync(join(root, file))) &&
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === fingerprint()
  )
}

/** Taken before building and noted after it, so that an edit during the build makes the next one run. */
export function beginStamp() {
  const value = fingerprint()
  return () => {
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, value)
  }
}
