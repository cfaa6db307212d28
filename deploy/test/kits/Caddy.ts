/** A Caddy with the Caddyfile of `deploy/caddy` and an authority of its own, on loopback. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { files } from "./UnitHome.ts"

export interface Caddy {
  /** PEM of the authority. */
  readonly authority: string
  /** Its storage, as `nats-certificate.sh` reads it. */
  readonly storage: string
  readonly log: () => string
  stop(): Promise<void>
}

/** Starts it with an environment as in the Caddyfile, with data in `folder`. */
export const startCaddy = async (folder: string, env: Readonly<Record<string, string>>): Promise<Caddy> => {
  const storage = join(folder, "caddy")
  const child: ChildProcess = spawn(
    "caddy",
    ["run", "--adapter", "caddyfile", "--config", join(files, "caddy", "Caddyfile")],
    {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, ...env }
    }
  )
  let log = ""
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (log += text))
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  const authority = join(storage, "pki", "authorities", "local", "root.crt")
  while (!log.includes("serving initial configuration") || !existsSync(authority)) {
    if (child.exitCode !== null) throw new Error(`Caddy ended:\n${log}`)
    await pause(20)
  }
  return {
    authority: readFileSync(authority, "utf8"),
    storage,
    log: () => log,
    stop: () => {
      child.kill("SIGTERM")
      return ended
    }
  }
}
