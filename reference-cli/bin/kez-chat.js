#!/usr/bin/env node
// Kept in old syntax on purpose: it has to run far enough on any Node to say what is missing.
import { existsSync, mkdirSync, statSync } from "node:fs"
import module from "node:module"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import { fileURLToPath } from "node:url"

const program = new URL("../dist/kez-chat.js", import.meta.url)

function stop(sentence) {
  process.stderr.write("kez-chat: " + sentence + "\n")
  process.exit(1)
}

function cacheFolder() {
  const named = process.platform === "win32" ? process.env.LOCALAPPDATA : process.env.XDG_CACHE_HOME
  if (named && isAbsolute(named)) return join(named, "kez-chat", "compiled")
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "kez-chat", "compiled")
  return join(homedir(), process.platform === "win32" ? "AppData/Local" : ".cache", "kez-chat", "compiled")
}

// Compiled code is kept for the next start, where nobody but this user can write: it is run as it is. Node's own place
// for it, the folder of temporary files, belongs to everybody.
function keepCompiled() {
  try {
    const folder = cacheFolder()
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made = statSync(folder)
    const isOurs = process.getuid === undefined || (made.uid === process.getuid() && (made.mode & 0o022) === 0)
    if (isOurs) module.enableCompileCache(folder)
  } catch {
    // It starts without.
  }
}

if (Number(process.version.slice(1).split(".")[0]) < 24) {
  stop("this needs Node 24 or later and runs on " + process.version + " (" + process.execPath + ").")
} else if (!existsSync(program)) {
  stop(
    "it is not built yet: run `npm start` or `npm run build` in " +
      fileURLToPath(new URL("../..", import.meta.url)) +
      "."
  )
} else {
  if (process.argv[2] !== "--version") keepCompiled()
  await import(program.href)
}
