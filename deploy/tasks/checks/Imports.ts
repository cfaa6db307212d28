// The imports of TypeScript modules, and the graph that they make.
import { posix } from "node:path"
import { parseSync } from "rolldown/utils"

export interface Import {
  readonly specifier: string
  /** Erased when it runs. */
  readonly typeOnly: boolean
}

/** Path in the repository (with `/`) to the imports of that module. */
export type Graph = ReadonlyMap<string, readonly Import[]>

/** The imports and re-exports of a module, dynamic imports of a literal specifier included. */
export function importsOf(path: string, text: string): Import[] {
  const { module, errors } = parseSync(path, text)
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`)
  const found: Import[] = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    typeOnly: entries.length > 0 && entries.every(({ isType }) => isType)
  }))
  for (const { entries } of module.staticExports)
    for (const { moduleRequest, isType } of entries)
      if (moduleRequest) found.push({ specifier: moduleRequest.value, typeOnly: isType })
  for (const { moduleRequest } of module.dynamicImports) {
    const [, , specifier] = /^(["'])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end)) ?? []
    if (specifier !== undefined) found.push({ specifier, typeOnly: false })
  }
  return found
}

/** The path of a relative specifier. */
export const resolveFrom = (path: string, specifier: string) =>
  posix.normalize(posix.join(posix.dirname(path), specifier))

/** Packages that `entry` reaches at run time, each once, with the chain of modules that leads there. */
export function* reached(entry: string, graph: Graph): Generator<{ specifier: string; chain: readonly string[] }> {
  const seen = new Set([entry])
  const queue: Array<readonly [path: string, chain: readonly string[]]> = [[entry, [entry]]]
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const [path, chain] = next
    for (const { specifier, typeOnly } of graph.get(path) ?? []) {
      if (typeOnly) continue
      const target = specifier.startsWith(".") ? resolveFrom(path, specifier) : specifier
      if (seen.has(target)) continue
      seen.add(target)
      if (specifier.startsWith(".")) queue.push([target, [...chain, target]])
      else yield { specifier, chain }
    }
  }
}
