#!/usr/bin/env node
// Kept in old syntax on purpose: it has to run far enough on any Node to say what is missing.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

const program = new URL("../dist/sig-server.js", import.meta.url)

function stop(sentence) {
  process.stderr.write("kez-chat-sig-server: " + sentence + "\n")
  process.exit(1)
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
  await import(program.href)
}
