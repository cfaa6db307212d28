// Whether the build is that of the sources as they are: a hash over what goes into it.
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { cache, root } from "./paths.mjs"

const stamp = join(cache, "build.sha256")

/** What the build reads besides each package's own settings. */
const sources = ["sdk/src", "reference-server/src", "reference-cli/src", "reference-web/public"]
const settings = [
  "package-lock.json",
  "tsconfig.base.json",
  "deploy/tasks/build.ts",
  ...["sdk", "reference-server", "reference-cli"].flatMap((folder) =>
    ["package.json", "tsconfig.build.json", "tsup.config.ts"].map((name) => `${folder}/${name}`)
  )
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
    else if (entry.isDirectory()) yield* files(inside)
  }
}

function fingerprint() {
  const hash = createHash("sha256")
  const all = [
    ...settings.map((path) => join(root, path)).filter(existsSync),
    ...sources.flatMap((path) => [...files(join(root, path))])
  ]
  for (const file of all) hash.update(`${relative(root, file)}\0`).update(readFileSync(file))
  return hash.digest("hex")
}

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
