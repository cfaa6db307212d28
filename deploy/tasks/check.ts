/**
 * `npm run check`: every check that runs none of the product.
 *
 *   npm run check                 all of it
 *   npm run check -- types lint   some of it, by name
 */
import { spawn, spawnSync } from "node:child_process"
import { join } from "node:path"
import { checkFloors } from "./checks/Floors.ts"
import { linkCheck, pages } from "./checks/Links.ts"
import { checkLockfile } from "./checks/Lockfile.ts"
import { checkPageSizes } from "./checks/PageSizes.ts"
import { root } from "./paths.mjs"
import { dim, duration, fail, green, say } from "./say.mjs"

const tool = (path: string, ...args: string[]) => [join(root, "node_modules", path), ...args]
const source = (path: string, ...args: string[]) => ["--conditions=kez-source", join(root, path), ...args]

/** The packages that are published; each must look right to Node and to TypeScript. */
const PUBLISHED = ["sdk", "sdk/native", "reference-server", "reference-cli", "conformance"]

/** Argument lists for Node 24, all of which must succeed; or a function that returns one sentence per violation. */
type Check = readonly (readonly string[])[] | (() => readonly string[])

const checks: Readonly<Record<string, Check>> = {
  types: ["tsconfig.json", "reference-web/tsconfig.json"].map((config) => tool("typescript/bin/tsc", "-p", config)),
  lint: [tool("oxlint/bin/oxlint", "--deny-warnings")],
  format: [tool("oxfmt/bin/oxfmt", "--check")],
  floors: checkFloors,
  unused: [tool("knip/bin/knip.js", "--no-progress")],
  spec: [
    source("spec/scripts/check-requirements.ts"),
    source("spec/scripts/make-vectors.ts", "--check"),
    source("spec/scripts/make-walkthrough.ts", "--check")
  ],
  docs: [[join(root, "deploy", "tasks", "docs.ts"), "--check"]],
  packages: PUBLISHED.map((folder) => tool("publint/src/cli.js", folder, "--strict")),
  // The apps are programs and publish no types.
  "package types": [
    tool("@arethetypeswrong/cli/dist/index.js", "--pack", "sdk", "--profile", "esm-only", "--format", "ascii")
  ],
  changesets: changesets(),
  lockfile: checkLockfile,
  "page sizes": checkPageSizes,
  links: [linkCheck(pages())]
}

/**
 * A branch must have a changeset for what users notice; on main the changesets only have to be readable. An archive
 * without history has nothing to compare with.
 */
function changesets(): Check {
  const commit = (name: string) =>
    spawnSync("git", ["rev-parse", "--verify", "--quiet", name], { cwd: root, encoding: "utf8" }).stdout?.trim()
  const base = ["main", "origin/main"].find(commit)
  if (base === undefined) return []
  // Without --since every changeset is read; that needs a local main.
  const onMain = base === "main" && commit(base) === commit("HEAD")
  return [tool("@changesets/cli/bin.js", "status", ...(onMain ? [] : [`--since=${base}`]))]
}

interface Outcome {
  readonly ok: boolean
  readonly output: string
}

function run(args: readonly string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" }
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk))
    child.on("close", (code) => done({ ok: code === 0, output }))
  })
}

async function runCheck(check: Check): Promise<Outcome> {
  if (typeof check === "function") {
    const violations = check()
    return { ok: violations.length === 0, output: violations.join("\n") }
  }
  const outcomes = []
  for (const args of check) outcomes.push(await run(args))
  const failed = outcomes.filter(({ ok }) => !ok)
  return { ok: failed.length === 0, output: failed.map(({ output }) => output).join("\n") }
}

async function main(wanted: readonly string[]) {
  const unknown = wanted.filter((name) => !(name in checks))
  if (unknown.length > 0) {
    say(`There is no check ${unknown.join(", ")}: choose from ${Object.keys(checks).join(", ")}.`)
    return 1
  }
  const queue = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name))
  const begun = Date.now()
  const failed: string[] = []
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, check] = next
      const started = Date.now()
      const { ok, output } = await runCheck(check)
      if (ok) say(`  ${green("✓")} ${name} ${dim(`(${duration(Date.now() - started)})`)}`)
      else {
        failed.push(name)
        fail(name)
        say(output.trimEnd().replace(/^/gm, "    "))
      }
    }
  }
  await Promise.all([worker(), worker()])
  say()
  say(
    failed.length === 0
      ? `  all checks pass ${dim(`(${duration(Date.now() - begun)})`)}`
      : `  failed: ${failed.join(", ")}`
  )
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
