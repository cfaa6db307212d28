// What each npm script does, once Node is known to be new enough to read this.
import { spawn } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { endWithParent } from "./processes.mjs"
import { cache, node24, Refusal, root } from "./paths.mjs"
import { fail } from "./say.mjs"
import { setUp } from "./setup.mjs"

const bin = join(root, "node_modules", ".bin")

/** A script inside node_modules, run by Node itself so that it works alike on every system. */
const tool = (path) => join(root, "node_modules", path)

const benchFiles = () =>
  ["sdk", "reference-server", "reference-cli"]
    .map((folder) => join(root, folder, "bench"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith(".bench.ts"))
        .sort()
        .map((name) => join(folder, name))
    )

/** `needs` is what set-up must have done; `commands` are argument lists for Node 24, run one after the other. */
const tasks = {
  setup: { needs: ["install", "nats", "build"], commands: () => [] },
  start: {
    needs: ["install", "nats", "build"],
    commands: (args) => [[join(root, "deploy", "local", "start.mjs"), ...args]]
  },
  test: {
    needs: ["install", "nats", "build"],
    commands: (args) => [[tool("vitest/vitest.mjs"), "run", "--project", "fast", ...args]]
  },
  "test:slow": {
    needs: ["install", "nats", "build"],
    commands: (args) => [[tool("vitest/vitest.mjs"), "run", "--project", "slow", ...args]]
  },
  check: { needs: ["install", "build"], commands: (args) => [[join(root, "deploy", "tasks", "check.mjs"), ...args]] },
  format: { needs: ["install"], commands: (args) => [[tool("oxfmt/bin/oxfmt"), ...args]] },
  build: { needs: ["install"], commands: (args) => [[join(root, "deploy", "tasks", "build.mjs"), ...args]] },
  docs: { needs: ["install", "build"], commands: (args) => [[join(root, "deploy", "tasks", "docs.mjs"), ...args]] },
  bench: {
    needs: ["install", "nats", "build"],
    commands: (args) => benchFiles().map((file) => ["--expose-gc", "--conditions=kez-source", file, ...args])
  }
}

/** Runs Node 24 in the repository with its tools first on PATH, and resolves with the exit code. */
function runNode(args, env) {
  return new Promise((done) => {
    const child = spawn(node24(), args, {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` }
    })
    const pass = (signal) => child.kill(signal)
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
    for (const signal of signals) process.on(signal, pass)
    child.on("exit", (code, signal) => {
      for (const name of signals) process.off(name, pass)
      done(code ?? (signal === "SIGINT" ? 130 : 1))
    })
  })
}

export async function runTask(name, args) {
  endWithParent("run.mjs")
  try {
    const task = tasks[name]
    if (task === undefined) throw new Refusal(`There is no task ${name}; there are ${Object.keys(tasks).join(", ")}.`)
    const { natsServer } = await setUp(task.needs)
    const env = {
      // Tests start servers and commands by the dozen; reading their sources is half of that time.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(cache, "compiled"),
      ...(natsServer === undefined ? {} : { NATS_SERVER: natsServer.path })
    }
    for (const command of task.commands(args)) {
      process.exitCode = await runNode(command, env)
      if (process.exitCode !== 0) return
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    fail(error.message)
    process.exitCode = 1
  }
}
