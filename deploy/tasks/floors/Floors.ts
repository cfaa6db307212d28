/**
 * The import rules of ARCHITECTURE.md, checked on every source file.
 *
 * `findViolations` is pure: a map of paths to texts in, sentences out, so that the rules themselves can be tested.
 */
import { globSync, readFileSync } from "node:fs"
import { join, posix, relative, sep } from "node:path"
import { parseSync } from "rolldown/utils"
import { root } from "../paths.mjs"

/** For each room of sdk/src, the rooms it may import; its own files are always allowed. Imports point down only. */
const ROOMS = {
  protocol: [],
  api: ["protocol"],
  services: ["protocol"],
  crypto: ["protocol", "services"],
  client: ["protocol", "services", "crypto"],
  adapters: ["protocol", "api", "services", "crypto"],
  promise: ["protocol", "api", "services", "crypto", "client"],
  // Files directly in sdk/src assemble: the main entry, and the entries that join several adapters and both faces.
  assembly: ["protocol", "api", "services", "crypto", "client", "adapters", "promise"]
}

/** Adapters never import each other; a folder named here is the shared core of several technologies. */
const SHARED_CORES = {
  "nats-core": ["nats", "nats-websocket"],
  "crypto-core": ["node", "webcrypto", "noble"],
  "blobs-core": ["memory", "iroh"],
  "network-core": ["node", "nats"]
}

/** What the pure protocol may take from outside: values without effects, and vetted encoders and curves. */
const PROTOCOL_MAY =
  /^(effect\/(Result|Data|Option|Brand|Redacted|Function|Predicate|encoding\/\w+)|@noble\/.+|@scure\/.+|canonicalize|jsonc-parser)$/

/** Entries that a browser can load, so nothing they reach at run time may need Node. */
const BROWSER_ENTRIES = [
  ".",
  "./protocol",
  "./crypto",
  "./services",
  "./api",
  "./promise",
  "./web",
  "./webcrypto",
  "./noble",
  "./memory",
  "./http",
  "./nats-websocket"
]
const NODE_ONLY =
  /^(node:.+|@nats-io\/transport-node|undici|better-sqlite3|@napi-rs\/keyring|@number0\/iroh(\/.*)?|@effect\/platform-node.*)$/

/** Entries for those who only check identities: they carry no broker and no file transport. */
const IDENTITY_ENTRIES = ["./protocol", "./crypto"]
const TRANSPORT = /^(@nats-io\/.+|@number0\/iroh(\/.*)?)$/

/** Bare specifiers of Effect pull whole barrels into a bundle. */
const EFFECT_BARREL = /^(effect|@effect\/platform-node|@effect\/platform-browser)$/

const isSource = (path) => /^(sdk|reference-\w+|conformance)\/src\/.+\.ts$/.test(path)

/** The imports of a module: `{ specifier, typeOnly }`, dynamic ones with a literal specifier included. */
export function importsOf(path, text) {
  const { module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`)
  const found = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    typeOnly: entries.length > 0 && entries.every(({ isType }) => isType)
  }))
  for (const { entries } of module.staticExports)
    for (const { moduleRequest, isType } of entries)
      if (moduleRequest) found.push({ specifier: moduleRequest.value, typeOnly: isType })
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(["'])(.*)\1$/.exec(text.slice(moduleRequest.start, moduleRequest.end))
    if (literal) found.push({ specifier: literal[2], typeOnly: false })
  }
  return found
}

const resolveFrom = (path, specifier) => posix.normalize(posix.join(posix.dirname(path), specifier))

/** The room of a file of the SDK, and for an adapter its technology. */
function roomOf(path) {
  const [, , first, second, third] = path.split("/")
  if (second === undefined) return { room: "assembly" }
  return first === "adapters" && third !== undefined ? { room: "adapters", technology: second } : { room: first }
}

function* sdkViolations(path, imports) {
  const { room, technology } = roomOf(path)
  const allowed = ROOMS[room]
  if (allowed === undefined) {
    yield `${path}: sdk/src has no room "${room}"; the rooms are ${Object.keys(ROOMS).join(", ")}`
    return
  }
  for (const { specifier } of imports) {
    if (!specifier.startsWith(".")) {
      if (room === "protocol" && !PROTOCOL_MAY.test(specifier))
        yield `${path}: protocol is pure and may not import ${specifier}`
      if (specifier.startsWith("@kez-chat/")) yield `${path}: the SDK may not import ${specifier}`
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
      if (!SHARED_CORES[to.technology]?.includes(technology))
        yield `${path}: adapters do not import each other (${specifier})`
    }
  }
}

function* appViolations(path, imports, subpaths) {
  const home = `${path.split("/")[0]}/`
  for (const { specifier } of imports) {
    if (specifier.startsWith(".") && !resolveFrom(path, specifier).startsWith(home))
      yield `${path}: ${specifier} leaves the package; other packages are imported by name`
    const [, subpath] = /^@kez-chat\/sdk(\/.+)?$/.exec(specifier) ?? [undefined, undefined]
    if (specifier.startsWith("@kez-chat/sdk") && !subpaths.has(`.${subpath ?? ""}`))
      yield `${path}: ${specifier} is no public entry of the SDK`
    if (/^@kez-chat\/(cli|server|conformance)/.test(specifier))
      yield `${path}: no package imports an app (${specifier})`
  }
}

/** Walks what `entry` reaches at run time; yields each outside specifier once with the chain that led there. */
function* reached(entry, graph) {
  const seen = new Set([entry])
  const queue = [[entry]]
  while (queue.length > 0) {
    const chain = queue.shift()
    for (const { specifier, typeOnly } of graph.get(chain.at(-1)) ?? []) {
      if (typeOnly) continue
      const target = specifier.startsWith(".") ? resolveFrom(chain.at(-1), specifier) : specifier
      if (seen.has(target)) continue
      seen.add(target)
      if (specifier.startsWith(".")) queue.push([...chain, target])
      else yield { specifier, chain }
    }
  }
}

/**
 * `files`: path in the repository (with `/`) to text. `exports`: the `exports` field of sdk/package.json.
 * Returns one sentence per broken rule.
 */
export function findViolations(files, exports) {
  const subpaths = new Set(Object.keys(exports))
  const graph = new Map()
  const found = []
  for (const [path, text] of files) {
    if (!isSource(path)) continue
    const imports = importsOf(path, text)
    graph.set(path, imports)
    found.push(...(path.startsWith("sdk/") ? sdkViolations(path, imports) : appViolations(path, imports, subpaths)))
    for (const { specifier, typeOnly } of imports) {
      if (EFFECT_BARREL.test(specifier) && !typeOnly)
        found.push(`${path}: import Effect by deep path, not "${specifier}" (the barrel costs a bundle megabytes)`)
    }
  }
  const entryFile = (subpath) => posix.join("sdk", exports[subpath]["kez-source"])
  const checkReach = (subpath, forbidden, why) => {
    if (!subpaths.has(subpath)) return
    for (const { specifier, chain } of reached(entryFile(subpath), graph))
      if (forbidden.test(specifier))
        found.push(`@kez-chat/sdk${subpath.slice(1)} ${why} and reaches ${specifier} through ${chain.join(" -> ")}`)
  }
  for (const subpath of BROWSER_ENTRIES) checkReach(subpath, NODE_ONLY, "is for browsers too")
  for (const subpath of IDENTITY_ENTRIES) checkReach(subpath, TRANSPORT, "is for identity alone")
  return found
}

/** The repository as it is on disk. */
export function check() {
  const paths = globSync("{sdk,reference-*,conformance}/src/**/*.ts", { cwd: root }).map((path) =>
    path.split(sep).join("/")
  )
  const files = new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), "utf8")]))
  const { exports } = JSON.parse(readFileSync(join(root, "sdk", "package.json"), "utf8"))
  return { violations: findViolations(files, exports), count: files.size }
}

if (process.argv[1] !== undefined && relative(process.argv[1], import.meta.filename) === "") {
  const { violations, count } = check()
  for (const violation of violations) process.stdout.write(`${violation}\n`)
  if (violations.length === 0) process.stdout.write(`${count} files keep to the floors\n`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
