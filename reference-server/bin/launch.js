// Kept in old syntax on purpose: it has to run far enough on any Node to say what is missing.
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Starts a built program, or says why it cannot. */
export function launch(name, file) {
  const program = new URL("../dist/" + file, import.meta.url)
  function stop(sentence) {
    process.stderr.write(name + ": " + sentence + "\n")
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
    return import(program.href)
  }
}
