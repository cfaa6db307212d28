/**
 * Which methods each path takes: answers 404, 405 and OPTIONS before any handler, and names routes in logs and metrics.
 */

export interface Route {
  readonly method: string
  /** `/v1/u/:handle`. */
  readonly path: string
}

export interface Match {
  /** The pattern, which unlike the path contains no handle. */
  readonly path: string
  /** Methods it takes, in upper case; HEAD wherever GET is. */
  readonly methods: ReadonlyArray<string>
}

/** The pattern that a path (without query) belongs to. */
export type RouteTable = (path: string) => Match | undefined

export const routeTable = (routes: ReadonlyArray<Route>): RouteTable => {
  const fixed = new Map<string, { path: string; methods: Array<string> }>()
  for (const { method, path } of routes) {
    const entry = fixed.get(path) ?? { path, methods: [] }
    entry.methods.push(method)
    if (method === "GET") entry.methods.push("HEAD")
    fixed.set(path, entry)
  }
  const patterns = [...fixed.values()]
    .filter(({ path }) => path.includes(":"))
    .map((entry) => ({
      entry,
      pattern: new RegExp(`^${entry.path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[a-z_]+/gi, "[^/]+")}$`)
    }))
  for (const { entry } of patterns) fixed.delete(entry.path)
  return (path) => fixed.get(path) ?? patterns.find(({ pattern }) => pattern.test(path))?.entry
}
