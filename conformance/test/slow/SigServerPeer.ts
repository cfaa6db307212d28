/** The sig-server in Rust as a child process, and the suite's command on it. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as readline from "node:readline"
import { text } from "node:stream/consumers"
import type { Report } from "../../src/report/Report.ts"

const entry = join(import.meta.dirname, "..", "..", "src", "kez-conformance.ts")

/** No check waits for limits of the server. */
const unlimited = ["--new-chains-per-hour", "100000", "--bytes-per-day", "1000000000"]

export interface SigServerPeer {
  readonly url: string
  /** Kills it without warning, and starts it on the same port and data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the program at a path on a free port. */
export const startPeer = async (path: string, ...args: ReadonlyArray<string>): Promise<SigServerPeer> => {
  const folder = mkdtempSync(join(tmpdir(), "kez-sig-server-"))
  let child: ChildProcess
  const start = async (bind: string): Promise<string> => {
    const options = ["--bind", bind, "--db", join(folder, "sig.sqlite"), ...unlimited, ...args]
    const started = spawn(path, options, { stdio: ["ignore", "pipe", "inherit"] })
    child = started
    const lines = readline.createInterface({ input: started.stdout })
    const line = await Promise.race([once(lines, "line"), once(started, "exit")])
    if (typeof line[0] !== "string") throw new Error(`the sig-server ended with ${line[0]}`)
    return line[0]
  }
  const kill = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    await ended
  }
  const url = await start("127.0.0.1:0")
  return {
    url,
    restart: async () => {
      await kill("SIGKILL")
      await start(new URL(url).host)
    },
    stop: async () => {
      await kill("SIGTERM")
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Runs `kez-conformance sig-server`: its exit code and report. */
export const conformance = async (url: string, ...args: ReadonlyArray<string>) => {
  const command = ["--conditions=kez-source", entry, "sig-server", "--url", url, "--json", ...args]
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit") as Promise<[number | null]>])
  return { code, report: JSON.parse(output) as Report }
}

/** What a report says is otherwise than KEZ is taken to do. */
export const otherwise = (facts: Report["facts"]): ReadonlyArray<string> =>
  facts.filter(({ holds }) => !holds).map(({ fact }) => fact)
