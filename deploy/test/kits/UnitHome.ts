/**
 * A home of the files in `deploy/systemd`, without systemd: installed by `install.sh` below a folder, its servers started
 * as the units say, on free ports.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type HomeProcess, makeProcess, startReaper } from "../../local/HomeProcess.ts"
import { getNatsServer } from "../../local/NatsServer.ts"
import { freePorts, type HomePorts, type PartName } from "../../local/Ports.ts"
import { root } from "../../tasks/paths.mjs"

/** Folder of the files that operators use. */
export const files = join(root, "deploy")

/** Values of a key in a unit, in order. */
export const valuesOf = (unit: string, key: string): ReadonlyArray<string> =>
  readFileSync(join(files, "systemd", unit), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1))

const units: Readonly<Record<PartName, string>> = {
  nats: "kez-nats-server.service",
  sig: "kez-sig-server.service",
  chat: "kez-chat-server.service"
}

/** `A=1 B=2` as pairs. */
const assignments = (text: string): ReadonlyArray<readonly [string, string]> =>
  text
    .split(/\s+/)
    .filter((word) => /^\w+=/.test(word))
    .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)])

export class UnitHome {
  readonly folder: string = mkdtempSync(join(tmpdir(), "kez-units-"))
  readonly ports: HomePorts
  readonly #parts: Partial<Record<PartName, ReturnType<typeof makeProcess>>> = {}
  readonly #reaper = startReaper()

  private constructor(ports: HomePorts) {
    this.ports = ports
  }

  /** Installs a home; nothing runs yet. */
  static async install(): Promise<UnitHome> {
    const [ports, nats] = await Promise.all([freePorts(), getNatsServer()])
    const home = new UnitHome(ports)
    // With the Node that runs the tests.
    execFileSync(join(files, "systemd", "install.sh"), [home.folder], {
      env: { ...process.env, NATS_SERVER: nats.path, KEZ_NODE: process.execPath },
      stdio: "pipe"
    })
    for (const path of ["/var/lib/kez-nats", "/var/lib/kez-sig", "/var/lib/kez-chat", "/run/kez-nats"])
      mkdirSync(home.at(path), { recursive: true, mode: 0o700 })
    mkdirSync(home.at("/etc/kez-chat/nats-tls"), { mode: 0o700 })
    return home
  }

  /** Where a path of the machine is below the folder. */
  at(path: string): string {
    return join(this.folder, path)
  }

  /** A command line with the paths that the installation owns below the folder. */
  moved(text: string): string {
    return text.replace(/(?<![\w/])(?=\/(?:opt|etc|run|var\/lib)\/kez-)/g, this.folder)
  }

  /** Runs `kez-chat-server` with the arguments of a shell command, as an operator does. */
  command(line: string, env: Readonly<Record<string, string>> = {}): string {
    const program = this.moved("/opt/kez-chat/bin/node /opt/kez-chat/reference-server/bin/kez-chat-server.js")
    const { status, stderr, stdout } = spawnSync("/bin/sh", ["-c", `exec ${program} ${this.moved(line)}`], {
      env: { ...process.env, ...env },
      encoding: "utf8"
    })
    if (status !== 0) throw new Error(`kez-chat-server ${line} ended with ${status}:\n${stdout}${stderr}`)
    return stdout
  }

  /** Starts a server with the unit's environment, and `env` instead of its environment file. */
  async start(part: PartName, env: Readonly<Record<string, string>>, ready: string): Promise<HomeProcess> {
    const unit = units[part]
    const [command = "", ...args] = this.moved(valuesOf(unit, "ExecStart")[0] ?? "").split(" ")
    const own = valuesOf(unit, "Environment").flatMap((line) => assignments(this.moved(line)))
    const process = makeProcess({
      name: part,
      command,
      args,
      env: { PATH: "/usr/bin:/bin", HOME: this.folder, ...Object.fromEntries(own), ...env },
      log: this.at(`${part}.log`),
      ready,
      onDeath: () => undefined,
      onChange: () =>
        this.#reaper.note(Object.values(this.#parts).flatMap(({ pid }) => (pid === undefined ? [] : [pid])))
    })
    await this.#parts[part]?.stop()
    this.#parts[part] = process
    await process.start()
    return process
  }

  /** The settings of `chat-server.env`, as its example has them. */
  example(): Record<string, string> {
    const text = readFileSync(this.at("/etc/kez-chat/chat-server.env"), "utf8").replace(/^#.*$/gm, "")
    return Object.fromEntries(assignments(text))
  }

  write(path: string, content: string): void {
    writeFileSync(this.at(path), content)
  }

  async remove(): Promise<void> {
    await this.#parts.chat?.stop()
    await Promise.all([this.#parts.sig?.stop(), this.#parts.nats?.stop()])
    this.#reaper.end()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
