// How large folders and files may be (STYLE.md), with the exceptions and their reasons.
import { posix } from "node:path"

const FILES_PER_FOLDER = 15
const LINES_PER_FILE = 400

/** Files, or folders with their files, that may be larger for good. */
const EXEMPT: Readonly<Record<string, "one algorithm" | "data">> = {
  "sdk/src/protocol/sigchain/Sigchain.ts": "one algorithm",
  "spec/scripts/vectors": "data"
}

/** One sentence per folder or file that is too large. */
export function sizeViolations(
  files: ReadonlyMap<string, string>,
  exempt: Readonly<Record<string, string>> = EXEMPT
): string[] {
  const violations: string[] = []
  const folders = new Map<string, number>()
  for (const [path, text] of files) {
    const folder = posix.dirname(path)
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
    const lines = text.split("\n").length - 1
    if (lines > LINES_PER_FILE && !(path in exempt) && !(folder in exempt))
      violations.push(`${path} has ${lines} lines and may have ${LINES_PER_FILE}: split it by concept`)
  }
  for (const [folder, count] of folders)
    if (count > FILES_PER_FOLDER && !(folder in exempt))
      violations.push(`${folder} holds ${count} source files and may hold ${FILES_PER_FOLDER}: group them`)
  return violations
}
