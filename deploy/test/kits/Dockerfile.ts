/** A Dockerfile as its instructions, by stage. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { files } from "./UnitHome.ts"

export interface Instruction {
  readonly name: string
  readonly text: string
}

export interface Stage {
  readonly name: string
  readonly base: string
  readonly instructions: ReadonlyArray<Instruction>
}

export const dockerfile = join(files, "docker", "Dockerfile")

/** Reads the stages; lines that go on are joined, and comments dropped. */
export const stages = (): ReadonlyArray<Stage> => {
  const text = readFileSync(dockerfile, "utf8")
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
  const found: Array<{ name: string; base: string; instructions: Array<Instruction> }> = []
  for (const line of text.split("\n").filter((line) => line.trim() !== "")) {
    const [, name = "", rest = ""] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === "FROM") {
      const [, base = "", as] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? []
      found.push({ name: as ?? "final", base, instructions: [] })
    } else found.at(-1)?.instructions.push({ name, text: rest })
  }
  return found
}

/** `A=1 B="2 3"` as pairs. */
export const pairs = (text: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...text.matchAll(/([\w.]+)=("[^"]*"|\S+)/g)].map(([, key = "", value = ""]) => [key, value.replace(/^"|"$/g, "")])
  )
