// How large folders and files may be (STYLE.md), with the exceptions and their reasons.
import { posix } from "node:path"

const FILES_PER_FOLDER = 15
const LINES_PER_FILE = 400

/** Files, or folders with their files, that may be larger for good. */
const EXEMPT: Readonly<Record<string, "one algorithm" | "data">> = {
  "sdk/src/protocol/sigchain/Sigchain.ts": "one algorithm",
  "spec/scripts/vectors": "data"
}

/**
 * Files, and folders with something in them, that are too large for now. One in which everything keeps the limits must be
 * removed, so the list only shrinks.
 */
const TOO_LARGE_FOR_NOW: readonly string[] = ["reference-server/test"]

/** One sentence per folder or file that is too large, and per exception that is not needed any more. */
export function sizeViolations(
  files: ReadonlyMap<string, string>,
  exempt: Readonly<Record<string, string>> = EXEMPT,
  tolerated: readonly string[] = TOO_LARGE_FOR_NOW
): string[] {
  const tooLarge = new Map<string, string>()
  const folders = new Map<string, number>()
  for (const [path, text] of files) {
    const folder = posix.dirname(path)
    folders.set(folder, (folders.get(folder) ?? 0) + 1)
    const lines = text.split("\n").length - 1
    if (lines > LINES_PER_FILE && !(path in exempt) && !(folder in exempt))
      tooLarge.set(path, `${path} has ${lines} lines and may have ${LINES_PER_FILE}: split it by concept`)
  }
  for (const [folder, count] of folders)
    if (count > FILES_PER_FOLDER && !(folder in exempt))
      tooLarge.set(folder, `${folder} holds ${count} source files and may hold ${FILES_PER_FOLDER}: group them`)
  const isUnder = (folder: string, path: string) => `${path}/`.startsWith(`${folder}/`)
  return [
    ...[...tooLarge]
      .filter(([path]) => !tolerated.some((folder) => isUnder(folder, path)))
      .map(([, sentence]) => sentence),
    ...tolerated
      .filter((folder) => ![...tooLarge.keys()].some((path) => isUnder(folder, path)))
      .map(
        (folder) =>
          `everything in ${folder} keeps the size limits: remove it from TOO_LARGE_FOR_NOW in deploy/tasks/checks/Sizes.ts`
      )
  ]
}
