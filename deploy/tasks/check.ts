/**
 * `npm run check`: everything that can be said about the repository without running it.
 *
 *   npm run check                 all of it
 *   npm run check -- types lint   some of it, by name
 */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./paths.mjs"
import { dim, duration, fail, green, say } from "./say.mjs"

const tool = (path, ...args) => [join(root, "node_modules", path), ...args]
const source = (path, ...args) => ["--conditions=kez-source", join(root, path), ...args]

/** The packages that are published; each must look right to Node and to TypeScript. */
const PUBLISHED = ["sdk", "reference-server", "reference-cli"]

/** Each check is one or more programs for Node 24, all of which must end well, or a function that returns complaints. */
const checks = {
  types: [tool("typescript/bin/tsc", "-p", "tsconfig.json")],
  lint: [tool("oxlint/bin/oxlint", "--deny-warnings")],
  format: [tool("oxfmt/bin/oxfmt", "--check")],
  floors: [[join(root, "deploy", "tasks", "check-floors.mjs")]],
  unused: [tool("knip/bin/knip.js", "--no-progress")],
  spec: [source("spec/scripts/check-requirements.ts"), source("spec/scripts/make-vectors.ts", "--check")],
  docs: [[join(root, "deploy", "tasks", "docs.mjs"), "--check"]],
  packages: PUBLISHED.map((folder) => tool("publint/src/cli.js", folder, "--strict")),
  // Only the SDK is imported; the apps are programs and have no types to publish.
  "package types": [
    tool("@arethetypeswrong/cli/dist/index.js", "--pack", "sdk", "--profile", "esm-only", "--format", "ascii")
  ],
  changesets: changesets(),
  lockfile: checkLockfile,
  links: checkLinks
}

/**
 * A branch must tell users in a changeset what it changes; on main they only have to be readable. In an archive without
 * history there is nothing to compare.
 */
function changesets() {
  const commit = (name) =>
    spawnSync("git", ["rev-parse", "--verify", "--quiet", name], { cwd: root, encoding: "utf8" }).stdout?.trim()
  const base = ["main", "origin/main"].find(commit)
  if (base === undefined) return []
  return [tool("@changesets/cli/bin.js", "status", ...(commit(base) === commit("HEAD") ? [] : [`--since=${base}`]))]
}

/** Complaints about package-lock.json: it must name no registry and pin every package by hash. */
export function lockfileComplaints(lock) {
  const complaints = []
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (/^\w+:/.test(entry.resolved ?? ""))
      complaints.push(
        `${path} is bound to ${new URL(entry.resolved).host}: run npm install with the repository's .npmrc`
      )
    if (path.startsWith("node_modules/") && !entry.link && entry.integrity === undefined && !entry.inBundle)
      complaints.push(`${path} has no integrity hash`)
  }
  return complaints
}

function checkLockfile() {
  return lockfileComplaints(JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")))
}

/** Complaints about relative links of the Markdown files to places that are not there. */
function checkLinks() {
  const complaints = []
  const pages = globSync("{*.md,*/*.md,*/docs/*.md,.github/**/*.md}", {
    cwd: root,
    exclude: (name) => name === "node_modules"
  })
  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8").replace(/^```[\s\S]*?^```/gm, "")
    for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g))
      if (!/^\w+:/.test(target) && !existsSync(join(root, dirname(page), target)))
        complaints.push(`${page} links to ${target}, which is not there`)
  }
  return complaints
}

/** Runs a program and resolves with its output, and whether it ended well. */
function run(args) {
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

async function runCheck(check) {
  if (typeof check === "function") {
    const complaints = check()
    return { ok: complaints.length === 0, output: complaints.join("\n") }
  }
  const results = []
  for (const args of check) results.push(await run(args))
  return {
    ok: results.every(({ ok }) => ok),
    output: results
      .filter(({ ok }) => !ok)
      .map(({ output }) => output)
      .join("\n")
  }
}

async function main(wanted) {
  const unknown = wanted.filter((name) => !(name in checks))
  if (unknown.length > 0) {
    say(`There is no check ${unknown.join(", ")}; there are: ${Object.keys(checks).join(", ")}.`)
    return 1
  }
  const queue = Object.entries(checks).filter(([name]) => wanted.length === 0 || wanted.includes(name))
  const begun = Date.now()
  const failed = []
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

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2))
