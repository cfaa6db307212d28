// How much of the page a browser loads, and the bars: over the graph that Vite records beside its build.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { root } from "../paths.mjs"
import { say } from "../say.mjs"

/** An entry of Vite's manifest. */
interface Chunk {
  readonly file: string
  readonly name?: string
  readonly imports?: readonly string[]
  readonly dynamicImports?: readonly string[]
  readonly css?: readonly string[]
}

export type Manifest = Readonly<Record<string, Chunk>>

/** The name of the script that `index.html` loads, and what is loaded only when somebody scans a code. */
const PAGE = "page"
const WORKER = /(?:^|\/)account[-.]/
const SCANNER = "../node_modules/qr/decode.js"
/** What an open account shows before anybody opens its settings. */
const INSIDE = "src/shell/inside.ts"

/** What the browser asks for besides the scripts, before it shows anything. */
const STATIC = ["index.html", "theme.css", "texts.js", "manifest.webmanifest", "icon.svg", "service-worker.js"]

interface Bar {
  readonly what: string
  readonly coding: "gzip" | "br"
  /** In bytes. */
  readonly most: number
  readonly files: readonly string[]
}

/** The files of the page's script, of `more` and of everything that they import; `lazy` follows dynamic imports too. */
function closure(manifest: Manifest, lazy: boolean, ...more: readonly string[]): string[] {
  const seen = new Set<string>()
  const queue = [...Object.keys(manifest).filter((key) => manifest[key]?.name === PAGE), ...more]
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const chunk = manifest[key]
    if (chunk === undefined || seen.has(key) || key === SCANNER) continue
    seen.add(key)
    queue.push(...(chunk.imports ?? []), ...(lazy ? (chunk.dynamicImports ?? []) : []))
  }
  return [...new Set([...seen].flatMap((key) => [manifest[key]?.file ?? [], manifest[key]?.css ?? []].flat()))]
}

/** The files that a script of the worker imports before it runs, itself included; `textOf` reads a script. */
function started(scripts: readonly string[], textOf: (file: string) => string): string[] {
  const files = new Set(scripts.filter((file) => WORKER.test(file)))
  for (const file of files)
    for (const [, name = ""] of textOf(file).matchAll(
      /(?:^|[;}\n])import\s*(?:[\w*{}$,\s]+from\s*)?["']\.\/([^"']+)["']/g
    ))
      for (const script of scripts) if (script.endsWith(`/${name}`) || script === name) files.add(script)
  return [...files]
}

/** Every bar, in kilobytes of 1,000 bytes as they travel. `scripts` are all of the build. */
export function barsOf(
  manifest: Manifest,
  scripts: readonly string[],
  textOf: (file: string) => string
): readonly Bar[] {
  // Vite builds the worker by itself, so its files are those that the page's manifest does not name.
  const named = new Set(Object.values(manifest).map(({ file }) => file))
  const worker = scripts.filter((file) => !named.has(file))
  const first = closure(manifest, false)
  return [
    { what: "page before its first screen", coding: "gzip", most: 40_000, files: first },
    { what: "page of an open account", coding: "gzip", most: 85_000, files: closure(manifest, false, INSIDE) },
    { what: "page, every screen", coding: "gzip", most: 115_000, files: closure(manifest, true) },
    { what: "account worker at its start", coding: "gzip", most: 256_000, files: started(worker, textOf) },
    { what: "account worker, every part", coding: "gzip", most: 286_000, files: worker },
    { what: "first load, but for the worker", coding: "br", most: 45_000, files: [...STATIC, ...first] }
  ]
}

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

/** One row per bar, and one sentence per bar that is missed. `sizeOf` tells how many bytes of a file travel. */
export function measure(bars: readonly Bar[], sizeOf: (file: string, coding: "gzip" | "br") => number) {
  const measured = bars.map((bar) => ({
    ...bar,
    size: bar.files.reduce((sum, file) => sum + sizeOf(file, bar.coding), 0)
  }))
  return {
    rows: measured.map(
      ({ coding, files, most, size, what }) =>
        `${what.padEnd(30)}${kilobytes(size).padStart(9)} ${coding.padEnd(4)}  ${`of ${kilobytes(most)}`.padEnd(12)}  ${files.length} files`
    ),
    violations: measured
      .filter(({ most, size }) => size > most)
      .map(
        ({ coding, files, most, size, what }) =>
          `${what}: ${kilobytes(size)} ${coding} and may have ${kilobytes(most)}: ${files.join(", ")}`
      )
  }
}

/** Measures the built page and prints the table. */
export function checkPageSizes(): string[] {
  const dist = join(root, "reference-web", "dist")
  const manifest = JSON.parse(readFileSync(join(dist, ".vite", "manifest.json"), "utf8")) as Manifest
  const sizeOf = (file: string, coding: "gzip" | "br") => {
    const compressed = join(dist, `${file}.${coding === "gzip" ? "gz" : "br"}`)
    return statSync(existsSync(compressed) ? compressed : join(dist, file)).size
  }
  const scripts = readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".js"))
  const bars = barsOf(
    manifest,
    scripts.map((name) => `assets/${name}`),
    (file) => readFileSync(join(dist, file), "utf8")
  )
  const { rows, violations } = measure(bars, sizeOf)
  for (const row of rows) say(`    ${row}`)
  return violations
}
