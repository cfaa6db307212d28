/**
 * `npm run dev`: the page from its sources, reloaded on every edit, in front of a home that `npm start` runs.
 *
 *   npm run dev -- [--data DIR]
 */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { Refusal, root } from "../tasks/paths.mjs"
import { endWithParent } from "../tasks/processes.mjs"
import { bold, cyan, dim, fail, say } from "../tasks/say.mjs"
import { answers, healthUrls } from "./Home.ts"
import { readRun } from "./RunFile.ts"

/** Where Vite serves (reference-web/vite.config.ts). */
const ORIGIN = "http://localhost:5173"

function dataFolder(): string {
  try {
    const { values } = parseArgs({ options: { data: { type: "string" } } })
    // npm runs scripts in the repository's root; a path is relative to where npm was called.
    return values.data === undefined ? join(root, ".kez") : resolve(process.env.INIT_CWD ?? process.cwd(), values.data)
  } catch {
    throw new Refusal("npm run dev takes one option, --data DIR, the data folder of a running home.")
  }
}

/** The URL of the running home, whose broker admits pages of Vite's origin. */
async function findHome(data: string): Promise<string> {
  const command = `npm start -- --origin ${ORIGIN}`
  const run = readRun(data)
  if (run === undefined || !(await answers(healthUrls(run.urls).chat)))
    throw new Refusal(`No home runs on ${data}: start one with ${command}.`)
  if (!readFileSync(join(data, "nats.conf"), "utf8").includes(`"${ORIGIN}"`))
    throw new Refusal(`The broker of the running home refuses pages from ${ORIGIN}: start it again with ${command}.`)
  return run.urls.home
}

endWithParent()
try {
  const home = await findHome(dataFolder())
  say()
  say(`  ${bold("page")}  ${cyan(`${ORIGIN}/`)} ${dim(`of the home at ${home}`)}`)
  const vite = spawn(process.execPath, [join(root, "node_modules", "vite", "bin", "vite.js")], {
    cwd: join(root, "reference-web"),
    stdio: "inherit",
    env: { ...process.env, KEZ_HOME: home }
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => vite.kill(signal))
  vite.once("exit", (code) => process.exit(code ?? 0))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
