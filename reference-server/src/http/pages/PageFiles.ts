/** The web client's build, read into memory at the start: a request names an entry of this table and never a path. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { brotliCompress, gzip } from "node:zlib"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Route } from "../RouteTable.ts"
import { type Compressed, staticFile, type StaticFile } from "../StaticFile.ts"
import { pageHeaders, type Reach } from "./PageHeaders.ts"

/** A file of the page cannot be read. */
export class PageError extends Data.TaggedError("PageError")<{ readonly message: string }> {}

export interface PageFiles {
  readonly routes: ReadonlyArray<Route>
  readonly file: (path: string) => StaticFile | undefined
}

export interface PageOptions {
  /** The folder of the build. */
  readonly folder: string
  /** The operator's files, by the path that they are served at. */
  readonly own: ReadonlyMap<string, string>
  readonly reach: Reach
}

/** Beside a built bundle; for sources, the build of the page's package. */
export const builtPage = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../../../reference-web/dist" : "./page", import.meta.url)
)

/** Whether the folder holds a build. */
export const hasPage = (folder: string): boolean => existsSync(join(folder, "index.html"))

/** The paths that a build's files are served at. What begins with a dot records how it was built. */
const pathsIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")) && !/\.(?:br|gz)$/.test(path))

const read = (path: string): Buffer | undefined => (existsSync(path) ? readFileSync(path) : undefined)

const compress = async (bytes: Buffer): Promise<Compressed> => {
  const [br, gz] = await Promise.all([promisify(brotliCompress)(bytes), promisify(gzip)(bytes)])
  const smaller = (body: Buffer) => (body.length < bytes.length ? body : undefined)
  return { br: smaller(br), gzip: smaller(gz) }
}

/** Reads a build and the operator's own files; fails with a sentence that names the file. */
export const readPage = Effect.fnUntraced(function* ({ folder, own, reach }: PageOptions) {
  const table = new Map<string, StaticFile>()
  yield* Effect.try({
    try: () => {
      for (const name of pathsIn(folder)) {
        const path = name === "index.html" ? "/" : `/${name}`
        const file = join(folder, name)
        const compressed = { br: read(`${file}.br`), gzip: read(`${file}.gz`) }
        table.set(path, staticFile(readFileSync(file), compressed, pageHeaders(path, reach)))
      }
    },
    catch: (cause) => new PageError({ message: `cannot read the page in ${folder}: ${(cause as Error).message}` })
  })
  for (const [path, file] of own) {
    yield* Effect.tryPromise({
      try: async () => {
        const bytes = readFileSync(file)
        table.set(path, staticFile(bytes, await compress(bytes), pageHeaders(path, reach)))
      },
      catch: (cause) => new PageError({ message: `cannot read ${file}: ${(cause as Error).message}` })
    })
  }
  // One route for all hashed names: in metrics and logs a new build must not be a new route.
  const paths = [...table.keys()].map((path) => (path.startsWith("/assets/") ? "/assets/:file" : path))
  const page: PageFiles = {
    routes: [...new Set(paths)].map((path) => ({ method: "GET", path })),
    file: (path) => table.get(path)
  }
  return page
})
