/** The commands in the pages for operators. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { files } from "./UnitHome.ts"

/** One block of shell commands. */
export interface Block {
  readonly page: string
  readonly commands: ReadonlyArray<string>
  /** Why the tests do not run it, as its first line says. */
  readonly notRun?: string
}

export const pages = [
  "home.md",
  "backup.md",
  "upgrade.md",
  "own-nats.md",
  "cluster.md",
  "sizing.md",
  "incidents.md",
  "networks.md"
]

/** The shell blocks of a page; a command that goes on in the next line is one. */
export const blocksOf = (page: string): ReadonlyArray<Block> =>
  [...readFileSync(join(files, "docs", page), "utf8").matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map(([, text = ""]) => {
    const lines = text
      .replace(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.trim())
    const notRun = /^# (not run.*)$/.exec(lines[0] ?? "")?.[1]
    return {
      page,
      commands: lines.filter((line) => line !== "" && !line.startsWith("#")),
      ...(notRun === undefined ? {} : { notRun })
    }
  })

/** The commands of a page that the tests run. */
export const commandsOf = (page: string): ReadonlyArray<string> =>
  blocksOf(page)
    .filter(({ notRun }) => notRun === undefined)
    .flatMap(({ commands }) => commands)
