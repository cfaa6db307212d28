/**
 * `npm run bench`: every bench in a process of its own, one after another, on a machine that is quiet.
 *
 *   npm run bench                               all but capacity, which takes hours
 *   npm run bench -- --only chat [options]      one of them; options that are not named here are its own
 *     --anyway       measures on a busy machine, and marks the run
 *     --json FILE    writes machine and figures
 *     --record       appends the run to history.jsonl; every run is compared with the last one there
 */
import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { Refusal, root } from "../../deploy/tasks/paths.mjs"
import { endWithParent } from "../../deploy/tasks/processes.mjs"
import { fail } from "../../deploy/tasks/say.mjs"
import { compare, type Measured, readHistory, recordRun, type Run, tolerance } from "./History.ts"
import { describeMachine, machineSentence, measureLoad, quietShare, refusal } from "./Machine.ts"
import { figuresVariable } from "./Report.ts"

const options = {
  only: { type: "string" },
  anyway: { type: "boolean", default: false },
  json: { type: "string" },
  record: { type: "boolean", default: false }
} as const

const suffix = ".bench.ts"
const benches = ["sdk", "reference-server", "reference-cli", "reference-web"].flatMap((part) => {
  const folder = join(root, part, "bench")
  return readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .sort()
    .map((file) => ({ name: basename(file, suffix), path: join(folder, file) }))
})

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** The arguments, and those that are left for the bench. */
const readArguments = (args: ReadonlyArray<string>) => {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const ours = new Set<number>()
  for (const token of tokens) {
    if (token.kind !== "option" || !Object.hasOwn(options, token.name)) continue
    ours.add(token.index)
    if (token.value !== undefined && token.inlineValue !== true) ours.add(token.index + 1)
  }
  let values
  try {
    values = parseArgs({ args: args.filter((_, index) => ours.has(index)), options }).values
  } catch (error) {
    throw new Refusal((error as Error).message)
  }
  return { ...values, rest: args.filter((_, index) => !ours.has(index)) }
}

const runBench = (path: string, args: ReadonlyArray<string>, figures: string) =>
  new Promise<boolean>((done) => {
    const child = spawn(process.execPath, ["--expose-gc", "--conditions=kez-source", path, ...args], {
      stdio: "inherit",
      env: { ...process.env, [figuresVariable]: figures }
    })
    const pass = (signal: NodeJS.Signals) => child.kill(signal)
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
    for (const signal of signals) process.on(signal, pass)
    child.once("exit", (code) => {
      for (const signal of signals) process.off(signal, pass)
      done(code === 0)
    })
  })

const main = async (): Promise<void> => {
  const { anyway, json, only, record, rest } = readArguments(process.argv.slice(2))
  const chosen = benches.filter(({ name }) => (only === undefined ? name !== "capacity" : name === only))
  if (chosen.length === 0)
    throw new Refusal(`There is no bench "${only}": choose one of ${benches.map(({ name }) => name).join(", ")}.`)
  if (only === undefined && rest.length > 0)
    throw new Refusal(`"${rest[0]}" is no option of all benches: choose one with --only NAME.`)

  const load = await measureLoad()
  const refused = refusal(load, { anyway, record })
  if (refused !== undefined) throw new Refusal(refused)
  const busy = load > quietShare
  const machine = describeMachine()
  say(machineSentence(machine))
  if (busy) say(`BUSY: other work kept ${Math.round(load * 100)} % of the processors. These figures are no measure.`)

  const at = new Date().toISOString()
  const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim()
  const folder = mkdtempSync(join(tmpdir(), "kez-bench-"))
  const figures: Array<Measured> = []
  try {
    for (const { name, path } of chosen) {
      const written = join(folder, `${name}.jsonl`)
      if (!(await runBench(path, rest, written))) throw new Refusal(`The bench "${name}" failed.`)
      if (!existsSync(written)) continue
      for (const line of readFileSync(written, "utf8").split("\n")) {
        if (line === "") continue
        const figure = JSON.parse(line) as Omit<Measured, "bench" | "value"> & { readonly value: number | null }
        figures.push({ bench: name, ...figure, value: figure.value ?? Number.NaN })
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const run: Run = { at, commit, machine, load, busy, figures }
  if (json !== undefined) writeFileSync(resolve(json), `${JSON.stringify(run, null, 2)}\n`)
  const { compared, worse } = compare(run, readHistory())
  say(
    compared === 0
      ? "\nNo recorded run on such a machine has these figures."
      : `\n${worse.length} of ${compared} figures are more than ${tolerance * 100} % worse than in the last recorded run on such a machine.`
  )
  for (const line of worse) say(`  ${line}`)
  if (busy) say("BUSY: the run was made under load; see above.")
  if (record) recordRun(run)
}

endWithParent()
try {
  await main()
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  fail(error.message)
  process.exitCode = 1
}
