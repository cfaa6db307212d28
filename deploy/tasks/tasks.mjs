// The task behind each npm script. Loaded once Node is known to be new enough to parse this.
import { spawn } from "node:child_process"
import { delimiter, join } from "node:path"
import { cache, node24, Refusal, root } from "./paths.mjs"
import { endWithParent } from "./processes.mjs"
import { fail } from "./say.mjs"
import { install } from "./setup.mjs"

const bin = join(root, "node_modules", ".bin")

/** A script of an installed package, run by Node itself so that it works alike on every system. */
const tool = (/** @type {string} */ path) => join(root, "node_modules", path)

/**
 * `needs` are the steps of `prepare.ts` that come first; `commands` are argument lists for Node 24, run one after the
 * other.
 *
 * @typedef {{ needs: ("nats" | "build")[], commands: (args: string[]) => string[][] }} Task
 * @type {Record<string, Task | undefined>}
 */
const tasks = {
  setup: { needs: ["nats", "build"], commands: () => [] },
  start: { needs: ["nats", "build"], commands: (args) => [["deploy/local/start.ts", ...args]] },
  dev: { needs: [], commands: (args) => [["deploy/local/dev.ts", ...args]] },
  test: {
    needs: ["nats", "build"],
    commands: (args) => [[tool("vitest/vitest.mjs"), "run", "--project", "!slow*", ...args]]
  },
  "test:slow": {
    needs: ["nats", "build"],
    commands: (args) => [[tool("vitest/vitest.mjs"), "run", "--project", "slow*", ...args]]
  },
  // The only tests that leave this machine.
  "test:live": { needs: [], commands: (args) => [["--conditions=kez-source", "sdk/test/live/Channels.ts", ...args]] },
  check: { needs: ["build"], commands: (args) => [["deploy/tasks/check.ts", ...args]] },
  format: { needs: [], commands: (args) => [[tool("oxfmt/bin/oxfmt"), ...args]] },
  build: { needs: [], commands: (args) => [["deploy/tasks/build.ts", ...args]] },
  "build:native": { needs: [], commands: (args) => [["deploy/tasks/rust/native.ts", ...args]] },
  docs: { needs: ["build"], commands: (args) => [["deploy/tasks/docs.ts", ...args]] },
  bench: {
    needs: ["nats", "build"],
    commands: (args) => [["--conditions=kez-source", "sdk/bench/run.ts", ...args]]
  }
}

/**
 * Runs Node 24 at the root of the repository with the installed tools first on PATH, and resolves with its exit code.
 *
 * @param {string[]} args
 * @returns {Promise<number>}
 */
function runNode(args) {
  return new Promise((done) => {
    const child = spawn(node24(), args, {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        // Tests start dozens of servers and commands; reading their sources is half of that time.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(cache, "compiled"),
        PATH: `${bin}${delimiter}${process.env.PATH ?? ""}`
      }
    })
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])
    for (const signal of signals) process.on(signal, pass)
    child.on("exit", (code, signal) => {
      for (const name of signals) process.off(name, pass)
      done(code ?? (signal === "SIGINT" ? 130 : 1))
    })
  })
}

/**
 * Runs one task, after what it needs; the exit code of this process is that of the first command that fails.
 *
 * @param {string} name
 * @param {string[]} args
 */
export async function runTask(name, args) {
  endWithParent("run.mjs")
  try {
    const task = tasks[name]
    if (task === undefined)
      throw new Refusal(`There is no task "${name}": choose one of ${Object.keys(tasks).join(", ")}.`)
    await install()
    const preparation = task.needs.length === 0 ? [] : [["deploy/tasks/prepare.ts", ...task.needs]]
    for (const command of [...preparation, ...task.commands(args)]) {
      process.exitCode = await runNode(command)
      if (process.exitCode !== 0) return
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    fail(error.message)
    process.exitCode = 1
  }
}
