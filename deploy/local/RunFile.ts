// `run.json` in a home's data folder: what runs on it now. The CLI finds a local home by it, and so does a second start.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join, sep } from "node:path"
import { commandLine, isAlive } from "../tasks/processes.mjs"

export interface HomeUrls {
  /** chat-server, `http://127.0.0.1:...` */
  readonly home: string
  /** chat-server's internal listener. */
  readonly internal: string
  readonly sigServer: string
  /** `nats://127.0.0.1:...` */
  readonly nats: string
  /** `ws://127.0.0.1:...` */
  readonly websocket: string
  /** nats-server's monitoring pages. */
  readonly monitoring: string
}

export interface RunFile {
  readonly version: 1
  readonly serverName: string
  readonly urls: HomeUrls
  /** By part. `runner` is the process that started it and will stop it. */
  readonly processes: Readonly<Record<string, { readonly pid: number; readonly runner: number }>>
}

const fileIn = (folder: string) => join(folder, "run.json")

/** Whether `pid` is a server of this data folder. Process ids are reused, so its command line must name the folder. */
export const isServerOf = (folder: string, pid: number) => isAlive(pid) && commandLine(pid).includes(folder + sep)

/** The run file of a data folder, or undefined when there is none or it cannot be read. */
export function readRun(folder: string): RunFile | undefined {
  try {
    const run = JSON.parse(readFileSync(fileIn(folder), "utf8"))
    return run.version === 1 && typeof run.urls === "object" && typeof run.processes === "object" ? run : undefined
  } catch {
    return undefined
  }
}

function write(folder: string, run: RunFile) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(`${fileIn(folder)}.new`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${fileIn(folder)}.new`, fileIn(folder))
}

/** Records this runner's processes, beside those of other runners on the folder (`--only`). */
export function record(folder: string, { serverName, urls, processes }: Omit<RunFile, "version">) {
  const others = Object.entries(readRun(folder)?.processes ?? {}).filter(
    ([name, { pid, runner }]) => !(name in processes) && runner !== process.pid && isServerOf(folder, pid)
  )
  write(folder, { version: 1, serverName, urls, processes: { ...Object.fromEntries(others), ...processes } })
}

/** Removes these parts from the run file, and the file with the last part. */
export function forget(folder: string, names: readonly string[]) {
  const run = readRun(folder)
  if (run === undefined) return
  const left = Object.entries(run.processes).filter(
    ([name, { pid }]) => !names.includes(name) && isServerOf(folder, pid)
  )
  if (left.length === 0) rmSync(fileIn(folder), { force: true })
  else write(folder, { ...run, processes: Object.fromEntries(left) })
}
