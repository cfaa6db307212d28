/** The specification's data that the suite carries: requirements, vectors and text. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, sep } from "node:path"
import { fileURLToPath } from "node:url"

/** Beside the built bundle; for sources, the specification itself. */
const bundled = fileURLToPath(new URL("./data", import.meta.url))
export const dataFolder = existsSync(bundled) ? bundled : fileURLToPath(new URL("../../../spec", import.meta.url))

const readJson = (...path: ReadonlyArray<string>): unknown =>
  JSON.parse(readFileSync(join(dataFolder, ...path), "utf8"))

export type Level = "MUST" | "SHOULD" | "MAY"

/** A row of `requirements.json`. */
export interface Requirement {
  readonly id: string
  readonly level: Level
  /** File and heading, such as `spec/sigchain.md#order`. */
  readonly spec: string
  readonly text: string
  readonly tests?: ReadonlyArray<string>
  readonly excluded?: string
  readonly introduced: string
}

export const requirements = (): ReadonlyArray<Requirement> =>
  readJson("requirements.json") as ReadonlyArray<Requirement>

export interface VectorCase {
  readonly id: string
  readonly requirements: ReadonlyArray<string>
  readonly why: string
  readonly input: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: string
  readonly errorAnyOf?: ReadonlyArray<string>
}

export interface VectorFile {
  readonly spec: string
  readonly vectors: string
  readonly operation: string
  readonly kind: "valid" | "invalid"
  readonly description: string
  readonly cases: ReadonlyArray<VectorCase>
}

/** Every vector file, by its name below `vectors/`, in the order of names. */
export const vectorFiles = (): ReadonlyArray<readonly [name: string, file: VectorFile]> =>
  readdirSync(join(dataFolder, "vectors"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .map((path) => path.split(sep).join("/"))
    .toSorted()
    .map((name) => [name, readJson("vectors", name) as VectorFile])

/** The part of the specification that a requirement points at: its heading and what follows up to the next one. */
export const sectionOf = ({ spec }: Requirement): string => {
  const [file = "", anchor = ""] = spec.replace(/^spec\//, "").split("#")
  const path = join(dataFolder, file)
  if (!existsSync(path)) return ""
  const lines = readFileSync(path, "utf8").split("\n")
  const start = lines.findIndex((line) => line.startsWith("#") && slug(line) === anchor)
  if (start < 0) return ""
  const end = lines.findIndex((line, index) => index > start && /^#{1,6} /.test(line))
  return lines
    .slice(start, end < 0 ? undefined : end)
    .join("\n")
    .trim()
}

/** The anchor of a heading, as code forges make it. */
const slug = (heading: string): string =>
  heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-")
