/**
 * `npm run build`: the SDK by tsc, the page by Vite, the two apps and the conformance suite bundled by tsup; each bundle with the licences of the
 * packages in it.
 *
 *   npm run build                        all of it
 *   npm run build -- reference-server    the SDK, the page, and the bundles that are named
 */
import { existsSync, readFileSync, rmSync, writeFileSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { spawnSync } from "node:child_process"
import { beginStamp } from "./BuildStamp.ts"
import { root } from "./paths.mjs"

const noteBuilt = beginStamp()

function node(args: readonly string[], folder: string) {
  const { status } = spawnSync(process.execPath, args, { cwd: folder, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

const tool = (path: string) => join(root, "node_modules", path)

/** The folder of the package that a bundled file came from; undefined for our own. */
function packageOf(input: string): string | undefined {
  const at = input.lastIndexOf("node_modules/")
  if (at < 0) return undefined
  const [scope = "", name = ""] = input.slice(at + "node_modules/".length).split("/")
  return join(input.slice(0, at), "node_modules", scope, scope.startsWith("@") ? name : "")
}

/** The part of esbuild's metafile that is read here. */
interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >
}

/** Writes THIRD-PARTY-NOTICES.txt beside a build: the licence text of each package that its modules came from. */
function writeNotices(dist: string, modules: readonly string[]) {
  const packages = [...new Set(modules.map(packageOf).filter((path) => path !== undefined))].sort()
  const notices = packages.map((home) => {
    const { name, version, license } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"))
    const files = readdirSync(home).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    const text = files.map((file) => readFileSync(join(home, file), "utf8").trim()).join("\n\n")
    return `${name} ${version} (${license})\n\n${text || "The package carries no licence file."}`
  })
  const intro = "This program contains the packages below, each under its own licence."
  writeFileSync(join(dist, "THIRD-PARTY-NOTICES.txt"), `${[intro, ...notices].join(`\n\n${"-".repeat(80)}\n\n`)}\n`)
}

/** The modules in a bundle, by esbuild's metafile, which is removed. */
function modulesOf(folder: string): string[] {
  const metafile = join(folder, "dist", "metafile-esm.json")
  if (!existsSync(metafile)) throw new Error(`${basename(folder)}/tsup.config.ts must set metafile: true`)
  const { outputs } = JSON.parse(readFileSync(metafile, "utf8")) as Metafile
  rmSync(metafile)
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0))
    .map(([input]) => join(folder, input))
}

/** The page, whose build lists its modules itself. */
function buildPage() {
  const folder = join(root, "reference-web")
  const dist = join(folder, "dist")
  node([tool("vite/bin/vite.js"), "build", "--logLevel", "error"], folder)
  // What the elements take and fire, for editors and for `npm run docs`.
  node([tool("@custom-elements-manifest/analyzer/cem.js"), "analyze", "--quiet"], folder)
  writeNotices(dist, JSON.parse(readFileSync(join(dist, ".vite", "modules.json"), "utf8")))
}

/** An app as one file for each program. */
function buildApp(folder: string) {
  rmSync(join(folder, "dist"), { recursive: true, force: true })
  node([tool("tsup/dist/cli-default.js"), "--config", "tsup.config.ts", "--silent"], folder)
  writeNotices(join(folder, "dist"), modulesOf(folder))
}

const apps = ["reference-server", "reference-cli", "conformance"]
const named = process.argv.slice(2)
const unknown = named.filter((name) => !apps.includes(name))
if (unknown.length > 0) throw new Error(`there is no bundle ${unknown.join(", ")}: choose from ${apps.join(", ")}`)

rmSync(join(root, "sdk", "dist"), { recursive: true, force: true })
node([tool("typescript/bin/tsc"), "-p", "tsconfig.build.json"], join(root, "sdk"))
// The server's package contains the page.
buildPage()
for (const app of named.length === 0 ? apps : named) buildApp(join(root, app))
if (named.length === 0) noteBuilt()
