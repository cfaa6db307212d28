/**
 * Supervision of one server process: start and wait until it answers, stop, kill, restart, report an unexpected end.
 * Ours because tests kill and restart single servers, and because no server may outlive its runner, however that ends.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs"
import { get } from "node:http"
import { setTimeout as pause } from "node:timers/promises"
import { Refusal } from "../tasks/paths.mjs"
import type { PartName } from "./Ports.ts"

/** Names of the processes for people, and of their log files. */
export const TITLES: Readonly<Record<PartName, string>> = {
  nats: "nats-server",
  sig: "sig-server",
  chat: "chat-server"
}

/** Time until the first answer, and until the end after SIGTERM, in milliseconds. */
const READY_WITHIN = 90_000
const STOP_WITHIN = 10_000

/** A log larger than this is set aside at the next start. */
const LOG_BYTES = 10_000_000

export interface HomeProcess {
  readonly name: PartName
  /** Undefined while it is not running. */
  readonly pid: number | undefined
  /** Path of its log file. */
  readonly log: string
  /** Sends `signal` (SIGKILL by default) and resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it if it runs, starts it on the same ports and data, and resolves when it answers. */
  restart(): Promise<void>
}

/** An end that was not asked for. */
export interface HomeDeath {
  readonly name: string
  /** `exit code 1`, `killed by SIGKILL`, or why the program could not be started. */
  readonly how: string
  /** The last lines of the log. */
  readonly tail: string
  readonly log: string
}

/** Whether a GET of `url` gives 200 within two seconds. */
export function answers(url: string): Promise<boolean> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: 2000 }, (response) => {
      response.resume()
      done(response.statusCode === 200)
    })
    request.on("timeout", () => request.destroy())
    request.on("error", () => done(false))
  })
}

/** Children that run, so that they end with a runner that exits without `stop()`. */
const running = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of running) child.kill("SIGTERM")
})

/**
 * Ends the children when this process is gone, even after SIGKILL: a shell reads their ids from a pipe that closes with
 * this process. Not on Windows, which has only the exit hook above.
 */
export function startReaper(): { note(pids: readonly number[]): void; end(): void } {
  if (process.platform === "win32") return { note() {}, end() {} }
  const script =
    'while read line; do pids=$line; done; [ -z "$pids" ] || { kill -TERM $pids; sleep 5; kill -KILL $pids; } 2>/dev/null'
  const shell = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], detached: true })
  shell.on("error", () => {})
  shell.stdin.on("error", () => {})
  shell.unref()
  return {
    note: (pids) => shell.stdin.write(`${pids.join(" ")}\n`),
    end: () => shell.stdin.end("\n")
  }
}

/** The last lines of a log file. */
function lastLines(file: string, count = 15): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-count).join("\n")
  } catch {
    return ""
  }
}

/** Sets a large log aside, over the one that was set aside before. */
function rotate(log: string) {
  if (existsSync(log) && statSync(log).size > LOG_BYTES) renameSync(log, `${log}.old`)
}

/** A process that is not started yet. `ready` is a URL that answers 200 once the server is up. */
export function makeProcess({
  name,
  command,
  args,
  env,
  log,
  ready,
  onDeath,
  onChange
}: {
  readonly name: PartName
  readonly command: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: string
  readonly ready: string
  readonly onDeath: (death: HomeDeath) => void
  /** Called when `pid` has changed. */
  readonly onChange: () => void
}) {
  let child: ChildProcess | undefined
  let ended: Promise<void> = Promise.resolve()
  let expected = false
  let ending: string | undefined
  rotate(log)

  const start = async () => {
    expected = false
    ending = undefined
    const file = openSync(log, "a", 0o600)
    // In a process group of its own: Ctrl-C in the terminal reaches only the runner, which stops the servers in order.
    const mine = spawn(command, args, { env, stdio: ["ignore", file, file], detached: process.platform !== "win32" })
    child = mine
    closeSync(file)
    running.add(mine)
    ended = new Promise((done) => {
      const finish = (how: string) => {
        if (!running.delete(mine)) return
        ending = how
        onChange()
        done()
        if (!expected) onDeath({ name: TITLES[name], how, tail: lastLines(log), log })
      }
      mine.once("error", (error) => finish(error.message))
      mine.once("exit", (code, signal) => finish(signal ? `killed by ${signal}` : `exit code ${code}`))
    })
    onChange()
    const limit = Date.now() + READY_WITHIN
    for (let wait = 20; !(await answers(ready)); wait = Math.min(wait * 1.3, 250)) {
      if (ending !== undefined || Date.now() > limit) {
        const what = ending === undefined ? `did not answer at ${ready} in time` : `ended while starting (${ending})`
        throw new Refusal(`${TITLES[name]} ${what}; its last lines, from ${log}:\n${lastLines(log)}`)
      }
      await pause(wait)
    }
  }

  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    expected = true
    if (ending !== undefined || child === undefined) return
    child.kill(signal)
    await ended
  }

  const stop = async () => {
    const stopped = kill("SIGTERM").then(() => true)
    const timer = new AbortController()
    const late = pause(STOP_WITHIN, false, { signal: timer.signal }).catch(() => true)
    if (!(await Promise.race([stopped, late]))) await kill("SIGKILL")
    timer.abort()
  }

  return {
    name,
    log,
    get pid() {
      return ending === undefined ? child?.pid : undefined
    },
    start,
    kill,
    stop,
    async restart() {
      await stop()
      await start()
    }
  } satisfies HomeProcess & { start(): Promise<void>; stop(): Promise<void> }
}
