/** This program's version, from the package.json beside `src` and `dist`. */
import { readFileSync } from "node:fs"

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

export const version: string = manifest.version
