/**
 * The programs, bundled from their sources for tests: a process that starts from the TypeScript files itself spends more
 * than a second of processor time on loading them. Bundled again whenever a source changed.
 */
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { withLock } from "../tasks/lock.mjs"
import { root } from "../tasks/paths.mjs"

export type ProgramName = "chat-server" | "sig-server" | "kez-chat"

const sources = ["sdk", "reference-server", "reference-cli"]
/** Beside `node_modules`, where the packages that are not bundled are found. */
const folder = join(root, "node_modules", ".cache", "kez-chat-bundles")

/** Changes with every change of a source or an installed package. */
const stamp = (): string => {
  const files = sources.flatMap((name) =>
    readdirSync(join(root, name, "src"), { recursive: true, encoding: "utf8" }).map((file) => join(name, "src", file))
  )
  const hash = createHash("sha256")
  for (const file of [...files.toSorted(), "package-lock.json", ...sources.map((name) => join(name, "package.json"))]) {
    const { mtimeMs, size } = statSync(join(root, file))
    hash.update(`${file}\0${mtimeMs}\0${size}\0`)
  }
  return hash.digest("hex").slice(0, 16)
}

const bundle = async (name: string, entry: Readonly<Record<string, string>>, target: string): Promise<void> => {
  const { build } = await import("tsup")
  const { default: config } = (await import(join(root, name, "tsup.config.ts"))) as {
    default: Parameters<typeof build>[0]
  }
  await build({
    ...config,
    config: false,
    entry: Object.fromEntries(Object.entries(entry).map(([to, from]) => [to, join(root, name, from)])),
    outDir: join(target, "dist"),
    tsconfig: join(root, "tsconfig.json"),
    clean: false,
    metafile: false,
    minify: false,
    silent: true,
    onSuccess: async () => undefined,
    esbuildOptions: (options) => {
      options.conditions = ["kez-source"]
    }
  })
  // What a program reads beside itself.
  copyFileSync(join(root, name, "package.json"), join(target, "package.json"))
}

const make = async (target: string): Promise<void> => {
  // The bundles of earlier sources; programs that still run have loaded theirs, but for parts that are loaded late.
  for (const old of existsSync(folder) ? readdirSync(folder) : [])
    if (old !== "lock" && Date.now() - statSync(join(folder, old)).mtimeMs > 3_600_000)
      rmSync(join(folder, old), { recursive: true, force: true })
  const draft = `${target}.draft`
  rmSync(draft, { recursive: true, force: true })
  const [server, cli] = [join(draft, "server"), join(draft, "cli")]
  for (const part of [server, cli]) mkdirSync(part, { recursive: true })
  await Promise.all([
    bundle("reference-server", { "chat-server": "src/chat-server.ts", "sig-server": "src/sig-server.ts" }, server),
    bundle("reference-cli", { "kez-chat": "src/main.ts" }, cli)
  ])
  symlinkSync(join(root, "reference-server", "pages"), join(server, "dist", "pages"))
  symlinkSync(join(root, "reference-web", "dist"), join(server, "dist", "page"))
  renameSync(draft, target)
}

let ready: Promise<string> | undefined

/** The folder of the bundles of today's sources. */
const bundles = (): Promise<string> =>
  (ready ??= withLock(join(folder, "lock"), async () => {
    const target = join(folder, stamp())
    if (!existsSync(target)) await make(target)
    return target
  }))

/** Path of a program's file that Node can run. */
export const bundled = async (name: ProgramName): Promise<string> =>
  join(await bundles(), name === "kez-chat" ? "cli" : "server", "dist", `${name}.js`)
