/**
 * The import rules of ARCHITECTURE.md, checked on every source file. Ours because dependency-cruiser does not support
 * TypeScript 7, and no lint rule knows what an entry reaches; circles are left to oxlint's `import/no-cycle`.
 */
import { globSync, readFileSync } from "node:fs"
import { join, posix, sep } from "node:path"
import { root } from "../paths.mjs"
import { type Import, importsOf, reached, resolveFrom } from "./Imports.ts"
import {
  BROWSER_ENTRIES,
  CLIENT_MODEL_MAY,
  CLIENT_ROOMS,
  EFFECT_BARREL,
  IDENTITY_ENTRIES,
  NODE_ONLY,
  OPEN_CLIENT_ROOMS,
  PAGE_ENTRIES,
  PROTOCOL_MAY,
  ROOMS,
  SHARED_CORES,
  TRANSPORT
} from "./FloorRules.ts"
import { sizeViolations } from "./Sizes.ts"

const isSource = (path: string) => /^(sdk|reference-\w+|conformance)\/src\/.+\.ts$/.test(path)

/** The room of a file of the SDK, and for an adapter its technology. */
function roomOf(path: string): { readonly room: string; readonly technology?: string } {
  const [, , first = "", second, third] = path.split("/")
  if (second === undefined) return { room: "assembly" }
  return first === "adapters" && third !== undefined ? { room: "adapters", technology: second } : { room: first }
}

const CLIENT = "sdk/src/client/"

/** The room of a file of the client, `KezChat` for a file directly in sdk/src/client; its folder if that is no room. */
function clientRoomOf(path: string): string {
  const inside = path.slice(CLIENT.length)
  if (!inside.includes("/")) return "KezChat"
  return CLIENT_ROOMS.find((room) => inside.startsWith(`${room}/`)) ?? posix.dirname(inside)
}

function* clientViolations(path: string, imports: readonly Import[]): Generator<string> {
  const room = clientRoomOf(path)
  const floor = CLIENT_ROOMS.indexOf(room)
  if (floor === -1) {
    yield `${path}: sdk/src/client has no room "${room}"; the rooms are ${CLIENT_ROOMS.join(", ")}`
    return
  }
  for (const { specifier } of imports) {
    if (!specifier.startsWith(".")) continue
    const target = resolveFrom(path, specifier)
    if (!target.startsWith(CLIENT)) {
      const outside = roomOf(target).room
      if (room === "model" && !CLIENT_MODEL_MAY.includes(outside))
        yield `${path}: client/model may not import ${outside} (${specifier})`
      continue
    }
    const to = clientRoomOf(target)
    if (to === room) continue
    if (!CLIENT_ROOMS.slice(0, floor).includes(to))
      yield `${path}: client/${room} may not import client/${to} (${specifier})`
    else if (!OPEN_CLIENT_ROOMS.includes(to) && posix.basename(target) !== "index.ts")
      yield `${path}: import client/${to} through its index.ts (${specifier})`
  }
}

function* sdkViolations(path: string, imports: readonly Import[]): Generator<string> {
  const { room, technology = "" } = roomOf(path)
  const allowed = ROOMS[room]
  if (allowed === undefined) {
    yield `${path}: sdk/src has no room "${room}"; the rooms are ${Object.keys(ROOMS).join(", ")}`
    return
  }
  for (const { specifier } of imports) {
    if (!specifier.startsWith(".")) {
      if (room === "protocol" && !PROTOCOL_MAY.test(specifier))
        yield `${path}: protocol is pure and may not import ${specifier}`
      if (/^@kez-chat\/(?!iroh-native$)/.test(specifier)) yield `${path}: the SDK may not import ${specifier}`
      continue
    }
    const target = resolveFrom(path, specifier)
    if (!target.startsWith("sdk/src/")) {
      yield `${path}: ${specifier} leaves sdk/src`
      continue
    }
    const to = roomOf(target)
    if (to.room !== room) {
      if (!allowed.includes(to.room)) yield `${path}: ${room} may not import ${to.room} (${specifier})`
    } else if (room === "adapters" && to.technology !== technology) {
      if (!SHARED_CORES[to.technology ?? ""]?.includes(technology))
        yield `${path}: adapters do not import each other (${specifier})`
    }
  }
}

function* appViolations(
  path: string,
  imports: readonly Import[],
  subpaths: Readonly<Record<string, unknown>>
): Generator<string> {
  const home = `${path.split("/")[0]}/`
  for (const { specifier } of imports) {
    if (specifier.startsWith(".") && !resolveFrom(path, specifier).startsWith(home))
      yield `${path}: ${specifier} leaves the package; other packages are imported by name`
    if (specifier.startsWith("@kez-chat/sdk") && !(specifier.replace("@kez-chat/sdk", ".") in subpaths))
      yield `${path}: ${specifier} is no public entry of the SDK`
    if (/^@kez-chat\/(cli|server|conformance)/.test(specifier))
      yield `${path}: no package imports an app (${specifier})`
  }
}

/** The `exports` field of sdk/package.json. */
type Exports = Readonly<Record<string, { readonly "kez-source": string }>>

/** One sentence per broken rule. `files`: path in the repository (with `/`) to text. */
export function findViolations(files: ReadonlyMap<string, string>, exports: Exports): string[] {
  const graph = new Map<string, readonly Import[]>()
  const found: string[] = []
  for (const [path, text] of files) {
    if (!isSource(path)) continue
    const imports = importsOf(path, text)
    graph.set(path, imports)
    found.push(...(path.startsWith("sdk/") ? sdkViolations(path, imports) : appViolations(path, imports, exports)))
    if (path.startsWith(CLIENT)) found.push(...clientViolations(path, imports))
    for (const { specifier, typeOnly } of imports) {
      if (EFFECT_BARREL.test(specifier) && !typeOnly)
        found.push(`${path}: import Effect by deep path, not "${specifier}" (the barrel costs a bundle megabytes)`)
    }
  }
  const checkReach = (subpath: string, forbidden: RegExp, why: string) => {
    const entry = exports[subpath]
    if (entry === undefined) return
    for (const { specifier, chain } of reached(posix.join("sdk", entry["kez-source"]), graph))
      if (forbidden.test(specifier))
        found.push(`@kez-chat/sdk${subpath.slice(1)} ${why} and reaches ${specifier} through ${chain.join(" -> ")}`)
  }
  for (const subpath of BROWSER_ENTRIES) checkReach(subpath, NODE_ONLY, "is for browsers too")
  for (const subpath of IDENTITY_ENTRIES) checkReach(subpath, TRANSPORT, "is for identity alone")
  for (const subpath of PAGE_ENTRIES) checkReach(subpath, /^/, "is for the thread of a page")
  return found
}

/** The rules applied to the repository. */
export function checkFloors(): string[] {
  const paths = globSync("{sdk,reference-*,conformance,deploy,spec}/**/*.{ts,mjs}", {
    cwd: root,
    exclude: (name) => name === "node_modules" || name === "dist"
  })
  const files = new Map(paths.sort().map((path) => [path.split(sep).join("/"), readFileSync(join(root, path), "utf8")]))
  const { exports } = JSON.parse(readFileSync(join(root, "sdk", "package.json"), "utf8")) as { exports: Exports }
  return [...findViolations(files, exports), ...sizeViolations(files)]
}
